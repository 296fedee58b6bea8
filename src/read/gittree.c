/* Sources from the trees of two commits: which entries are Python files that are wanted, their bytes, and which
 * files of the two sides are one and the same.
 *
 * A tree holds what is tracked, so git's ignore rules play no part. Directories with a pyvenv.cfg are left out, as
 * on disk. Symbolic links are not followed: what they lead to inside the tree is read under its own name.
 * Submodules are other repositories and are left out with a note. */
#include "read/revisions.h"

typedef struct Entry {
    Str path;
    git_oid id;
    bool executable;
} Entry;
typedef Vec(Entry) EntryVec;

typedef struct Listing {
    RevReader *x;
    const Options *o;
    EntryVec files;
    StrVec packages, venvs; /* directories with an __init__.py, a pyvenv.cfg; sorted like the files */
    StrVec pxds;            /* paths of .pxd files without their ending; likewise */
    NoteVec *notes;
    const git_tree *tree;
} Listing;

bool blob_text(RevReader *x, const git_oid *id, Str *out)
{
    git_blob *blob = NULL;
    if (git_blob_lookup(&blob, x->repo, id) < 0) return false;
    *out = str_dup(x->a, (Str){git_blob_rawcontent(blob), (size_t)git_blob_rawsize(blob)});
    git_blob_free(blob);
    return true;
}

/* ---- listing ------------------------------------------------------------------------------------------- */

/* The path that a symbolic link in a directory of the tree leads to; empty when that is none of the tree. */
static Str link_path(Arena *a, Str dir, Str target)
{
    StrVec parts = {0};
    Buf path = {0};
    if (str_starts(target, S("/"))) return S("");
    for (Str rest = str_fmt(a, "%.*s/%.*s", STR_ARG(dir), STR_ARG(target)); rest.n;) {
        Str part = str_cut(rest, '/', &rest);
        if (!part.n || str_is(part, ".")) continue;
        if (!str_is(part, ".."))
            vec_push(a, &parts, part);
        else if (!parts.n)
            return S("");
        else
            parts.n--;
    }
    for (u32 i = 0; i < parts.n; i++) buf_fmt(&path, "%s%.*s", i ? "/" : "", STR_ARG(parts.v[i]));
    Str out = str_dup(a, buf_view(&path));
    buf_free(&path);
    return out;
}

/* What a link leads to is read under its own name, if it has one here that is read. */
static void link_visit(Listing *l, Str dir, Str path, const git_oid *id)
{
    Arena *a = l->x->a;
    Str target;
    git_tree_entry *entry = NULL;
    if (!blob_text(l->x, id, &target)) return;
    Str to = link_path(a, dir, target);
    const char *why = to.n ? NULL : "it leads out of the root";
    if (to.n && git_tree_entry_bypath(&entry, l->tree, to.p) < 0) why = "it leads to nothing in the tree";
    if (entry && git_tree_entry_type(entry) == GIT_OBJECT_BLOB && !str_ends(to, S(".py")) && !str_ends(to, S(".pyw")))
        why = "it leads to a file that is not named as Python's are";
    git_tree_entry_free(entry);
    if (why) note_add(a, l->notes, path, "link", "the symbolic link was not followed: %s", why);
}

static int entry_visit(const char *root, const git_tree_entry *t, void *ctx)
{
    Listing *l = ctx;
    Arena *a = l->x->a;
    Str name = str_from(git_tree_entry_name(t)), dir = str_from(root);
    git_filemode_t mode = git_tree_entry_filemode(t);
    if (mode == GIT_FILEMODE_COMMIT) {
        note_add(a, l->notes, str_fmt(a, "%s%.*s", root, STR_ARG(name)), "submodule",
                 "the submodule was left out: it is another repository; run ungil review there");
        return 0;
    }
    if (mode == GIT_FILEMODE_TREE) return str_is(name, "__pycache__");
    if (dir.n) dir.n--; /* the slash */
    if (mode == GIT_FILEMODE_LINK && (str_ends(name, S(".py")) || str_ends(name, S(".pyw")))) {
        Str path = str_fmt(a, "%s%.*s", root, STR_ARG(name));
        if (!globs_match(&l->o->exclude, path)) link_visit(l, dir, path, git_tree_entry_id(t));
    }
    if (mode != GIT_FILEMODE_BLOB && mode != GIT_FILEMODE_BLOB_EXECUTABLE) return 0;
    if (str_is(name, "pyvenv.cfg")) vec_push(a, &l->venvs, str_dup(a, dir));
    if (str_ends(name, S(".pxd")))
        vec_push(a, &l->pxds, str_fmt(a, "%s%.*s", root, STR_ARG(str_slice(name, 0, name.n - 4))));
    if (!str_ends(name, S(".py")) && !str_ends(name, S(".pyw"))) return 0;
    Str path = str_fmt(a, "%s%.*s", root, STR_ARG(name));
    if (str_is(name, "__init__.py")) vec_push(a, &l->packages, str_dup(a, dir));
    if (globs_match(&l->o->exclude, path) || (l->o->include.n && !globs_match(&l->o->include, path))) return 0;
    vec_push(a, &l->files, (Entry){path, *git_tree_entry_id(t), mode == GIT_FILEMODE_BLOB_EXECUTABLE});
    return 0;
}

static int entry_cmp(const void *x, const void *y)
{
    return str_cmp(((const Entry *)x)->path, ((const Entry *)y)->path);
}

static int text_cmp(const void *x, const void *y)
{
    return str_cmp(*(const Str *)x, *(const Str *)y);
}

static bool listed(const StrVec *dirs, Str dir)
{
    return dirs->n && bsearch(&dir, dirs->v, dirs->n, sizeof dir, text_cmp) != NULL;
}

static bool in_venv(const Listing *l, Str path)
{
    for (Str dir = str_folder(path); dir.n; dir = str_folder(dir))
        if (listed(&l->venvs, dir)) return true;
    return false;
}

static bool tree_list(Listing *l, const git_tree *tree)
{
    l->tree = tree;
    if (git_tree_walk(tree, GIT_TREEWALK_PRE, entry_visit, l) < 0)
        return git_fail(l->x->e, "cannot read a tree of the repository");
    if (l->files.n) qsort(l->files.v, l->files.n, sizeof *l->files.v, entry_cmp);
    if (l->packages.n) qsort(l->packages.v, l->packages.n, sizeof *l->packages.v, text_cmp);
    if (l->pxds.n) qsort(l->pxds.v, l->pxds.n, sizeof *l->pxds.v, text_cmp);
    if (l->venvs.n) qsort(l->venvs.v, l->venvs.n, sizeof *l->venvs.v, text_cmp);
    u32 n = 0;
    for (u32 i = 0; i < l->files.n; i++)
        if (!in_venv(l, l->files.v[i].path)) l->files.v[n++] = l->files.v[i];
    l->files.n = n;
    return true;
}

/* ---- reading ------------------------------------------------------------------------------------------- */

/* The package depth of a path: how many of its directories, from the innermost, are packages. */
static u32 package_depth(const Listing *l, Str path)
{
    u32 depth = 0;
    for (Str dir = str_folder(path); listed(&l->packages, dir); dir = str_folder(dir)) {
        depth++;
        if (!dir.n) break;
    }
    return depth;
}

static bool source_load(Listing *l, const Entry *entry, Source *s)
{
    RevReader *x = l->x;
    git_object_size_t size = 0;
    git_odb *odb = NULL;
    git_object_t type;
    size_t n = 0;
    u32 depth = package_depth(l, entry->path);
    s->path = entry->path;
    s->executable = entry->executable;
    s->in_package = depth > 0;
    s->has_pxd = listed(&l->pxds, str_slice(entry->path, 0, str_rfind(entry->path, '.')));
    s->module = module_name(x->a, entry->path, depth);
    bool known = git_repository_odb(&odb, x->repo) == 0 && git_odb_read_header(&n, &type, odb, &entry->id) == 0;
    size = n;
    git_odb_free(odb);
    if (known && size > SOURCE_MAX) {
        note_add(x->a, l->notes, s->path, "too-large", "the file was left out: %llu bytes, more than the limit of %d",
                 (unsigned long long)size, SOURCE_MAX);
        return false;
    }
    if (known && blob_text(x, &entry->id, &s->text)) return true;
    note_add(x->a, l->notes, s->path, "unreadable",
             "the file was left out: its blob is not in the object store; a partial clone must fetch it first");
    return false;
}

typedef struct IndexJob {
    Source **v;
    bool *ok;
    NoteVec *notes;
    Arena *arenas;
} IndexJob;

static void source_work(void *ctx, u32 item, u32 worker)
{
    const IndexJob *job = ctx;
    if (job->v[item]) job->ok[item] = source_index(&job->arenas[worker], job->v[item], &job->notes[item]);
}

/* Loads and indexes the files of one side. `known` are those of the other side that are taken over as they are. */
static void side_load(Listing *l, Source **known, SourceList *out)
{
    Arena *a = l->x->a;
    u32 n = l->files.n, workers = l->o->jobs ? l->o->jobs : os_cpus();
    IndexJob job = {arena_new(a, Source *, n + 1), arena_new(a, bool, n + 1), arena_new(a, NoteVec, n + 1),
                    arena_new(a, Arena, workers)};
    for (u32 i = 0; i < n; i++) {
        if (known && known[i]) continue;
        job.v[i] = arena_new(a, Source, 1);
        if (!source_load(l, &l->files.v[i], job.v[i])) job.v[i] = NULL;
    }
    pool_run(workers, n, source_work, &job);
    for (u32 i = 0; i < workers; i++) arena_adopt(a, &job.arenas[i]);
    *out = (SourceList){arena_new(a, Source *, n + 1), 0};
    for (u32 i = 0; i < n; i++) {
        Source *s = known && known[i] ? known[i] : job.ok[i] ? job.v[i] : NULL;
        for (u32 k = 0; k < job.notes[i].n; k++) vec_push(a, l->notes, job.notes[i].v[k]);
        if (!s) continue;
        s->id = out->n;
        out->v[out->n++] = s;
    }
}

/* ---- both sides ---------------------------------------------------------------------------------------- */

static const Entry *entry_find(const Listing *l, Str path)
{
    Entry key = {.path = path};
    return l->files.n ? bsearch(&key, l->files.v, l->files.n, sizeof key, entry_cmp) : NULL;
}

/* For each file of the old side that the new one has with the same bytes and module name: a copy of that source. */
static Source **unchanged_take(const Listing *old, const Listing *now, const SourceList *after)
{
    Arena *a = old->x->a;
    Source **known = arena_new(a, Source *, old->files.n + 1);
    for (u32 i = 0; i < old->files.n; i++) {
        const Entry *before = &old->files.v[i], *e = entry_find(now, before->path);
        u32 at = e && git_oid_equal(&e->id, &before->id) ? source_find(after, before->path) : NONE;
        if (at == NONE || package_depth(old, before->path) != package_depth(now, before->path)) continue;
        known[i] = arena_new(a, Source, 1);
        *known[i] = *after->v[at];
    }
    return known;
}

static void sides_pair(RevReader *x)
{
    Revisions *r = x->out;
    r->same = arena_new(x->a, u32, r->before.n + 1);
    r->renamed = arena_new(x->a, u32, r->before.n + 1);
    for (u32 i = 0; i < r->before.n; i++) {
        const Source *s = r->before.v[i];
        u32 at = source_find(&r->after, s->path);
        bool same = at != NONE && r->after.v[at]->text.p == s->text.p;
        r->same[i] = same ? at : NONE;
        r->renamed[i] = at;
    }
    for (u32 i = 0; i < r->files.n; i++) {
        const FileDiff *f = &r->files.v[i];
        u32 from = str_eq(f->old_path, f->path) ? NONE : source_find(&r->before, f->old_path);
        if (from != NONE) r->renamed[from] = source_find(&r->after, f->path);
    }
}

bool trees_read(RevReader *x, const Options *o)
{
    NoteVec before_notes = {0}; /* what is wrong with the old side is not the change's doing */
    Listing old = {.x = x, .o = o, .notes = &before_notes}, now = {.x = x, .o = o, .notes = x->notes};
    if (!tree_list(&old, x->old_tree) || !tree_list(&now, x->new_tree)) return false;
    side_load(&now, NULL, &x->out->after);
    side_load(&old, unchanged_take(&old, &now, &x->out->after), &x->out->before);
    sides_pair(x);
    return true;
}
