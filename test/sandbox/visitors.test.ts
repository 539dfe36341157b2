import { expect, test } from 'vitest';
import { keepPace } from '../../sandbox/visitors.ts';

/** How many come at 60 a second, and in what time, where the machine lets each sleep take so many ms. */
async function visitsOf(sleeps: readonly number[]): Promise<{ visits: number; seconds: number }> {
  const left = [...sleeps];
  let [visits, now] = [0, 0];
  const clock = {
    now: () => now,
    sleep: async () => {
      now += left.shift() ?? 0;
    },
  };
  let looks = 0;
  // The last sleep is looked at too.
  await keepPace(
    60,
    () => looks++ <= sleeps.length,
    () => {
      visits += 1;
    },
    clock,
  );
  return { visits, seconds: now / 1_000 };
}

test('as many visitors come in a second where the machine is busy', async () => {
  const { visits, seconds } = await visitsOf(Array.from({ length: 10 }, () => 130));
  const wanted = seconds * 60;
  expect(wanted).toBe(78);
  expect(visits).toBeGreaterThan(wanted * 0.8);
  expect(visits).toBeLessThanOrEqual(wanted);
});

test('after a long stall they do not all come at once', async () => {
  const { visits } = await visitsOf([3_000]);
  expect(visits).toBeGreaterThan(0);
  expect(visits).toBeLessThan(60);
});
