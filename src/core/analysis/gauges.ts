import type { Finding, Value } from './arms.ts';
import type { PromQl, Saturation } from './template.ts';

const none = { kind: 'unsure', code: 'no-data' } as const;

/** What is measured at one moment: beyond the limit is beyond the limit. */
export function judgeGauge(metric: Saturation | PromQl, value: Value | undefined): Finding {
  const unit = metric.kind === 'saturation' ? 'percent' : 'number';
  const { canary, stable } = value ?? {};
  if (canary === undefined || !Number.isFinite(canary)) return { ...none, unit };
  const known = { unit, canary, ...(stable !== undefined && { stable }) } as const;
  if (metric.max !== undefined && canary > metric.max)
    return { kind: 'fail', code: 'limit', ...known, limit: metric.max };
  if (metric.kind === 'saturation') return { kind: 'pass', code: 'within-limit', ...known, limit: metric.max };
  if (metric.min !== undefined && canary < metric.min)
    return { kind: 'fail', code: 'limit', ...known, limit: metric.min };
  if (metric.against === undefined) return { kind: 'pass', code: 'within-limit', ...known };
  if (stable === undefined || !Number.isFinite(stable)) return { ...none, ...known };
  if (canary > stable * metric.atMost) return { kind: 'fail', code: 'regression', ...known };
  return { kind: 'pass', code: 'no-worse', ...known };
}

/** What a web hook or a Job said; no answer is no pass. */
export function judgeTold(value: Value | undefined): Finding {
  const problem = value?.reason === undefined ? {} : { problem: value.reason };
  if (value?.verdict === undefined) return { ...none, unit: 'number' };
  if (value.verdict === 'running')
    return { kind: 'unsure', code: 'running', unit: 'number', problem: 'its Job is still running' };
  return value.verdict === 'unsure'
    ? { kind: 'unsure', code: 'undecided', unit: 'number', ...problem }
    : { kind: value.verdict, code: 'told', unit: 'number', ...problem };
}
