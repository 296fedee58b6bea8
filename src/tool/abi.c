/* Build-time check: can the tree-sitter library that we compile read the grammar that we compile?
 *
 * The library and the grammar are two packages with versions of their own. When they drift apart,
 * ts_parser_set_language fails at run time, for every file. This program turns that into a build error with a
 * sentence. */
#include <stdio.h>
#include <tree_sitter/api.h>

const TSLanguage *tree_sitter_python(void);

int main(void)
{
    unsigned abi = ts_language_abi_version(tree_sitter_python());
    unsigned low = TREE_SITTER_MIN_COMPATIBLE_LANGUAGE_VERSION, high = TREE_SITTER_LANGUAGE_VERSION;

    if (abi >= low && abi <= high) return 0;
    fprintf(stderr,
            "error: tree-sitter-python has grammar ABI %u but the tree-sitter library reads %u to %u; set "
            "versions of \"tree-sitter\" and \"tree-sitter-python\" that fit together in package.json, then "
            "run: npm install --ignore-scripts && make setup\n",
            abi, low, high);
    return 1;
}
