#!/usr/bin/env python3
"""Feeds damaged fixtures to the program, from parsing to the verified edit, and looks for what must never happen.

  crash      killed by a signal, stopped by a sanitizer, or an exit status other than 0, 1 and 2
  hang       no end within the limit
  broken     a file that compiled before `fix` and does not compile after
  unsettled  a second `fix` that changes the text again

Files are damaged by cutting, splicing, noise, and by moving lines, tokens and indentation about; a seed makes a run repeatable.
They are given to the program in batches, as one project. What goes wrong is narrowed down to few files and few lines and kept in
$BUILD/fuzz/.

  tests/fuzz.py [SECONDS [SEED]]        or FUZZ_SECONDS, FUZZ_SEED
"""
import os
import random
import re
import sys
import time
import warnings

import lib

BATCH = 30
LIMIT = 30  # seconds for one run over a batch
TOKENS = [b"(", b")", b"[", b"]", b"{", b"}", b":", b",", b"=", b"+=", b"==", b"->", b"*", b"**", b"@", b".", b";", b"\\\n", b"'", b'"', b'"""', b"#",
          b"f'{", b"\n", b"\n\n", b"\t", b"    ", b" ", b"\r", b"\r\n", b"\f", b"\0", b"\xff", b"\xe2\x82", b"\xf0\x9f\x98\x80", b"lambda: ",
          b"await ", b"yield ", b"async ", b"global hits\n", b"nonlocal x\n", b"not ", b" in ", b" if x else ", b"del ", b"import threading\n",
          b"with lock:\n", b"else:\n", b"finally:\n", b"except:\n", b"try:\n", b"while True:\n", b"class C:\n", b"def f():\n", b"return\n", b"pass\n",
          b"# ungil: ignore", b"# guarded-by: lock\n", b"self.", b"cls.", b"x := ", b"match x:\n", b"case _:\n", b"print x\n", b"0777L", b"...", b"type X[T=int] = T\n"]


def damage(rng, corpus):
    """One file, damaged one to four times in one of several ways."""
    data = rng.choice(corpus)
    for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 4))):
        data = rng.choice(WAYS)(rng, data, corpus)
    return data[:60_000]


def chop(rng, data, corpus):
    return data[:rng.randrange(len(data) + 1)]


def behead(rng, data, corpus):
    return data[rng.randrange(len(data) + 1):]


def splice(rng, data, corpus):
    other = rng.choice(corpus)
    return data[:rng.randrange(len(data) + 1)] + other[rng.randrange(len(other) + 1):]


def splice_lines(rng, data, corpus):
    a, b = data.split(b"\n"), rng.choice(corpus).split(b"\n")
    at, start = rng.randrange(len(a) + 1), rng.randrange(len(b))
    return b"\n".join(a[:at] + b[start:start + rng.randrange(1, 12)] + a[at:])


def noise(rng, data, corpus):
    out = bytearray(data)
    for _ in range(rng.randrange(1, 8)):
        if out:
            out[rng.randrange(len(out))] = rng.randrange(256)
    return bytes(out)


def token(rng, data, corpus):
    at = rng.randrange(len(data) + 1)
    return data[:at] + rng.choice(TOKENS) + data[at:]


def remove(rng, data, corpus):
    at = rng.randrange(len(data) + 1)
    return data[:at] + data[at + rng.randrange(1, 40):]


def lines(rng, data, corpus):
    rows = data.split(b"\n")
    i, j = rng.randrange(len(rows)), rng.randrange(len(rows))
    what = rng.randrange(4)
    if what == 0:
        rows[i], rows[j] = rows[j], rows[i]
    elif what == 1:
        del rows[i]
    elif what == 2:
        rows.insert(j, rows[i])
    else:
        rows[min(i, j):max(i, j)] = rows[min(i, j):max(i, j)] * 2
    return b"\n".join(rows)


def indentation(rng, data, corpus):
    rows = data.split(b"\n")
    i = rng.randrange(len(rows))
    for k in range(i, min(len(rows), i + rng.randrange(1, 6))):
        rows[k] = rng.choice((b"    " + rows[k], b"\t" + rows[k], rows[k][4:], rows[k].lstrip(), b" " + rows[k]))
    return b"\n".join(rows)


def words(rng, data, corpus):
    """Puts one identifier where another stands: the result often compiles, which takes it to the later stages."""
    found = [m.span() for m in re.finditer(rb"[A-Za-z_]\w*", data)]
    if len(found) < 2:
        return data
    (a, b), (c, d) = rng.choice(found), rng.choice(found)
    return data[:a] + data[c:d] + data[b:]


def everywhere(rng, data, corpus):
    """Gives all uses of one identifier the name of another."""
    found = re.findall(rb"[A-Za-z_]\w*", data)
    if len(found) < 2:
        return data
    old, new = rng.choice(found), rng.choice(found)
    return re.sub(rb"\b%s\b" % re.escape(old), lambda m: new, data)


def style(rng, data, corpus):
    return rng.choice((data.replace(b"\n", b"\r\n"), data.replace(b"\n", b"\r"), data.replace(b"    ", b"\t"), data.replace(b"    ", b" "),
                       data.rstrip(b"\n"), b"\xef\xbb\xbf" + data, data.replace(b"\n", b"\n\n"), data.replace(b"\n\n", b"\n"), data.replace(b" ", b"  ")))


WAYS = [chop, behead, splice, splice_lines, splice_lines, noise, token, token, remove, lines, lines, indentation, words, words, everywhere, style]


def read_corpus():
    found = []
    for folder in (lib.FIXTURES, os.path.join(lib.TESTS, "accuracy")):
        for name, data in sorted(lib.read_tree(folder).items()):
            if name.endswith(".py"):
                found.append(lib.take_marks(name, data)[0])
    return found


def examine(files):
    """Runs check, diff and fix twice over these files. None, or (what went wrong, the details)."""
    with lib.temporary("ungil-fuzz-") as folder:
        lib.write_tree(folder, files)
        for step, command in enumerate((["check", "--format", "json"], ["diff", "--unsafe-fixes", "--model", "strict"], ["fix"], ["fix"])):
            before = lib.read_tree(folder)
            result = lib.ungil(*command, "--no-cache", "--jobs", "2", "--assume-threads", "always", "--min-confidence", "low", cwd=folder, timeout=LIMIT)
            if result.code is None:
                return "hang", str(result)
            if result.crashed or "AddressSanitizer" in result.err or "runtime error:" in result.err:
                return "crash", str(result)
            if command[0] == "check":
                try:
                    result.json()
                except ValueError as e:
                    return "not JSON", "%s\n%s" % (e, result)
            after = lib.read_tree(folder)
            if command[0] != "fix":
                if after != before:
                    return "wrote", "%s changed files" % command[0]
                continue
            for name in sorted(after):
                if after[name] != before.get(name):
                    if not lib.compiles(before[name], name) and lib.compiles(after[name], name):
                        return "broken", lib.compiles(after[name], name) + "\n" + lib.difference(before[name], after[name], ("before", "after"))
                    if step == 3:
                        return "unsettled", lib.difference(before[name], after[name], ("once fixed", "fixed again"))
    return None


def narrow(files, kind):
    """Fewer files, then fewer lines, that still go wrong in the same way."""
    def same(candidate):
        found = examine(candidate)
        return found is not None and found[0] == kind

    end = time.monotonic() + 90
    names, size = sorted(files), max(1, len(files) // 2)
    while size and time.monotonic() < end:
        for start in range(0, len(names), size):
            rest = names[:start] + names[start + size:]
            if rest and same({n: files[n] for n in rest}):
                names = rest
                break
        else:
            size //= 2
    files = {n: files[n] for n in names}
    for name in names:
        rows = files[name].split(b"\n")
        size = max(1, len(rows) // 2)
        while size and time.monotonic() < end:
            for start in range(0, len(rows), size):
                rest = rows[:start] + rows[start + size:]
                if rest and same({**files, name: b"\n".join(rest)}):
                    rows = rest
                    files[name] = b"\n".join(rows)
                    break
            else:
                size //= 2
    return files


def main():
    warnings.simplefilter("ignore")
    seconds = float(sys.argv[1] if len(sys.argv) > 1 else os.environ.get("FUZZ_SECONDS") or 60)
    seed = int(sys.argv[2] if len(sys.argv) > 2 else os.environ.get("FUZZ_SEED") or random.randrange(1_000_000))
    corpus, rng = read_corpus(), random.Random(seed)
    kept = os.path.join(lib.BUILD, "fuzz")
    print("fuzz: %d texts to damage, %g seconds, seed %d" % (len(corpus), seconds, seed))
    end, batches, failures = time.monotonic() + seconds, 0, {}
    while time.monotonic() < end:
        # Drawn in one order whatever the number of workers, so that the seed tells all.
        round_ = [{"f%02d.py" % i: damage(rng, corpus) for i in range(BATCH)} for _ in range(lib.WORKERS)]
        for files, found in zip(round_, lib.each(examine, round_)):
            batches += 1
            if found is None:
                continue
            kind, text = found
            small = narrow(files, kind)
            kind, text = examine(small) or found
            # One report for each place in the program, told by the sanitizer's or the message's first words about it.
            place = re.search(r"#\d+ 0x\w+ in (\w+) .*/src/|(src/[\w/]+\.c:\d+)", text)
            key = (kind, place.group(1) or place.group(2) if place else "")
            if key in failures:
                failures[key] += 1
                continue
            failures[key] = 1
            folder = os.path.join(kept, "%s-%d-%d" % (kind.replace(" ", "-"), seed, batches))
            lib.write_tree(folder, small)
            print("FAIL fuzz: %s, kept in %s" % (kind, folder))
            for name, data in small.items():
                print("    %s: %s" % (name, repr(data.decode("utf-8", "backslashreplace"))[:600]))
            print("    " + text.replace("\n", "\n    "))
            sys.stdout.flush()
    for (kind, place), times in sorted(failures.items()):
        print("fuzz: %s %s, seen %d times" % (kind, place, times))
    print("fuzz: %d batches of %d files, %d kinds of failure (FUZZ_SEED=%d repeats this)" % (batches, BATCH, len(failures), seed))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
