/* Which files are copies of other people's packages, kept in the project: by the name of a folder around them, or
 * because three packages lie side by side in one that nobody writes for a project of his own (lib/six.py,
 * lib/certifi, lib/bs4). A project acts on findings in its own code; of 40 in such copies 2 were of use. */
#include "link/link.h"

enum { SIDE_BY_SIDE = 3 };

/* Packages of general use that are copied much, and that nobody names a plug-in or an integration after. */
static const char *const packages[] = {
    "six",        "certifi",          "chardet",  "charset_normalizer", "idna",      "bs4",
    "html5lib",   "webencodings",     "soupsieve", "dateutil",          "pytz",      "tzlocal",
    "simplejson", "markupsafe",       "feedparser", "oauthlib",         "appdirs",   "decorator",
    "configobj",  "pkg_resources",    "rarfile",  "argparse",           "enzyme",    "babelfish",
    "unidecode",  "typing_extensions", "importlib_metadata", "importlib_resources", "zipp", "pyparsing",
    "bencode",    "natsort"};

static bool named_folder(Str path)
{
    static const char *const folders[] = {"vendor",     "_vendor",    "vendored",   "_vendored", "third_party",
                                          "thirdparty", "3rdparty",   "extern",     "_extern",   "externals",
                                          "site-packages"};
    for (Str rest = path; rest.n;) {
        Str part = str_cut(rest, '/', &rest);
        for (u32 i = 0; rest.n && i < COUNT_OF(folders); i++)
            if (str_is(part, folders[i])) return true;
    }
    return false;
}

/* The next folder around a file, from the outermost one on: its length; the path's length when there is none. */
static size_t next_folder(Str path, size_t at)
{
    size_t i = at ? at + 1 : 0;
    while (i < path.n && path.p[i] != '/') i++;
    return i;
}

static u32 package_bit(Str path, size_t folder)
{
    Str rest = str_slice(path, folder + 1, path.n), part = str_cut(rest, '/', &rest);
    if (!rest.n && str_ends(part, S(".py"))) part.n -= 3;
    for (u32 i = 0; i < COUNT_OF(packages); i++)
        if (str_is(part, packages[i])) return 1u << i;
    return 0;
}

static u32 bits(u32 set)
{
    u32 n = 0;
    for (; set; set &= set - 1) n++;
    return n;
}

void vendored_find(Program *p)
{
    _Static_assert(COUNT_OF(packages) <= 32, "one bit each");
    Arena scratch = {0};
    Map found = {0}; /* hash of a folder → its packages, as bits */
    p->vendored = arena_new(p->arena, bool, p->nfiles + 1);
    p->tests = arena_new(p->arena, bool, p->nfiles + 1);
    p->examples = arena_new(p->arena, bool, p->nfiles + 1);
    for (u32 file = 0; file < p->nfiles; file++) {
        Str path = p->facts[file]->source->path;
        for (size_t at = next_folder(path, 0); at < path.n; at = next_folder(path, at)) {
            u32 bit = package_bit(path, at);
            if (!bit) continue;
            u32 *set = map_at(&scratch, &found, map_key(8, (u32)str_hash(str_slice(path, 0, at))));
            *set = *set == NONE ? bit : *set | bit;
        }
    }
    for (u32 file = 0; file < p->nfiles; file++) {
        Str path = p->facts[file]->source->path;
        p->vendored[file] = named_folder(path);
        p->tests[file] = is_test_path(path);
        p->examples[file] = is_example_path(path);
        for (size_t at = next_folder(path, 0); at < path.n; at = next_folder(path, at)) {
            u32 set = map_get(&found, map_key(8, (u32)str_hash(str_slice(path, 0, at))));
            p->vendored[file] |= set != NONE && bits(set) >= SIDE_BY_SIDE;
        }
    }
    arena_free(&scratch);
}
