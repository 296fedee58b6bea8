/* Parts of an HTML page, for `--format html` and `ungil report`. Private to emit/. */
#ifndef UNGIL_EMIT_HTML_H
#define UNGIL_EMIT_HTML_H

#include "emit/emit.h"

/* The page's style sheet. */
extern const char html_style[];
/* Text of the program under analysis: escaped, and with characters that reorder text shown by their numbers. */
void html_text(Buf *out, Str s);
/* How many findings each rule has, as a table. */
void html_rules(Buf *out, const Results *r);
/* A finding with its source, sites, reasons and fix, as a section whose id is "f" and its fingerprint. */
void html_finding(Buf *out, const Results *r, const Race *race);
/* What was not analysed; nothing when there is none. */
void html_notes(Buf *out, const Results *r);
/* guards.c: the guard table. */
void guards_html(Buf *out, const Program *p);

#endif
