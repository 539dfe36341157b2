import { describe, expect, test } from 'vitest';
import { normal, ours, play, slowerBy } from '../../../bench/canary-trial.ts';
import { createChance } from '../../../bench/chance.ts';
import { logBet, logNoWorse } from '../../../src/core/analysis/evidence.ts';
import { logSlower, rank } from '../../../src/core/analysis/ranks.ts';
import { AnalysisTemplate } from '../../../src/core/analysis/template.ts';

/** Seeded simulations: that what is stated about chance holds however often one looks. */

const [runs, looks, stated] = [400, 150, 0.2];
const enough = -Math.log(stated);

/** In which part of the runs the evidence ever reached what is stated, looked at after every few requests. */
function everReached(
  seed: number,
  begin: (chance: ReturnType<typeof createChance>) => (look: number) => number,
): number {
  const chance = createChance(seed);
  let reached = 0;
  for (let run = 0; run < runs; run++) {
    const evidence = begin(chance);
    for (let look = 0; look < looks; look++)
      if (evidence(look) >= enough) {
        reached += 1;
        break;
      }
  }
  return reached / runs;
}

describe('looked at all the time, a canary that is no worse is found worse no more often than is stated', () => {
  const patterns = {
    'few failures': () => 0.01,
    'many failures': () => 0.3,
    'bursts of failures': (look: number) => (look % 40 > 35 ? 0.6 : 0.002),
    'failures only late': (look: number) => (look > 110 ? 0.5 : 0.001),
  };
  const cases = Object.entries(patterns).flatMap(([name, rate]) =>
    [0.02, 0.1, 0.5, 0.9].map((share) => ({ name, rate, share })),
  );
  test.each(cases)('$name, $share of the traffic', ({ rate, share }) => {
    const part = everReached(1, (chance) => {
      let [own, all, hits, others] = [0, 0, 0, 0];
      return (look) => {
        const mine = chance.binomial(60, share);
        [own, all] = [own + mine, all + 60];
        hits += chance.binomial(mine, rate(look));
        others += chance.binomial(60 - mine, rate(look));
        return own < 10 || own === all ? 0 : logBet([{ hits, others, share: own / all }], 'more');
      };
    });
    expect(part).toBeLessThanOrEqual(stated);
  });

  test.each([0.05, 0.5])('by ranks, %d of the traffic', (share) => {
    const shares = [0.1, 0.2, 0.3, 0.2, 0.1, 0.1];
    const part = everReached(2, (chance) => {
      const [canary, stable] = [shares.map(() => 0), shares.map(() => 0)];
      const add = (to: number[], requests: number) => {
        for (const [n, count] of chance.multinomial(requests, shares).entries()) to[n] = (to[n] ?? 0) + count;
      };
      return () => {
        const mine = chance.binomial(60, share);
        add(canary, mine);
        add(stable, 60 - mine);
        return canary.reduce((sum, count) => sum + count, 0) < 50 ? 0 : logSlower([rank(canary, stable)]);
      };
    });
    expect(part).toBeLessThanOrEqual(stated);
  });
});

test.each([
  [0.011, 0.001],
  [0.06, 0.05],
])('one that fails by a point more (%d against %d) passes no more often than is stated', (worse, usual) => {
  const part = everReached(3, (chance) => {
    const [canary, stable] = [
      { requests: 0, failures: 0 },
      { requests: 0, failures: 0 },
    ];
    return () => {
      const mine = chance.binomial(100, 0.3);
      canary.requests += mine;
      stable.requests += 100 - mine;
      canary.failures += chance.binomial(mine, worse);
      stable.failures += chance.binomial(100 - mine, usual);
      return logNoWorse([{ canary, stable }], 0.01);
    };
  });
  expect(part).toBeLessThanOrEqual(0.05);
});

test('whole canaries: good ones are promoted, worse ones rolled back, at the rates that are stated', () => {
  const template = AnalysisTemplate.parse({ metrics: [{ kind: 'success-rate' }, { kind: 'latency' }] });
  const setup = {
    template,
    perSecond: 40,
    lookSeconds: 15,
    phaseSeconds: 90,
    weights: [10, 25, 50],
    mostLooks: 150,
    failing: { canary: 0.005, stable: 0.005 },
    slower: 1,
  };
  const chance = createChance(4);
  const many = (change: Partial<typeof setup>) => {
    const kinds = Array.from({ length: 100 }, () => play({ ...setup, ...change }, [ours(template)], chance)[0]?.kind);
    return {
      pass: kinds.filter((kind) => kind === 'pass').length,
      fail: kinds.filter((kind) => kind === 'fail').length,
    };
  };
  const fine = many({});
  expect(fine.fail).toBeLessThanOrEqual(3);
  expect(fine.pass).toBeGreaterThanOrEqual(97);
  expect(many({ failing: { canary: 0.015, stable: 0.005 } }).fail).toBeGreaterThanOrEqual(95);
  expect(many({ slower: slowerBy(1.2, 0.95) }).fail).toBeGreaterThanOrEqual(95);
});

test('the simulation’s own chance is what it says', () => {
  const chance = createChance(5);
  for (const [n, p] of [
    [200, 0.01],
    [1_000, 0.3],
    [1_000, 0.9],
  ] as const) {
    const draws = Array.from({ length: 4_000 }, () => chance.binomial(n, p));
    const mean = draws.reduce((sum, draw) => sum + draw, 0) / draws.length;
    const variance = draws.reduce((sum, draw) => sum + (draw - mean) ** 2, 0) / draws.length;
    expect(Math.abs(mean - n * p)).toBeLessThan(5 * Math.sqrt((n * p * (1 - p)) / draws.length));
    expect(variance / (n * p * (1 - p))).toBeCloseTo(1, 0);
  }
  expect(normal(1.959963985)).toBeCloseTo(0.975, 6);
});
