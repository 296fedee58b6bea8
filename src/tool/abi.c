/* Build-time check: can the tree-sitter library that we compile read the grammars that we compile?
 *
 * The library and the grammars are packages with versions of their own. When they drift apart,
 * ts_parser_set_language fails at run time, for every file. This program turns that into a build error with a
 * sentence. */
#include <stdio.h>
#include <tree_sitter/api.h>

const TSLanguage *tree_sitter_python(void);
const TSLanguage *tree_sitter_toml(void);

static int check(const char *package, const TSLanguage *language)
{
    unsigned abi = ts_language_abi_version(language);
    unsigned low = TREE_SITTER_MIN_COMPATIBLE_LANGUAGE_VERSION, high = TREE_SITTER_LANGUAGE_VERSION;

    if (abi >= low && abi <= high) return 0;
    fprintf(stderr,
            "error: %s has grammar ABI %u but the tree-sitter library reads %u to %u; set versions of "
            "\"tree-sitter\" and \"%s\" that fit together in package.json, then run: "
            "npm install --ignore-scripts && make setup\n",
            package, abi, low, high, package);
    return 1;
}

int main(void)
{
    return check("tree-sitter-python", tree_sitter_python()) |
           check("@tree-sitter-grammars/tree-sitter-toml", tree_sitter_toml());
}
