/* Intents to edits to text.
 *
 * All intents of the wanted fixes are gathered by file; imports and lock definitions as sets, wraps
 * merged. What comes out are pieces: a span of the old text and what stands there afterwards. They are
 * sorted, must not overlap, and are applied once. A fix whose intents cannot become pieces is declined,
 * and everything is made again without it, since its intents may lie in several files. */
#include "edit/edit.h"

bool fix_wanted(const FixList *fixes, u32 fix, const Wanted *w)
{
    const Fix *f = &fixes->fixes.v[fix];
    if (f->declined || !f->intents.n || f->safety == FIX_MANUAL || (f->safety == FIX_UNSAFE && !w->unsafe))
        return false;
    if (!w->only) return true;
    for (u32 i = 0; i < w->nonly; i++)
        if (w->only[i] == fix) return true;
    return false;
}

bool fix_uses(const Fix *f, u32 file)
{
    for (u32 i = 0; i < f->intents.n; i++)
        if (f->intents.v[i].file == file) return true;
    return false;
}

static void decline(FixList *fixes, u32 fix, Str why, bool defect)
{
    Fix *f = &fixes->fixes.v[fix];
    if (f->declined) return;
    f->declined = true;
    f->defect = defect;
    f->reason = why;
}

static int by_place(const void *x, const void *y)
{
    const Piece *a = x, *b = y;
    if (a->span.start != b->span.start) return a->span.start < b->span.start ? -1 : 1;
    if (a->kind != b->kind) return a->kind < b->kind ? -1 : 1;
    if (a->depth != b->depth) return a->depth < b->depth ? -1 : 1;
    if (a->span.end != b->span.end) return a->span.end < b->span.end ? -1 : 1;
    if (a->fix != b->fix) return a->fix < b->fix ? -1 : 1;
    return str_cmp(a->text, b->text);
}

static bool same_piece(const Piece *a, const Piece *b)
{
    return a->kind == b->kind && a->kind != PIECE_INDENT && a->span.start == b->span.start &&
           a->span.end == b->span.end && str_eq(a->text, b->text);
}

/* Sorts, drops doubles; false when two pieces overlap, with the later fix in *fix. */
static bool pieces_order(PieceVec *v, u32 *fix)
{
    if (v->n) qsort(v->v, v->n, sizeof *v->v, by_place);
    u32 n = 0;
    for (u32 i = 0; i < v->n; i++) {
        if (n && same_piece(&v->v[n - 1], &v->v[i])) continue;
        if (n && v->v[i].span.start < v->v[n - 1].span.end) {
            *fix = MAX(v->v[i].fix, v->v[n - 1].fix);
            return false;
        }
        v->v[n++] = v->v[i];
    }
    v->n = n;
    return true;
}

static Str pieces_apply(Arena *a, const Source *s, const PieceVec *v)
{
    size_t n = s->text.n;
    for (u32 i = 0; i < v->n; i++) n += v->v[i].text.n;
    char *to = arena_new(a, char, n + 1);
    size_t used = 0;
    u32 at = 0;
    for (u32 i = 0; i < v->n; i++) {
        const Piece *x = &v->v[i];
        memcpy(to + used, s->text.p + at, x->span.start - at);
        used += x->span.start - at;
        if (x->text.n) memcpy(to + used, x->text.p, x->text.n);
        used += x->text.n;
        at = x->span.end;
    }
    memcpy(to + used, s->text.p + at, s->text.n - at);
    return (Str){to, used + s->text.n - at};
}

static void draft_intent(Draft *d, const Intent *in, u32 fix, WrapVec *wraps)
{
    Str why = S("");
    switch (in->kind) {
    case INTENT_NEED_IMPORT: import_need(d, in, fix); break;
    case INTENT_NEED_LOCK:
        for (u32 i = 0; i < d->nlocks; i++)
            if (d->locks[i] == in->lock) return;
        d->locks[d->nlocks++] = in->lock;
        if (!lock_declare(d, in->lock, fix, &why))
            decline(d->fixes, fix,
                    str_fmt(d->a, "there is no place to define %.*s: %.*s", STR_ARG(d->fixes->locks.v[in->lock].name),
                            STR_ARG(why)),
                    false);
        break;
    case INTENT_WRAP: vec_push(d->a, wraps, (Wrap){in->span, in->text, fix}); break;
    case INTENT_KEEP: vec_push(d->a, &d->keeps, (Wrap){in->span, in->text, fix}); break;
    case INTENT_REPLACE: piece_add(d, in->span, in->text, PIECE_REPLACE, fix); break;
    case INTENT_DELETE: piece_add(d, in->span, S(""), PIECE_REPLACE, fix); break;
    case INTENT_INSERT:
        if (in->span.start >= d->s->text.n)
            piece_after(d, line_of(d->s, in->span.start), in->text, PIECE_INSERT, fix);
        else
            piece_before(d, line_of(d->s, in->span.start), in->text, PIECE_INSERT, fix);
        break;
    default: BUG("intent %u", in->kind);
    }
}

/* The fix of a wrap among whose lines an import or a lock would go; NONE. */
static u32 line_inside_wrap(const Draft *d, const WrapVec *wraps)
{
    for (u32 i = 0; i < wraps->n; i++)
        for (u32 k = 0; k < d->pieces.n; k++) {
            const Piece *p = &d->pieces.v[k];
            if (p->kind <= PIECE_LOCK && wraps->v[i].span.start < p->span.start &&
                p->span.start < wraps->v[i].span.end)
                return wraps->v[i].fix;
        }
    return NONE;
}

/* The fix that would take its lock while the lock of another fix is held; NONE. Two fixes are not to be nested: once
 * the outer one is there its lock may do for both, and edits that indent a line twice could not be told from edits
 * that two fixes share. The inner one waits for the next round. */
static u32 nested_lock(const FixList *fixes, const WrapVec *wraps)
{
    for (u32 i = 0; i < wraps->n; i++)
        for (u32 k = 0; k < wraps->n; k++) {
            const Wrap *outer = &wraps->v[i], *inner = &wraps->v[k];
            u32 held = fixes->fixes.v[outer->fix].lock, taken = fixes->fixes.v[inner->fix].lock;
            if (held == NONE || taken == NONE || held == taken) continue;
            bool within = outer->span.start <= inner->span.start && inner->span.end <= outer->span.end;
            bool same = outer->span.start == inner->span.start && inner->span.end == outer->span.end;
            if (within && (!same || i < k)) return inner->fix;
        }
    return NONE;
}

/* The fix whose lock would be put round a statement that another fix makes two of, the second one behind what is
 * wrapped: `fd = open()` under the lock, and `self.fd = fd` outside of it. NONE. The next round sees both. */
static u32 wrap_split(const Draft *d, const WrapVec *wraps)
{
    for (u32 i = 0; i < wraps->n; i++)
        for (u32 k = 0; k < d->pieces.n; k++) {
            const Piece *p = &d->pieces.v[k];
            const Wrap *w = &wraps->v[i];
            if (p->kind != PIECE_INSERT || p->fix == w->fix) continue;
            if (p->span.start < w->span.end || line_of(d->s, p->span.start) != line_of(d->s, w->span.end - 1) + 1)
                continue;
            for (u32 q = 0; q < d->pieces.n; q++)
                if (d->pieces.v[q].kind == PIECE_REPLACE && d->pieces.v[q].fix == p->fix &&
                    span_within(d->pieces.v[q].span, w->span))
                    return w->fix;
        }
    return NONE;
}

/* Names the wanted fixes that touch the file: the same ones make the same draft again. */
static u64 fixes_of_file(const FixList *fixes, const Wanted *w, u32 file)
{
    u64 h = 0;
    for (u32 i = 0; i < fixes->fixes.n; i++)
        for (u32 k = 0; fix_wanted(fixes, i, w) && k < fixes->fixes.v[i].intents.n; k++)
            if (fixes->fixes.v[i].intents.v[k].file == file) {
                h = hash_mix(h, i + 1);
                break;
            }
    return h;
}

/* All pieces of one file. False when a fix had to be declined. */
static bool draft_file(Arena *a, const Program *p, FixList *fixes, const Wanted *w, u32 file, const Ast *ast,
                       MadeVec *out)
{
    Draft d = {.a = a, .p = p, .fixes = fixes, .f = p->facts[file], .s = p->facts[file]->source, .file = file};
    d.locks = arena_new(a, u32, fixes->locks.n + 1);
    d.ast = *ast;
    WrapVec wraps = {0};
    bool ok = true;
    for (u32 i = 0; i < fixes->fixes.n; i++) {
        if (!fix_wanted(fixes, i, w)) continue;
        for (u32 k = 0; k < fixes->fixes.v[i].intents.n; k++)
            if (fixes->fixes.v[i].intents.v[k].file == file)
                draft_intent(&d, &fixes->fixes.v[i].intents.v[k], i, &wraps);
        ok = ok && !fixes->fixes.v[i].declined;
    }
    wraps_place(&d, &wraps);
    imports_place(&d);
    u32 clash = nested_lock(fixes, &wraps);
    if (ok && clash != NONE) {
        decline(fixes, clash, S("its lock would be taken while that of another fix is held; the next round does it"),
                false);
        ok = false;
    }
    clash = wrap_split(&d, &wraps);
    if (ok && clash != NONE) {
        decline(fixes, clash, S("another fix makes two statements of one that it guards; the next round does it"),
                false);
        ok = false;
    }
    clash = line_inside_wrap(&d, &wraps);
    if (ok && clash != NONE) {
        decline(fixes, clash, S("a line would be put in among the statements that it wraps"), true);
        ok = false;
    }
    if (ok && !pieces_order(&d.pieces, &clash)) {
        decline(fixes, clash, S("its edits overlap those of another fix"), true);
        ok = false;
    }
    if (!ok) return false;
    Made m = {.change = {.before = d.s, .file = file, .after = pieces_apply(a, d.s, &d.pieces)},
              .pieces = d.pieces,
              .fixes = fixes_of_file(fixes, w, file)};
    for (u32 i = 0; i < d.pieces.n; i++) {
        const Piece *x = &d.pieces.v[i];
        u8 part = x->kind == PIECE_IMPORT ? EDIT_IMPORT : x->kind == PIECE_LOCK ? EDIT_LOCK : EDIT_CODE;
        vec_push(a, &m.change.edits, (Edit){x->span, x->text, x->fix, part});
    }
    vec_push(a, out, m);
    return true;
}

/* What was drafted of the file before, if the same fixes are wanted in it. */
static const Made *draft_known(const MadeVec *before, const FixList *fixes, const Wanted *w, u32 file)
{
    for (u32 i = 0; i < before->n; i++)
        if (before->v[i].change.file == file)
            return before->v[i].fixes == fixes_of_file(fixes, w, file) ? &before->v[i] : NULL;
    return NULL;
}

/* Files that are drafted together: parsed by all threads, as far as planning has not kept them, then drafted one by
 * one, since drafts decline fixes. */
enum { BATCH = 32 };
typedef struct Batch {
    const Program *p;
    Asts *asts;
    u32 file[BATCH];
    Arena a[BATCH];
    Ast ast[BATCH];
    u32 n;
} Batch;

static void batch_parse(void *ctx, u32 item, u32 worker)
{
    Batch *b = ctx;
    (void)worker;
    const Source *s = b->p->facts[b->file[item]]->source;
    const Ast *kept = asts_get(b->asts, b->file[item], s);
    b->ast[item] = kept ? *kept : ast_parse(&b->a[item], s);
}

static bool batch_draft(Batch *b, Arena *a, FixList *fixes, const Wanted *w, MadeVec *out)
{
    bool ok = true;
    pool_run(b->p->options->jobs ? b->p->options->jobs : os_cpus(), b->n, batch_parse, b);
    for (u32 i = 0; i < b->n; i++) {
        ok &= draft_file(a, b->p, fixes, w, b->file[i], &b->ast[i], out);
        asts_keep(b->asts, b->file[i], &b->ast[i], &b->a[i]); /* for the certificate */
        arena_free(&b->a[i]);
    }
    b->n = 0;
    return ok;
}

static int by_file(const void *x, const void *y)
{
    const Made *a = x, *b = y;
    return a->change.file < b->change.file ? -1 : a->change.file > b->change.file;
}

static bool draft_all(Arena *a, const Program *p, FixList *fixes, const Wanted *w, MadeVec *out)
{
    MadeVec before = *out;
    *out = (MadeVec){0};
    bool *touched = arena_new(a, bool, p->nfiles + 1);
    for (u32 i = 0; i < fixes->fixes.n; i++)
        for (u32 k = 0; fix_wanted(fixes, i, w) && k < fixes->fixes.v[i].intents.n; k++)
            touched[fixes->fixes.v[i].intents.v[k].file] = true;
    bool ok = true;
    Batch batch = {.p = p, .asts = fixes->asts};
    for (u32 file = 0; file < p->nfiles; file++) {
        const Made *known = touched[file] ? draft_known(&before, fixes, w, file) : NULL;
        if (known)
            vec_push(a, out, *known);
        else if (touched[file])
            batch.file[batch.n++] = file;
        if (batch.n == BATCH) ok &= batch_draft(&batch, a, fixes, w, out);
    }
    ok &= batch_draft(&batch, a, fixes, w, out);
    if (out->n) qsort(out->v, out->n, sizeof *out->v, by_file);
    return ok;
}

FixList fixes_copy(Arena *a, const FixList *fixes)
{
    FixList mine = *fixes;
    mine.fixes.v = arena_new(a, Fix, fixes->fixes.n + 1);
    if (fixes->fixes.n) memcpy(mine.fixes.v, fixes->fixes.v, fixes->fixes.n * sizeof(Fix));
    return mine;
}

void edits_draft(Arena *a, const Program *p, FixList *fixes, const Wanted *w, MadeVec *out)
{
    while (!draft_all(a, p, fixes, w, out)) continue; /* each round declines at least one fix more */
}

void edits_make(Arena *a, const Program *p, const FixList *fixes, const Wanted *w, ChangeVec *out)
{
    FixList mine = fixes_copy(a, fixes); /* those that cannot be made are left out, and marked by edits_verify */
    MadeVec made = {0};
    edits_draft(a, p, &mine, w, &made);
    out->n = 0;
    for (u32 i = 0; i < made.n; i++) vec_push(a, out, made.v[i].change);
}

Source *source_changed(Arena *a, const Change *c, NoteVec *notes)
{
    Source *s = arena_new(a, Source, 1);
    *s = (Source){.id = c->before->id,
                  .path = c->before->path,
                  .abs = c->before->abs,
                  .text = c->after,
                  .in_package = c->before->in_package,
                  .has_pxd = c->before->has_pxd,
                  .module = c->before->module};
    return source_index(a, s, notes) ? s : NULL;
}

void edits_dump(Buf *out, const ChangeVec *changes)
{
    for (u32 i = 0; i < changes->n; i++) {
        const Change *c = &changes->v[i];
        buf_fmt(out, "change %.*s\n", STR_ARG(c->before->path));
        for (u32 k = 0; k < c->edits.n; k++) {
            const Edit *e = &c->edits.v[k];
            u32 line, column;
            source_position(c->before, e->span.start, &line, &column);
            buf_fmt(out, "  edit %u:%u +%u fix %u \"", line, column, e->span.end - e->span.start, e->fix);
            for (size_t x = 0; x < e->text.n; x++) {
                char ch = e->text.p[x];
                if (ch == '\n')
                    buf_c(out, "\\n");
                else if (ch == '\r')
                    buf_c(out, "\\r");
                else if (ch == '\t')
                    buf_c(out, "\\t");
                else if (ch == '"' || ch == '\\')
                    buf_fmt(out, "\\%c", ch);
                else
                    buf_char(out, ch);
            }
            buf_c(out, "\"\n");
        }
    }
}
