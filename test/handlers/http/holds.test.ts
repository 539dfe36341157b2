import { expect, test } from 'vitest';
import { createHolds } from '../../../handlers/http/holds.ts';

test('a person has so many places, and all together have so many', () => {
  const holds = createHolds(3);
  const first = holds.take('ana', 2);
  expect(holds.take('ana', 2)).toBeDefined();
  expect(holds.take('ana', 2)).toBeUndefined();
  expect(holds.take('ben', 2)).toBeDefined();
  expect(holds.take('cleo', 2)).toBeUndefined();
  first?.();
  expect(holds.take('cleo', 2)).toBeDefined();
  expect(holds.take('ana', 2)).toBeUndefined();
});

test('places that were given back are there again, however often', () => {
  const holds = createHolds(1);
  for (let n = 0; n < 1_000; n++) holds.take(`person ${n % 3}`, 1)?.();
  expect(holds.take('ana', 1)).toBeDefined();
});
