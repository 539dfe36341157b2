import { expect, test } from 'vitest';
import { rulesIn } from '../../src/clients/docker/ignore.ts';

test.each([
  ['*a*a*a*a*a*a*a*a*a*a*a*b', 'a'.repeat(255)],
  ['**/a/**/a/**/a/**/a/**/a/**/b', 'a/'.repeat(2_000)],
  ['(a+)+$', `${'a'.repeat(200)}!`],
  ['!*a*a*a*a*a*a*a*b\n*a*a*a*a*a*a*a*b', 'a/'.repeat(2_000)],
])('rules that were made to take for ever take no time: %s', (rule, file) => {
  const { ignores, mayMatch } = rulesIn(`${rule}\n`);
  const before = process.threadCpuUsage();
  expect(ignores(file.replace(/\/$/, ''))).toBe(false);
  mayMatch(file.replaceAll('/', ''));
  const { user, system } = process.threadCpuUsage(before);
  expect((user + system) / 1_000).toBeLessThan(500);
});

test.each([
  '[a',
  'a\\d',
  'a\\',
  'a\\ü*',
  '!',
  '/!',
  '!/',
  'x[',
  '[]',
  '[[:alpha:]]',
  '[-a]',
  '[a/]',
  // BuildKit makes a regular expression of what has a wildcard, and of these letters only some are letters in it.
  '*.log|secret',
  '(a|a)*b',
  'a{2}*',
  'a{2,}*',
  '?{2,3}',
  '^*',
  // To a program in Go the first is a blank, the second a letter; to JavaScript the other way round.
  '\u0085secret',
  'secret\ufeff',
  'secret\u00a0',
  'a\u2028',
  'a\0b',
  'a\ufffd',
])('what BuildKit may read otherwise is refused: %s', (rule) => {
  expect(() => rulesIn(rule)).toThrow();
});

test.each([
  [['**.log'], 'a/b.log', true],
  [['**.log'], 'a/b.logs', false],
  [['*.{js,ts}'], 'a.js', false],
  [['*.{js,ts}'], 'a.{js,ts}', true],
  [['**/*.{md,txt}'], 'docs/a.md', false],
  [['**/*.{md,txt}'], 'docs/a.{md,txt}', true],
  [['*{,2}'], 'a{,2}', true],
  [['😀*'], '😀.env', true],
  [['**/a', '!?', 'a'], '-/a', true],
  [['secrets', '!./secrets/a/../public'], 'secrets/public', false],
])('rules are read as BuildKit reads them: %j leave out %s: %s', (rules, path, out) => {
  expect(rulesIn(rules.join('\n')).ignores(path)).toBe(out);
});

test('an exception is looked for in a folder that is left out, however it is written', () => {
  const { mayHold } = rulesIn('secrets\n!./secrets/a/../public');
  expect(mayHold('secrets')).toBe(true);
  expect(mayHold('other')).toBe(false);
});
