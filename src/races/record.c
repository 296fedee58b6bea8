/* UG102 about a record that is written in parts, to a file or socket that several threads write to:
 *
 *   self.file.write(name)                    json.dump(record, self.file)
 *   self.file.write("\n")                    self.sock.sendall(head); self.sock.sendall(body)
 *
 * What another thread writes in between stands in the middle of it. Each write keeps its own integrity, so that one
 * alone is no matter; json.dump() writes once for each token. Needs the accesses of one place. A part that ends in a
 * newline ends its record. Left alone: what the function has opened itself, the beginning and the end of an object,
 * parts between which the file is positioned (stream.c), text that is collected in memory. Not seen: parts that are
 * written by helpers. */
#include "races/races.h"

enum { FINDINGS = 2, WITNESSES = 64 };

const Call *call_given(const Facts *x, const Access *a, u32 *at)
{
    const Func *fn = &x->funcs.v[a->func];
    for (u32 i = fn->calls; i < fn->calls + fn->ncalls; i++) {
        const Call *c = &x->calls.v[i];
        for (u32 k = 0; k < c->nargs; k++) {
            Span s = x->args.v[c->args + k].span;
            if (s.start != a->span.start || s.end != a->span.end) continue;
            *at = k;
            return c;
        }
    }
    return NULL;
}

/* json.dump(record, self.file) */
static bool dumps(const Program *p, u32 ga)
{
    static const char *const names[] = {"json.dump", "simplejson.dump", "yaml.dump", "yaml.safe_dump"};
    GId g = access_gid(p, ga);
    const Facts *x = p->facts[g.file];
    u32 at = 0;
    u8 op = x->accesses.v[g.id].op;
    if (op != OP_ARG && op != OP_CREAD) return false;
    const Call *c = call_given(x, &x->accesses.v[g.id], &at);
    return c && at == 1 && str_among(path_external(p, g.file, c->callee), names, COUNT_OF(names));
}

static bool writes_part(const Program *p, u32 ga, bool file)
{
    const Access *a = program_access(p, ga);
    if (a->awaited) return false;
    if (a->op != OP_METHOD) return file && dumps(p, ga);
    return str_is(access_method(p, ga), file ? "write" : "sendall");
}

/* write(name + "\n"), write(f"{name}\n"), write("%s\n" % name), write("{}\n".format(name)) */
static bool ends_record(const Facts *x, const Access *a)
{
    Str text = str_trim(str_slice(x->source->text, a->span.start, a->span.end));
    if (a->op != OP_METHOD || !str_ends(text, S(")"))) return false;
    text = str_trim(str_slice(text, 0, text.n - 1));
    static const char *const filled[] = {"\\n\" %",      "\\n' %",        "\\n\".format(",
                                         "\\n'.format(", "\\n\".encode(", "\\n'.encode("};
    for (u32 i = 0; i < COUNT_OF(filled); i++)
        if (str_contains(text, str_from(filled[i]))) return true;
    return str_ends(text, S("\\n\"")) || str_ends(text, S("\\n'")) || str_ends(text, S("linesep"));
}

/* The access that writes the next part of what access i begins; NONE. Of a dump itself, which is many writes. */
static u32 next_part(const Finder *f, u32 i, bool file)
{
    const Program *p = f->p;
    GId g = access_gid(p, f->acc[i]);
    const Facts *x = p->facts[g.file];
    const Access *a = &x->accesses.v[g.id];
    u32 end, k = accesses_in(f, access_func(p, f->acc[i]), &end);
    for (; k < end; k++)
        if (program_access(p, f->acc[k])->op == OP_STORE) return NONE;
    u32 alone = file && dumps(p, f->acc[i]) ? f->acc[i] : NONE;
    if (ends_record(x, a)) return NONE;
    for (k = i + 1; k < end; k++) {
        const Access *b = program_access(p, f->acc[k]);
        if (b->path != a->path) continue;
        if (writes_part(p, f->acc[k], file)) return b->block == a->block ? f->acc[k] : alone;
        if (b->op == OP_METHOD && !str_is(access_method(p, f->acc[k]), "flush")) return alone;
    }
    return alone;
}

/* Who writes something in between; the surest witness. */
static Conflict written_between(const Finder *f, u32 first, u32 second, bool file)
{
    Conflict best = {NONE, CONF_LOW, false};
    for (u32 i = 0; i < f->nacc && i < WITNESSES && best.confidence < CONF_HIGH; i++) {
        bool part = writes_part(f->p, f->acc[i], file) || str_is(access_method(f->p, f->acc[i]), "writelines");
        const Facts *x = f->p->facts[access_file(f->p, f->acc[i])];
        if (!part || !access_counts(f->p, f->acc[i])) continue;
        if (begins_or_ends(x, &x->funcs.v[program_access(f->p, f->acc[i])->func])) continue;
        Conflict c = conflict_of(f, second, f->acc[i]);
        if (c.witness == NONE || conflict_of(f, first, f->acc[i]).witness == NONE) continue;
        if (best.witness == NONE || c.confidence > best.confidence) best = c;
    }
    return best;
}

void race_record(Finder *f)
{
    const Program *p = f->p;
    const Place *x = &p->places.v[f->place];
    bool file = place_is_file(p, x);
    if (!(file || place_asks(f, TALK_PEER)) || x->kind == PLACE_CLOSURE || x->kind == PLACE_DEFAULT) return;
    for (u32 i = 0, found = 0; i < f->nacc && found < FINDINGS; i++) {
        u32 first = f->acc[i];
        if (f->claimed[first] || !writes_part(p, first, file) || !access_counts(p, first)) continue;
        GId g = access_gid(p, first);
        const Facts *facts = p->facts[g.file];
        const Func *fn = &facts->funcs.v[facts->accesses.v[g.id].func];
        u32 second = begins_or_ends(facts, fn) ? NONE : next_part(f, i, file);
        if (second == NONE || f->claimed[second] || one_section(p, first, second, NULL)) continue;
        Conflict c = written_between(f, first, second, file);
        if (c.witness == NONE) continue;
        found++;
        Race *r = race_add(f, UG102, first, c);
        r->test = first;
        r->act = second;
        f->claimed[second] = 1;
        race_site(r, second);
        if (first == second)
            race_message(f, r,
                         "a record is written to %.*s here, piece by piece; what another thread writes meanwhile "
                         "stands in the middle of it",
                         STR_ARG(short_state(p, f->place)));
        else
            race_message(f, r,
                         "a record is written to %.*s in parts, here and on line %u; what another thread writes in "
                         "between stands in the middle of it",
                         STR_ARG(short_state(p, f->place)), program_access(p, second)->line);
    }
}
