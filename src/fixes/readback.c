/* Read back under the lock what is tested next: a counter that is changed and then asked for.
 *
 *   self.left -= 1                     with self._left_lock:
 *   if self.left == 0:         →           self.left -= 1
 *       self.finish()                      left = self.left
 *                                      if left == 0:
 *                                          self.finish()
 *
 * Asked after the lock is given back, it may have been changed once more: two threads see the last value, or none
 * sees its own. What the test decides stays outside, so that nothing slow runs under the lock. Only for one
 * augmented assignment on lines of its own, which an if statement follows, or which ends a critical section that one
 * follows; the condition may only read it.
 *
 *   self.last_id += 1                  with self._last_id_lock:
 *   packet = pack(body)         →          self.last_id += 1
 *   self.send(self.last_id)                last_id = self.last_id
 *                                      packet = pack(body)
 *                                      self.send(last_id)
 *
 * The same for what is handed on, stored or returned further down, where the number only goes one way: reads_back()
 * tells which reads are meant to have this update's value. */
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

/* What `x += 1` is about, a name or an attribute, when that is all of the statement; NONE. */
static u32 updated(const Ast *t, u32 stmt)
{
    if (!ast_is(t, stmt, NODE_expression_statement)) return NONE;
    u32 update = ast_first(t, stmt);
    if (!ast_is(t, update, NODE_augmented_assignment) || ast_after(t, update) != NONE) return NONE;
    u32 left = ast_field(t, update, FIELD_left);
    return ast_is(t, left, NODE_identifier) || ast_is(t, left, NODE_attribute) ? left : NONE;
}

bool own_lines(const Source *s, Span stmt)
{
    Str before = str_slice(s->text, line_before(s, stmt.start), stmt.start);
    u32 next = line_after(s, stmt.end);
    bool ends = next > stmt.end && next <= s->text.n && s->text.p[next - 1] == '\n';
    Str after = str_trim(str_slice(s->text, stmt.end, next));
    return ends && !str_trim(before).n && (!after.n || after.p[0] == '#');
}

/* The statement `x += 1`, the if statement behind it or behind its section, and what the condition reads. */
typedef struct ReadBack {
    u32 update, next;
    Str state, name;
    u32 reads[READS], n;
} ReadBack;

/* Is it an if statement without an else whose branch ends the function or the turn of its loop? */
static bool leaves(const Ast *t, u32 n)
{
    if (!ast_is(t, n, NODE_if_statement) || ast_field(t, n, FIELD_alternative) != NONE) return false;
    u32 last = ast_first(t, ast_field(t, n, FIELD_consequence));
    while (last != NONE && ast_after(t, last) != NONE) last = ast_after(t, last);
    return ast_is(t, last, NODE_return_statement) || ast_is(t, last, NODE_raise_statement) ||
           ast_is(t, last, NODE_continue_statement);
}

static bool has_call(const Ast *t, u32 n)
{
    if (t->v[n].kind == NODE_call) return true;
    for (u32 c = t->v[n].child; c != NONE; c = t->v[c].next)
        if (has_call(t, c)) return true;
    return false;
}

/* if self.left == 0: return …, and if self.left < 0: raise … right after it: the same value is meant. */
static void follow_find(const Ast *t, ReadBack *b)
{
    for (u32 n = b->next; leaves(t, n);) {
        n = ast_after(t, n);
        if (!leaves(t, n)) return;
        u32 cond = ast_field(t, n, FIELD_condition), body = ast_field(t, n, FIELD_consequence), count = b->n;
        bool one = ast_after(t, ast_first(t, body)) == NONE;
        if (!one || has_call(t, cond) || !reads_find(t, cond, b->state, b->reads, &count) || count == b->n) return;
        if (!reads_find(t, body, b->state, b->reads, &count)) return;
        b->n = count;
    }
}

static bool shape_find(Plan *pl, const Region *r, ReadBack *b)
{
    const Ast *t = site_ast(pl, r->file);
    u32 left = updated(t, b->update);
    Span line = {t->v[b->update].start, t->v[b->update].end};
    if (r->func == 0 || left == NONE || !ast_is(t, b->next, NODE_if_statement)) return false;
    if (!own_lines(site_source(pl, r->file), line)) return false;
    b->state = ast_text(t, left);
    if (!reads_find(t, ast_field(t, b->next, FIELD_condition), b->state, b->reads, &b->n) || !b->n) return false;
    follow_find(t, b);
    Str last = ast_is(t, left, NODE_attribute) ? ast_text(t, ast_field(t, left, FIELD_attribute)) : b->state;
    return local_name(pl, r->file, r->func, last, b->state, "now", &b->name);
}

/* x += 1; return x */
static bool returns_it(const Ast *t, u32 update, u32 next)
{
    u32 left = updated(t, update), value = ast_is(t, next, NODE_return_statement) ? ast_first(t, next) : NONE;
    return left != NONE && value != NONE && str_eq(ast_text(t, left), ast_text(t, value)) &&
           own_lines(t->source, (Span){t->v[update].start, t->v[update].end});
}

static void condition_write(Plan *pl, Fix *f, const Region *r, const ReadBack *b)
{
    const Ast *t = site_ast(pl, r->file);
    for (u32 i = 0; i < b->n; i++) {
        Span read = {t->v[b->reads[i]].start, t->v[b->reads[i]].end};
        intent_add(pl, f, INTENT_REPLACE, r->file, read, b->name, NONE);
    }
}

/* Where the line of a byte ends, its line end left out. */
static u32 line_end(const Source *s, u32 at)
{
    while (at < s->text.n && s->text.p[at] != '\n' && s->text.p[at] != '\r') at++;
    return at;
}

/* Does another region of the group reach into the update or the if statement? Then one section may hold both. */
static bool meets_another(Plan *pl, const Region *r, u32 next)
{
    u32 end = site_ast(pl, r->file)->v[next].end;
    for (u32 w = 0; w < pl->ngroup; w++)
        for (u32 i = 0; i < pl->group[w]->regions.n; i++) {
            const Region *o = &pl->group[w]->regions.v[i];
            if (o != r && o->file == r->file && o->span.start < end && o->span.end > r->span.start) return true;
        }
    return false;
}

bool readback_write(Plan *pl, Fix *f, const Region *r, u32 lock)
{
    const Ast *t = site_ast(pl, r->file);
    ReadBack b = {.update = r->first, .next = ast_after(t, r->first)};
    if (r->first != r->last) return false;
    if (returns_it(t, r->first, b.next)) {
        Span both = {r->span.start, t->v[b.next].end};
        intent_add(pl, f, INTENT_WRAP, r->file, both, r->lock, lock);
        return true;
    }
    const Source *s = site_source(pl, r->file);
    Span line = {r->span.start, line_end(s, r->span.end)};
    Str update = str_slice(s->text, line.start, line.end);
    if (!shape_find(pl, r, &b) || str_find(update, '\n') < update.n || meets_another(pl, r, b.next)) return false;
    Str text = str_fmt(pl->a, "with %.*s:\n    %.*s\n    %.*s = %.*s", STR_ARG(r->lock), STR_ARG(update),
                       STR_ARG(b.name), STR_ARG(b.state));
    text = text_indent(pl, r->file, line.start, text);
    intent_add(pl, f, INTENT_REPLACE, r->file, line, text, lock);
    condition_write(pl, f, r, &b);
    return true;
}

bool readback_join(Plan *pl, Fix *f, const Region *r)
{
    const Ast *t = site_ast(pl, r->file);
    if (!ast_is(t, r->first, NODE_with_statement) || ast_after(t, r->first) != r->last) return false;
    u32 last = ast_first(t, ast_field(t, r->first, FIELD_body));
    while (last != NONE && ast_after(t, last) != NONE) last = ast_after(t, last);
    ReadBack b = {.update = last, .next = r->last};
    if (last == NONE || !shape_find(pl, r, &b)) return false;
    Str text = str_fmt(pl->a, "\n%.*s = %.*s", STR_ARG(b.name), STR_ARG(b.state));
    text = text_indent(pl, r->file, t->v[last].start, text);
    u32 at = line_after(site_source(pl, r->file), t->v[last].end);
    text = str_slice(text, str_find(text, '\n') + 1u, text.n);
    intent_add(pl, f, INTENT_INSERT, r->file, (Span){at, at}, text, NONE);
    condition_write(pl, f, r, &b);
    return true;
}

/* ---- what is read further down ---- */

/* The reads of the value that the update gave, as nodes, those up to `end` left out. */
typedef struct Later {
    u32 stmt; /* the update */
    u32 reads[READ_BACK], n;
    Span last; /* the last one */
    Str state, name;
} Later;

static bool in_string(const Ast *t, u32 n)
{
    for (; n != 0 && n != NONE && !ast_is_statement(t, n); n = t->v[n].parent)
        if (t->v[n].kind == NODE_string) return true;
    return false;
}

/* Fills *out; n is 0 where a local cannot stand for the reads. False: there are none. */
static bool later_reads(Plan *pl, u32 file, u32 func, u32 update, u32 end, Later *out)
{
    u32 found[READ_BACK], n = reads_back(pl->p, update, found), needed = 0;
    if (!n || program_access(pl->p, found[n - 1])->span.start < end) return false;
    const Ast *t = site_ast(pl, file);
    const Access *last = program_access(pl->p, found[n - 1]);
    *out = (Later){.stmt = ast_statement(t, ast_at(t, program_access(pl->p, update)->span)), .last = last->span};
    u32 left = out->stmt == NONE ? NONE : updated(t, out->stmt);
    if (left == NONE || !own_lines(t->source, ast_span(t, out->stmt))) return true;
    out->state = ast_text(t, left);
    for (u32 i = 0; i < n; i++) {
        Span s = program_access(pl->p, found[i])->span;
        u32 node = ast_at(t, s);
        if (s.start < end) continue;
        bool named = ast_is(t, node, NODE_identifier) || ast_is(t, node, NODE_attribute);
        if (!named || t->v[node].start != s.start || t->v[node].end != s.end || in_string(t, node)) return true;
        out->reads[needed++] = node;
    }
    ReadBack more = {.next = ast_statement(t, out->reads[needed - 1]), .state = out->state};
    follow_find(t, &more);
    for (u32 i = 0; i < more.n && needed < READ_BACK; i++) out->reads[needed++] = more.reads[i];
    Str name = ast_is(t, left, NODE_attribute) ? ast_text(t, ast_field(t, left, FIELD_attribute)) : out->state;
    if (local_name(pl, file, func, name, out->state, "now", &out->name)) out->n = needed;
    return true;
}

void later_find(Plan *pl, Region *r, Span update, u32 last)
{
    Later l;
    Region more;
    Str why;
    if (!later_reads(pl, r->file, r->func, r->access, r->span.end, &l)) return;
    if (l.n) { /* a local does for all of them */
        r->back = true;
        r->span.end = update.end;
        r->last = last;
    } else if (region_split(pl, r->file, r->func, ast_span(site_ast(pl, r->file), r->first), l.last, &more, &why)) {
        r->first = more.first;
        r->last = more.last;
        r->span = more.span;
    } else {
        r->loose = S("what is asked for further down is meant to be the value that the update gave");
    }
}

/* Do the reads stand in a region that follows at once and takes the same lock? One section holds both then. */
static bool follow_together(Plan *pl, const Region *r, const Later *l)
{
    const Ast *t = site_ast(pl, r->file);
    for (u32 w = 0; w < pl->ngroup; w++)
        for (u32 i = 0; i < pl->group[w]->regions.n; i++) {
            const Region *o = &pl->group[w]->regions.v[i];
            bool own = o->copy.n || o->claim || o->chain || o->taken || o->again.n;
            if (o == r || o->file != r->file || own || o->problem.n) continue;
            bool meets =
                (o->span.start < r->span.end && o->span.end > r->span.start) || ast_after(t, r->last) == o->first;
            if (meets && o->span.end >= l->last.end) return true;
        }
    return false;
}

static void later_put(Plan *pl, Fix *f, u32 file, const Later *l, bool deeper)
{
    const Source *s = site_source(pl, file);
    const Ast *t = site_ast(pl, file);
    Span line = {t->v[l->stmt].start, line_end(s, t->v[l->stmt].end)};
    Str update = str_slice(s->text, line.start, line.end);
    Str text = str_fmt(pl->a, deeper ? "X\n    %.*s = %.*s" : "X\n%.*s = %.*s", STR_ARG(l->name), STR_ARG(l->state));
    text = text_indent(pl, file, line.start, text);
    text = str_fmt(pl->a, "%.*s%.*s", STR_ARG(update), STR_ARG(str_slice(text, 1, text.n)));
    intent_add(pl, f, INTENT_REPLACE, file, line, text, NONE);
    for (u32 i = 0; i < l->n; i++) intent_add(pl, f, INTENT_REPLACE, file, ast_span(t, l->reads[i]), l->name, NONE);
}

void later_write(Plan *pl, Fix *f, const Region *r)
{
    Later l;
    if (later_reads(pl, r->file, r->func, r->access, r->span.end, &l) && l.n && !follow_together(pl, r, &l))
        later_put(pl, f, r->file, &l, true);
}

/* The region is that of a finding: an update in a section, and a read behind the section. */
bool later_join(Plan *pl, Fix *f, const Region *r)
{
    const Ast *t = site_ast(pl, r->file);
    Later l;
    if (r->test == NONE || !ast_is(t, r->first, NODE_with_statement)) return false;
    if (!later_reads(pl, r->file, r->func, r->test, t->v[r->first].end, &l) || !l.n) return false;
    if (ast_after(t, r->first) == r->last && returns_it(t, l.stmt, r->last)) return false; /* goes into the section */
    later_put(pl, f, r->file, &l, false);
    return true;
}
