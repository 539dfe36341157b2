import { expect, test } from 'vitest';
import type { Judgement, MetricJudgement } from '../../../src/core/analysis/judge.ts';
import { sentenceOf } from '../../../src/core/analysis/sentence.ts';

const rate = { metric: 'success rate', unit: 'share', canary: 0.931, stable: 0.999, requests: 412 } as const;
const cases: { kind: Judgement['kind']; metrics: MetricJudgement[]; line: string }[] = [
  {
    kind: 'fail',
    metrics: [{ ...rate, kind: 'fail', code: 'regression', p: 1e-9 }],
    line: 'success rate 93.1 % against 99.9 % after 412 requests (p < 0.001)',
  },
  {
    kind: 'fail',
    metrics: [{ ...rate, kind: 'fail', code: 'regression', canary: 0.9951, stable: 0.99996, p: 0.0042 }],
    line: 'success rate 99.5 % against 99.9 % after 412 requests (p = 0.004)',
  },
  {
    kind: 'fail',
    metrics: [{ ...rate, kind: 'fail', code: 'regression', canary: 0.99911, stable: 0.99996, p: 0.0042 }],
    line: 'success rate 99.911 % against 99.996 % after 412 requests (p = 0.004)',
  },
  {
    kind: 'fail',
    metrics: [{ ...rate, kind: 'fail', code: 'limit', limit: 0.95, p: 1e-9 }],
    line: 'success rate 93.1 %, below the limit of 95 %, after 412 requests (p < 0.001)',
  },
  {
    kind: 'fail',
    metrics: [
      { metric: 'CPU', kind: 'fail', code: 'limit', unit: 'percent', canary: 97.2, stable: 40, limit: 90 },
      { metric: 'success rate', kind: 'pass', code: 'no-worse', unit: 'share', canary: 1, stable: 1 },
    ],
    line: 'CPU 97 %, above the limit of 90 %',
  },
  {
    kind: 'fail',
    metrics: [{ metric: 'smoke', kind: 'fail', code: 'told', unit: 'number', problem: 'the cart is empty' }],
    line: 'smoke says no: the cart is empty',
  },
  {
    kind: 'pass',
    metrics: [
      { ...rate, kind: 'pass', code: 'no-worse', canary: 1, stable: 0.9999 },
      { metric: 'p95 latency', kind: 'pass', code: 'no-worse', unit: 'ms', canary: 81.6, stable: 80.2, requests: 412 },
    ],
    line: 'success rate 100 % against 99.9 % after 412 requests; p95 latency 82 ms against 80 ms after 412 requests',
  },
  {
    kind: 'unsure',
    metrics: [{ ...rate, kind: 'unsure', code: 'undecided', needs: { requests: 402, ms: 420_000 } }],
    line: 'success rate: about 400 more requests (7 min)',
  },
  {
    kind: 'unsure',
    metrics: [{ ...rate, kind: 'unsure', code: 'undecided' }],
    line: 'success rate 93.1 % against 99.9 %: too close to tell',
  },
  {
    kind: 'unsure',
    metrics: [{ metric: 'success rate', unit: 'share', kind: 'unsure', code: 'no-traffic', needs: { requests: 50 } }],
    line: 'success rate: no request yet',
  },
  {
    kind: 'unsure',
    metrics: ['success rate', 'p95 latency'].map((metric) => ({
      metric,
      unit: 'share' as const,
      kind: 'unsure' as const,
      code: 'unknown' as const,
      problem: 'Prometheus has not answered',
      unknownMs: 180_000,
    })),
    line: 'Prometheus has not answered for 3 min',
  },
];

test.each(cases)('$line', ({ kind, metrics, line }) => {
  expect(sentenceOf({ kind, metrics })).toBe(line);
});
