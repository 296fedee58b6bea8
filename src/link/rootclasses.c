/* Thread roots by what a function is: a method of a class whose objects run in threads, or decorated as a handler. */
#include "link/roots.h"

/* Servers that serve one request after the other. */
static const char *const serial_servers[] = {"HTTPServer", "TCPServer", "UDPServer", "UnixStreamServer"};

/* A server that serves one request after the other: one is made somewhere, and nothing speaks of a threading one. */
bool serial_server(const Program *p)
{
    static const char *const threading[] = {"ThreadingHTTPServer",       "ThreadingMixIn",
                                            "ThreadingTCPServer",        "ThreadingUDPServer",
                                            "ThreadingUnixStreamServer", "ThreadingWSGIServer"};
    bool any = false;
    for (u32 i = 0; i < p->nfiles; i++) {
        for (u32 k = 0; k < COUNT_OF(threading); k++)
            if (intern_find(&p->facts[i]->syms, str_from(threading[k])) != NONE) return false;
        for (u32 k = 0; k < COUNT_OF(serial_servers); k++)
            any |= intern_find(&p->facts[i]->syms, str_from(serial_servers[k])) != NONE;
    }
    return any;
}

/* HTTPServer(address, Hello): are servers that serve one request after the other all that is ever given the class? */
static bool only_serial(const Program *p, u32 gclass)
{
    bool any = false;
    u32 at;
    Str name = sym_str(p->facts[class_gid(p, gclass).file], program_class(p, gclass, &at)->name);
    if (p->state->classes[gclass].subs.n) return false;
    for (u32 file = 0; file < p->nfiles; file++) {
        const Facts *f = p->facts[file];
        if (intern_find(&f->syms, name) == NONE) continue;
        for (u32 i = 0; i < f->calls.n; i++) {
            const Call *c = &f->calls.v[i];
            for (u32 k = c->args; k < c->args + c->nargs; k++) {
                if (f->args.v[k].kind != VAL_PATH) continue;
                Ent e = path_entity(p, file, f->args.v[k].value);
                if (e.kind != ENT_CLASS || e.id != gclass) continue;
                Str server = str_last(path_external(p, file, c->callee), '.');
                if (!str_among(server, serial_servers, COUNT_OF(serial_servers))) return false;
                any = true;
            }
        }
    }
    return any;
}

static bool method_takes(const Program *p, u32 file, u32 gclass, const char *method, Str name)
{
    const Facts *f = p->facts[file];
    u32 param = intern_find(&f->syms, name), own = param == NONE ? NONE : class_own_method(p, gclass, method);
    if (own == NONE) return false;
    const Func *fn = &f->funcs.v[func_gid(p, own).id];
    for (u32 i = fn->params; i < fn->params + fn->nparams; i++)
        if (f->params.v[i].name == param) return true;
    return false;
}

/* Response(app, body)(environ, start_response): is an object of the class called as soon as it is made, for this one
 * request? */
static bool called_at_once(const Program *p, u32 gclass)
{
    LinkState *s = p->state;
    for (u32 file = 0; file < p->nfiles && !s->at_once_known; file++) {
        const Facts *f = p->facts[file];
        for (u32 i = 0; i < f->calls.n; i++) {
            const Path *x = &f->paths.v[f->calls.v[i].callee];
            if (x->root != ROOT_CALL || x->nattr) continue;
            Ent e = path_entity(p, file, f->calls.v[x->func].callee);
            if (e.kind == ENT_CLASS) s->classes[e.id].called_at_once = true;
        }
    }
    s->at_once_known = true;
    return s->classes[gclass].called_at_once;
}

/* The base of a row: a dotted name, of a library or of the program; "*Suffix" for any base with such a name;
 * "package:" for any class in a file that imports the package; "(name)" for any whose __init__ takes such a
 * parameter, "(name) other" where the method takes the other one, too, and no object is made for one call. */
static bool base_fits(const Program *p, u32 file, u32 gclass, const RootRow *r, Str base)
{
    const ClassInfo *ci = &p->state->classes[gclass];
    if (base.p[0] == '(') {
        Str other, name = str_cut(str_slice(base, 1, base.n), ')', &other);
        return method_takes(p, file, gclass, "__init__", name) &&
               (!other.n ||
                (method_takes(p, file, gclass, r->method, str_trim(other)) && !called_at_once(p, gclass)));
    }
    if (str_ends(base, S(":"))) {
        char package[64];
        snprintf(package, sizeof package, "%.*s", STR_ARG(str_slice(base, 0, base.n - 1)));
        return file_imports(p, file, package);
    }
    if (base.p[0] != '*') {
        for (u32 i = 0; i < ci->bases.n; i++)
            if (class_named(p, ci->bases.v[i], base)) return true;
        return class_derives(p, gclass, base.p);
    }
    for (u32 i = 0; i < ci->ext_bases.n; i++)
        if (str_ends(p->syms.strs[ci->ext_bases.v[i]], str_slice(base, 1, base.n))) return true;
    for (u32 i = 0; i < ci->bases.n; i++) {
        u32 at;
        const Class *c = program_class(p, ci->bases.v[i], &at);
        if (str_ends(sym_str(p->facts[at], c->name), str_slice(base, 1, base.n))) return true;
    }
    return false;
}

enum { KINDS = 4, KINDS_DEEP = 4 };

/* The classes derived from this one whose objects the program makes, and which have the method from it: KINDS of them
 * at most in out, KINDS + 1 when there are more. */
static u32 made_below(const Program *p, u32 gclass, u32 gfunc, u32 name, u32 *out, u32 n, u32 depth)
{
    const ClassInfo *ci = &p->state->classes[gclass];
    for (u32 i = 0; i < ci->subs.n && n <= KINDS && depth; i++) {
        u32 sub = ci->subs.v[i];
        if (class_method(p, sub, name, false) != gfunc) continue;
        if (p->state->classes[sub].made_at && n++ < KINDS) out[n - 1] = sub;
        n = made_below(p, sub, gfunc, name, out, n, depth - 1);
    }
    return n;
}

/* class Panel(Thread): def run(self): self.draw(), where only objects of derived classes are made: each of these is a
 * kind of thread with a draw() of its own, and there are as many of them as there are objects. False when they are
 * not told apart. */
static bool root_for_each_kind(Program *p, const RootRow *r, u32 gclass, u32 file, u32 func)
{
    const Facts *f = p->facts[file];
    u32 kinds[KINDS], gfunc = gfunc_of(p, file, func), name = gsym(p, file, f->funcs.v[func].name);
    u32 n = p->state->classes[gclass].made_at ? 0 : made_below(p, gclass, gfunc, name, kinds, 0, KINDS_DEEP);
    if (!n || n > KINDS) return false;
    for (u32 i = 0; i < n; i++) {
        u32 at;
        const Class *c = program_class(p, kinds[i], &at);
        Str display = root_display(p, r->label, sym_str(p->facts[at], c->name), file, f->funcs.v[func].line);
        Root root = {.func = gfunc,
                     .many = p->state->classes[kinds[i]].made_at != 1,
                     .own = r->own,
                     .display = display,
                     .file = file,
                     .call = NONE,
                     .self = kinds[i]};
        vec_push(p->arena, &p->roots, root);
    }
    return true;
}

void roots_of_class(Program *p, u32 gclass, bool serial)
{
    LinkState *s = p->state;
    u32 file;
    const Class *c = program_class(p, gclass, &file);
    const Facts *f = p->facts[file];
    ClassInfo *ci = &s->classes[gclass];
    for (u32 i = 0; i < s->rows[ROOT_BY_BASE].n; i++) {
        const RootRow *r = s->rows[ROOT_BY_BASE].v[i].row;
        if (!base_fits(p, file, gclass, r, s->rows[ROOT_BY_BASE].v[i].name)) continue;
        root_row_used(p, r);
        bool thread = !r->many && r->own;
        if (r->own && r->many) ci->fresh = true;
        for (u32 k = 1; k < f->funcs.n; k++) {
            const Func *fn = &f->funcs.v[k];
            if (gclass_of(p, file, fn->cls) != gclass || fn->is_lambda || fn->is_async ||
                !method_fits(sym_str(f, fn->name), r->method))
                continue;
            if (str_is(str_from(r->method), "*") && str_starts(sym_str(f, fn->name), S("_"))) continue;
            if (thread && root_for_each_kind(p, r, gclass, file, k)) continue;
            bool handler = str_contains(str_from(r->label), S("request handler"));
            bool many = (r->many && !(handler && (serial || only_serial(p, gclass)))) || (thread && ci->made_at != 1);
            u32 first = p->roots.n;
            root_add(p, gfunc_of(p, file, k), many, r->own,
                     root_display(p, r->label, sym_str(f, c->name), file, fn->line), file, NONE);
            if (handler && !many) /* do_GET, do_POST: one request after the other, whatever it asks for */
                for (; first < p->roots.n; first++) p->roots.v[first].lane = 1ull << 61 | gclass;
        }
    }
}

static bool has_word(const char *words, Str w)
{
    Str rest = str_from(words);
    while (rest.n)
        if (str_eq(str_cut(rest, ' ', &rest), w)) return true;
    return false;
}

/* @application.get(…), where application = fastapi.FastAPI(): is the object of a class that the row names? */
static bool receiver_made_by(const Program *p, u32 file, const Path *x, const char *classes)
{
    if (!x->nattr) return false;
    Type t = ent_type(p, path_resolve(p, file, x, x->nattr - 1u));
    return t.kind == TYPE_EXTERNAL && has_word(classes, p->syms.strs[t.id]);
}

static bool decorator_is(const Program *p, u32 file, u32 path, Str ext, Str name)
{
    if (ext.n) return str_eq(ext, name);
    Ent e = path_entity(p, file, path);
    return e.kind == ENT_FUNC && func_named(p, e.id, name);
}

void roots_of_decorators(Program *p, u32 file, u32 func)
{
    const Facts *f = p->facts[file];
    const Func *fn = &f->funcs.v[func];
    for (u32 i = fn->decorators; i < fn->decorators + fn->ndecorators; i++) {
        const Path *x = &f->paths.v[f->decorators.v[i]];
        if (x->root == ROOT_UNKNOWN || fn->is_async) continue;
        Str name = path_last(f, x);
        Str receiver = x->nattr > 1 ? sym_str(f, x->attr[x->nattr - 2]) : x->nattr ? sym_str(f, x->name) : S("");
        Str ext = path_external(p, file, f->decorators.v[i]);
        const LinkState *s = p->state;
        for (u32 k = 0; k < s->rows[ROOT_BY_DECORATOR].n; k++) {
            const RootRow *r = s->rows[ROOT_BY_DECORATOR].v[k].row;
            Str want = s->rows[ROOT_BY_DECORATOR].v[k].name;
            bool dotted = str_find(want, '.') < want.n;
            if (dotted ? !decorator_is(p, file, f->decorators.v[i], ext, want) : !str_eq(name, want)) continue;
            if (r->receivers && r->receivers[0] && !has_word(r->receivers, receiver) &&
                !receiver_made_by(p, file, x, r->receivers))
                continue;
            root_row_used(p, r);
            root_add(p, gfunc_of(p, file, func), r->many, false,
                     root_display(p, r->label, sym_str(f, fn->name), file, fn->line), file, NONE);
            break;
        }
    }
}
