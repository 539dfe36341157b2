import { expect, test } from 'vitest';
import { AnalysisTemplate } from '../../../src/core/analysis/template.ts';
import { unknownNext } from '../../../src/core/analysis/unknown.ts';

const minute = 60_000;
const template = (onUnknown: 'rollback' | 'hold') =>
  AnalysisTemplate.parse({ metrics: [{ kind: 'success-rate' }], onUnknown, unknownLimit: '5m' });
const since = (...moments: number[]) => ({
  phases: [],
  values: [],
  unknown: moments.map((at, n) => ({ metric: `m${n}`, why: 'Prometheus has not answered', since: at })),
});

test('what is not known is waited for until the limit, then policy decides', () => {
  expect(unknownNext(template('rollback'), since(), minute)).toEqual({ kind: 'known' });
  expect(unknownNext(template('rollback'), since(minute), 4 * minute)).toEqual({ kind: 'wait', leftMs: 2 * minute });
  expect(unknownNext(template('rollback'), since(minute), 6 * minute)).toEqual({ kind: 'rollback', forMs: 5 * minute });
  expect(unknownNext(template('hold'), since(minute), 6 * minute)).toEqual({ kind: 'hold', forMs: 5 * minute });
});

test('the metric that has been unknown longest counts, and a clock that steps back does not', () => {
  expect(unknownNext(template('rollback'), since(3 * minute, 0), 5 * minute)).toMatchObject({ kind: 'rollback' });
  expect(unknownNext(template('rollback'), since(9 * minute), 0)).toEqual({ kind: 'wait', leftMs: 5 * minute });
});
