/* UG102 about loggers: has it a handler, and if not, it is given one.
 *
 *   if not logger.handlers:                if logger.handlers:
 *       logger.addHandler(handler)             return logger
 *                                          logger.addHandler(handler)
 *
 * A logger belongs to the whole process. Two threads that come together both add theirs, and from then on each line
 * is logged twice (docs/memory-model.md, logging). addHandler() itself holds a lock; the test before it does not.
 *
 * Only in code that several threads reach at once as far as can be seen, without a lock. */
#include "races/races.h"

/* Does the text ask whether the logger has handlers: 1 when it is true without any, 2 when with some, else 0? */
static int asks_handlers(Str head, Str logger)
{
    static const struct {
        const char *before, *after;
        int answer;
    } forms[] = {{"not ", ".handlers", 1},       {"not ", ".hasHandlers()", 1},  {"not len(", ".handlers)", 1},
                 {"len(", ".handlers) == 0", 1}, {"len(", ".handlers) < 1", 1},  {"", ".handlers == []", 1},
                 {"", ".handlers", 2},           {"", ".hasHandlers()", 2},      {"len(", ".handlers)", 2},
                 {"len(", ".handlers) > 0", 2},  {"len(", ".handlers) != 0", 2}, {"bool(", ".handlers)", 2}};
    for (u32 i = 0; i < COUNT_OF(forms); i++) {
        Str before = str_from(forms[i].before), after = str_from(forms[i].after);
        if (head.n == before.n + logger.n + after.n && str_starts(head, before) && str_ends(head, after) &&
            str_eq(str_slice(head, before.n, before.n + logger.n), logger))
            return forms[i].answer;
    }
    return 0;
}

/* The condition of the same function that decides whether the call runs; NONE. */
static u32 test_of(const Facts *x, const Call *add, Str logger)
{
    for (u32 i = 0; i < x->conds.n; i++) {
        const Cond *c = &x->conds.v[i];
        if (c->func != add->func || c->loop || c->is_try || c->is_expr || c->head.start > add->span.start) continue;
        Str head = str_trim(str_slice(x->source->text, c->head.start, c->head.end));
        int asks = asks_handlers(head, logger);
        bool inside = c->then_block != NONE && block_within(x, add->block, c->then_block);
        bool past = c->then_block != NONE && x->blocks.v[c->then_block].exits && c->span.end <= add->span.start &&
                    block_within(x, add->block, c->block);
        if ((asks == 1 && inside) || (asks == 2 && past)) return i;
    }
    return NONE;
}

void race_handlers(Finder *f, u32 file)
{
    const Program *p = f->p;
    const Facts *x = p->facts[file];
    if (intern_find(&x->syms, S("addHandler")) == NONE) return;
    for (u32 i = 0; i < x->calls.n; i++) {
        const Call *c = &x->calls.v[i];
        Str text = str_slice(x->source->text, c->span.start, c->span.end);
        size_t dot = str_search(text, S(".addHandler("));
        if (!c->func || dot == text.n || !threads_meet(p, gfunc_of(p, file, c->func))) continue;
        Str logger = str_slice(text, 0, dot);
        u32 test = test_of(x, c, logger);
        if (test == NONE || call_is_held(p, file, c)) continue;
        u32 line, column;
        source_position(x->source, x->conds.v[test].head.start, &line, &column);
        Race *r = race_at(f, UG102, file, c->func, c->span, logger, CONF_MEDIUM);
        r->call = p->call_base[file] + i;
        r->by_hand = "handlers are best set up once, where the program starts; else test and call want one lock";
        race_message(f, r,
                     "line %u asks whether %.*s has handlers, and this adds one; another thread may do so in "
                     "between, and each line is then logged twice",
                     line, STR_ARG(logger));
    }
}
