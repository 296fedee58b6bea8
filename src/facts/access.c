/* Records accesses, and remembers which of them a local's value came from.
 *
 * Inside the condition of a branch (head_cond) each access is marked with that branch; reading a local marks the
 * accesses whose value the local holds. */
#include "facts/walk.h"

u32 key_symbol(Walk *w, u32 n)
{
    if (n == NONE) return SYM_EMPTY;
    Str s = ast_text(&w->t, n);
    return s.n <= KEY_MAX ? intern(w->a, &w->f->syms, s) : SYM_EMPTY;
}

/* A plain use of a local that no inner function sees concerns nobody else. */
static bool worth_recording(const Walk *w, const Path *p, u8 op)
{
    if (p->root == ROOT_UNKNOWN) return false;
    if (p->nattr || !op_of_binding(op)) return true;
    if (p->root == ROOT_LOCAL || p->root == ROOT_PARAM)
        return p->func != w->func || (bind_bits(w, p->func, p->name) & BIND_CAPTURED);
    if (p->root == ROOT_GLOBAL) {
        u32 bits = bind_bits(w, 0, p->name);
        return bits & (BIND_ASSIGN | BIND_GLOBAL) || op == OP_STORE || op == OP_AUG || op == OP_DEL;
    }
    return p->root == ROOT_CLASS;
}

u32 access_add(Walk *w, Path p, Use use, u32 node)
{
    if (!worth_recording(w, &p, use.op)) return NONE;
    Access *a = vec_add(w->a, &w->f->accesses);
    *a = (Access){.path = path_id(w, p),
                  .op = use.op,
                  .test = use.test,
                  .in_nested_def = w->in_def,
                  .method = use.method,
                  .key = SYM_EMPTY,
                  .func = w->func,
                  .block = w->block,
                  .stmt = w->stmt,
                  .cond = w->head_cond,
                  .value = NONE,
                  .local = SYM_EMPTY,
                  .span = {w->t.v[node].start, w->t.v[node].end}};
    if (w->head_cond != NONE && !a->test) a->test = TEST_COMPARE;
    a->line = w->line;
    source_position_near(w->src, a->span.start, &a->line, &a->column);
    w->line = a->end_line = a->line;
    source_position_near(w->src, a->span.end, &a->end_line, &a->end_column);
    u32 id = w->f->accesses.n - 1;
    vec_push(w->scratch, &w->dep, id);
    return id;
}

static LocalValue *value_at(Walk *w, Map *map, u32 func, u32 sym)
{
    u32 *at = map_at(w->scratch, map, map_key(func, sym));
    if (*at == NONE) {
        vec_push(w->scratch, &w->local_values, (LocalValue){0});
        *at = w->local_values.n - 1;
    }
    return &w->local_values.v[*at];
}

void local_set(Walk *w, u32 sym, u32 dep_from)
{
    LocalValue *lv = value_at(w, &w->locals, w->func, sym);
    *lv = (LocalValue){0};
    for (u32 i = dep_from; i < w->dep.n; i++) {
        Access *a = &w->f->accesses.v[w->dep.v[i]];
        if (a->func != w->func) continue;
        if (a->local == SYM_EMPTY) a->local = sym;
        if (lv->n < LOCAL_FROM) lv->from[lv->n++] = w->dep.v[i];
    }
}

/* A local is read: what it holds is used here, and decides the branch whose condition this is. */
void local_read(Walk *w, u32 sym, u8 test)
{
    u32 at = map_get(&w->locals, map_key(w->func, sym));
    if (at == NONE) return;
    LocalValue lv = w->local_values.v[at];
    for (u32 i = 0; i < lv.n; i++) {
        Access *a = &w->f->accesses.v[lv.from[i]];
        vec_push(w->scratch, &w->dep, lv.from[i]);
        if (w->head_cond == NONE || a->cond != NONE) continue;
        a->cond = w->head_cond;
        a->test = test ? test : TEST_COMPARE;
    }
}

void attribute_set(Walk *w, u32 path, u32 dep_from, u32 dep_to)
{
    LocalValue *lv = value_at(w, &w->attributes, w->func, path);
    *lv = (LocalValue){0};
    for (u32 i = dep_from; i < dep_to; i++) {
        const Access *a = &w->f->accesses.v[w->dep.v[i]];
        bool asks = a->op == OP_METHOD && a->func == w->func && a->cond == NONE;
        if (asks && lv->n < LOCAL_FROM) lv->from[lv->n++] = w->dep.v[i];
    }
}

void attribute_tested(Walk *w, u32 path, u8 test)
{
    u32 at = map_get(&w->attributes, map_key(w->func, path));
    if (at == NONE || w->head_cond == NONE) return;
    LocalValue lv = w->local_values.v[at];
    for (u32 i = 0; i < lv.n; i++) {
        Access *a = &w->f->accesses.v[lv.from[i]];
        if (a->cond != NONE) continue;
        a->cond = w->head_cond;
        a->test = test;
    }
}
