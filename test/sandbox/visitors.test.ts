import { expect, test } from 'vitest';
import { createEnds, keepPace } from '../../sandbox/visitors.ts';

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

test('that no visit reaches the app is said once, and when one does again', () => {
  const said: string[] = [];
  let now = 0;
  const ends = createEnds(
    (line) => said.push(line),
    5_000,
    () => now,
  );
  const visit = (at: number, end: string) => {
    now = at;
    ends.note(end);
  };
  visit(1_000, 'HTTP 404');
  visit(4_000, 'HTTP 500');
  visit(8_000, 'HTTP 404');
  expect(said).toEqual([]);
  for (const at of [9_001, 9_002]) visit(at, 'Error: connect ECONNREFUSED');
  expect(ends.last()).toBe('Error: connect ECONNREFUSED');
  for (const at of [9_003, 9_004]) visit(at, 'HTTP 200');
  visit(14_005, 'HTTP 503');
  expect(said).toEqual([
    'No visitor reaches production: Error: connect ECONNREFUSED',
    'Visitors reach production again',
    'No visitor reaches production: HTTP 503',
  ]);
});
