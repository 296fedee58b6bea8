#!/usr/bin/env python3
"""The table of src/parse/flatten.c that tells which children may stand in a field, held against the grammar that is installed.

A grammar of another version may give a kind of node fields that it had not: they would be lost without a word.
"""
import json
import os
import re
import sys

import lib

UNASKED = {"block"}  # its case clauses stand in a field; nobody asks for it, and blocks are long

ROOT = os.path.dirname(lib.TESTS)
GRAMMAR = os.path.join(ROOT, "node_modules", "tree-sitter-python", "src", "node-types.json")
TABLE = os.path.join(ROOT, "src", "parse", "flatten.c")


def wanted(kind):
    types = [t["named"] for field in kind.get("fields", {}).values() for t in field["types"]]
    return {name for name, some in (("FIELDS_NAMED", True in types), ("FIELDS_TOKENS", False in types)) if some}


def main():
    suite = lib.Suite("grammar")
    with open(GRAMMAR, encoding="utf-8") as f:
        kinds = [k for k in json.load(f) if k["named"] and not k.get("subtypes")]
    with open(TABLE, encoding="utf-8") as f:
        rows = {m[1]: set(m[2].split(" | ")) for m in re.finditer(r"\[NODE_(\w+)\] = ([A-Z_]+(?: \| [A-Z_]+)*)", f.read())}
    for kind in kinds:
        want = set() if kind["type"] in UNASKED else wanted(kind)
        suite.check(kind["type"], rows.pop(kind["type"], set()) == want, "%s: the grammar has %s" % (kind["type"], sorted(want)))
    suite.check("rows", not rows, "kinds that the grammar does not know: %s" % sorted(rows))
    return suite.end()


if __name__ == "__main__":
    sys.exit(main())
