/* UG102 about one cursor or connection that several threads talk over:
 *
 *   self.cursor.execute(query)               self.port.write(command)
 *   return self.cursor.fetchone()            return self.port.readline()
 *
 * A second statement or request in between, and the answer to that one is taken for the answer to this one.
 *
 * Needs the accesses of one place, and for attributes (rowcount, lastrowid) those of the function. What holds it is
 * known by how it is used. Not seen: the two halves in two functions; execute(…).fetchone(), where the cursor is what
 * execute returns. */
#include "races/races.h"

enum {
    ACCESSES = 64, /* as many are looked at for a witness, and for the answer; what has more has one among them */
    FINDINGS = 8   /* about one place: they say the same */
};

typedef enum Half { HALF_NONE, ASKS_DATABASE, ANSWERS_DATABASE, ASKS_PEER, ANSWERS_PEER } Half;

static const struct {
    const char *name;
    u8 half;
} halves[] = {{"execute", ASKS_DATABASE},      {"executemany", ASKS_DATABASE}, {"callproc", ASKS_DATABASE},
              {"fetchone", ANSWERS_DATABASE},  {"fetchall", ANSWERS_DATABASE}, {"fetchmany", ANSWERS_DATABASE},
              {"rowcount", ANSWERS_DATABASE},  {"lastrowid", ANSWERS_DATABASE}, {"write", ASKS_PEER},
              {"send", ASKS_PEER},             {"sendall", ASKS_PEER},          {"send_bytes", ASKS_PEER},
              {"send_string", ASKS_PEER},      {"send_json", ASKS_PEER},        {"send_multipart", ASKS_PEER},
              {"send_pyobj", ASKS_PEER},       {"read", ANSWERS_PEER},          {"readline", ANSWERS_PEER},
              {"read_until", ANSWERS_PEER},    {"recv", ANSWERS_PEER},          {"recv_bytes", ANSWERS_PEER},
              {"recv_string", ANSWERS_PEER},   {"recv_json", ANSWERS_PEER},     {"recv_multipart", ANSWERS_PEER},
              {"recv_pyobj", ANSWERS_PEER}};

static Half half_named(Str name)
{
    for (u32 i = 0; i < COUNT_OF(halves); i++)
        if (str_is(name, halves[i].name)) return halves[i].half;
    return HALF_NONE;
}

static Half half_of(const Program *p, u32 ga)
{
    const Access *a = program_access(p, ga);
    if (a->op != OP_METHOD || a->awaited) return HALF_NONE;
    return half_named(sym_str(p->facts[access_gid(p, ga).file], a->method));
}

/* May the place hold such an object? Objects of the program's own classes are judged by what their methods do. */
static bool may_talk(const Place *x)
{
    return x->type.kind == TYPE_EXTERNAL || x->type.kind == TYPE_UNKNOWN || x->type.kind == TYPE_NONE;
}

/* self.cursor.rowcount: is it an attribute by which the object at the path answers? */
static bool attribute_answers(const Facts *x, const Access *a, u32 path)
{
    const Path *q = &x->paths.v[a->path], *of = &x->paths.v[path];
    if (q->root != of->root || q->func != of->func || q->name != of->name || q->nattr != of->nattr + 1) return false;
    for (u32 i = 0; i < of->nattr; i++)
        if (q->attr[i] != of->attr[i]) return false;
    return half_named(sym_str(x, q->attr[of->nattr])) == ANSWERS_DATABASE;
}

/* The access of the function, after the one that asks, that takes the answer; NONE when it asks again first. */
static u32 answer_after(const Program *p, u32 ask)
{
    GId g = access_gid(p, ask);
    const Facts *x = p->facts[g.file];
    const Access *a = &x->accesses.v[g.id];
    const Func *fn = &x->funcs.v[a->func];
    Half wanted = half_of(p, ask) == ASKS_DATABASE ? ANSWERS_DATABASE : ANSWERS_PEER;
    for (u32 i = g.id + 1; i < fn->accesses + fn->naccesses && i - g.id < ACCESSES; i++) {
        const Access *b = &x->accesses.v[i];
        u32 gb = p->access_base[g.file] + i;
        bool same = b->path == a->path;
        if (same && (b->op == OP_STORE || half_of(p, gb) == half_of(p, ask))) return NONE;
        if (same && half_of(p, gb) == wanted) return gb;
        if (wanted != ANSWERS_DATABASE) continue;
        if (attribute_answers(x, b, a->path) || (same && b->op == OP_ITER)) return gb;
    }
    return NONE;
}

/* Who asks the same object something in between; the surest witness. */
static Conflict asked_between(const Finder *f, u32 ask)
{
    Conflict best = {NONE, CONF_LOW, false};
    for (u32 i = 0; i < f->nacc && i < ACCESSES && best.confidence < CONF_HIGH; i++) {
        if (half_of(f->p, f->acc[i]) != half_of(f->p, ask) || !access_counts(f->p, f->acc[i])) continue;
        Conflict c = conflict_of(f, ask, f->acc[i]);
        if (c.witness != NONE && (best.witness == NONE || c.confidence > best.confidence)) best = c;
    }
    return best;
}

void race_conversation(Finder *f)
{
    const Program *p = f->p;
    if (!may_talk(&p->places.v[f->place])) return;
    for (u32 i = 0, found = 0; i < f->nacc && found < FINDINGS; i++) {
        u32 ask = f->acc[i];
        Half half = half_of(p, ask);
        if (f->claimed[ask] || (half != ASKS_DATABASE && half != ASKS_PEER) || !access_counts(p, ask)) continue;
        u32 answer = answer_after(p, ask);
        if (answer == NONE || one_section(p, ask, answer, NULL)) continue;
        Conflict c = asked_between(f, ask);
        if (c.witness == NONE) continue;
        found++;
        Race *r = race_add(f, UG102, ask, c);
        r->test = ask;
        r->act = answer;
        r->by_hand = "one lock must be held from each question to its answer, or each thread has one of its own";
        race_site(r, answer);
        Str state = short_state(p, f->place);
        u32 line = program_access(p, answer)->line;
        if (half == ASKS_DATABASE)
            race_message(f, r,
                         "%.*s runs a statement here, whose result is taken on line %u; when another thread runs one "
                         "in between, that one's result is taken",
                         STR_ARG(state), line);
        else
            race_message(f, r,
                         "a request is sent over %.*s here and the answer is read on line %u; when another thread "
                         "sends one in between, each may read the other's answer",
                         STR_ARG(state), line);
    }
}
