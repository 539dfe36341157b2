import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { z } from 'zod';
import { type Evidence, judge, type Phase } from '../../../src/core/analysis/judge.ts';
import { AnalysisTemplate } from '../../../src/core/analysis/template.ts';

const minute = 60_000;
const rates = AnalysisTemplate.parse({ metrics: [{ kind: 'success-rate' }] });
const template = (...metrics: z.input<typeof AnalysisTemplate>['metrics']) => AnalysisTemplate.parse({ metrics });

const phase = (canary: [number, number], stable: [number, number], n = 0): Phase => ({
  since: n * minute,
  until: (n + 1) * minute,
  canary: { requests: canary[0], failures: canary[1] },
  stable: { requests: stable[0], failures: stable[1] },
});
const evidence = (...phases: Phase[]): Evidence => ({ phases, values: [], unknown: [] });
const verdict = (...phases: Phase[]) => judge(rates, evidence(...phases), 10 * minute);

describe('success rate', () => {
  test('a canary that fails far more often than stable fails, and it is said how sure that is', () => {
    const { kind, metrics } = verdict(phase([412, 28], [3_700, 4]));
    expect(kind).toBe('fail');
    expect(metrics[0]).toMatchObject({ code: 'regression', requests: 412 });
    expect(metrics[0]?.canary).toBeCloseTo(0.932, 3);
    expect(metrics[0]?.p).toBeLessThan(0.001);
  });

  test('one that does as well passes, but only once the difference is ruled out', () => {
    expect(verdict(phase([300, 0], [2_700, 3])).kind).toBe('unsure');
    expect(verdict(phase([3_000, 3], [27_000, 27])).kind).toBe('pass');
  });

  test('a bad minute for both is no regression', () => {
    expect(verdict(phase([300, 60], [2_700, 540])).kind).not.toBe('fail');
    expect(verdict(phase([300, 0], [2_700, 0]), phase([1_500, 300], [1_500, 300], 1)).kind).not.toBe('fail');
  });

  test('what is certain, but smaller than half the difference, is no reason to go back', () => {
    const { kind, metrics } = verdict(phase([1_000_000, 4_000], [9_000_000, 18_000]));
    expect(kind).toBe('pass');
    expect(metrics[0]?.p).toBeLessThan(0.001);
  });

  test('before the least number of requests of either arm nothing is decided, and it is said how many are missing', () => {
    const few = verdict(phase([30, 30], [300, 0]));
    expect(few).toMatchObject({ kind: 'unsure', metrics: [{ code: 'few-requests' }] });
    expect(few.metrics[0]?.needs?.requests).toBeGreaterThanOrEqual(20);
    expect(verdict(phase([300, 150], [30, 0])).kind).toBe('unsure');
  });

  test('it says how many more requests it takes, and how long that is: with those, it is decided', () => {
    const { metrics } = verdict(phase([300, 0], [2_700, 3]));
    const { requests = 0, ms = 0 } = metrics[0]?.needs ?? {};
    expect(ms / minute).toBeCloseTo(requests / 300, 1);
    const times = 1 + requests / 300;
    expect(verdict(phase([300 * times, 0], [2_700 * times, 3 * times])).kind).toBe('pass');
    expect(verdict(phase([300 * (times - 0.3), 0], [2_700 * times, 3 * times])).kind).toBe('unsure');
  });

  test('no traffic is no pass', () => {
    expect(verdict()).toMatchObject({ kind: 'unsure', metrics: [{ code: 'no-traffic', needs: { requests: 50 } }] });
    expect(verdict(phase([0, 0], [9_000, 0])).kind).toBe('unsure');
  });

  test('without stable, only limits count: the one that is set, or 95 %', () => {
    expect(verdict(phase([2_000, 2], [0, 0]))).toMatchObject({ kind: 'pass', metrics: [{ code: 'within-limit' }] });
    expect(verdict(phase([2_000, 300], [0, 0]))).toMatchObject({ kind: 'fail', metrics: [{ code: 'limit' }] });
    const strict = template({ kind: 'success-rate', min: 99.9 });
    expect(judge(strict, evidence(phase([5_000, 50], [0, 0])), 0).kind).toBe('fail');
  });

  test('a limit is broken only beyond chance', () => {
    const limited = template({ kind: 'success-rate', min: 99 });
    const at = (failures: number) => judge(limited, evidence(phase([1_000, failures], [9_000, failures * 9])), 0);
    expect(at(14).kind).not.toBe('fail');
    expect(at(40)).toMatchObject({ kind: 'fail', metrics: [{ code: 'limit', limit: 0.99 }] });
  });

  test('counts that cannot be are no counts', () => {
    expect(verdict(phase([Number.NaN, 0], [1_000, 0])).kind).toBe('unsure');
    expect(verdict(phase([1_000, -1], [1_000, 0])).kind).toBe('unsure');
    expect(verdict(phase([Number.POSITIVE_INFINITY, 0], [1_000, 0])).kind).toBe('unsure');
  });
});

describe('latency', () => {
  const bounds = [5, 10, 25, 50, 100, 250, 500, Number.POSITIVE_INFINITY];
  const histogram = (counts: number[]) => {
    let sum = 0;
    return bounds.map((le, n) => {
      sum += counts[n] ?? 0;
      return { le, count: sum };
    });
  };
  const slow = template({ kind: 'latency' });
  const judged = (canary: number[], stable: number[], by = slow) => {
    const arm = (counts: number[]) => ({ requests: 0, failures: 0, latency: histogram(counts) });
    return judge(by, evidence({ since: 0, until: minute, canary: arm(canary), stable: arm(stable) }), minute);
  };
  const usual = [0, 300, 500, 120, 50, 25, 5, 0];
  const times = (counts: number[], by: number) => counts.map((count) => count * by);

  test('the same passes, given enough requests', () => {
    expect(judged(times(usual, 0.1), usual).kind).toBe('unsure');
    expect(judged(times(usual, 4), times(usual, 36)).kind).toBe('pass');
  });

  test('a version that is slower as a whole fails', () => {
    expect(judged([0, 0, 300, 500, 120, 50, 25, 5], times(usual, 9)).kind).toBe('fail');
  });

  test('so does one in which only a tenth of the requests is slow', () => {
    expect(judged([0, 300, 500, 60, 10, 5, 125, 0], times(usual, 9)).kind).toBe('fail');
  });

  test('some milliseconds more are nothing, though they are certain and nearly twice as many, unless one asks for it', () => {
    const [quick, slower] = [
      [9_600, 300, 100, 0],
      [7_000, 2_900, 100, 0],
    ];
    expect(judged(slower, quick).kind).toBe('pass');
    expect(judged(slower, quick, template({ kind: 'latency', ignoreBelow: 0 })).kind).toBe('fail');
  });

  test('a limit counts beside stable, and alone', () => {
    const limited = template({ kind: 'latency', max: '150ms' });
    const bad = [0, 300, 500, 20, 20, 60, 100, 0];
    expect(judged(bad, bad, limited)).toMatchObject({ kind: 'fail', metrics: [{ code: 'limit', limit: 150 }] });
    expect(judged(bad, [], limited).kind).toBe('fail');
    expect(judged(times(usual, 4), [], limited).kind).toBe('pass');
  });
});

describe('what is measured at one moment', () => {
  const value = (metric: string, canary?: number, stable?: number): Evidence => ({
    phases: [],
    values: [{ metric, at: 0, ...(canary !== undefined && { canary }), ...(stable !== undefined && { stable }) }],
    unknown: [],
  });
  const cpu = template({ kind: 'saturation', of: 'cpu', max: 80 });

  test('saturation has a limit; no figure and NaN are no pass', () => {
    expect(judge(cpu, value('CPU', 60), 0).kind).toBe('pass');
    expect(judge(cpu, value('CPU', 81), 0)).toMatchObject({ kind: 'fail', metrics: [{ code: 'limit', limit: 80 }] });
    expect(judge(cpu, value('CPU'), 0).kind).toBe('unsure');
    expect(judge(cpu, value('CPU', Number.NaN), 0).kind).toBe('unsure');
    expect(judge(cpu, evidence(), 0).kind).toBe('unsure');
  });

  test('one’s own query has limits, or another that it may exceed by so much', () => {
    const queue = template({ kind: 'promql', name: 'queue', query: 'q', against: 'p', atMost: 1.5, min: 1 });
    expect(judge(queue, value('queue', 14, 10), 0).kind).toBe('pass');
    expect(judge(queue, value('queue', 16, 10), 0)).toMatchObject({ kind: 'fail', metrics: [{ code: 'regression' }] });
    expect(judge(queue, value('queue', 0.5, 10), 0)).toMatchObject({ kind: 'fail', metrics: [{ code: 'limit' }] });
    expect(judge(queue, value('queue', 14), 0).kind).toBe('unsure');
  });

  test('a web hook’s word counts; none is no pass', () => {
    const hook = template({ kind: 'web-hook', name: 'smoke', url: 'https://judge.example.com' });
    const told = (verdict: 'pass' | 'fail' | 'unsure'): Evidence => ({
      phases: [],
      values: [{ metric: 'smoke', at: 0, verdict }],
      unknown: [],
    });
    expect(judge(hook, told('pass'), 0).kind).toBe('pass');
    expect(judge(hook, told('fail'), 0)).toMatchObject({ kind: 'fail', metrics: [{ code: 'told' }] });
    expect(judge(hook, told('unsure'), 0).kind).toBe('unsure');
    expect(judge(hook, evidence(), 0).kind).toBe('unsure');
  });
});

describe('all together', () => {
  const both = template({ kind: 'success-rate' }, { kind: 'saturation', of: 'cpu' });
  const good = phase([9_000, 0], [90_000, 0]);

  test('a pass needs every metric, a fail one', () => {
    expect(judge(both, evidence(good), 0).kind).toBe('unsure');
    expect(judge(both, { ...evidence(good), values: [{ metric: 'CPU', canary: 10, at: 0 }] }, 0).kind).toBe('pass');
    expect(judge(both, { ...evidence(good), values: [{ metric: 'CPU', canary: 99, at: 0 }] }, 0).kind).toBe('fail');
  });

  test('what is unknown is no pass, whatever the counts say, and says since when', () => {
    const unknown = [{ metric: 'success rate', why: 'Prometheus has not answered', since: minute }];
    expect(judge(rates, { ...evidence(good), unknown }, 4 * minute)).toMatchObject({
      kind: 'unsure',
      metrics: [{ code: 'unknown', problem: 'Prometheus has not answered', unknownMs: 3 * minute }],
    });
  });

  test('the chance of a false rollback is divided among the metrics', () => {
    const one = judge(rates, evidence(phase([200, 9], [1_800, 21])), 0);
    const p = one.metrics[0]?.p ?? 1;
    const strict = AnalysisTemplate.parse({ falseRollback: p * 100 * 1.5, metrics: [{ kind: 'success-rate' }] });
    const divided = AnalysisTemplate.parse({
      falseRollback: p * 100 * 1.5,
      metrics: [{ kind: 'success-rate' }, { kind: 'latency' }],
    });
    expect(judge(strict, evidence(phase([200, 9], [1_800, 21])), 0).kind).toBe('fail');
    expect(judge(divided, evidence(phase([200, 9], [1_800, 21])), 0).kind).toBe('unsure');
  });
});

describe('of any counts', () => {
  const arm = (least: number) =>
    fc
      .tuple(fc.integer({ min: least, max: 20_000 }), fc.double({ min: 0, max: 1, noNaN: true }))
      .map(([requests, share]): [number, number] => [requests, Math.floor(requests * share ** 4)]);
  const phases = fc.array(fc.tuple(arm(0), arm(0)), { minLength: 1, maxLength: 5 });
  const of = (all: [[number, number], [number, number]][]) => all.map(([own, other], n) => phase(own, other, n));

  test('more failures of the canary never turn a fail into anything else, nor anything into a pass', () => {
    fc.assert(
      fc.property(phases, fc.nat(4), fc.nat(50), (all, at, more) => {
        const before = verdict(...of(all)).kind;
        const worse = of(all).map((each, n) => {
          const { requests, failures } = each.canary;
          return n === at % all.length
            ? { ...each, canary: { requests, failures: Math.min(requests, failures + more) } }
            : each;
        });
        const after = verdict(...worse).kind;
        if (before === 'fail') expect(after).toBe('fail');
        if (before === 'unsure') expect(after).not.toBe('pass');
      }),
      { numRuns: 1_000 },
    );
  });

  test('the order of the phases does not matter', () => {
    fc.assert(
      fc.property(phases, (all) => {
        expect(verdict(...of(all).toReversed()).kind).toBe(verdict(...of(all)).kind);
      }),
    );
  });

  test('a canary without a request never passes, and a judgement is never without a number where it says one', () => {
    fc.assert(
      fc.property(phases, (all) => {
        const silent = of(all).map((each) => ({ ...each, canary: { requests: 0, failures: 0 } }));
        expect(verdict(...silent).kind).toBe('unsure');
        const [metric] = verdict(...of(all)).metrics;
        for (const number of [metric?.canary, metric?.stable, metric?.p, metric?.requests, metric?.needs?.ms])
          expect(number === undefined || Number.isFinite(number)).toBe(true);
      }),
    );
  });
});
