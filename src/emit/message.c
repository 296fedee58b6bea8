/* What a commit says: the subject names the state and its lock; the body tells what raced, who runs it, the lock and
 * the sites; trailers carry rule, fingerprint and safety for tools. */
#include "emit/commit.h"
#include "emit/json.h"

enum { SUBJECT = 72, BODY = 72, SITES = 6 };

static Str last_part(Str dotted)
{
    size_t at = str_rfind(dotted, '.');
    return at == dotted.n ? dotted : str_slice(dotted, at + 1, dotted.n);
}

/* Appends text broken at spaces; `indent` blanks before the second line and those that follow. */
static void wrap_put(Buf *out, Str text, u32 indent)
{
    size_t column = 0;
    bool first = true;
    for (Str word; text.n;) {
        word = str_cut(text, ' ', &text);
        if (!first && column + 1 + word.n > BODY) {
            buf_char(out, '\n');
            buf_fill(out, ' ', indent);
            column = indent;
        } else if (!first) {
            buf_char(out, ' ');
            column++;
        }
        buf_str(out, word);
        column += word.n;
        first = false;
    }
    buf_char(out, '\n');
}

static Str state_of(const Results *r, const Fix *f)
{
    if (f->races.n) return r->races->v[f->races.v[0]].state;
    return f->place != NONE ? r->program->places.v[f->place].display : f->transform;
}

static Str subject_make(Arena *a, const Results *r, const u32 *fixes, u32 n, bool brief)
{
    const Fix *f = &r->fixes->fixes.v[fixes[0]];
    Str state = state_of(r, f), more = n > 1 ? str_fmt(a, " and %u more", n - 1) : S("");
    if (brief) state = last_part(state);
    if (f->lock == NONE)
        return str_fmt(a, "Apply %.*s to %.*s%.*s", STR_ARG(f->transform), STR_ARG(state), STR_ARG(more));
    return str_fmt(a, "Guard %.*s%.*s with %.*s", STR_ARG(state), STR_ARG(more),
                   STR_ARG(r->fixes->locks.v[f->lock].name));
}

/* Who runs the sites, each named once. */
static void roots_put(Buf *out, const Results *r, const Race *race)
{
    Str seen[16], roots[SITE_ROOTS];
    u32 n = 0;
    for (u32 s = 0; s < race->nsites; s++) {
        for (u32 i = 0, count = site_roots(r, race->sites[s], roots); i < count; i++) {
            bool old = n == COUNT_OF(seen);
            for (u32 k = 0; k < n; k++) old |= str_eq(seen[k], roots[i]);
            if (old) continue;
            buf_fmt(out, "%s%.*s", n ? ", " : "Run by ", STR_ARG(roots[i]));
            seen[n++] = roots[i];
        }
    }
    if (n) buf_char(out, '.');
}

static void site_put(Buf *out, const Results *r, u32 gaccess)
{
    Arena scratch = {0};
    const Access *x = program_access(r->program, gaccess);
    const LockSet *set = access_lockset(r, gaccess);
    GId id = access_gid(r->program, gaccess);
    Str func = func_display(&scratch, r->program, r->program->func_base[id.file] + x->func);
    Buf text = {0};
    buf_fmt(&text, "  %.*s:%u: %s in %.*s, ", STR_ARG(file_source(r, id.file)->path), x->line, access_word(x),
            STR_ARG(func));
    buf_c(&text, set->n ? "holding " : "no lock");
    for (u32 i = 0; i < set->n; i++)
        buf_fmt(&text, "%s%.*s", i ? ", " : "", STR_ARG(r->program->locks.v[set->ids[i]].display));
    wrap_put(out, buf_view(&text), 4);
    buf_free(&text);
    arena_free(&scratch);
}

static void race_put(Buf *out, const Results *r, const Race *race)
{
    Buf text = {0};
    u32 shown = 0;
    buf_fmt(&text, "%s %s: ", rule_table[race->rule].code, rule_table[race->rule].name);
    buf_str(&text, race->message);
    if (text.p[text.n - 1] != '.') buf_char(&text, '.');
    wrap_put(out, buf_view(&text), 0);
    buf_free(&text);
    roots_put(&text, r, race);
    if (text.n) wrap_put(out, buf_view(&text), 0);
    buf_free(&text);
    for (u32 i = 0; i < race->nsites && shown < SITES; i++) {
        if (i && same_site(r, race->sites[0], race->sites[i])) continue;
        site_put(out, r, race->sites[i]);
        shown++;
    }
    buf_char(out, '\n');
}

static void lock_put(Buf *out, const Results *r, const Fix *f)
{
    Buf text = {0};
    if (f->lock == NONE) {
        buf_fmt(&text, "Transform: %.*s.", STR_ARG(f->transform));
    } else {
        const LockPlan *lock = &r->fixes->locks.v[f->lock];
        buf_fmt(&text, "Lock: %.*s (%s%s)", STR_ARG(lock->display), lock->existing ? "existing" : "new",
                lock->reentrant ? ", reentrant" : "");
        if (lock->reason.n) buf_fmt(&text, ": %.*s", STR_ARG(lock->reason));
    }
    wrap_put(out, buf_view(&text), 2);
    buf_free(&text);
    if (f->safety == FIX_SAFE || !f->reason.n) return;
    buf_fmt(&text, "To be looked at: %.*s", STR_ARG(f->reason));
    wrap_put(out, buf_view(&text), 2);
    buf_free(&text);
}

static void trailers_put(Buf *out, const Results *r, const u32 *fixes, u32 n, const git_signature *author)
{
    u32 safety = FIX_SAFE;
    bool rules[RULE_COUNT] = {0};
    for (u32 i = 0; i < n; i++) {
        const Fix *f = &r->fixes->fixes.v[fixes[i]];
        safety = MAX(safety, (u32)f->safety);
        for (u32 k = 0; k < f->races.n; k++) rules[r->races->v[f->races.v[k]].rule] = true;
    }
    for (u32 i = 0; i < RULE_COUNT; i++)
        if (rules[i]) buf_fmt(out, "Ungil-Rule: %s\n", rule_table[i].code);
    for (u32 i = 0; i < n; i++) {
        const Fix *f = &r->fixes->fixes.v[fixes[i]];
        for (u32 k = 0; k < f->races.n; k++)
            buf_fmt(out, "Ungil-Fingerprint: %016llx\n", (unsigned long long)r->races->v[f->races.v[k]].fingerprint);
    }
    buf_fmt(out, "Ungil-Safety: %s\n", safety_name[safety]);
    if (r->options->signoff) buf_fmt(out, "Signed-off-by: %s <%s>\n", author->name, author->email);
}

Str commit_message(Arena *a, const Results *r, const u32 *fixes, u32 n, const git_signature *author)
{
    Buf out = {0};
    Str subject = subject_make(a, r, fixes, n, false);
    if (subject.n > SUBJECT) subject = subject_make(a, r, fixes, n, true);
    while (subject.n > SUBJECT || (subject.n && ((u8)subject.p[subject.n] & 0xc0) == 0x80)) subject.n--;
    buf_fmt(&out, "%.*s\n\n", STR_ARG(subject));
    for (u32 i = 0; i < n; i++) {
        const Fix *f = &r->fixes->fixes.v[fixes[i]];
        for (u32 k = 0; k < f->races.n; k++) race_put(&out, r, &r->races->v[f->races.v[k]]);
    }
    lock_put(&out, r, &r->fixes->fixes.v[fixes[0]]);
    buf_char(&out, '\n');
    trailers_put(&out, r, fixes, n, author);
    Str message = str_dup(a, buf_view(&out));
    buf_free(&out);
    return message;
}
