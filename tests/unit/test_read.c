/* read/: which files are found, and what a Source knows of its bytes. */
#include "unit.h"

#include <sys/stat.h>

static Arena arena;

static Source *indexed(Str text, NoteVec *notes)
{
    Source *s = arena_new(&arena, Source, 1);
    s->path = S("app/x.py");
    s->text = text;
    return source_index(&arena, s, notes) ? s : NULL;
}

static Source *index_ok(Str text)
{
    NoteVec notes = {0};
    Source *s = indexed(text, &notes);
    assert_non_null(s);
    assert_int_equal(notes.n, 0);
    return s;
}

static void assert_note(Str text, const char *code)
{
    NoteVec notes = {0};
    assert_null(indexed(text, &notes));
    assert_int_equal(notes.n, 1);
    assert_string_equal(notes.v[0].code, code);
    assert_str(notes.v[0].path, "app/x.py");
}

static void assert_position(const Source *s, u32 offset, u32 line, u32 column)
{
    u32 l, c;
    source_position(s, offset, &l, &c);
    assert_int_equal(l, line);
    assert_int_equal(c, column);
    for (u32 from = 1; from <= s->nlines; from++) { /* from wherever the search begins */
        l = from;
        source_position_near(s, offset, &l, &c);
        assert_int_equal(l, line);
        assert_int_equal(c, column);
    }
}

static void lines(void **state)
{
    Source *s = index_ok(S("a\r\nbc\rd\n\n"));
    assert_int_equal(s->nlines, 5);
    assert_str(source_line(s, 1), "a");
    assert_str(source_line(s, 2), "bc");
    assert_str(source_line(s, 3), "d");
    assert_str(source_line(s, 5), "");
    assert_str(source_line(s, 6), "");
    assert_position(s, 4, 2, 2);
    assert_position(s, 6, 3, 1);
    assert_position(s, 9, 5, 1);
    assert_position(s, 99, 5, 1);
    assert_int_equal(index_ok(S(""))->nlines, 1);
    Source *many = index_ok(S("\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\nx = 1\n"));
    assert_position(many, 0, 1, 1);
    assert_position(many, 9, 10, 1);
    assert_position(many, 24, 21, 5);
    assert_int_equal(index_ok(S("x\r\ny\r\nz\n"))->newline, NL_CRLF);
    assert_int_equal(index_ok(S("x\ny\nz\r\n"))->newline, NL_LF);
}

static void columns(void **state)
{
    Source *s = index_ok(S("\xef\xbb\xbfx = '\xc3\xa9\xf0\x9f\x98\x80' + y\n"));
    assert_true(s->bom);
    assert_position(s, 3, 1, 1);
    assert_position(s, 8, 1, 6);
    assert_position(s, 10, 1, 7);
    assert_position(s, 14, 1, 8);
}

static void indentation(void **state)
{
    assert_str(index_ok(S("if x:\n  y\n  if z:\n    w\n"))->indent, "  ");
    assert_str(index_ok(S("if x:\n\ty\n"))->indent, "\t");
    assert_str(index_ok(S("x = 1\n"))->indent, "    ");
    assert_str(index_ok(S("def f(a,\n      b):\n   return a\n"))->indent, "    ");
    assert_str(index_ok(S("class C:\n    def f(self):\n        if x:\n          y\n"))->indent, "    ");
}

static void encodings(void **state)
{
    index_ok(S("# -*- coding: latin-1 -*-\nx = 'ascii'\n"));
    index_ok(S("#!/usr/bin/python\n# vim: set fileencoding=utf-8 :\nx = '\xc3\xa9'\n"));
    index_ok(S("x = 1\n\n# coding: nonsense (too late to count)\n"));
    index_ok(S("x = 'coding: nonsense'\n"));
    assert_note(S("# coding: latin-1\nx = '\xe9'\n"), "not-utf8");
    assert_note(S("x = '\xe9'\n"), "not-utf8");
    assert_note(S("# coding: nonsense\n"), "unknown-encoding");
    assert_note(S("# coding: utf-7\n"), "not-utf8");
    assert_note(S("x = '\xed\xa0\x80'\n"), "not-utf8");
    assert_note(S("x = '\xc0\xaf'\n"), "not-utf8");
    assert_note(S("x = '\xf0\x9f"), "not-utf8");
    assert_note(S("x\0y"), "binary");
    assert_note(S("x = 1\ry = 2\r"), "cr-newlines");
}

/* ---- finding -------------------------------------------------------------------------------------------- */

/* The paths and modules found from the directory, as "path=module path=module". */
static Str found(const char *dir, const char *arg, NoteVec *notes)
{
    Options o = {.root = str_from(dir), .jobs = 2};
    SourceList list;
    Err e = {0};
    Buf out = {0};
    assert_int_equal(chdir(dir), 0);
    if (arg) vec_push(&arena, &o.args, str_from(arg));
    if (!read_sources(&arena, &o, &list, notes, &e)) return str_dup(&arena, str_from(e.msg));
    for (u32 i = 0; i < list.n; i++) {
        assert_int_equal(list.v[i]->id, i);
        buf_fmt(&out, "%s%.*s=%.*s", i ? " " : "", STR_ARG(list.v[i]->path), STR_ARG(list.v[i]->module));
    }
    Str s = str_dup(&arena, buf_view(&out));
    buf_free(&out);
    return s;
}

static void finding(void **state)
{
    NoteVec notes = {0};
    char *dir = temp_dir(&arena);
    temp_file(&arena, dir, "pkg/__init__.py", S(""));
    temp_file(&arena, dir, "pkg/sub/__init__.py", S(""));
    temp_file(&arena, dir, "pkg/sub/b.py", S("x = 1\n"));
    temp_file(&arena, dir, "src/lib/a.py", S(""));
    temp_file(&arena, dir, "tool", S("#!/usr/bin/env python3\n"));
    temp_file(&arena, dir, "x.pyi", S(""));
    temp_file(&arena, dir, "build/made.py", S(""));
    temp_file(&arena, dir, "env/pyvenv.cfg", S(""));
    temp_file(&arena, dir, "env/lib/v.py", S(""));
    temp_file(&arena, dir, "bad.py", S("\0"));
    assert_int_equal(symlink("..", str_fmt(&arena, "%s/pkg/up", dir).p), 0);
    assert_int_equal(symlink("pkg/sub/b.py", str_fmt(&arena, "%s/link.py", dir).p), 0);
    assert_int_equal(symlink("/etc/passwd", str_fmt(&arena, "%s/out.py", dir).p), 0);
    assert_str(found(dir, NULL, &notes),
               "pkg/__init__.py=pkg pkg/sub/__init__.py=pkg.sub pkg/sub/b.py=pkg.sub.b src/lib/a.py=lib.a");
    assert_int_equal(notes.n, 2); /* bad.py, out.py */
    notes.n = 0;
    assert_str(found(dir, "tool", &notes), "tool=tool");
    assert_str(found(dir, "env", &notes), "env/lib/v.py=env.lib.v");
    assert_str(found(dir, "build", &notes), "build/made.py=build.made");
    assert_str(found(dir, "link.py", &notes), "pkg/sub/b.py=pkg.sub.b");
    assert_int_equal(notes.n, 0);
    assert_true(str_contains(found(dir, "/etc", &notes), S("outside the root")));
    assert_true(str_contains(found(dir, "nothing.py", &notes), S("nothing.py")));
    /* A root inside a package: names start above it. */
    assert_str(found(str_fmt(&arena, "%s/pkg/sub", dir).p, "b.py", &notes), "b.py=pkg.sub.b");
    temp_dir_remove(dir);
}

static int cleanup(void **state)
{
    arena_free(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines),     cmocka_unit_test(columns), cmocka_unit_test(indentation),
        cmocka_unit_test(encodings), cmocka_unit_test(finding),
    };
    return cmocka_run_group_tests(tests, NULL, cleanup);
}
