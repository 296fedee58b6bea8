/* fixes_plan: one fix per place.
 *
 * Findings are gathered by place; what is about no place stands alone. For each, the pages whose rules fit
 * are tried: first those that need no lock, in the order of the list, then those that guard with one. A
 * page must take care of every finding of the place, since a lock on some accesses and none on others
 * would leave the race. Whatever nothing applies to is declined with the last reason. */
#include "fixes/fixes.h"

enum { EDITABLE_BYTES = 4 << 20 };

const char *const safety_name[] = {"safe", "unsafe", "manual"};

const Planner planner_table[] = {
    {"guard", "every write of the place under one lock, from the test to the act", true, false, plan_guard},
    {"queue-poll", "pop and catch the error instead of testing first", false, false, plan_poll},
    {"snapshot", "copy what is walked, in one step", false, false, plan_snapshot},
    {"count", "numbers are handed out by an itertools.count", false, false, plan_count},
    {"memo", "a dictionary that only remembers results becomes functools.cache", false, false, plan_memo},
    {"publish", "make the value outside, enter it by setdefault", false, false, plan_publish},
    {"with", "acquire() and release() become a with statement", false, false, plan_with},
    {"swap", "start() before join()", false, false, plan_swap},
    {"eager", "what is made on first use is made where its name is defined", false, false, plan_eager},
    {"reentrant", "a Lock that its holder takes again becomes an RLock", false, false, plan_reentrant},
    {"own-stack", "a subclass of threading.local holds one stack for each thread", false, false, plan_own_stack},
    {"thread-local", "a subclass of threading.local sets the attributes in every thread", false, false,
     plan_perthread},
    {"file-step", "a file or folder is made or removed in one step", false, false, plan_files},
    {"take-entry", "an entry is taken out once, then tested and used", false, false, plan_take},
    {"read-once", "read into a local, then test and use it", false, false, plan_once},
    {"local-sum", "an update in a loop is summed up, and added once under the lock", true, false, plan_sum},
    {"own-value", "what a call has set for itself is used from a local", false, true, plan_own_value},
    {"list-to-deque", "a list that is used as a queue only becomes a deque", false, false, plan_deque},
};

const Planner *planner_find(Str name)
{
    for (u32 i = 0; i < COUNT_OF(planner_table); i++)
        if (str_is(name, planner_table[i].name)) return &planner_table[i];
    return NULL;
}

Fix *fix_add(Plan *pl, const Page *page, Work *w)
{
    Fix *f = vec_add(pl->a, &pl->out->fixes);
    f->transform = page ? page->id : S("");
    f->place = w->place;
    f->lock = NONE;
    f->safety = page ? page->safety_class : FIX_MANUAL;
    f->fingerprint = pl->races->v[w->races.v[0]].fingerprint;
    for (u32 i = 0; i < w->races.n; i++) vec_push(pl->a, &f->races, w->races.v[i]);
    return f;
}

void intent_add(Plan *pl, Fix *f, IntentKind kind, u32 file, Span span, Str text, u32 lock)
{
    vec_push(pl->a, &f->intents, (Intent){.kind = (u8)kind, .file = file, .span = span, .text = text, .lock = lock});
}

void fix_take(Fix *to, const Fix *from)
{
    to->intents.v = from->intents.v;
    to->intents.n = from->intents.n;
    to->intents.cap = from->intents.cap;
}

void fix_caution(Fix *f, u8 safety, Str reason)
{
    if (safety > f->safety) f->safety = safety;
    if (!f->reason.n) f->reason = reason;
}

static bool preferred(const Plan *pl, const Page *page)
{
    const StrVec *names = &pl->p->options->prefer;
    for (u32 i = 0; i < names->n; i++)
        if (str_eq(names->v[i], page->id)) return true;
    return false;
}

bool page_fits(const Plan *pl, const Page *page, const Work *w)
{
    if (page->strict && pl->p->options->model != MODEL_STRICT) return false;
    if (page->preferred && !preferred(pl, page)) return false;
    for (u32 i = 0; i < w->races.n; i++)
        if (!page_handles(page, pl->races->v[w->races.v[i]].rule)) return false;
    return true;
}

/* The page for the place's first rule among those that take a lock; the guard is the same for all of them. */
static const Page *lock_page(const Plan *pl, const Work *w)
{
    for (u32 r = 0; r < w->races.n; r++) /* a lock that is there, but in the wrong place */
        if (pl->races->v[w->races.v[r]].rule == UG301)
            for (u32 i = 0; i < pl->pages->n; i++)
                if (page_locks(pl->pages->v[i]) && page_handles(pl->pages->v[i], UG301)) return pl->pages->v[i];
    for (u32 r = 0; r < w->races.n; r++)
        for (u32 i = 0; i < pl->pages->n; i++) {
            const Page *page = pl->pages->v[i];
            if (page_locks(page) && !page->preferred && page_handles(page, pl->races->v[w->races.v[r]].rule) &&
                (!page->strict || pl->p->options->model == MODEL_STRICT))
                return page;
        }
    return NULL;
}

/* self[key] = x, where __setitem__ of the class does it to self._items: what a dict does in one step is none there.
 */
static bool by_own_method(const Plan *pl, u32 gaccess)
{
    if (gaccess == NONE || pl->p->access_place[gaccess] == NONE) return false;
    const Place *x = &pl->p->places.v[pl->p->access_place[gaccess]];
    const Path *p = &pl->p->facts[access_gid(pl->p, gaccess).file]->paths.v[program_access(pl->p, gaccess)->path];
    bool whole = (p->root == ROOT_SELF || p->root == ROOT_SUPER) && !p->nattr;
    return whole && (p->root == ROOT_SUPER || !str_is(pl->p->syms.strs[x->name], "<items>"));
}

static bool by_own_methods(const Plan *pl, const Work *w)
{
    for (u32 i = 0; i < w->races.n; i++) {
        const Race *r = &pl->races->v[w->races.v[i]];
        if (by_own_method(pl, r->test) || by_own_method(pl, r->act)) return true;
        if (r->nsites && by_own_method(pl, r->sites[0])) return true;
    }
    return false;
}

bool page_run(Plan *pl, Work *w, const Page *page)
{
    if (!page_locks(page) && (page->planner || page->find.n) && by_own_methods(pl, w)) {
        w->tried = S("a method of the class does there what a container does in one step");
        return false;
    }
    if (page->planner) return page->planner->run(pl, w, page);
    if (page->find.n) return script_run(pl, w, page);
    Fix *f = fix_add(pl, page, w); /* a page of advice only */
    f->reason = str_fmt(pl->a, "to be done by hand: see `ungil explain %.*s`", STR_ARG(page->id));
    w->done = true;
    return true;
}

/* Why nothing was tried: advice on scaling is about the design; else we have no page. */
static const char *untried(RuleId rule)
{
    bool scaling = rule == UG601 || rule == UG602 || rule == UG603;
    return scaling ? "a matter of design, for a person to decide" : "no transform handles this finding yet";
}

static void work_declined(Plan *pl, Work *w, const Page *page)
{
    Fix *f = fix_add(pl, page, w);
    f->declined = true;
    f->reason = w->tried.n ? w->tried : str_from(untried((RuleId)pl->races->v[w->races.v[0]].rule));
    w->done = true;
}

/* A file whose trees, of before and after, would not fit into a few gigabytes: it is analysed, not edited. */
static bool file_too_large(const Plan *pl, u32 file)
{
    return pl->p->facts[file]->source->text.n > EDITABLE_BYTES;
}

static bool too_large(const Plan *pl, const Work *w)
{
    for (u32 i = 0; i < w->races.n; i++)
        if (file_too_large(pl, pl->races->v[w->races.v[i]].file)) return true;
    return false;
}

/* Tries a page that needs no lock; one that does not apply is remembered with its reason. Those that give none do not
 * find the code that they are about. */
static bool page_try(Plan *pl, Work *w, const Page *page, Buf *unlike)
{
    Str before = w->tried;
    w->tried = S("");
    if (page_run(pl, w, page)) return true;
    if (w->tried.n)
        alternative_add(pl, w, page->id, w->tried);
    else
        buf_fmt(unlike, "%s%.*s", unlike->n ? ", " : "", STR_ARG(page->id));
    if (!w->tried.n) w->tried = before;
    return false;
}

/* Is some step of the place known to need a lock? */
static bool lesson_there(const Plan *pl, u32 place)
{
    for (u32 i = 0; place != NONE && pl->lessons && i < pl->lessons->n; i++)
        if (pl->lessons->v[i].place == place) return true;
    return false;
}

/* A finding that no lock cures: only pages that are meant for such are asked. */
static void by_hand(Plan *pl, Work *w, const Race *r)
{
    Buf unlike = {0};
    bool done = false;
    for (u32 i = 0; i < pl->pages->n && !done; i++) {
        const Page *page = pl->pages->v[i];
        if (page->planner && page->planner->hands && page_fits(pl, page, w)) done = page_try(pl, w, page, &unlike);
    }
    buf_free(&unlike);
    if (done) return;
    w->tried = str_from(r->by_hand);
    work_declined(pl, w, NULL);
}

/* The transforms that the user prefers, in the order in which they are named. */
static bool preferred_try(Plan *pl, Work *w, Buf *unlike)
{
    const StrVec *names = &pl->p->options->prefer;
    for (u32 i = 0; i < names->n; i++) {
        const Page *page = page_find(pl->pages, names->v[i]);
        if (!page || !page_fits(pl, page, w) || (!page_locks(page) && lesson_there(pl, w->place))) continue;
        if (page->planner && page->planner->hands) continue;
        if (page_try(pl, w, page, unlike)) return true;
    }
    return false;
}

static void work_start(Plan *pl, Work *w)
{
    const Page *last = NULL;
    Buf unlike = {0};
    const Race *first = &pl->races->v[w->races.v[0]];
    if (too_large(pl, w)) {
        w->tried = S("the file is too large to be edited (over 4 MiB)");
        work_declined(pl, w, NULL);
        return;
    }
    if (first->by_hand) {
        by_hand(pl, w, first);
        return;
    }
    if (preferred_try(pl, w, &unlike)) {
        buf_free(&unlike);
        return;
    }
    for (u32 i = 0; i < pl->pages->n; i++) {
        const Page *page = pl->pages->v[i];
        bool advice = !page->planner && !page->find.n;
        if (page_locks(page) || advice || (page->planner && page->planner->hands)) continue;
        if (!page_fits(pl, page, w) || lesson_there(pl, w->place)) continue;
        if (page_try(pl, w, page, &unlike)) {
            buf_free(&unlike);
            return;
        }
        last = page;
    }
    if (unlike.n)
        alternative_add(pl, w, str_dup(pl->a, buf_view(&unlike)), S("the code is not of the shape that this is for"));
    buf_free(&unlike);
    if (!lesson_there(pl, w->place) && races_apart(pl, w)) return;
    const Page *page = lock_page(pl, w);
    if (page && page_run(pl, w, page)) return;
    for (u32 i = 0; i < pl->pages->n; i++) {
        bool advice = !pl->pages->v[i]->planner && !pl->pages->v[i]->find.n;
        if (advice && page_fits(pl, pl->pages->v[i], w) && page_run(pl, w, pl->pages->v[i])) return;
    }
    work_declined(pl, w, page ? page : last);
}

/* The place that a lock made in each call is held for: that of another finding under it. NONE. */
static u32 place_under(const Plan *pl, const Race *r)
{
    for (u32 i = 0; r->rule == UG301 && i < pl->races->n; i++) {
        const Race *o = &pl->races->v[i];
        for (u32 k = 0; o->place != NONE && !o->suppressed && k < o->nsites; k++)
            if (pl->p->access_place[o->sites[k]] == o->place &&
                lockset_has(pl->p, pl->p->access_locks[o->sites[k]], r->lock))
                return o->place;
    }
    return NONE;
}

/* A walk that needs no lock, only a copy: a fix of its own, whatever becomes of the place's other findings. */
static bool copied_alone(Plan *pl, const Race *r)
{
    if ((r->rule != UG106 && r->rule != UG108) || r->place == NONE || r->test != NONE || !r->nsites) return false;
    if (pl->p->access_place[r->sites[0]] != r->place) return false;
    if (file_too_large(pl, r->file)) return false;
    Work w = {.place = r->place};
    Region region;
    return snapshot_region(pl, &w, r->sites[0], &region) && !region.name.n;
}

/* The work that the finding belongs to: that of its place, but walks apart from what needs a lock, and each finding
 * for itself where the state is a library's, which no lock of ours can guard. */
static u32 *work_slot(Plan *pl, Map *by_place, Map *walks, const Race *r, u32 place)
{
    if (place == NONE || pl->p->places.v[place].file == NONE) return NULL;
    return map_at(pl->a, copied_alone(pl, r) ? walks : by_place, place);
}

/* What a lock for the finding would guard, or the lock that it is about; NONE. */
static u32 work_place(Plan *pl, const Race *r)
{
    if (r->per_call) return NONE;
    if (r->rule == UG305) return pl->p->locks.v[r->lock].place;
    if (r->rule == UG403) return perthread_holder(pl->p, r);
    return r->place == NONE ? place_under(pl, r) : r->place;
}

static void works_gather(Plan *pl)
{
    Map by_place = {0}, walks = {0};
    for (u32 i = 0; i < pl->races->n; i++) {
        Race *r = &pl->races->v[i];
        r->fix = NONE;
        if (r->suppressed) continue;
        u32 place = work_place(pl, r);
        u32 *at = work_slot(pl, &by_place, &walks, r, place);
        u32 work = at ? *at : NONE;
        if (work == NONE) {
            work = pl->works.n;
            Work *w = vec_add(pl->a, &pl->works);
            w->place = place;
            if (r->rule == UG301 && place == NONE)
                w->tried = S("nothing that threads share is changed under it, so it is not known where it belongs");
            if (at) *at = work;
        }
        vec_push(pl->a, &pl->works.v[work].races, i);
    }
}

/* Fixes in the order of their first findings, so that ids do not depend on how they were planned. */
static int by_race(const void *x, const void *y)
{
    const Fix *a = x, *b = y;
    return a->races.v[0] < b->races.v[0] ? -1 : a->races.v[0] > b->races.v[0];
}

void fixes_plan(Arena *a, const Program *p, const PageList *pages, const RaceVec *all, RaceVec *races, FixList *out)
{
    fixes_replan(a, p, pages, all, races, NULL, out);
}

void fixes_replan(Arena *a, const Program *p, const PageList *pages, const RaceVec *all, RaceVec *races,
                  const LessonVec *lessons, FixList *out)
{
    *out = (FixList){0};
    Plan pl = {.a = a, .p = p, .pages = pages, .all = all, .races = races, .out = out, .lessons = lessons};
    pl.files = arena_new(a, SiteFile *, p->nfiles + 1);
    pl.ahead = arena_new(a, bool, p->nfiles + 1);
    for (u32 i = 0; i < races->n; i++) pl.ahead[races->v[i].file] |= !races->v[i].suppressed;
    reach_init(&pl);
    works_gather(&pl);
    for (u32 i = 0; i < pl.works.n; i++) work_start(&pl, &pl.works.v[i]);
    guard_finish(&pl);
    fixes_fold(&pl);
    sites_end(&pl);
    queries_free(&pl);
    if (out->fixes.n) qsort(out->fixes.v, out->fixes.n, sizeof *out->fixes.v, by_race);
    for (u32 i = 0; i < out->fixes.n; i++)
        for (u32 k = 0; k < out->fixes.v[i].races.n; k++) races->v[out->fixes.v[i].races.v[k]].fix = i;
    alternatives_give(&pl);
    fixes_classify(p->options, races, out);
}
