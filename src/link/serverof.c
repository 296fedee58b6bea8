/* The server of a request handler: self.server in Handler is an object of Server where that is made with the
 * handler's class, Server(address, Handler), or hands it to its base, super().__init__(address, Handler) (Python
 * library reference, socketserver, "Request Handler Objects"). Two kinds of server for one handler are not told
 * apart. */
#include "link/link.h"

static bool is_handler(const Program *p, u32 gclass)
{
    static const char *const bases[] = {
        "socketserver.BaseRequestHandler",         "socketserver.StreamRequestHandler",
        "socketserver.DatagramRequestHandler",     "http.server.BaseHTTPRequestHandler",
        "http.server.SimpleHTTPRequestHandler",    "SocketServer.BaseRequestHandler",
        "SocketServer.StreamRequestHandler",       "BaseHTTPServer.BaseHTTPRequestHandler",
        "xmlrpc.server.SimpleXMLRPCRequestHandler"};
    return class_derives_any(p, gclass, bases, COUNT_OF(bases));
}

/* The class of the server that the call makes, or that is being made around it; NONE. */
static u32 server_made(const Program *p, u32 file, const Call *c)
{
    const Facts *f = p->facts[file];
    const Path *x = &f->paths.v[c->callee];
    u32 cls = f->funcs.v[c->func].self_class;
    bool init = x->nattr == 1 && x->attr[0] != SYM_ITEM && str_is(sym_str(f, x->attr[0]), "__init__");
    if (init && cls != NONE) return gclass_of(p, file, cls); /* super().__init__(…), HTTPServer.__init__(self, …) */
    Ent e = path_entity(p, file, c->callee);
    return e.kind == ENT_CLASS ? e.id : NONE;
}

u32 server_of(const Program *p, u32 handler)
{
    u32 found = NONE;
    if (!is_handler(p, handler)) return NONE;
    GId g = class_gid(p, handler);
    Str name = sym_str(p->facts[g.file], p->facts[g.file]->classes.v[g.id].name);
    for (u32 file = 0; file < p->nfiles; file++) {
        const Facts *f = p->facts[file];
        if (intern_find(&f->syms, name) == NONE) continue; /* an import that renames it is not followed */
        for (u32 i = 0; i < f->calls.n; i++) {
            const Call *c = &f->calls.v[i];
            bool hands = false;
            for (u32 k = c->args; k < c->args + c->nargs && !hands; k++) {
                Ent e = f->args.v[k].kind == VAL_PATH ? path_entity(p, file, f->args.v[k].value)
                                                      : (Ent){ENT_NONE, 0, 0, 0};
                hands = e.kind == ENT_CLASS && e.id == handler;
            }
            u32 server = hands ? server_made(p, file, c) : NONE;
            if (server == NONE || server == found) continue;
            if (found != NONE) return NONE;
            found = server;
        }
    }
    return found;
}
