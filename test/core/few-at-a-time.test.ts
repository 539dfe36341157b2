import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { fewAtATime } from '../../src/core/few-at-a-time.ts';

test('so many at a time, in their order, each once', async () => {
  let [under, most] = [0, 0];
  const done = await fewAtATime(
    Array.from({ length: 50 }, (_, n) => n),
    4,
    async (n) => {
      under += 1;
      most = Math.max(most, under);
      for (let turns = 50 - n; turns > 0; turns -= 10) await turn();
      under -= 1;
      return n * 2;
    },
  );
  expect(done).toEqual(Array.from({ length: 50 }, (_, n) => n * 2));
  expect(most).toBe(4);
  expect(await fewAtATime([], 4, async () => 1)).toEqual([]);
});

test('the first that fails ends it', async () => {
  const seen: number[] = [];
  const failing = fewAtATime([1, 2, 3, 4, 5, 6], 2, async (n) => {
    seen.push(n);
    await turn();
    if (n === 2) throw new Error('two');
  });
  await expect(failing).rejects.toThrow('two');
  await turn();
  await turn();
  expect(seen.length).toBeLessThanOrEqual(6);
});
