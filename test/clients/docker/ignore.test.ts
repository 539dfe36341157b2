import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { ignoreOf } from '../../../src/clients/docker/ignore.ts';

async function rulesOf(...lines: string[]) {
  const root = await mkdtemp(join(tmpdir(), 'shipmate-ignore-'));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  await writeFile(join(root, '.dockerignore'), lines.join('\n'));
  return ignoreOf(root, 'Dockerfile');
}

test.each([
  [
    ['node_modules', '**/*.log', '!src/file0.log', '/dist/'],
    ['node_modules', 'x.log', 'file0.log', 'dist'],
  ],
  [
    ['a?c', '!keep-*.ts'],
    ['abc', 'keep-me.ts'],
  ],
  [['x/**/y', '!x/y'], ['y']],
])('only the names that rules are about have to be looked at: %j', async (lines, names) => {
  const { mayMatch } = await rulesOf('# a comment', '', ...lines);
  for (const name of names) expect(mayMatch(name), name).toBe(true);
  for (const name of ['src', 'index.ts', 'log', 'xdist', 'node_modules2']) expect(mayMatch(name), name).toBe(false);
});

test.each(['x**/y', 'x/**', '*', 'x+y', '[x]y', 'x\\-y', '.'])(
  'of what is no plain rule, they are all: %s',
  async (line) => {
    const { mayMatch } = await rulesOf(line);
    for (const name of ['xy', 'src', 'index.ts']) expect(mayMatch(name), name).toBe(true);
  },
);

/** Always the same numbers from 0 up to the limit. */
function createDice(): (limit: number) => number {
  let state = 1;
  return (limit) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % limit;
  };
}

test('what a rule ignores has a name that it is about, or lies in what has, whatever the rule is', async () => {
  const dice = createDice();
  const letters = [
    'a',
    'b',
    '.',
    '/',
    '*',
    '**',
    '?',
    '!',
    '(',
    '|',
    '+',
    '[',
    ']',
    '\\',
    ' ',
    '-',
    '$',
    '^',
    '/../',
    '/./',
  ];
  const word = (alphabet: readonly string[], most: number) =>
    Array.from({ length: 1 + dice(most) }, () => alphabet[dice(alphabet.length)]).join('');
  let ignored = 0;
  for (let round = 0; round < 1_000; round++) {
    const lines = Array.from({ length: 1 + dice(3) }, () => word(letters, 6));
    const { mayMatch, ignores } = await rulesOf(...lines).catch(() => ({ mayMatch: () => true, ignores: () => false }));
    for (let n = 0; n < 30; n++) {
      const path = Array.from({ length: 1 + dice(3) }, () => word(['a', 'b', 'ab', '.b', '-', 'a+b', '$'], 3)).join(
        '/',
      );
      let is: boolean;
      try {
        is = ignores(path);
      } catch {
        break;
      }
      ignored += Number(is);
      if (is) expect(path.split('/').some(mayMatch), `${path} by ${JSON.stringify(lines)}`).toBe(true);
    }
  }
  expect(ignored).toBeGreaterThan(500);
});
