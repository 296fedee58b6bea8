#!/usr/bin/env python3
"""tests/corpus.py scores as it says: on a corpus of its own, with a program that answers what a case wants."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
RACE = ('id owner/name fix_commit parent_commit file function_or_class before_lines shared_state category fix thread_entry note').split()
SAFE = ('id owner/name commit parent_commit file function_or_class lines shared_state category_it_resembles guard thread_entry '
        'why_safe').split()

# Answers with what the tree holds as answer.json, and counts its runs.
PROGRAM = '''#!/usr/bin/env python3
import os, sys
if sys.argv[1] == 'explain':
    print('says nothing about', sys.argv[-1])
    sys.exit(0)
tree = sys.argv[-1]
with open(os.path.join(os.path.dirname(tree), 'runs'), 'a') as f:
    f.write(os.path.basename(tree) + chr(10))
text = open(os.path.join(tree, 'answer.json')).read()
if text == 'crash':
    os.abort()
print(text)
sys.exit(1)
'''


def finding(rule, line, state, fingerprint='f0', path='a.py', confidence='high', sites=(), **more):
    return dict(rule=rule, line=line, state=state, fingerprint=fingerprint, path=path, confidence=confidence, message='m',
                sites=[dict(path=p, line=n, access='write', locks=locks) for p, n, *locks in sites], **more)


class Corpus(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.home = pathlib.Path(self.folder.name)
        (self.home / 'trees').mkdir()
        program = self.home / 'program'
        program.write_text(PROGRAM)
        program.chmod(0o755)
        self.races, self.safes = [], []

    def tree(self, commit, answer):
        folder = self.home / 'trees' / f'o+n@{commit}'
        folder.mkdir()
        if not isinstance(answer, str):
            answer = json.dumps({'findings': answer, 'summary': {'files': 1, 'lines': 2000}})
        (folder / 'answer.json').write_text(answer)
        (folder / 'a.py').write_text('x = 1\n' * 50)
        return commit

    def race(self, before, after, lines='10-12', state='C._cache'):
        n = len(self.races)
        cells = [f'C{n}', 'o/n', self.tree(f'{n:06}aaaaaa', after), self.tree(f'{n:06}bbbbbb', before), 'a.py', 'f', lines, state,
                 'lazy-init', 'lock', 'library', 'a note']
        self.races.append('\t'.join(cells))

    def safe(self, answer, state='C._cache'):
        n = len(self.safes)
        cells = [f'N{n}', 'o/n', self.tree(f'{n:06}cccccc', answer), '-', 'a.py', 'f', '10-12', state, 'lazy-init', 'lock held', 'library',
                 'a reason']
        self.safes.append('\t'.join(cells))

    def run_it(self, *options, status=0):
        (self.home / 'races.tsv').write_text('\n'.join(['\t'.join(RACE)] + self.races) + '\n')
        (self.home / 'safe.tsv').write_text('\n'.join(['\t'.join(SAFE)] + self.safes) + '\n')
        out = self.home / 'out.json'
        command = [sys.executable, HERE / 'corpus.py', self.home, self.home / 'trees', self.home / 'program', '--cache',
                   self.home / 'cache', '--json', out, *options]
        done = subprocess.run(command, capture_output=True, text=True)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        self.text = done.stdout
        return json.loads(out.read_text()) if out.exists() else None

    def verdict(self, key, **more):
        rows = self.run_it(**more)['rows']
        return [v[key] for v in rows.values()]

    def test_hit_near_the_lines_or_by_the_state(self):
        self.race([finding('UG101', 15, 'm.other')], [])
        self.race([finding('UG101', 16, 'm.other')], [])
        self.race([finding('UG101', 40, 'm.C._cache')], [])
        self.race([finding('UG101', 40, 'm.C._cache', path='b.py')], [])
        self.race([finding('UG501', 10, 'm.C._cache'), finding('UG101', 10, 'm.x', suppressed=True)], [])
        self.race([finding('UG105', 40, 'm.a, m.C._C__free[k]')], [], state='C.__free, C.n')
        self.assertEqual(self.verdict('hit'), ['near', None, 'state', None, None, 'state'])

    def test_site_on_the_lines_is_no_hit(self):
        self.race([finding('UG101', 40, 'm.x', sites=[('a.py', 10)])], [])
        self.assertEqual(self.verdict('hit'), [None])
        self.assertIn('only a site of a.py:40 UG101', self.text)

    def test_gone(self):
        hit = finding('UG102', 10, 'm.C._cache')
        self.race([hit], [])
        self.race([hit], [finding('UG102', 30, 'm.C._cache')])                                # the same fingerprint elsewhere
        self.race([hit], [finding('UG102', 30, 'm.C._cache', 'f1')])                          # new there: the rewritten one
        self.race([hit, finding('UG102', 40, 'm.C._cache', 'f1')], [finding('UG102', 40, 'm.C._cache', 'f1')])  # was there before
        self.race([hit], [finding('UG103', 10, 'm.C._cache', 'f1')])                          # another rule
        self.assertEqual(self.verdict('gone'), [True, False, False, True, True])

    def test_false_alarm(self):
        self.safe([finding('UG101', 10, 'm.C._cache')])
        self.safe([finding('UG101', 13, 'm.C._cache')])
        self.safe([finding('UG101', 10, 'm.C.other')])
        self.safe([finding('UG101', 10, 'm.C._cache', confidence='low'), finding('UG304', 10, 'm.C._cache')])
        self.safe([finding('UG101', 40, 'm.C._cache', sites=[('a.py', 12)])])
        self.safe([finding('UG108', 40, 'm.C._cache', sites=[('a.py', 12, 'm.C._lock')])])  # the guarded access, for comparison
        self.safe([finding('UG101', 10, 'm.whatever')], state='the buffer that is passed in')
        self.safe([finding('UG101', 10, 'm.C.settings.depth')], state='C.settings attributes')
        self.assertEqual(self.verdict('alarm'), [True, False, False, False, True, False, True, True])

    def test_failures_are_counted_and_change_the_status(self):
        self.race('crash', [])
        self.race('no JSON', [])
        self.race([finding('UG101', 10, 'm.x')], [])
        for f in (self.home / 'trees' / 'o+n@000002aaaaaa').iterdir():
            f.unlink()
        (self.home / 'trees' / 'o+n@000002aaaaaa').rmdir()
        total = self.run_it(status=1)
        self.assertEqual(total['status'], {'crash': 1, 'error': 1, 'missing': 1, 'ok': 3})
        self.assertIsNone(total['rows']['C2']['gone'])

    def test_answers_are_kept_until_the_program_or_an_option_changes(self):
        self.race([], [])
        for options, runs in (((), 2), ((), 2), (('--args=--model strict',), 4), (('--', '--model', 'strict'), 4), (('--', '--model', 'cpython'), 6)):
            self.run_it(*options)
            self.assertEqual(len((self.home / 'trees' / 'runs').read_text().split()), runs)
        with open(self.home / 'program', 'a') as f:
            f.write('\n')
        self.run_it()
        self.assertEqual(len((self.home / 'trees' / 'runs').read_text().split()), 8)

    def test_baseline(self):
        self.race([finding('UG101', 10, 'm.x')], [])
        self.run_it()
        os.rename(self.home / 'out.json', self.home / 'old.json')
        self.races.clear()
        for tree in ('000000aaaaaa', '000000bbbbbb'):
            (self.home / 'trees' / f'o+n@{tree}' / 'answer.json').unlink()
            (self.home / 'trees' / f'o+n@{tree}' / 'a.py').unlink()
            (self.home / 'trees' / f'o+n@{tree}').rmdir()
        self.race([], [])
        with open(self.home / 'program', 'a') as f:
            f.write('\n')
        self.run_it('--baseline', self.home / 'old.json')
        self.assertIn('lost 1\n    C0 gone -> missed', self.text)
        self.assertIn('findings 1 -> 0', self.text)

    def test_density_and_rows(self):
        self.race([finding('UG101', 10, 'm.x'), finding('UG101', 20, 'm.y', 'f1')], [])
        self.race([finding('UG101', 10, 'm.x')], [])
        total = self.run_it('--rows', 'C0')
        self.assertEqual((total['races'], total['median_density']), (1, 0.5))

    def test_show(self):
        self.race([finding('UG101', 10, 'm.x')], [])
        self.run_it('--show', 'C0')
        self.assertIn('* a.py:10 UG101', self.text)
        self.assertIn('explain a.py:12\nsays nothing about a.py:12', self.text)


if __name__ == '__main__':
    loader = unittest.TestLoader()
    if os.environ.get('T'):
        loader.testNamePatterns = ['*' + os.environ['T'] + '*']
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=0).run(loader.loadTestsFromTestCase(Corpus))
    bad, skipped = len(result.failures) + len(result.errors), len(result.skipped)
    print(f'# suite corpus: {result.testsRun - bad - skipped} passed, {bad} failed, {skipped} skipped')
    sys.exit(bad > 0)
