import fc from 'fast-check';
import { expect, test } from 'vitest';
import { logSlower, rank } from '../../../src/core/analysis/ranks.ts';

const zOf = (canary: number[], stable: number[]) => {
  const { u, mean, variance } = rank(canary, stable);
  return (u - mean) / Math.sqrt(variance);
};

// Reference values: scipy 1.17.1, scipy.stats.mannwhitneyu(…, alternative='greater', method='asymptotic', use_continuity=False)
// of one value a request, that of its bucket.
test.each([
  { canary: [1, 1, 0], stable: [0, 1, 1], u: 0.5, z: -1.2247448713915887 },
  { canary: [10, 20, 30, 5], stable: [40, 60, 50, 10], u: 6125, z: 2.204540538457858 },
  { canary: [3, 0, 7, 90, 12, 1], stable: [30, 2, 70, 800, 90, 4], u: 58_052, z: 0.7937235487825148 },
  { canary: [0, 0, 5, 20], stable: [5, 20, 3, 0], u: 692.5, z: 6.473816201798954 },
])('Mann-Whitney of $canary and $stable is U = $u, z = $z', ({ canary, stable, u, z }) => {
  expect(rank(canary, stable).u).toBe(u);
  expect(zOf(canary, stable)).toBeCloseTo(z, 10);
});

test('the example of scipy’s documentation: ages of men and women at diagnosis', () => {
  // males = [19, 22, 16, 29, 24], females = [20, 11, 17, 12]: U1 = 17. One bucket an age, in order.
  const ages = [11, 12, 16, 17, 19, 20, 22, 24, 29];
  const counts = (group: number[]) => ages.map((age) => (group.includes(age) ? 1 : 0));
  expect(rank(counts([19, 22, 16, 29, 24]), counts([20, 11, 17, 12])).u).toBe(17);
  expect(zOf(counts([19, 22, 16, 29, 24]), counts([20, 11, 17, 12]))).toBeCloseTo(1.7146428199482244, 10);
});

test('the arms’ U add up to all pairs, and one bucket tells nothing', () => {
  const counts = fc.array(fc.integer({ min: 0, max: 200 }), { minLength: 3, maxLength: 3 });
  fc.assert(
    fc.property(counts, counts, (canary, stable) => {
      const pairs = 2 * rank(canary, stable).mean;
      expect(rank(canary, stable).u + rank(stable, canary).u).toBeCloseTo(pairs, 6);
    }),
  );
  expect(rank([50], [70]).variance).toBe(0);
  expect(logSlower([rank([50], [70])])).toBe(0);
});

test('evidence grows with what is slower, and is none where nothing is', () => {
  expect(logSlower([rank([10, 40, 50], [100, 400, 500])])).toBeLessThan(0);
  expect(logSlower([rank([10, 40, 50], [500, 400, 100])])).toBeGreaterThan(Math.log(1_000));
  expect(logSlower([rank([50, 40, 10], [100, 400, 500])])).toBeLessThan(0);
});
