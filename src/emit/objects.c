/* Blobs, trees and commits: all that is made before anything is published. Until a branch points at them, nobody
 * sees these objects. Trees are made from HEAD's by replacing entries, so that what is not ours is never read:
 * submodules, files outside of a sparse checkout, objects that a partial clone lacks. */
#include "emit/commit.h"

bool stored_text(Commit *c, Str path, Str text, git_buf *out)
{
    git_filter_list *filters = NULL;
    bool ok = git_filter_list_load(&filters, c->repo, NULL, path.p, GIT_FILTER_TO_ODB, GIT_FILTER_ALLOW_UNSAFE) == 0;
    ok = ok && git_filter_list_apply_to_buffer(out, filters, text.n ? text.p : "", text.n) == 0;
    if (!ok) commit_fail(c, str_fmt(c->a, "cannot convert %.*s to what git stores", STR_ARG(path)).p);
    git_filter_list_free(filters);
    return ok;
}

static const Touched *touched_source(const Commit *c, const Source *s)
{
    for (u32 i = 0; i < c->touched.n; i++) /* a later round has a source of its own for the file */
        if (c->touched.v[i].source && str_eq(c->touched.v[i].source->path, s->path)) return &c->touched.v[i];
    BUG("%.*s is changed by a group but not in the end", STR_ARG(s->path));
}

typedef Vec(git_tree_update) UpdateVec;

static bool update_add(Commit *c, Arena *a, UpdateVec *updates, const Touched *t, Str text)
{
    git_buf stored = {0};
    git_tree_update u = {.action = GIT_TREE_UPDATE_UPSERT, .filemode = t->filemode, .path = t->path.p};
    bool raw = c->bare || (t->source && !t->source->abs.n); /* it came from the object store, as git stores it */
    bool ok = raw || stored_text(c, t->path, text, &stored);
    ok = ok &&
         (git_blob_create_from_buffer(&u.id, c->repo, raw ? text.p : stored.ptr, raw ? text.n : stored.size) == 0 ||
          commit_fail(c, "cannot store a file in the repository"));
    git_buf_dispose(&stored);
    vec_push(a, updates, u);
    return ok;
}

/* The commit on top of the last one with the tree that the updates make of its tree. None when that is the same. */
static bool commit_add(Commit *c, const UpdateVec *updates, Str message)
{
    git_tree *old = NULL, *tree = NULL;
    git_commit *parent = NULL;
    git_oid tree_id, id;
    const git_oid *tip = c->made.n ? &c->made.v[c->made.n - 1].id : &c->head;
    bool ok = git_tree_lookup(&old, c->repo, &c->tree) == 0 &&
              git_tree_create_updated(&tree_id, c->repo, old, updates->n, updates->v) == 0;
    bool same = ok && git_oid_equal(&tree_id, &c->tree);
    ok = ok && git_tree_lookup(&tree, c->repo, &tree_id) == 0 && git_commit_lookup(&parent, c->repo, tip) == 0;
    const git_commit *parents[] = {parent};
    if (ok && !same)
        ok = git_commit_create(&id, c->repo, NULL, c->author, c->committer, NULL, message.p, tree, 1, parents) == 0;
    if (!ok) commit_fail(c, "cannot make the commit");
    if (ok && !same) {
        vec_push(c->a, &c->made, (MadeCommit){id, str_slice(message, 0, str_find(message, '\n'))});
        c->tree = tree_id;
    }
    git_commit_free(parent);
    git_tree_free(tree);
    git_tree_free(old);
    return ok;
}

/* ---- the commit of a group ----------------------------------------------------------------------------- */

/* The fixes of a group's decisions, and all fixes up to it of the files that it touches: the edits of one file do
 * not depend on fixes elsewhere, so that only these are made anew. */
static void fixes_gather(Commit *c, Arena *a, const Group *g, IdVec *only, Map *touched)
{
    IdVec own = {0};
    Map seen = {0};
    for (u32 i = 0; i < g->decisions.n; i++) {
        const Decision *d = &c->decisions.v[g->decisions.v[i]];
        for (u32 k = 0; k < d->fixes.n; k++) vec_push(a, &own, d->fixes.v[k]);
    }
    for (u32 i = 0; i < own.n; i++) {
        const Fix *f = &c->r->fixes->fixes.v[own.v[i]];
        for (u32 k = 0; k < f->intents.n; k++) {
            IdVec *here = &c->file_fixes[f->intents.v[k].file];
            map_put(a, touched, f->intents.v[k].file, 1);
            if (!here->n || here->v[here->n - 1] != own.v[i]) vec_push(c->a, here, own.v[i]);
        }
    }
    for (u32 i = 0; i < own.n; i++) {
        const Fix *f = &c->r->fixes->fixes.v[own.v[i]];
        for (u32 k = 0; k < f->intents.n; k++) {
            const IdVec *here = &c->file_fixes[f->intents.v[k].file];
            for (u32 j = 0; j < here->n; j++) {
                if (map_get(&seen, here->v[j]) != NONE) continue;
                map_put(a, &seen, here->v[j], 1);
                vec_push(a, only, here->v[j]);
            }
        }
    }
}

bool group_commit(Commit *c, u32 group)
{
    Arena scratch = {0};
    IdVec only = {0};
    Map touched = {0};
    ChangeVec changes = {0};
    UpdateVec updates = {0};
    Str why;
    const Group *g = &c->groups.v[group];
    fixes_gather(c, &scratch, g, &only, &touched);
    Wanted w = {.unsafe = c->r->options->unsafe_fixes, .only = only.v, .nonly = only.n};
    bool ok = edits_certify(&scratch, c->r->program, c->r->fixes, &w, &changes, &why) ||
              err_set(c->e, "commit %u of %u would not be a whole program (%.*s); use --per all", group + 1,
                      c->groups.n, STR_ARG(why));
    /* The last one leaves exactly what the round, or all rounds, were proved to make. */
    bool last = group + 1 == c->groups.n;
    const ChangeVec *all = groups_one(c->r->options) ? c->all->changes : c->r->changes;
    for (u32 i = 0; ok && !last && i < changes.n; i++)
        if (map_get(&touched, changes.v[i].file) != NONE)
            ok = update_add(c, &scratch, &updates, touched_source(c, changes.v[i].before), changes.v[i].after);
    for (u32 i = 0; ok && last && i < all->n; i++)
        ok = update_add(c, &scratch, &updates, touched_source(c, all->v[i].before), all->v[i].after);
    ok = ok && commit_add(c, &updates, commit_message(c, g));
    arena_free(&scratch);
    return ok;
}

/* ---- .git-blame-ignore-revs ---------------------------------------------------------------------------- */

static Str newline_of(Str text)
{
    size_t at = str_find(text, '\n');
    return at < text.n && at && text.p[at - 1] == '\r' ? S("\r\n") : S("\n");
}

bool revisions_commit(Commit *c)
{
    Arena scratch = {0};
    Buf text = {0};
    UpdateVec updates = {0};
    Touched *t = &c->touched.v[c->touched.n - 1];
    CHECK(!t->source);
    Str nl = newline_of(t->before);
    buf_str(&text, t->before);
    if (text.n && text.p[text.n - 1] != '\n') buf_str(&text, nl);
    if (text.n) buf_str(&text, nl);
    buf_fmt(&text, "# Locks added by ungil%.*s", STR_ARG(nl));
    for (u32 i = 0; i < c->made.n; i++) {
        char hex[GIT_OID_HEXSZ + 1];
        buf_fmt(&text, "# %.*s%.*s", STR_ARG(c->made.v[i].subject), STR_ARG(nl));
        buf_fmt(&text, "%s%.*s", git_oid_tostr(hex, sizeof hex, &c->made.v[i].id), STR_ARG(nl));
    }
    t->after = str_dup(c->a, buf_view(&text));
    buf_free(&text);
    buf_c(&text, "List the commits of ungil in .git-blame-ignore-revs\n\n"
                 "They indent lines and add locks. To have git blame look past them:\n\n"
                 "  git config blame.ignoreRevsFile .git-blame-ignore-revs\n");
    if (c->r->options->signoff) buf_fmt(&text, "\nSigned-off-by: %s <%s>\n", c->committer->name, c->committer->email);
    bool ok =
        update_add(c, &scratch, &updates, t, t->after) && commit_add(c, &updates, str_dup(c->a, buf_view(&text)));
    buf_free(&text);
    arena_free(&scratch);
    return ok;
}
