import { expect, test } from 'vitest';
import { createSteering } from '../../src/engine/steering.ts';

test('whoever waits for more than was said hears of it, and nobody before', () => {
  const steering = createSteering();
  const [first, second] = [steering.past(0), steering.past(1)];
  steering.reached(1);
  expect([first.aborted, second.aborted]).toEqual([true, false]);
  steering.reached(2);
  expect(second.aborted).toBe(true);
  expect(steering.past(1).aborted).toBe(true);
  expect(steering.past(2).aborted).toBe(false);
});

test('a stage that asks again and again keeps one signal', () => {
  const steering = createSteering();
  expect(steering.past(3)).toBe(steering.past(3));
});
