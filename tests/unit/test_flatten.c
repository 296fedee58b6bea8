/* The flat copy of a tree is what tree-sitter's cursor tells, node by node: kind, field, name, error, span, and who
 * is whose child and sibling. On all Python files of fixtures/, whole and cut off, and on texts with odd trees. */
#include "unit.h"

#include "parse/ast.h"

/* Of kinds that flatten.c does not list the copy says no field where the cursor may have one. */
static bool same_node(const Node *x, TSTreeCursor *c)
{
    TSNode n = ts_tree_cursor_current_node(c);
    bool named;
    u8 kind = (u8)symbol_kind(ts_node_symbol(n), &named);
    TSFieldId id = ts_tree_cursor_current_field_id(c);
    u8 field = id ? (u8)field_from_id(id) : (u8)FIELD_COUNT;
    return x->kind == kind && x->named == named && (x->field == field || x->field == FIELD_COUNT) &&
           x->error == (ts_node_is_error(n) || ts_node_is_missing(n)) && x->start == ts_node_start_byte(n) &&
           x->end == ts_node_end_byte(n);
}

/* Compares below the cursor's node, which is node n of the copy; returns the first node behind it, NONE when they
 * differ. */
static u32 compare(const Ast *t, u32 n, TSTreeCursor *c)
{
    if (n >= t->n || !same_node(&t->v[n], c)) return NONE;
    u32 next = n + 1, before = NONE;
    if (!ts_tree_cursor_goto_first_child(c)) return t->v[n].child == NONE ? next : NONE;
    do {
        u32 link = before == NONE ? t->v[n].child : t->v[before].next;
        if (link != next || t->v[next].parent != n) return NONE;
        before = next;
        next = compare(t, next, c);
        if (next == NONE) return NONE;
    } while (ts_tree_cursor_goto_next_sibling(c));
    ts_tree_cursor_goto_parent(c);
    return t->v[before].next == NONE ? next : NONE;
}

static u32 compared; /* nodes, of all texts */

static void check(Str text)
{
    Arena a = {0};
    NoteVec notes = {0};
    Source s = {.path = S("t.py"), .text = str_dup(&a, text)};
    if (source_index(&a, &s, &notes)) {
        Tree *t = tree_parse(&s);
        Ast flat = ast_build(&a, t);
        TSTreeCursor c = ts_tree_cursor_new(tree_root(t));
        u32 end = compare(&flat, 0, &c);
        ts_tree_cursor_delete(&c);
        tree_free(t);
        compared += flat.n;
        if (end != flat.n) fail_msg("the copy differs from the tree of\n%.*s", STR_ARG(text));
    }
    arena_free(&a);
}

static int file_check(const char *path, const struct stat *st, int type, struct FTW *at)
{
    Str text, name = str_from(path);
    Arena a = {0};
    Err e = {0};
    (void)st;
    (void)at;
    if (type != FTW_F || !str_ends(name, S(".py"))) return 0;
    if (os_read_file(&a, path, 1 << 20, &text, &e)) {
        check(text);
        check(str_slice(text, 0, text.n / 2));
        check(str_slice(text, text.n / 3, text.n));
    }
    arena_free(&a);
    return 0;
}

static void test_flatten_fixtures(void **state)
{
    (void)state;
    assert_int_equal(nftw("fixtures", file_check, 16, FTW_PHYS), 0);
    if (compared < 100000) fail_msg("only %u nodes were compared", compared);
}

static void test_flatten_odd_texts(void **state)
{
    static const char *const texts[] = {
        "",
        "\n\n# only a comment",
        "\xef\xbb\xbfx = 1\n",
        "print >>f, x\nexec code in d\n",
        "async def f(a, /, b: int = 1, *c, d, **e) -> None:\n    # first\n    await g(*x, **y)\n",
        "match p:\n    case {'a': 1, **rest}:\n        pass\n    case C(x=1) | [y, *z] if y:\n        pass\n",
        "x = a if not b else c and d or e is not f\nx += (yield)\n",
        "try:\n    pass\nexcept* E as e:\n    pass\nelse:\n    pass\nfinally:\n    pass\n",
        "f'{x!r:>{width}} {{}} {y=}'\nwith (a as b, c):\n    pass\n",
        "class C[T](B, metaclass=M):\n    x: int\n    type A = int\n",
        "def f(:\n  )]\n}} while for\n",
        "if x:\n\ty\n        z\nelif (w := 1):\n    pass\nelse: pass; pass\n",
    };
    (void)state;
    for (u32 i = 0; i < COUNT_OF(texts); i++) check(str_from(texts[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_flatten_odd_texts),
        cmocka_unit_test(test_flatten_fixtures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
