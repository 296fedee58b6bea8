/* Edits: wraps, imports, lock definitions, and a certificate that notices damage. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "edit/edit.h"

/* A program of one file, and the fixes for it. */
typedef struct World {
    Arena a;
    Source source;
    Facts *facts;
    Program program;
    FixList fixes;
    u32 bases[5][2];
} World;

static Source *index_text(Arena *a, Source *s, Str text)
{
    NoteVec notes = {0};
    *s = (Source){.path = S("m.py"), .text = str_dup(a, text)};
    assert_true(source_index(a, s, &notes));
    return s;
}

static World *world(const char *text)
{
    World *w = calloc(1, sizeof *w);
    index_text(&w->a, &w->source, str_from(text));
    Tree *t = tree_parse(&w->source);
    w->facts = facts_collect(&w->a, &w->source, t);
    tree_free(t);
    static const Options options = {.jobs = 1};
    w->program = (Program){.arena = &w->a, .options = &options, .facts = &w->facts, .nfiles = 1};
    w->program.func_base = w->bases[0];
    w->program.class_base = w->bases[1];
    w->bases[0][1] = w->facts->funcs.n;
    w->bases[1][1] = w->facts->classes.n;
    vec_push(&w->a, &w->fixes.fixes, (Fix){.transform = S("guard-update"), .lock = NONE, .place = NONE});
    return w;
}

static void intent(World *w, Intent in)
{
    vec_push(&w->a, &w->fixes.fixes.v[0].intents, in);
}

static Span span_of(const World *w, const char *part)
{
    size_t at = str_search(w->source.text, str_from(part));
    if (at == w->source.text.n) fail_msg("no \"%s\" in the text", part);
    return (Span){(u32)at, (u32)(at + strlen(part))};
}

static void wrap(World *w, const char *part, const char *lock)
{
    intent(w, (Intent){.kind = INTENT_WRAP, .span = span_of(w, part), .text = str_from(lock)});
}

static void import(World *w, const char *statement)
{
    intent(w, (Intent){.kind = INTENT_NEED_IMPORT, .text = str_from(statement)});
}

static void replace(World *w, const char *part, const char *text)
{
    intent(w, (Intent){.kind = INTENT_REPLACE, .span = span_of(w, part), .text = str_from(text)});
}

/* A new lock for the state whose first definition has this name. */
static void lock(World *w, PlaceKind kind, u32 owner, const char *state, const char *name)
{
    u32 def = NONE;
    for (u32 i = 0; i < w->facts->defs.n && def == NONE; i++) {
        const Def *d = &w->facts->defs.v[i];
        if (d->path == NONE) continue;
        const Path *p = &w->facts->paths.v[d->path];
        if (str_is(sym_str(w->facts, p->nattr ? p->attr[p->nattr - 1] : p->name), state)) def = i;
    }
    vec_push(
        &w->a, &w->program.places,
        (Place){
            .kind = (u8)kind, .owner = owner, .def = def, .name = intern(&w->a, &w->program.syms, str_from(state))});
    vec_push(&w->a, &w->fixes.locks,
             (LockPlan){.kind = (u8)kind,
                        .owner = owner,
                        .name = str_from(name),
                        .place = w->program.places.n - 1,
                        .lock = NONE});
    intent(w, (Intent){.kind = INTENT_NEED_LOCK, .lock = w->fixes.locks.n - 1});
}

static bool certified(World *w, const Made *m, Str after, Str *why)
{
    Source s;
    u32 fix;
    Ast old = ast_parse(&w->a, m->change.before), new = ast_parse(&w->a, index_text(&w->a, &s, after));
    return certificate_holds(&w->a, m, &old, &new, why, &fix);
}

static void expect(World *w, const char *after)
{
    MadeVec made = {0};
    edits_draft(&w->a, &w->program, &w->fixes, &(Wanted){.unsafe = true}, &made);
    Fix *f = &w->fixes.fixes.v[0];
    if (f->declined) fail_msg("declined: %.*s", STR_ARG(f->reason));
    assert_int_equal(made.n, 1);
    if (!str_is(made.v[0].change.after, after)) fail_msg("got\n%.*s", STR_ARG(made.v[0].change.after));
    Str why;
    if (!certified(w, &made.v[0], made.v[0].change.after, &why)) fail_msg("certificate: %.*s", STR_ARG(why));
    arena_free(&w->a);
    free(w);
}

static void test_edit_wrap(void **state)
{
    World *w = world("def f():\n    global n\n    # before\n    n += 1  # beside\n\n    if n:\n        "
                     "pass\n    return n\n");
    wrap(w, "n += 1  # beside\n\n    if n:\n        pass", "_lock");
    expect(w, "def f():\n    global n\n    # before\n    with _lock:\n        n += 1  # beside\n\n        if "
              "n:\n            pass\n    return n\n");
}

static void test_edit_wrap_keeps_tabs_and_crlf(void **state)
{
    World *w = world("def f():\r\n\tn = 1\r\n\tif n:\r\n\t\tn = 2\r\n");
    wrap(w, "if n:\r\n\t\tn = 2", "self._l");
    expect(w, "def f():\r\n\tn = 1\r\n\twith self._l:\r\n\t\tif n:\r\n\t\t\tn = 2\r\n");
}

static void test_edit_wrap_last_line_without_newline(void **state)
{
    World *w = world("def f():\n  n = 1\n  n += 1");
    wrap(w, "n += 1", "L");
    expect(w, "def f():\n  n = 1\n  with L:\n    n += 1");
}

static void test_edit_wrap_leaves_strings_alone(void **state)
{
    World *w = world("def f():\n    n = '''a\n  b\n''' + (\n  'c')\n    m = 1\n");
    wrap(w, "n = '''a\n  b\n''' + (\n  'c')", "L");
    expect(w, "def f():\n    with L:\n        n = '''a\n  b\n''' + (\n      'c')\n    m = 1\n");
    w = world("def f():\n    n = f'''{\n        x}\n    '''\n    n += \\\n  1\n");
    wrap(w, "n = f'''{\n        x}\n    '''\n    n += \\\n  1", "L");
    expect(w, "def f():\n    with L:\n        n = f'''{\n        x}\n    '''\n        n += \\\n      1\n");
}

static void test_edit_wrap_takes_deeper_comments_along(void **state)
{
    World *w = world("def f():\n    if n:\n        n = 2\n        # tail of the suite\n    # next\n    return\n");
    wrap(w, "if n:\n        n = 2", "L");
    expect(w, "def f():\n    with L:\n        if n:\n            n = 2\n            # tail of the suite\n    "
              "# next\n    return\n");
}

static void test_edit_wraps_merge(void **state)
{
    World *w = world("def f():\n    a += 1\n    # and\n    b += 1\n    c()\n    d += 1\n");
    wrap(w, "b += 1", "L");
    wrap(w, "a += 1", "L");
    wrap(w, "a += 1\n    # and\n    b += 1", "L");
    wrap(w, "d += 1", "L");
    expect(w, "def f():\n    with L:\n        a += 1\n        # and\n        b += 1\n    c()\n    with L:\n  "
              "      d += 1\n");
}

static void test_edit_wraps_nest(void **state)
{
    World *w = world("def f():\n    if a:\n        b += 1\n    c += 1\n");
    wrap(w, "if a:\n        b += 1", "A");
    wrap(w, "b += 1", "B");
    expect(w, "def f():\n    with A:\n        if a:\n            with B:\n                b += 1\n    c += 1\n");
}

static void imported(const char *before, const char *statement, const char *after)
{
    World *w = world(before);
    import(w, statement);
    expect(w, after);
}

static void test_edit_import_in_sorted_block(void **state)
{
    imported("import os\nimport sys\nimport time\n\nimport numpy\n\nx = 1\n", "import threading",
             "import os\nimport sys\nimport threading\nimport time\n\nimport numpy\n\nx = 1\n");
    imported("import time\nimport os\nx = 1\n", "import threading",
             "import time\nimport os\nimport threading\nx = 1\n");
    imported("import os\nfrom a import (\n    b,\n)\n", "import threading",
             "import os\nimport threading\nfrom a import (\n    b,\n)\n");
    imported("import os\nfrom typing import Any\n", "from collections import deque",
             "import os\nfrom collections import deque\nfrom typing import Any\n");
    imported("from abc import ABC\nimport os\nfrom typing import Any\n", "import threading",
             "from abc import ABC\nimport os\nimport threading\nfrom typing import Any\n");
}

static void test_edit_import_alone(void **state)
{
    imported("\"\"\"Doc.\"\"\"\n\nx = 1\n", "import threading", "\"\"\"Doc.\"\"\"\n\nimport threading\n\nx = 1\n");
    imported("from __future__ import annotations\n\nimport numpy\n", "import threading",
             "from __future__ import annotations\n\nimport threading\n\nimport numpy\n");
    imported("#!/usr/bin/python3\n# -*- coding: utf-8 -*-\nx = 1\n", "import threading",
             "#!/usr/bin/python3\n# -*- coding: utf-8 -*-\n\nimport threading\n\nx = 1\n");
    imported("# Licence\n\n\nclass A:\n    pass\n", "import threading",
             "# Licence\n\nimport threading\n\n\nclass A:\n    pass\n");
    imported("class A:\n    pass\n", "import threading", "import threading\n\n\nclass A:\n    pass\n");
    imported("\"\"\"Doc.\"\"\"\nx = 1\n", "import threading", "\"\"\"Doc.\"\"\"\n\nimport threading\n\nx = 1\n");
    imported("# Licence\n\n# about x\nx = 1\n", "import threading",
             "# Licence\n\nimport threading\n\n# about x\nx = 1\n");
    imported("\xEF\xBB\xBFx = 1\n", "import threading", "\xEF\xBB\xBFimport threading\n\nx = 1\n");
    imported("try:\n    import a\nexcept ImportError:\n    a = None\n", "import threading",
             "import threading\n\ntry:\n    import a\nexcept ImportError:\n    a = None\n");
}

static void test_edit_lock_of_module(void **state)
{
    World *w = world("import threading\n\nn = 0  # count\n\n\ndef f():\n    global n\n    n += 1\n");
    lock(w, PLACE_GLOBAL, NONE, "n", "_n_lock");
    expect(w, "import threading\n\nn = 0  # count\n_n_lock = threading.Lock()\n\n\ndef f():\n    global n\n  "
              "  n += 1\n");
    w = world("import os\n\ndef f():\n    global n\n    n = 1\n");
    lock(w, PLACE_GLOBAL, NONE, "n", "_n_lock");
    expect(w, "import os\nimport threading\n\n_n_lock = threading.Lock()\n\ndef f():\n    global n\n    n = 1\n");
    w = world("n = 0\nfrom threading import Lock as L\n");
    lock(w, PLACE_GLOBAL, NONE, "n", "_n_lock");
    expect(w, "n = 0\nfrom threading import Lock as L\n\n_n_lock = L()\n");
    w = world("import threading\nn = 0");
    lock(w, PLACE_GLOBAL, NONE, "n", "_n_lock");
    expect(w, "import threading\nn = 0\n_n_lock = threading.Lock()");
}

static void test_edit_lock_of_class(void **state)
{
    World *w = world("import threading\nclass C:\n    n = 0\n    m = 1\n");
    lock(w, PLACE_CLASS_ATTR, 0, "n", "_n_lock");
    expect(w, "import threading\nclass C:\n    n = 0\n    _n_lock = threading.Lock()\n    m = 1\n");
    w = world("import threading\nclass C:\n    '''Doc.'''\n\n    def f(self):\n        self.n = 1\n");
    lock(w, PLACE_CLASS_ATTR, 0, "n", "_n_lock");
    expect(w, "import threading\nclass C:\n    '''Doc.'''\n\n    _n_lock = threading.Lock()\n\n    def "
              "f(self):\n        self.n = 1\n");
    w = world("import threading\nclass C:\n    # f\n    def f(self):\n        self.n = 1\n");
    lock(w, PLACE_CLASS_ATTR, 0, "n", "_n_lock");
    expect(w, "import threading\nclass C:\n    _n_lock = threading.Lock()\n\n    # f\n    def f(self):\n     "
              "   self.n = 1\n");
}

static void test_edit_lock_of_instance(void **state)
{
    World *w = world("import threading\nclass C:\n    def __init__(me):\n        me.a = 1\n        me.n = "
                     "0\n        me.go()\n");
    lock(w, PLACE_INSTANCE, 0, "n", "_n_lock");
    expect(w, "import threading\nclass C:\n    def __init__(me):\n        me.a = 1\n        me.n = 0\n"
              "        me._n_lock = threading.Lock()\n        me.go()\n");
    w = world("import threading\nclass C(B):\n    def __init__(self):\n        'Doc.'\n        "
              "super().__init__()\n        self.n = 0\n");
    lock(w, PLACE_INSTANCE, 0, "n", "_n_lock");
    expect(w, "import threading\nclass C(B):\n    def __init__(self):\n        'Doc.'\n        self._n_lock "
              "= threading.Lock()\n"
              "        super().__init__()\n        self.n = 0\n");
}

/* Damaged code: nothing stands in __init__, so there is no place for the lock. */
static void test_edit_lock_without_a_body(void **state)
{
    static const char *const texts[] = {
        "class C:\n    n = 0\n    def __init__(self):\n",
        "class C:\n    def __init__(self):\n        # later\n\n    def f(self):\n        self.n = 0\n"};
    for (u32 i = 0; i < COUNT_OF(texts); i++) {
        World *w = world(texts[i]);
        MadeVec made = {0};
        lock(w, PLACE_INSTANCE, 0, "n", "_n_lock");
        edits_draft(&w->a, &w->program, &w->fixes, &(Wanted){.unsafe = true}, &made);
        assert_true(w->fixes.fixes.v[0].declined);
        assert_int_equal(made.n, 0);
        arena_free(&w->a);
        free(w);
    }
}

static void test_edit_lock_of_closure(void **state)
{
    World *w = world("import threading\ndef make():\n    n = 0\n    def f():\n        nonlocal n\n        n "
                     "+= 1\n    return f\n");
    lock(w, PLACE_CLOSURE, 1, "n", "n_lock");
    expect(w, "import threading\ndef make():\n    n = 0\n    n_lock = threading.Lock()\n    def f():\n       "
              " nonlocal n\n"
              "        n += 1\n    return f\n");
}

static void test_edit_replace(void **state)
{
    World *w = world("def f():\n    while q:\n        x = q.pop()\n        g(x)\n");
    replace(w, "q:", "True:");
    replace(w, "x = q.pop()", "try:\n            x = q.pop()\n        except IndexError:\n            break");
    expect(w, "def f():\n    while True:\n        try:\n            x = q.pop()\n        except "
              "IndexError:\n            break\n        g(x)\n");
}

/* One wrap, with the new text damaged: the certificate must not hold. */
static void damaged(const char *after)
{
    World *w = world("def f():\n    if a:\n        n += 1  # one\n    b = '''x\n  y'''\n    c()\n");
    wrap(w, "if a:\n        n += 1", "L");
    MadeVec made = {0};
    edits_draft(&w->a, &w->program, &w->fixes, &(Wanted){0}, &made);
    Str why;
    assert_true(certified(w, &made.v[0], made.v[0].change.after, &why));
    if (certified(w, &made.v[0], str_from(after), &why)) fail_msg("not noticed:\n%s", after);
    arena_free(&w->a);
    free(w);
}

static void test_edit_certificate_notices(void **state)
{
    damaged("def f():\n    with L:\n        if a:\n            n += 2  # one\n    b = '''x\n  y'''\n    c()\n");
    damaged("def f():\n    with L:\n        if a:\n            n += 1  # two\n    b = '''x\n  y'''\n    c()\n");
    damaged("def f():\n    with L:\n        if a:\n            n += 1\n    b = '''x\n  y'''\n    c()\n");
    damaged("def f():\n    with L:\n        if a:\n            n += 1  # one\n    b = '''x\n    y'''\n    c()\n");
    damaged("def f():\n    with L:\n        if a:\n            n += 1  # one\n    b = '''x\n  y'''\nc()\n");
    damaged("def f():\n    with L:\n        if a:\n            pass\n        n += 1  # one\n    b = '''x\n  "
            "y'''\n    c()\n");
    damaged("def f():\n    with L:\n        if a:\n            n += 1  # one\n    b = '''x\n  y'''\n    "
            "c()\n    d()\n");
    damaged("def f():\n    with L:\n        if a:\n            n += 1  # one\n    b = '''x\n  y'''\n    c(\n");
    damaged("def f():\n    with L:\n        if a:\n            n += 1  # one\n    b = '''x\n  y'''\n      c()\n");
}

static void test_edit_overlap_is_declined(void **state)
{
    World *w = world("def f():\n    a = b(c)\n");
    replace(w, "b(c)", "d");
    vec_push(&w->a, &w->fixes.fixes, (Fix){.transform = S("x"), .lock = NONE, .place = NONE});
    vec_push(&w->a, &w->fixes.fixes.v[1].intents,
             (Intent){.kind = INTENT_REPLACE, .span = span_of(w, "c)"), .text = S("e)")});
    MadeVec made = {0};
    edits_draft(&w->a, &w->program, &w->fixes, &(Wanted){0}, &made);
    assert_true(w->fixes.fixes.v[1].defect && !w->fixes.fixes.v[0].declined);
    assert_true(str_is(made.v[0].change.after, "def f():\n    a = d\n"));
    arena_free(&w->a);
    free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_edit_wrap),
        cmocka_unit_test(test_edit_wrap_keeps_tabs_and_crlf),
        cmocka_unit_test(test_edit_wrap_last_line_without_newline),
        cmocka_unit_test(test_edit_wrap_leaves_strings_alone),
        cmocka_unit_test(test_edit_wrap_takes_deeper_comments_along),
        cmocka_unit_test(test_edit_wraps_merge),
        cmocka_unit_test(test_edit_wraps_nest),
        cmocka_unit_test(test_edit_import_in_sorted_block),
        cmocka_unit_test(test_edit_import_alone),
        cmocka_unit_test(test_edit_lock_of_module),
        cmocka_unit_test(test_edit_lock_of_class),
        cmocka_unit_test(test_edit_lock_of_instance),
        cmocka_unit_test(test_edit_lock_without_a_body),
        cmocka_unit_test(test_edit_lock_of_closure),
        cmocka_unit_test(test_edit_replace),
        cmocka_unit_test(test_edit_certificate_notices),
        cmocka_unit_test(test_edit_overlap_is_declined),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
