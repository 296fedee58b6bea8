/* UG102 about one object that several threads talk over, a cursor, a connection, a process, a buffer:
 *
 *   self.cursor.execute(query)               self.port.write(command)
 *   return self.cursor.fetchone()            return self.port.readline()
 *
 * A second statement or request in between, and the answer to that one is taken for the answer to this one.
 *
 * Needs the accesses of one place, and for attributes (rowcount, lastrowid) those of the function. What holds it is
 * known by how it is used. Halves in two functions are in exchange.c. Not seen: execute(…).fetchone(), where the
 * cursor is what execute returns. */
#include "races/races.h"

enum {
    ACCESSES = 64, /* as many are looked at for a witness, and for the answer; what has more has one among them */
    FINDINGS = 8   /* about one place: they say the same */
};

/* http.client: "request", "getresponse"; io: "getvalue"; msgpack-python: Packer(autoreset=False).bytes(); pipes of
 * subprocess.Popen count as one peer (places.c). */
static const struct {
    const char *name;
    u8 talk, half;
} words[] = {{"execute", TALK_DATABASE, HALF_ASKS},
             {"executemany", TALK_DATABASE, HALF_ASKS},
             {"callproc", TALK_DATABASE, HALF_ASKS},
             {"fetchone", TALK_DATABASE, HALF_ANSWERS},
             {"fetchall", TALK_DATABASE, HALF_ANSWERS},
             {"fetchmany", TALK_DATABASE, HALF_ANSWERS},
             {"rowcount", TALK_DATABASE, HALF_ANSWERS},
             {"lastrowid", TALK_DATABASE, HALF_ANSWERS},
             {"write", TALK_PEER, HALF_ASKS},
             {"send", TALK_PEER, HALF_ASKS},
             {"sendall", TALK_PEER, HALF_ASKS},
             {"send_bytes", TALK_PEER, HALF_ASKS},
             {"send_string", TALK_PEER, HALF_ASKS},
             {"send_json", TALK_PEER, HALF_ASKS},
             {"send_multipart", TALK_PEER, HALF_ASKS},
             {"send_pyobj", TALK_PEER, HALF_ASKS},
             {"read", TALK_PEER, HALF_ANSWERS},
             {"readline", TALK_PEER, HALF_ANSWERS},
             {"read_until", TALK_PEER, HALF_ANSWERS},
             {"recv", TALK_PEER, HALF_ANSWERS},
             {"recv_bytes", TALK_PEER, HALF_ANSWERS},
             {"recv_string", TALK_PEER, HALF_ANSWERS},
             {"recv_json", TALK_PEER, HALF_ANSWERS},
             {"recv_multipart", TALK_PEER, HALF_ANSWERS},
             {"recv_pyobj", TALK_PEER, HALF_ANSWERS},
             {"request", TALK_HTTP, HALF_ASKS},
             {"putrequest", TALK_HTTP, HALF_ASKS},
             {"getresponse", TALK_HTTP, HALF_ANSWERS},
             {"write", TALK_BUFFER, HALF_ASKS},
             {"pack", TALK_BUFFER, HALF_ASKS},
             {"getvalue", TALK_BUFFER, HALF_ANSWERS},
             {"bytes", TALK_BUFFER, HALF_ANSWERS},
             {"seek", TALK_FILE, HALF_ASKS},
             {"read", TALK_FILE, HALF_ANSWERS},
             {"readline", TALK_FILE, HALF_ANSWERS},
             {"readlines", TALK_FILE, HALF_ANSWERS},
             {"readinto", TALK_FILE, HALF_ANSWERS},
             {"write", TALK_FILE, HALF_ANSWERS},
             {"writelines", TALK_FILE, HALF_ANSWERS},
             {"truncate", TALK_FILE, HALF_ANSWERS}};

static Half half_named(Talk talk, Str name)
{
    for (u32 i = 0; i < COUNT_OF(words); i++)
        if (words[i].talk == talk && str_is(name, words[i].name)) return (Half)words[i].half;
    return HALF_NONE;
}

Half talk_half(const Program *p, u32 ga, Talk talk)
{
    const Access *a = program_access(p, ga);
    if (a->op != OP_METHOD || a->awaited) return HALF_NONE;
    return half_named(talk, sym_str(p->facts[access_gid(p, ga).file], a->method));
}

static u32 talk_bit(u8 talk, u8 half)
{
    return 1u << (talk * 2u + (half == HALF_ANSWERS));
}

u32 talks_of_place(const Finder *f)
{
    u32 bits = 0;
    if (!place_may_be_foreign(&f->p->places.v[f->place])) return 0;
    for (u32 i = 0; i < f->nacc; i++) {
        Str name = program_access(f->p, f->acc[i])->op == OP_METHOD ? access_method(f->p, f->acc[i]) : S("");
        for (u32 k = 0; name.n && k < COUNT_OF(words); k++)
            if (words[k].name[0] == name.p[0] && str_is(name, words[k].name))
                bits |= talk_bit(words[k].talk, words[k].half);
    }
    return bits;
}

bool place_asks(const Finder *f, Talk talk)
{
    return f->talks & talk_bit(talk, HALF_ASKS);
}

bool place_answers(const Finder *f, Talk talk)
{
    return f->talks & talk_bit(talk, HALF_ANSWERS);
}

/* self.cursor.rowcount: is it an attribute by which the object at the path answers? */
static bool attribute_answers(const Facts *x, const Access *a, u32 path)
{
    const Path *q = &x->paths.v[a->path], *of = &x->paths.v[path];
    if (q->root != of->root || q->func != of->func || q->name != of->name || q->nattr != of->nattr + 1) return false;
    for (u32 i = 0; i < of->nattr; i++)
        if (q->attr[i] != of->attr[i]) return false;
    return half_named(TALK_DATABASE, sym_str(x, q->attr[of->nattr])) == HALF_ANSWERS;
}

/* self.process.stdin and self.process.stdout: two ends of one peer? */
static bool two_ends(const Facts *x, u32 path1, u32 path2)
{
    const Path *a = &x->paths.v[path1], *b = &x->paths.v[path2];
    if (a->root != b->root || a->func != b->func || a->name != b->name || a->nattr != b->nattr || !a->nattr)
        return false;
    u32 last = a->nattr - 1u;
    bool pipes = str_is(sym_str(x, a->attr[last]), "stdin") && str_is(sym_str(x, b->attr[last]), "stdout");
    return pipes && !memcmp(a->attr, b->attr, last * sizeof *a->attr);
}

/* The access of the function, after the one that asks, that takes the answer; NONE when it asks again first. */
static u32 answer_after(const Program *p, u32 ask, Talk talk)
{
    GId g = access_gid(p, ask);
    const Facts *x = p->facts[g.file];
    const Access *a = &x->accesses.v[g.id];
    const Func *fn = &x->funcs.v[a->func];
    for (u32 i = g.id + 1; i < fn->accesses + fn->naccesses && i - g.id < ACCESSES; i++) {
        const Access *b = &x->accesses.v[i];
        u32 gb = p->access_base[g.file] + i;
        bool same = b->path == a->path;
        if (same && (b->op == OP_STORE || talk_half(p, gb, talk) == HALF_ASKS)) return NONE;
        if ((same || two_ends(x, a->path, b->path)) && talk_half(p, gb, talk) == HALF_ANSWERS) return gb;
        if (talk != TALK_DATABASE) continue;
        if (attribute_answers(x, b, a->path) || (same && b->op == OP_ITER)) return gb;
    }
    return NONE;
}

Conflict talk_between(const Finder *f, u32 ask, Talk talk)
{
    Conflict best = {NONE, CONF_LOW, false};
    for (u32 i = 0; i < f->nacc && i < ACCESSES && best.confidence < CONF_HIGH; i++) {
        const Facts *x = f->p->facts[access_file(f->p, f->acc[i])];
        if (talk_half(f->p, f->acc[i], talk) != HALF_ASKS || !access_counts(f->p, f->acc[i])) continue;
        if (winds_up(x, &x->funcs.v[program_access(f->p, f->acc[i])->func])) continue; /* quit, before it is closed */
        Conflict c = conflict_of(f, ask, f->acc[i]);
        if (c.witness != NONE && (best.witness == NONE || c.confidence > best.confidence)) best = c;
    }
    return best;
}

void talk_message(Finder *f, Race *r, Talk talk, u32 line)
{
    Str state = short_state(f->p, f->place);
    r->by_hand = "one lock must be held from each question to its answer, or each thread has one of its own";
    if (talk == TALK_DATABASE)
        race_message(f, r,
                     "%.*s runs a statement here, whose result is taken on line %u; when another thread runs one "
                     "in between, that one's result is taken",
                     STR_ARG(state), line);
    else if (talk == TALK_BUFFER)
        race_message(
            f, r,
            "something is put into %.*s here, and all that is in it is taken on line %u; what another thread "
            "puts in between goes with it",
            STR_ARG(state), line);
    else if (talk == TALK_FILE)
        race_message(
            f, r,
            "%.*s is positioned here and used on line %u; another thread may move it in between, and that is "
            "then at the wrong place",
            STR_ARG(state), line);
    else
        race_message(f, r,
                     "a request is sent over %.*s here and the answer is read on line %u; when another thread "
                     "sends one in between, each may read the other's answer",
                     STR_ARG(state), line);
}

/* What comes in bit by bit is put together in a buffer of its connection: only where something shows that threads
 * have one of them. */
static bool own_buffer(const Finder *f, Conflict c)
{
    const Place *x = &f->p->places.v[f->place];
    return x->kind == PLACE_INSTANCE && !c.roots &&
           !(x->evidence & (EV_SINGLETON | EV_GUARDED | EV_DECORATOR | EV_ALWAYS));
}

static u32 talks_of(Finder *f, Talk talk, u32 room)
{
    const Program *p = f->p;
    u32 found = 0;
    for (u32 i = 0; i < f->nacc && found < room; i++) {
        u32 ask = f->acc[i];
        if (f->claimed[ask] || talk_half(p, ask, talk) != HALF_ASKS || !access_counts(p, ask)) continue;
        u32 answer = answer_after(p, ask, talk);
        if (answer == NONE || one_section(p, ask, answer, NULL)) continue;
        Conflict c = talk_between(f, ask, talk);
        if (c.witness == NONE || (talk == TALK_BUFFER && own_buffer(f, c))) continue;
        found++;
        Race *r = race_add(f, UG102, ask, c);
        r->test = ask;
        r->act = answer;
        race_site(r, answer);
        talk_message(f, r, talk, program_access(p, answer)->line);
    }
    return found;
}

void race_conversation(Finder *f)
{
    static const u8 talks[] = {TALK_DATABASE, TALK_PEER, TALK_HTTP, TALK_BUFFER};
    u32 found = 0;
    for (u32 i = 0; i < COUNT_OF(talks); i++)
        if (place_asks(f, (Talk)talks[i])) found += talks_of(f, (Talk)talks[i], FINDINGS - found);
}
