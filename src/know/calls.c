/* The table of what is known of what programs call, and the look-up in it. */
#include "pipeline.h"

#define BUILTIN(name, as) {name, as, CALLED_BUILTIN},
#define METHOD(name, as) {name, as, CALLED_METHOD},
#define FUNCTION(name, as) {name, as, CALLED_FUNCTION},
#define MODULE(name, as) {name, as, CALLED_MODULE},
const CalledRow called_table[] = {
#include "know/calls.def"
};
#undef BUILTIN
#undef METHOD
#undef FUNCTION
#undef MODULE
const u32 called_count = COUNT_OF(called_table);

static int order(const CalledRow *row, CalledKind kind, Str name)
{
    return row->kind == kind ? str_cmp(str_from(row->name), name) : (int)row->kind - (int)kind;
}

static bool known(CalledKind kind, Str name, u64 as)
{
    u32 from = 0, to = called_count;
    while (from < to) {
        u32 at = from + (to - from) / 2;
        int o = order(&called_table[at], kind, name);
        if (o == 0) return (called_table[at].as & as) == as;
        if (o < 0)
            from = at + 1;
        else
            to = at;
    }
    return false;
}

bool known_builtin(Str name, u64 as)
{
    return known(CALLED_BUILTIN, name, as);
}

bool known_method(Str name, u64 as)
{
    return known(CALLED_METHOD, name, as);
}

bool known_function(Str dotted, u64 as)
{
    return known(CALLED_FUNCTION, dotted, as);
}

bool known_module(Str dotted, u64 as)
{
    while (dotted.n && !known(CALLED_MODULE, dotted, as)) {
        size_t dot = str_rfind(dotted, '.');
        dotted = str_slice(dotted, 0, dot < dotted.n ? dot : 0);
    }
    return dotted.n > 0;
}
