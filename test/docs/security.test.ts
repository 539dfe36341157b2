import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';

const root = resolve(import.meta.dirname, '../..');
const rows = readFileSync(join(root, 'docs/security.md'), 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('| ') && line.includes('../test/'));

/** `[name](../test/…) “title”`, as often as a row has it. */
const namedIn = (row: string) =>
  [...row.matchAll(/\]\(\.\.\/(test\/[^)]+)\)(?: “([^”]+(?:”[^”|;]+)*)”)?/g)].map(([, file = '', title]) => ({
    file,
    title,
  }));

test('each promise names a test that is there', () => {
  const named = rows.flatMap(namedIn);
  expect(named.length).toBeGreaterThanOrEqual(rows.length);
  const gone = named.filter(({ file, title }) => {
    const path = join(root, file);
    if (!existsSync(path)) return true;
    const text = readFileSync(path, 'utf8').replaceAll("\\'", "'");
    return title !== undefined && !text.includes(title);
  });
  expect(gone).toEqual([]);
});

test('each decision that a promise rests on is there', () => {
  const decisions = rows.flatMap((row) => [...row.matchAll(/\]\((decisions\/[^)]+)\)/g)].map(([, path = '']) => path));
  expect(decisions.filter((path) => !existsSync(join(root, 'docs', path)))).toEqual([]);
});
