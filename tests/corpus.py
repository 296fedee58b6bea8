#!/usr/bin/env python3
"""Score ungil on real races: how many it finds, how many are gone once the maintainers fixed them, how often it is wrong.

    tests/corpus.py CORPUS TREES PROGRAM [--rows PATTERN] [--jobs N] [--json OUT] [--baseline FILE] [--show ID] [-- OPTION...]

CORPUS holds races.tsv and safe.tsv. TREES holds one folder per commit, OWNER+NAME@COMMIT with the first 12 digits of the commit.
PROGRAM is run once on each tree; what it answers is kept in a temporary folder until PROGRAM or the options change.

A row of races.tsv is
    hit     when a finding of a rule UG1xx to UG4xx starts within 3 lines of the racy lines (near), or names the state in that file
            (state);
    gone    when none of the findings that made the hit is left in the tree of the fix: no finding with the same fingerprint,
            and no finding of the same rule and state in that file that is new there. Where some are near, only those are asked for.
A row of safe.tsv is
    a false alarm   when a finding of a rule UG1xx or UG2xx with high or medium confidence names the state and lies on the lines, or
                    has a site there at which it sees no lock. (A site with a lock is what a finding elsewhere compares with.) A state
                    that is described in words, not named, is that of every finding on the lines.
"""

import argparse
import collections
import concurrent.futures
import csv
import fnmatch
import hashlib
import json
import os
import pathlib
import re
import shlex
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time

NEAR = 3  # lines
KEPT_PROGRAMS = 4  # answers of that many programs are kept
CACHE_FORMAT = 1
RACY_RULES = ('UG1', 'UG2', 'UG3', 'UG4')
ALARM_RULES = ('UG1', 'UG2')


# --- The corpus ---------------------------------------------------------------------------------------------------------

def read_table(path):
    with open(path, encoding='utf-8', newline='') as f:
        return list(csv.DictReader(f, delimiter='\t', quoting=csv.QUOTE_NONE))


def line_ranges(text):
    """'34-45;60' -> [(34, 45), (60, 60)]"""
    found = []
    for part in text.replace(' ', '').split(';'):
        first, _, last = part.partition('-')
        found.append((int(first), int(last or first)))
    return found


def state_names(text):
    """The last components of the names in a cell such as 'Pool._free[key], _used (class level)', and whether every part of the
    cell has one, which 'shared buffer, _used' has not."""
    names, complete = set(), True
    for part in re.split(r'[,;]| and ', re.sub(r'\([^)]*\)|\[[^\]]*\]', ' ', text)):
        words = part.split()
        # A word of its own is a name; among others it is one only if it does not look like English.
        found = {last_component(w) for w in words if re.fullmatch(r'[A-Za-z_]\w*(\.[A-Za-z_]\w*)*', w) and w != 'self'
                 and (len(words) == 1 or re.search(r'[._]|[a-z][A-Z]|[A-Z]{2}', w))}
        names |= found
        complete = complete and bool(found)
    return names, complete


def last_component(state):
    """'app.Pool._Pool__free[key]' -> '__free': the part after the last dot, without subscript and without name mangling."""
    tail = re.sub(r'(\[.*|\(.*)$', '', state.strip()).rsplit('.', 1)[-1]
    return re.sub(r'^_[A-Za-z]\w*?(?=__)', '', tail)


def names_state(finding, names, anywhere=False):
    """Does the finding's state end with one of the names, or have it as any component?"""
    states = (finding['state'] or '').split(', ')
    return any(last_component(part) in names for s in states for part in (s.split('.') if anywhere else [s]))


class Row:
    """A row of either table, and the trees that it needs, as which -> name of the folder."""

    def __init__(self, cells, kind):
        race = kind == 'race'
        self.cells, self.kind = cells, kind
        self.id, self.file, self.repository = cells['id'], cells['file'], cells['owner/name']
        self.note = cells['note' if race else 'why_safe']
        self.category = cells['category' if race else 'category_it_resembles']
        self.lines = line_ranges(cells['before_lines' if race else 'lines'])
        self.names, self.all_named = state_names(cells['shared_state'])
        commits = {'before': 'parent_commit', 'after': 'fix_commit'} if race else {'safe': 'commit'}
        self.trees = {which: tree_name(self.repository, cells[column]) for which, column in commits.items()}

    def matches(self, patterns):
        fields = (self.id, self.repository, self.category)
        return any(fnmatch.fnmatch(field, p) for field in fields for p in patterns)

    def on_lines(self, path, line, margin=0):
        return path == self.file and any(a - margin <= line <= b + margin for a, b in self.lines)


def tree_name(repository, commit):
    return repository.replace('/', '+') + '@' + commit[:12]


# --- Running the program ------------------------------------------------------------------------------------------------

class Runs:
    """The program's answers, one per tree, remembered per program and options."""

    def __init__(self, trees, program, options, timeout, cache):
        self.trees, self.program, self.options, self.timeout = trees, program, options, timeout
        with open(program, 'rb') as f:
            digest = hashlib.sha256(f.read())
        digest.update(repr((CACHE_FORMAT, options)).encode())
        self.folder = cache / digest.hexdigest()[:16]
        self.folder.mkdir(parents=True, exist_ok=True)
        os.utime(self.folder)
        folders = sorted((p for p in cache.iterdir() if p.is_dir()), key=lambda p: p.stat().st_mtime, reverse=True)
        for old in folders[KEPT_PROGRAMS:]:
            shutil.rmtree(old, ignore_errors=True)
        self.answers = {}

    def of(self, tree):
        return self.answers[tree]

    def run_all(self, trees, jobs):
        watched = sys.stderr.isatty()
        with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
            for done, (tree, answer) in enumerate(zip(trees, pool.map(self.answer, trees)), 1):
                self.answers[tree] = answer
                if watched:
                    print(f'\r{done}/{len(trees)} trees ', end='\n' if done == len(trees) else '', file=sys.stderr, flush=True)

    def answer(self, tree):
        kept = self.folder / (tree + '.json')
        try:
            return json.loads(kept.read_text(encoding='utf-8'))
        except (OSError, ValueError):
            pass
        answer = self.run(tree)
        if answer['status'] != 'missing':
            part = self.folder / f'{tree}.{os.getpid()}-{threading.get_ident()}'
            part.write_text(json.dumps(answer), encoding='utf-8')
            part.replace(kept)
        return answer

    def run(self, tree):
        folder = self.trees / tree
        if not folder.is_dir():
            return no_answer('missing', 'no such folder')
        command = [self.program, 'check', '--format', 'json', '--root', str(folder), *self.options, str(folder)]
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            started = time.monotonic()
            child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=err)
            late = threading.Event()
            alarm = threading.Timer(self.timeout, lambda: (late.set(), child.kill()))
            alarm.start()
            _, status, usage = os.wait4(child.pid, 0)  # the only way to learn how much memory it took
            alarm.cancel()
            child.returncode = os.waitstatus_to_exitcode(status)
            seconds = time.monotonic() - started
            out.seek(0)
            err.seek(0)
            text, complaint = out.read(), err.read().decode('utf-8', 'replace').strip()[-1000:]
        if late.is_set():
            answer = no_answer('timeout', f'killed after {self.timeout:.0f} s')
        elif child.returncode < 0:
            answer = no_answer('crash', f'signal {-child.returncode} {complaint}')
        else:
            answer = read_answer(text, child.returncode, complaint)
        answer.update(seconds=seconds, megabytes=usage.ru_maxrss / 1024)
        return answer


def no_answer(status, why):
    return {'status': status, 'why': why, 'findings': [], 'lines': 0, 'files': 0, 'seconds': 0, 'megabytes': 0}


def read_answer(text, status, complaint):
    """What is needed of the program's JSON."""
    if status not in (0, 1):
        return no_answer('error', f'exit status {status} {complaint}')
    try:
        document = json.loads(text)
        answer = no_answer('ok', '')
        answer.update(lines=document['summary']['lines'], files=document['summary']['files'])
        for f in document['findings']:
            if not f.get('suppressed'):
                kept = {k: f.get(k) for k in ('impact', 'confidence', 'state', 'message')}
                kept.update({k: f[k] for k in ('rule', 'path', 'line', 'fingerprint')})
                kept['sites'] = [[s['path'], s['line'], s.get('access'), s.get('locks') or []] for s in f.get('sites') or []]
                answer['findings'].append(kept)
        return answer
    except (ValueError, KeyError, TypeError, AttributeError) as e:
        return no_answer('error', f'{type(e).__name__} in its JSON: {e} {complaint}')


# --- Scoring ------------------------------------------------------------------------------------------------------------

def racy(answer):
    return [f for f in answer['findings'] if f['rule'].startswith(RACY_RULES)]


def score_race(row, before, after):
    """The verdict on a race: how it was hit, by what, and what of that is left after the fix."""
    near = [f for f in racy(before) if row.on_lines(f['path'], f['line'], NEAR)]
    named = [f for f in racy(before) if f['path'] == row.file and names_state(f, row.names)]
    verdict = {'kind': 'race', 'hit': 'near' if near else 'state' if named else None, 'by': near or named, 'left': [], 'gone': None}
    if not verdict['hit']:  # no hit, but worth a look
        verdict['beside'] = [f for f in racy(before) if any(row.on_lines(s[0], s[1], NEAR) for s in f['sites'])]
    if verdict['hit'] and after['status'] == 'ok':
        verdict['left'] = survivors(verdict['by'], before, after)
        verdict['gone'] = not verdict['left']
    return verdict


def survivors(findings, before, after):
    """Those that are still reported after the fix. A rewritten function may change fingerprints, so a finding that is new there
    counts for an old one of the same rule, state and file."""
    def place(f):
        return f['rule'], f['state'], f['path']

    known = {f['fingerprint'] for f in racy(before)}
    left = {f['fingerprint'] for f in racy(after)}
    new = {place(f) for f in racy(after) if f['fingerprint'] not in known}
    return [f for f in findings if f['fingerprint'] in left or place(f) in new]


def score_safe(row, answer):
    alarms = []
    for f in answer['findings']:
        if f['rule'].startswith(ALARM_RULES) and f['confidence'] in ('high', 'medium'):
            there = row.on_lines(f['path'], f['line']) or any(row.on_lines(path, line) for path, line, _, locks in f['sites'] if not locks)
            if there and (not row.all_named or names_state(f, row.names, anywhere=True)):
                alarms.append(f)
    return {'kind': 'safe', 'alarm': bool(alarms), 'by': alarms}


def score(rows, runs):
    verdicts = {}
    for row in rows:
        answers = {which: runs.of(tree) for which, tree in row.trees.items()}
        verdict = score_race(row, answers['before'], answers['after']) if row.kind == 'race' else score_safe(row, answers['safe'])
        verdict['problem'] = ', '.join(f'{which}: {a["status"]}' for which, a in answers.items() if a['status'] != 'ok')
        verdicts[row.id] = verdict
    return verdicts


# --- The report ---------------------------------------------------------------------------------------------------------

GROUPS = {
    'category': lambda row: row.category,
    'thread start': lambda row: row.cells['thread_entry'],
    'fixed by': lambda row: row.cells['fix'],
    'syntax': lambda row: 'Python 2' if 'Python 2 syntax' in row.note else 'Python 3',
}


def percent(part, whole):
    return f'{part}/{whole}' + (f' {100 * part / whole:.0f} %' if whole else '')


def one_line(f):
    return f'{f["path"]}:{f["line"]} {f["rule"]} {f["confidence"]} {f["state"]}'


def density(answer):
    return 1000 * len(racy(answer)) / answer['lines'] if answer['lines'] else 0.0


def group(races, verdicts, key):
    """Per value of key, the most frequent first: how many rows, how many of them hit, how many gone."""
    groups = {name: {'rows': n, 'hit': 0, 'gone': 0} for name, n in collections.Counter(map(key, races)).most_common()}
    for row in races:
        groups[key(row)]['hit'] += bool(verdicts[row.id]['hit'])
        groups[key(row)]['gone'] += bool(verdicts[row.id]['gone'])
    return groups


def summarise(rows, verdicts, runs):
    """The numbers, as they go into the JSON file."""
    races = [r for r in rows if r.kind == 'race']
    answers = {t: runs.of(t) for r in rows for t in r.trees.values()}
    good = [a for a in answers.values() if a['status'] == 'ok']
    return {
        'races': len(races),
        'hit': sum(bool(verdicts[r.id]['hit']) for r in races),
        'near': sum(verdicts[r.id]['hit'] == 'near' for r in races),
        'gone': sum(bool(verdicts[r.id]['gone']) for r in races),
        'safe': len(rows) - len(races),
        'false_alarms': sum(v['kind'] == 'safe' and v['alarm'] for v in verdicts.values()),
        'median_density': round(statistics.median(map(density, good)), 3) if good else None,
        'lines': sum(a['lines'] for a in good),
        'seconds': round(sum(a['seconds'] for a in good), 1),
        'status': collections.Counter(a['status'] for a in answers.values()),
        'rules': collections.Counter(f['rule'] for a in good for f in a['findings']),
        'groups': {title: group(races, verdicts, key) for title, key in GROUPS.items()},
        'trees': {t: {'status': a['status'], 'why': a['why'], 'lines': a['lines'], 'findings': len(racy(a)),
                      'density': round(density(a), 3), 'seconds': round(a['seconds'], 2), 'megabytes': round(a['megabytes'])}
                  for t, a in sorted(answers.items())},
        'rows': verdicts,
    }


def print_report(rows, total):
    print(f'recall        {percent(total["hit"], total["races"])}: {total["near"]} near the lines, '
          f'{total["hit"] - total["near"]} by the state alone')
    print(f'gone          {percent(total["gone"], total["hit"])} of the hits')
    print(f'false alarms  {percent(total["false_alarms"], total["safe"])} of the safe rows')
    if total['median_density'] is not None:
        print(f'density       {total["median_density"]:.2f} findings per 1000 lines, median of the trees')
    print('runs          ' + ', '.join(f'{n} {status}' for status, n in sorted(total['status'].items()))
          + f'; {total["lines"]} lines in {total["seconds"]:.0f} s')
    print('findings      ' + ', '.join(f'{rule} {n}' for rule, n in sorted(total['rules'].items())))
    for title, groups in total['groups'].items():
        print(f'\n{title:28} rows   hit         gone')
        for name, g in groups.items():
            print(f'  {name:26} {g["rows"]:4}   {g["hit"]:3} {100 * g["hit"] / g["rows"]:4.0f} %  {g["gone"]:4}')
    print_trees(total['trees'])
    print_rows(rows, total['rows'])


def print_trees(trees):
    print('\nfindings per 1000 lines, densest trees first')
    for name, t in sorted(trees.items(), key=lambda item: -item[1]['density'])[:12]:
        print(f'  {t["density"]:7.2f} {t["findings"]:6} in {t["lines"]:8} lines  {t["seconds"]:6.1f} s {t["megabytes"]:5} MB  {name}')
    for name, t in trees.items():
        if t['status'] != 'ok':
            print(f'  {t["status"]}: {name}: {t["why"]}')


def print_rows(rows, verdicts):
    races = [(r, verdicts[r.id]) for r in rows if r.kind == 'race']
    missed = [(r, v) for r, v in races if not v['hit']]
    left = [(r, v) for r, v in races if v['hit'] and not v['gone']]
    alarms = [(r, verdicts[r.id]) for r in rows if r.kind == 'safe' and verdicts[r.id]['alarm']]
    print(f'\nmissed ({len(missed)})')
    for row, v in missed:
        print(f'  {row.id} {row.category} {row.repository} {row.file}:{row.cells["before_lines"]} {v["problem"]}')
        print(f'       {row.cells["shared_state"]}: {row.note}')
        for f in v['beside'][:2]:
            print('       only a site of ' + one_line(f))
    print(f'\nhit, but not gone after the fix ({len(left)})')
    for row, v in left:
        print(f'  {row.id} {row.cells["fix"]} {row.cells["shared_state"]} {v["problem"]}')
        for f in v['left'][:3]:
            print('       ' + one_line(f))
    print(f'\nfalse alarms ({len(alarms)})')
    for row, v in alarms:
        print(f'  {row.id} {row.cells["guard"]}: {row.note}')
        for f in v['by'][:3]:
            print('       ' + one_line(f))


def print_changes(old, total):
    """Rows won and lost since an earlier --json, and how the number of findings moved."""
    def state(v):
        if v['kind'] == 'safe':
            return 'false alarm' if v['alarm'] else 'silent'
        return 'missed' if not v['hit'] else 'gone' if v['gone'] else 'hit'

    worth = {'missed': 0, 'hit': 1, 'gone': 2, 'false alarm': 0, 'silent': 1}
    won, lost = [], []
    for i, v in total['rows'].items():
        if i in old['rows'] and (was := state(old['rows'][i])) != (now := state(v)):
            (won if worth[now] > worth[was] else lost).append(f'{i} {was} -> {now}')
    print('\nagainst the baseline')
    for title, changes in (('won', won), ('lost', lost)):
        print(f'  {title} {len(changes)}' + ''.join(f'\n    {c}' for c in changes))
    pairs = [(t, old['trees'][t], now) for t, now in total['trees'].items()
             if now['status'] == 'ok' and old['trees'].get(t, {}).get('status') == 'ok']
    for what in ('findings', 'seconds'):
        print(f'  {what} {sum(was[what] for _, was, _ in pairs):.0f} -> {sum(now[what] for _, _, now in pairs):.0f}')
    for t, was, now in sorted(pairs, key=lambda p: -abs(p[2]['findings'] - p[1]['findings']))[:5]:
        if was['findings'] != now['findings']:
            print(f'    {was["findings"]} -> {now["findings"]} {t}')


# --- One row ------------------------------------------------------------------------------------------------------------

def show(row, runs):
    """The lines of a row, what was found near them, and what the program says about them."""
    cells = row.cells
    print(f'{row.id} {row.repository} {row.file} {cells["function_or_class"]}')
    print(f'  {cells["shared_state"]} (compared: {", ".join(sorted(row.names)) or "the lines only"})')
    print(f'  {row.category} · {cells["fix" if row.kind == "race" else "guard"]}\n  {row.note}')
    for which, tree in row.trees.items():
        answer = runs.of(tree)
        print(f'\n--- {which}: {tree} {answer["status"]} {answer["why"]}')
        there = which != 'after'  # the lines are those of the tree before the fix
        if there:
            print_source(runs.trees / tree / row.file, row.lines)
        for f in sorted(answer['findings'], key=lambda f: (f['path'], f['line'])):
            near = there and row.on_lines(f['path'], f['line'], NEAR if row.kind == 'race' else 0)
            named = f['path'] == row.file and names_state(f, row.names)
            if near or named or there and row.on_lines(f['path'], f['line'], 15):
                print(f'{"*" if near else "=" if named else " "} {one_line(f)}\n    {f["message"]}')
                for path, line, access, locks in f['sites']:
                    print(f'      {path}:{line} {access} {" ".join(locks)}')
    print('\n* on the lines, = names the state')
    explain(row, runs, next(iter(row.trees.values())))


def explain(row, runs, tree):
    said = {}
    for line in [n for a, b in row.lines for n in range(a, b + 1)][:12]:
        command = [runs.program, 'explain', '--root', '.', *runs.options, f'{row.file}:{line}']
        try:
            done = subprocess.run(command, cwd=runs.trees / tree, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                  errors='replace', timeout=runs.timeout)
            text = (done.stdout + done.stderr).rstrip()
        except (subprocess.TimeoutExpired, OSError) as e:
            text = str(e)
        said.setdefault(text, []).append(str(line))
    for text, lines in said.items():
        print(f'\n--- explain {row.file}:{",".join(lines)}\n{text}')


def print_source(path, ranges):
    try:
        source = path.read_text(encoding='utf-8', errors='replace').splitlines()
    except OSError as e:
        print(f'  {e}')
        return
    last = 0
    for a, b in ranges:
        for n in range(max(a - 4, last + 1), min(b + 4, len(source)) + 1):
            print(f'{"|" if any(x <= n <= y for x, y in ranges) else " "} {n:5} {source[n - 1]}')
            last = n


# --- The command line ---------------------------------------------------------------------------------------------------

def arguments():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('corpus', type=pathlib.Path, help='the folder of races.tsv and safe.tsv')
    p.add_argument('trees', type=pathlib.Path, help='the folder of the trees')
    p.add_argument('program', help='ungil')
    p.add_argument('--args', default='', help='options for the program in one word, as in --args="--model strict"; or after --')
    p.add_argument('--rows', action='append', metavar='PATTERN', help='only rows whose id, repository or category matches')
    p.add_argument('--jobs', type=int, default=2, help='runs at a time (2)')
    p.add_argument('--timeout', type=float, default=300, metavar='SECONDS', help='for one run (300)')
    p.add_argument('--json', metavar='OUT', help='write numbers and verdicts there')
    p.add_argument('--baseline', metavar='FILE', help='compare with an earlier --json')
    p.add_argument('--show', metavar='ID', help='everything about one row, and nothing else')
    p.add_argument('--cache', type=pathlib.Path, metavar='FOLDER', help='where answers are kept',
                   default=pathlib.Path(tempfile.gettempdir()) / f'ungil-corpus-{os.getuid()}')
    words = sys.argv[1:]
    split = words.index('--') if '--' in words else len(words)
    parsed = p.parse_args(words[:split])
    parsed.options = shlex.split(parsed.args) + words[split + 1:]
    return parsed


def main():
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # `| head` ends it without a word
    a = arguments()
    program = shutil.which(a.program)
    if not program:
        sys.exit(f'corpus.py: {a.program} is no program')
    rows = [Row(cells, 'race') for cells in read_table(a.corpus / 'races.tsv')]
    rows += [Row(cells, 'safe') for cells in read_table(a.corpus / 'safe.tsv')]
    wanted = [a.show] if a.show else a.rows
    rows = [r for r in rows if not wanted or r.matches(wanted)]
    if not rows:
        sys.exit('corpus.py: no row matches')

    runs = Runs(a.trees.resolve(), os.path.abspath(program), a.options, a.timeout, a.cache)
    runs.run_all(sorted({t for r in rows for t in r.trees.values()}), a.jobs)
    if a.show:
        for row in rows:
            show(row, runs)
        return 0
    total = summarise(rows, score(rows, runs), runs)
    print_report(rows, total)
    if a.baseline:
        with open(a.baseline, encoding='utf-8') as f:
            print_changes(json.load(f), total)
    if a.json:
        with open(a.json, 'w', encoding='utf-8') as f:
            json.dump(total, f, indent=1)
            f.write('\n')
    return 1 if {'crash', 'timeout', 'error'} & total['status'].keys() else 0


if __name__ == '__main__':
    sys.exit(main())
