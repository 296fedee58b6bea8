/* A file that was renamed or moved after a fix was written into it: the one in the root that has the text as it was
 * written; else the only one of that name. */
#include "emit/undo.h"

bool root_read(Undo *u)
{
    Options *o = arena_new(u->a, Options, 1);
    NoteVec notes = {0};
    Err ignored = {0};
    *o = *u->o;
    o->args = (StrVec){0};
    if (!u->root_read && !read_sources(u->a, o, &u->root, &notes, &ignored)) return false;
    u->root_read = true;
    return true;
}

/* The only file with this text, or with this name; empty. */
static Str only_file(Undo *u, Str text, Str name)
{
    Str found = S("");
    for (u32 i = 0; i < u->root.n; i++) {
        const Source *s = u->root.v[i];
        bool same = text.n ? str_eq(s->text, text) : str_eq(str_last(s->path, '/'), name);
        if (same && found.n) return S("");
        if (same) found = s->path;
    }
    return found.n ? str_fmt(u->a, "%.*s%.*s", STR_ARG(u->j.prefix), STR_ARG(found)) : found;
}

Str path_now(Undo *u, Str path, Str written)
{
    for (u32 i = 0; i < u->moved.n; i++)
        if (str_eq(u->moved.v[i].from, path)) return u->moved.v[i].to;
    Str at = str_fmt(u->a, "%.*s%.*s", STR_ARG(u->j.top), STR_ARG(path)), text;
    Err missing = {0};
    if (os_read_file(u->a, str_c(u->a, at), UINT32_MAX, &text, &missing) || !root_read(u)) return path;
    Str to = written.n ? only_file(u, written, S("")) : S("");
    if (!to.n) to = only_file(u, S(""), str_last(path, '/'));
    if (!to.n) return path;
    vec_push(u->a, &u->moved, (Moved){path, to});
    return to;
}
