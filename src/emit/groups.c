/* Which fixes make one commit. A decision is a lock with everything that it guards, or one fix that needs no lock;
 * no commit tears one apart, because half a lock guards nothing. --per and --owners put decisions together: a
 * decision belongs to the rule of its first finding, and to the file where its lock is defined, or else that of its
 * first edit. */
#include "emit/commit.h"

void decisions_make(Arena *a, const Results *r, bool unsafe, DecisionVec *out)
{
    const FixList *fixes = r->fixes;
    u32 *of_lock = arena_new(a, u32, fixes->locks.n);
    for (u32 i = 0; i < fixes->locks.n; i++) of_lock[i] = NONE;
    for (u32 i = 0; i < fixes->fixes.n; i++) {
        const Fix *f = &fixes->fixes.v[i];
        bool could = unsafe && !f->declined && f->intents.n && f->safety == FIX_UNSAFE;
        if (!could && !fix_writes(r, f)) continue;
        u32 at = f->lock != NONE ? of_lock[f->lock] : NONE;
        if (at == NONE) {
            at = out->n;
            vec_add(a, out);
            if (f->lock != NONE) of_lock[f->lock] = at;
        }
        vec_push(a, &out->v[at].fixes, i);
    }
}

u32 decision_file(const Results *r, const Decision *d)
{
    const Fix *f = &r->fixes->fixes.v[d->fixes.v[0]];
    const LockPlan *lock = f->lock != NONE ? &r->fixes->locks.v[f->lock] : NULL;
    return lock && !lock->existing ? lock->file : f->intents.v[0].file;
}

static const Fix *first_fix(const Commit *c, const Decision *d)
{
    return &c->r->fixes->fixes.v[d->fixes.v[0]];
}

static Str repo_path(const Commit *c, u32 file)
{
    return str_fmt(c->a, "%.*s%.*s", STR_ARG(c->prefix), STR_ARG(file_source(c->r, file)->path));
}

static Str decision_name(const Commit *c, const Decision *d)
{
    const Fix *f = first_fix(c, d);
    if (c->r->options->per == PER_RULE)
        return f->races.n ? str_from(rule_table[c->r->races->v[f->races.v[0]].rule].code) : f->transform;
    if (c->r->options->per != PER_FILE) return S("");
    return repo_path(c, decision_file(c->r, d));
}

/* ---- owners -------------------------------------------------------------------------------------------- */

/* The CODEOWNERS file of HEAD. */
static bool owners_load(Commit *c, Owners *out)
{
    for (u32 i = 0; owners_paths[i]; i++) {
        git_tree_entry *entry = NULL;
        git_blob *blob = NULL;
        if (git_tree_entry_bypath(&entry, c->base, owners_paths[i]) < 0) continue;
        bool ok = git_blob_lookup(&blob, c->repo, git_tree_entry_id(entry)) == 0;
        if (ok) {
            Str text = {git_blob_rawcontent(blob), (size_t)git_blob_rawsize(blob)};
            owners_parse(c->a, str_from(owners_paths[i]), str_dup(c->a, text), out);
        }
        git_blob_free(blob);
        git_tree_entry_free(entry);
        return ok || commit_fail(c, str_fmt(c->a, "cannot read %s", owners_paths[i]).p);
    }
    return err_set(c->e, "--owners needs a CODEOWNERS file in HEAD: %s, %s, %s or %s", owners_paths[0],
                   owners_paths[1], owners_paths[2], owners_paths[3]);
}

/* The owners of all files that a decision changes, each once, in the order of the files. */
static Str decision_owners(const Commit *c, const Owners *o, const Decision *d)
{
    Intern seen = {0};
    Buf all = {0};
    for (u32 i = 0; i < d->fixes.n; i++) {
        const Fix *f = &c->r->fixes->fixes.v[d->fixes.v[i]];
        for (u32 k = 0; k < f->intents.n; k++) {
            Str rest = owners_of(c->a, o, repo_path(c, f->intents.v[k].file));
            while (rest.n) {
                Str one = str_cut(rest, ' ', &rest);
                if (intern_find(&seen, one) != NONE) continue;
                intern(c->a, &seen, one);
                buf_fmt(&all, "%s%.*s", all.n ? " " : "", STR_ARG(one));
            }
        }
    }
    Str owners = str_dup(c->a, buf_view(&all));
    buf_free(&all);
    return owners;
}

/* ---- groups -------------------------------------------------------------------------------------------- */

static Per per_of(const Options *o)
{
    return o->per != PER_DEFAULT ? o->per : o->owners ? PER_ALL : PER_DECISION;
}

bool groups_one(const Options *o)
{
    return per_of(o) == PER_ALL && !o->owners;
}

bool groups_make(Commit *c)
{
    Owners owners = {0};
    Intern keys = {0};
    const Options *o = c->r->options;
    Per per = per_of(o);
    memset(&c->decisions, 0, sizeof c->decisions);
    memset(&c->groups, 0, sizeof c->groups);
    if (o->owners && !owners_load(c, &owners)) return false;
    decisions_make(c->a, c->r, false, &c->decisions);
    for (u32 i = 0; i < c->decisions.n; i++) {
        Group g = {.name = decision_name(c, &c->decisions.v[i])};
        if (o->owners) g.owners = decision_owners(c, &owners, &c->decisions.v[i]);
        Str key = str_fmt(c->a, "%.*s\n%.*s\n%u", STR_ARG(g.owners), STR_ARG(g.name), per == PER_DECISION ? i : 0);
        u32 at = intern(c->a, &keys, key);
        if (at == c->groups.n) vec_push(c->a, &c->groups, g);
        vec_push(c->a, &c->groups.v[at].decisions, i);
    }
    return true;
}
