import fc from 'fast-check';
import { expect, test } from 'vitest';
import { logBet, logBeta, logGamma, logMean, logNoWorse, logSum } from '../../../src/core/analysis/evidence.ts';

// Reference values: scipy 1.17.1, scipy.special.betaln and gammaln.
test.each([
  [0.5, 0.5, 1.1447298858494],
  [3, 4, -4.0943445622221],
  [7.5, 993.5, -44.24936828173122],
  [120.5, 99880.5, -931.8178905160166],
  [0.001, 2, 6.906755778649054],
])('ln B(%d, %d) is %d', (a, b, expected) => {
  expect(logBeta(a, b)).toBeCloseTo(expected, 7);
});

test.each([
  [0.1, 2.252712651734206],
  [0.5, 0.5723649429247],
  [1, 0],
  [1.5, -0.12078223763524526],
  [10, 12.801827480081469],
  [171.3, 708.1149470389971],
  [1e6, 12815504.569147611],
])('ln Γ(%d) is %d', (x, expected) => {
  expect(Math.abs(logGamma(x) - expected)).toBeLessThanOrEqual(1e-13 * Math.max(10, Math.abs(expected)));
});

test('sums and means of very unequal terms do not overflow', () => {
  expect(logSum([1_000, 1_000])).toBeCloseTo(1_000 + Math.LN2, 9);
  expect(logMean([-2_000, -2_000])).toBeCloseTo(-2_000, 9);
  expect(logSum([Number.NEGATIVE_INFINITY, 0])).toBe(0);
});

/** ln C(n, k). */
const logChoose = (n: number, k: number) => logGamma(n + 1) - logGamma(k + 1) - logGamma(n - k + 1);

test('a bet is fair: by chance alone it wins what it loses, whatever the share and the number of events', () => {
  const cases = fc.tuple(fc.integer({ min: 1, max: 80 }), fc.double({ min: 0.005, max: 0.995, noNaN: true }));
  fc.assert(
    fc.property(cases, fc.constantFrom('more' as const, 'fewer' as const), ([events, share], side) => {
      const mean = Array.from({ length: events + 1 }, (_, hits) => {
        const chance = logChoose(events, hits) + hits * Math.log(share) + (events - hits) * Math.log(1 - share);
        return Math.exp(chance + logBet([{ hits, others: events - hits, share }], side));
      }).reduce((sum, part) => sum + part, 0);
      expect(mean).toBeCloseTo(1, 6);
    }),
  );
});

test('with the share of the requests that were seen it is at most fair: hits are then hypergeometric', () => {
  const counts = fc.tuple(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 60 }));
  fc.assert(
    fc.property(counts, fc.double({ min: 0, max: 1, noNaN: true }), ([own, other], part) => {
      const events = Math.round(part * (own + other));
      const mean = Array.from({ length: Math.min(events, own) + 1 }, (_, hits) => {
        if (events - hits > other) return 0;
        const chance = logChoose(own, hits) + logChoose(other, events - hits) - logChoose(own + other, events);
        return Math.exp(chance + logBet([{ hits, others: events - hits, share: own / (own + other) }], 'more'));
      }).reduce((sum, each) => sum + each, 0);
      expect(mean).toBeLessThanOrEqual(1 + 1e-9);
    }),
  );
});

test('evidence of several phases is that of their bets together, in any order', () => {
  const split = fc.record({
    hits: fc.integer({ min: 0, max: 500 }),
    others: fc.integer({ min: 0, max: 500 }),
    share: fc.double({ min: 0.01, max: 0.99, noNaN: true }),
  });
  fc.assert(
    fc.property(fc.array(split, { minLength: 1, maxLength: 6 }), (splits) => {
      expect(logBet(splits.toReversed(), 'more')).toBeCloseTo(logBet(splits, 'more'), 6);
    }),
  );
});

test('that the canary is no worse is never likelier than fair where it is worse by just that much', () => {
  // Exactly, over all outcomes of 30 requests of each arm: 12 % and 2 % fail, and a difference of 10 points is asked for.
  const chance = (n: number, k: number, p: number) =>
    Math.exp(logChoose(n, k) + k * Math.log(p) + (n - k) * Math.log(1 - p));
  let mean = 0;
  for (let own = 0; own <= 30; own++)
    for (let other = 0; other <= 30; other++) {
      const phase = { canary: { requests: 30, failures: own }, stable: { requests: 30, failures: other } };
      mean += chance(30, own, 0.12) * chance(30, other, 0.02) * Math.exp(logNoWorse([phase], 0.1));
    }
  expect(mean).toBeLessThanOrEqual(1);
});

test('the first requests without a failure prove nothing, many do', () => {
  const clean = (requests: number) => ({
    canary: { requests, failures: 0 },
    stable: { requests: 9 * requests, failures: 0 },
  });
  expect(logNoWorse([clean(10)], 0.01)).toBeLessThan(Math.log(20));
  expect(logNoWorse([clean(2_000)], 0.01)).toBeGreaterThan(Math.log(20));
});
