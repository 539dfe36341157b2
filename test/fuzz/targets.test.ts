import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { targets } from '../../fuzz/targets.ts';

/** A short turn of `npm run fuzz` for each of its targets, always with the same inputs. */
test.each(targets.map((each) => [each.name, each] as const))('%s keeps its promise', async (_name, target) => {
  await fc.assert(target.property(), { seed: 20_261_130, numRuns: 60 });
});

test('each target has a name of its own, and each group stands in the list', () => {
  const names = targets.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  const folder = new URL('../../fuzz/targets/', import.meta.url);
  const told = readdirSync(folder).flatMap((file) => [
    ...readFileSync(new URL(file, folder), 'utf8').matchAll(/^ {2}target\(\s*'([\w-]+)'/gm),
  ]);
  expect(told.map(([, name]) => name).sort()).toEqual(names.toSorted());
});
