import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { keepPace } from '../../sandbox/visitors.ts';

/** The machine has no time for us. */
function stall(ms: number): void {
  for (const until = performance.now() + ms; performance.now() < until; );
}

test('as many visitors come in a second where the machine is busy', async () => {
  let [visits, going] = [0, true];
  const began = performance.now();
  const loop = keepPace(
    60,
    () => going,
    () => {
      visits += 1;
    },
  );
  for (let times = 0; times < 10; times++) {
    stall(100);
    await sleep(30);
  }
  going = false;
  await loop;
  const wanted = ((performance.now() - began) / 1_000) * 60;
  expect(visits).toBeGreaterThan(wanted * 0.8);
  expect(visits).toBeLessThanOrEqual(wanted);
});

test('after a long stall they do not all come at once', async () => {
  let [visits, going] = [0, true];
  const loop = keepPace(
    60,
    () => going,
    () => {
      visits += 1;
    },
  );
  stall(3_000);
  await sleep(0);
  going = false;
  await loop;
  expect(visits).toBeGreaterThan(0);
  expect(visits).toBeLessThan(60);
});
