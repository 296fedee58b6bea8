/* Critical sections: with statements, and acquire … release of one lock in one function. */
#include "facts/walk.h"

static void section_add(Walk *w, u32 value, bool is_async, u32 stmt_node, u32 body)
{
    u8 kind;
    u32 v, path = NONE, call = NONE;
    bool empty;
    value_of(w, value, &kind, &v, &empty);
    if (kind == VAL_PATH) path = v;
    if (kind == VAL_CALL) {
        call = v;
        path = w->f->calls.v[v].callee;
        w->f->calls.v[v].in_with = true;
    }
    if (path == NONE) return;
    vec_push(w->a, &w->f->sections,
             (Section){.kind = is_async ? SECTION_ASYNC_WITH : SECTION_WITH,
                       .finally = true,
                       .func = w->func,
                       .path = path,
                       .call = call,
                       .stmt = w->t.v[stmt_node].start,
                       .span = {w->t.v[value].end, body == NONE ? w->t.v[stmt_node].end : w->t.v[body].end}});
}

void walk_with(Walk *w, u32 n)
{
    bool is_async = ast_token(&w->t, n, "async");
    if (is_async) suspend_add(w, n, false);
    u32 body = ast_field(&w->t, n, FIELD_body);
    for (u32 clause = ast_first(&w->t, n); clause != NONE; clause = ast_after(&w->t, clause)) {
        if (w->t.v[clause].kind != NODE_with_clause) continue;
        for (u32 item = ast_first(&w->t, clause); item != NONE; item = ast_after(&w->t, item)) {
            u32 value = ast_field(&w->t, item, FIELD_value), alias = NONE;
            if (value == NONE) continue;
            if (w->t.v[value].kind == NODE_as_pattern) {
                alias = ast_field(&w->t, value, FIELD_alias);
                value = ast_first(&w->t, value);
            }
            u32 dep = w->dep.n;
            walk_expr(w, value, (Use){.op = OP_ARG});
            u8 kind;
            u32 v;
            bool empty;
            value_of(w, value, &kind, &v, &empty);
            u32 target = alias == NONE ? NONE : ast_first(&w->t, alias);
            if (target != NONE) {
                walk_assign_target(w, target, NONE, dep,
                                   kind == VAL_PATH   ? VAL_ENTER_OF
                                   : kind == VAL_CALL ? VAL_CALL
                                                      : VAL_OTHER,
                                   v);
                call_target(w, target, kind, v);
            }
            section_add(w, value, is_async, n, body);
        }
    }
    walk_block(w, BLOCK_WITH, NONE, body);
}

static bool method_is(const Walk *w, const Access *a, const char *name)
{
    return a->op == OP_METHOD && str_is(sym_str(w->f, a->method), name);
}

/* acquire … release of one lock in one function: the section runs from the acquire to the last release before the
 * next acquire of the same lock (or to the end of the function's text). */
void acquire_sections(Walk *w, u32 first_access)
{
    u32 end = w->f->accesses.n;
    for (u32 i = first_access; i < end; i++) {
        const Access a = w->f->accesses.v[i];
        if (!method_is(w, &a, "acquire") || a.awaited) continue;
        u32 last = NONE;
        for (u32 j = i + 1; j < end; j++) {
            const Access *b = &w->f->accesses.v[j];
            if (b->path != a.path) continue;
            if (method_is(w, b, "release"))
                last = j;
            else if (method_is(w, b, "acquire") && last != NONE)
                break;
        }
        if (last == NONE) continue;
        const Access *r = &w->f->accesses.v[last];
        bool finally = false;
        for (u32 b = r->block; b != NONE; b = w->f->blocks.v[b].parent)
            finally |= w->f->blocks.v[b].kind == BLOCK_FINALLY;
        vec_push(w->a, &w->f->sections,
                 (Section){.kind = SECTION_ACQUIRE,
                           .finally = finally,
                           .maybe = a.key != SYM_EMPTY && a.cond == NONE && a.local == SYM_EMPTY,
                           .func = w->func,
                           .path = a.path,
                           .call = NONE,
                           .span = {a.span.end, r->span.start},
                           .stmt = a.stmt});
    }
}
