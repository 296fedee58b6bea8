/* git's ignore rules, as gitignore(5) tells them: .gitignore of each directory from the top of the work tree down,
 * .git/info/exclude, core.excludesFile. libgit2 has them too, but it drops a negation (`!name`) that takes back
 * nothing of its own file, and then leaves out files that git lists.
 *
 * The last matching pattern of the nearest file decides. What lies in an ignored directory is ignored, whatever its
 * patterns say. Left out: a .gitignore that a sparse checkout has not written. */
#include "read/read.h"

#include <fnmatch.h>
#include <sys/stat.h>

typedef struct Pattern {
    StrVec parts; /* between the slashes, NUL-terminated; "**" for any number of them */
    bool negates, dirs_only;
    bool anywhere; /* no slash in it: it is compared with the name alone */
} Pattern;
typedef Vec(Pattern) PatternVec;

typedef struct Level {
    PatternVec patterns; /* of its .gitignore */
    bool ignored;        /* the directory itself, or one above it */
} Level;

struct IgnoreRules {
    Arena *a;
    Str top; /* ends in '/' */
    int flags;
    PatternVec info, global;
    Intern dirs; /* relative to top; "" is top */
    Vec(Level) levels;
};

/* ---- reading ------------------------------------------------------------------------------------------- */

/* Without blanks at the end, but for one behind a backslash. */
static Str blanks_trimmed(Str s)
{
    size_t end = 0;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '\\') i++;
        if (i >= s.n || s.p[i] != ' ' || (i && s.p[i - 1] == '\\')) end = MIN(i + 1, s.n);
    }
    return str_slice(s, 0, end);
}

static void pattern_add(Arena *a, PatternVec *out, Str line)
{
    Pattern p = {0};
    if (!line.n || line.p[0] == '#') return;
    p.negates = line.p[0] == '!';
    if (p.negates) line = str_slice(line, 1, line.n);
    line = blanks_trimmed(line);
    p.dirs_only = line.n && line.p[line.n - 1] == '/';
    if (p.dirs_only) line.n--;
    p.anywhere = str_find(line, '/') == line.n;
    if (str_starts(line, S("/"))) line = str_slice(line, 1, line.n);
    if (!line.n) return;
    for (bool more = true; more;) {
        size_t slash = str_find(line, '/');
        vec_push(a, &p.parts, str_dup(a, str_slice(line, 0, slash)));
        more = slash < line.n;
        line = str_slice(line, slash + 1, line.n);
    }
    vec_push(a, out, p);
}

static void patterns_read(Arena *a, const char *path, PatternVec *out)
{
    Str text, line;
    Err missing = {0};
    if (!os_read_file(a, path, SOURCE_MAX, &text, &missing)) return;
    if (str_starts(text, S("\xef\xbb\xbf"))) text = str_slice(text, 3, text.n);
    while (str_line(&text, &line)) pattern_add(a, out, line);
}

/* ---- matching ------------------------------------------------------------------------------------------ */

/* Where a part differs, only the last ** is tried one folder further on: what an earlier one could reach, it reaches
 * from where it is. */
static bool parts_match(const StrVec *parts, char **path, u32 n, int flags)
{
    u32 at = 0, done = 0, deep = NONE, skipped = 0;
    for (;;) {
        if (at < parts->n && str_is(parts->v[at], "**")) {
            if (++at == parts->n) return done < n; /* all that is inside */
            deep = at;
            skipped = done;
        } else if (at == parts->n && done == n) {
            return true;
        } else if (at < parts->n && done < n && fnmatch(parts->v[at].p, path[done], flags) == 0) {
            at++;
            done++;
        } else {
            if (deep == NONE || skipped == n) return false;
            at = deep;
            done = ++skipped;
        }
    }
}

/* 1: ignored, 0: not, -1: no pattern speaks of it. `path` are the n parts below the patterns' directory. */
static int patterns_say(const PatternVec *patterns, char **path, u32 n, bool dir, int flags)
{
    for (u32 i = patterns->n; i-- > 0;) {
        const Pattern *p = &patterns->v[i];
        if (p->dirs_only && !dir) continue;
        if (p->anywhere ? parts_match(&p->parts, path + n - 1, 1, flags) : parts_match(&p->parts, path, n, flags))
            return !p->negates;
    }
    return -1;
}

static u32 level_of(IgnoreRules *g, Str dir);

/* Is it ignored, given that its directory is not? */
static bool path_ignored(IgnoreRules *g, Str path, bool dir)
{
    Arena scratch = {0};
    Vec(char *) parts = {0};
    Vec(u32) levels = {0}; /* by depth: the directory in which parts.v[depth] is */
    int said = -1;
    vec_push(&scratch, &levels, level_of(g, S("")));
    for (size_t from = 0; from <= path.n;) {
        size_t to = from + str_find(str_slice(path, from, path.n), '/');
        vec_push(&scratch, &parts, str_c(&scratch, str_slice(path, from, to)));
        if (to < path.n) vec_push(&scratch, &levels, level_of(g, str_slice(path, 0, to)));
        from = to + 1;
    }
    for (u32 i = levels.n; said < 0 && i-- > 0;)
        said = patterns_say(&g->levels.v[levels.v[i]].patterns, parts.v + i, parts.n - i, dir, g->flags);
    if (said < 0) said = patterns_say(&g->info, parts.v, parts.n, dir, g->flags);
    if (said < 0) said = patterns_say(&g->global, parts.v, parts.n, dir, g->flags);
    arena_free(&scratch);
    return said > 0;
}

/* The directory in g->levels; those above it come first. */
static u32 level_of(IgnoreRules *g, Str dir)
{
    u32 id = intern_find(&g->dirs, dir);
    if (id != NONE) return id;
    Level level = {0};
    if (dir.n) {
        u32 above = level_of(g, str_folder(dir));
        level.ignored = g->levels.v[above].ignored || path_ignored(g, dir, true);
    }
    struct stat st;
    const char *file = str_fmt(g->a, "%.*s%.*s%s.gitignore", STR_ARG(g->top), STR_ARG(dir), dir.n ? "/" : "").p;
    if (lstat(file, &st) == 0 && S_ISREG(st.st_mode)) patterns_read(g->a, file, &level.patterns);
    id = intern(g->a, &g->dirs, dir);
    CHECK(id == g->levels.n);
    vec_push(g->a, &g->levels, level);
    return id;
}

IgnoreRules *ignore_rules_make(Arena *a, Str top, const char *info, const char *global, bool fold)
{
    IgnoreRules *g = arena_new(a, IgnoreRules, 1);
    *g = (IgnoreRules){.a = a, .top = top, .flags = fold ? FNM_CASEFOLD : 0};
    patterns_read(a, info, &g->info);
    if (global) patterns_read(a, global, &g->global);
    return g;
}

bool ignore_rules_say(IgnoreRules *g, Str path, bool dir)
{
    if (!path.n) return false;
    u32 above = level_of(g, str_folder(path));
    return g->levels.v[above].ignored || path_ignored(g, path, dir);
}
