/* The program as text: --dump=places. */
#include "link/link.h"

const char *const place_kind_name[PLACE_DEFAULT + 1] = {"global", "class-attribute", "instance", "closure",
                                                        "default"};

static void dump_evidence(Buf *out, u32 ev)
{
    static const char *const words[] = {"roots",     "module", "guarded", "class-locks", "singleton", "name",
                                        "decorator", "always", "file",    "purpose",     "touched",   "handed",
                                        "part",      "one",    "same",    "found",       "starter"};
    const char *sep = " evidence ";
    for (u32 i = 0; i < COUNT_OF(words); i++) {
        if (!(ev & 1u << i)) continue;
        buf_fmt(out, "%s%s", sep, words[i]);
        sep = ",";
    }
}

static void dump_locks(Buf *out, const Program *p, u32 set)
{
    const LockSet *s = &p->locksets.v[set];
    for (u32 i = 0; i < s->n; i++)
        buf_fmt(out, "%s%.*s", i ? "," : " locks ", STR_ARG(p->locks.v[s->ids[i]].display));
}

static void dump_place(Buf *out, const Program *p, u32 id)
{
    const Place *x = &p->places.v[id];
    buf_fmt(out, "place %.*s %s type %s", STR_ARG(x->display), place_kind_name[x->kind], type_name[x->type.kind]);
    if (x->guard != NONE)
        buf_fmt(out, " guard %.*s %u/%u", STR_ARG(p->locks.v[x->guard].display), x->guarded, x->total);
    dump_evidence(out, x->evidence);
    buf_char(out, '\n');
    for (u32 i = 0; i < x->n; i++) {
        u32 ga = p->place_access.v[x->first + i];
        GId g = access_gid(p, ga);
        const Facts *f = p->facts[g.file];
        const Access *a = &f->accesses.v[g.id];
        const FuncInfo *fi = &p->funcs[gfunc_of(p, g.file, a->func)];
        buf_fmt(out, "  %.*s:%u:%u %s", STR_ARG(f->source->path), a->line, a->column, op_name[a->op]);
        if (a->method) buf_fmt(out, " %.*s", STR_ARG(sym_str(f, a->method)));
        dump_locks(out, p, p->access_locks[ga]);
        if (!access_counts(p, ga)) buf_c(out, " not-counted");
        for (u32 k = 0; k < fi->nroots; k++) buf_fmt(out, " root [%.*s]", STR_ARG(p->roots.v[fi->roots[k]].display));
        if (fi->many) buf_c(out, " many");
        if (fi->api) buf_c(out, " api");
        buf_char(out, '\n');
    }
}

void places_dump(Buf *out, const Program *p)
{
    for (u32 i = ROOT_API + 1; i < p->roots.n; i++)
        buf_fmt(out, "root %.*s%s%s\n", STR_ARG(p->roots.v[i].display), p->roots.v[i].many ? " many" : "",
                p->roots.v[i].own ? " own" : "");
    for (u32 i = 0; i < p->places.n; i++)
        if (p->places.v[i].n && p->places.v[i].total) dump_place(out, p, i);
}
