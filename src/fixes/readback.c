/* Read back under the lock what is tested next: a counter that is changed and then asked for.
 *
 *   self.left -= 1                     with self._left_lock:
 *   if self.left == 0:         →           self.left -= 1
 *       self.finish()                      left = self.left
 *                                      if left == 0:
 *                                          self.finish()
 *
 * Asked after the lock is given back, it may have been changed once more: two threads see the last value, or none
 * sees its own. What the test decides stays outside, so that nothing slow runs under the lock. Only for a region of
 * one augmented assignment, on lines of its own, that an if statement follows; the condition may only read it. */
#include "fixes/fixes.h"

enum { READS = 8 };

/* Collects where an expression reads the state. False where it may run later or more than once, or binds it anew. */
static bool reads_find(const Ast *t, u32 n, Str state, u32 *out, u32 *count)
{
    u8 kind = t->v[n].kind;
    if (kind == NODE_lambda || kind == NODE_generator_expression || kind == NODE_named_expression ||
        kind == NODE_await || kind == NODE_string)
        return false;
    if ((kind == NODE_identifier || kind == NODE_attribute) && str_eq(ast_text(t, n), state)) {
        if (*count == READS) return false;
        out[(*count)++] = n;
        return true;
    }
    for (u32 c = ast_first(t, n); c != NONE; c = ast_after(t, c))
        if (!reads_find(t, c, state, out, count)) return false;
    return true;
}

/* What `x += 1` is about, a name or an attribute, when that is all of the region; NONE. */
static u32 updated(const Ast *t, const Region *r)
{
    if (r->first != r->last || !ast_is(t, r->first, NODE_expression_statement)) return NONE;
    u32 update = ast_first(t, r->first);
    if (!ast_is(t, update, NODE_augmented_assignment) || ast_after(t, update) != NONE) return NONE;
    u32 left = ast_field(t, update, FIELD_left);
    return ast_is(t, left, NODE_identifier) || ast_is(t, left, NODE_attribute) ? left : NONE;
}

/* Does the statement have its lines for itself? */
static bool own_lines(const Source *s, Span stmt)
{
    Str before = str_slice(s->text, line_before(s, stmt.start), stmt.start);
    u32 next = line_after(s, stmt.end);
    bool ends = next > stmt.end && next <= s->text.n && s->text.p[next - 1] == '\n';
    Str after = str_trim(str_slice(s->text, stmt.end, next));
    return ends && !str_trim(before).n && (!after.n || after.p[0] == '#');
}

bool readback_write(Plan *pl, Fix *f, const Region *r, u32 lock)
{
    const Ast *t = site_ast(pl, r->file);
    const Source *s = site_source(pl, r->file);
    u32 left = updated(t, r), next = left == NONE ? NONE : ast_after(t, r->first), reads[READS], n = 0;
    if (r->func == 0 || !ast_is(t, next, NODE_if_statement) || !own_lines(s, r->span)) return false;
    Str state = ast_text(t, left), last = state, name;
    if (!reads_find(t, ast_field(t, next, FIELD_condition), state, reads, &n) || !n) return false;
    if (ast_is(t, left, NODE_attribute)) last = ast_text(t, ast_field(t, left, FIELD_attribute));
    if (!local_name(pl, r->file, r->func, last, state, "now", &name)) return false;
    intent_add(pl, f, INTENT_WRAP, r->file, r->span, r->lock, lock);
    Str text = str_fmt(pl->a, "\n    %.*s = %.*s", STR_ARG(name), STR_ARG(state));
    text = text_indent(pl, r->file, r->span.start, text);
    text = str_slice(text, str_find(text, '\n') + 1u, text.n);
    u32 at = line_after(s, r->span.end);
    intent_add(pl, f, INTENT_INSERT, r->file, (Span){at, at}, text, NONE);
    for (u32 i = 0; i < n; i++)
        intent_add(pl, f, INTENT_REPLACE, r->file, (Span){t->v[reads[i]].start, t->v[reads[i]].end}, name, NONE);
    return true;
}
