import { expect, test } from 'vitest';
import { added, alike, apart, quantileOf, slowerThan, tidy } from '../../../src/core/analysis/buckets.ts';

const infinite = Number.POSITIVE_INFINITY;
const some = [
  { le: 100, count: 50 },
  { le: 200, count: 90 },
  { le: infinite, count: 100 },
];

// As histogram_quantile: https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile
test.each([
  [0.25, 50],
  [0.5, 100],
  [0.7, 150],
  [0.9, 200],
  [0.99, 200],
])('the quantile %d is %d ms', (q, ms) => {
  expect(quantileOf(some, q)).toBe(ms);
});

test.each([
  [0, 100],
  [50, 75],
  [100, 50],
  [150, 30],
  [200, 10],
  [5_000, 10],
])('slower than %d ms are %d', (ms, count) => {
  expect(slowerThan(some, ms)).toBe(count);
});

test('nothing has no quantile', () => {
  expect(quantileOf([], 0.5)).toBeNaN();
  expect(quantileOf([{ le: infinite, count: 0 }], 0.5)).toBeNaN();
});

test('what was read while it grew is put in order: no bucket is negative, and the last one is infinite', () => {
  const tidied = tidy([
    { le: 200, count: 7 },
    { le: 100, count: 9 },
    { le: -5, count: 3 },
    { le: 50, count: -1 },
  ]);
  expect(tidied).toEqual([
    { le: 100, count: 9 },
    { le: 200, count: 9 },
    { le: infinite, count: 9 },
  ]);
  expect(apart(tidied)).toEqual([9, 0, 0]);
});

test('histograms with other bounds are compared over those they share', () => {
  const [one, other] = alike(some, [
    { le: 200, count: 5 },
    { le: 300, count: 6 },
    { le: infinite, count: 8 },
  ]);
  expect(one).toEqual(some.slice(1));
  expect(other).toEqual([
    { le: 200, count: 5 },
    { le: infinite, count: 8 },
  ]);
});

test('sums are weighted', () => {
  expect(
    added([
      { buckets: some, weight: 1 },
      { buckets: some, weight: 0.5 },
    ]),
  ).toEqual(some.map(({ le, count }) => ({ le, count: count * 1.5 })));
});
