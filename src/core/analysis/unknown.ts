import type { Evidence } from './arms.ts';
import type { AnalysisTemplate } from './template.ts';

/** What follows from what is not known: nothing is unknown, it may still pass, or the limit is over and policy decides. */
export type UnknownNext =
  | { kind: 'known' }
  | { kind: 'wait'; leftMs: number }
  | { kind: AnalysisTemplate['onUnknown']; forMs: number };

/** By the metric that has been unknown for the longest time. */
export function unknownNext(template: AnalysisTemplate, { unknown }: Evidence, now: number): UnknownNext {
  if (unknown.length === 0) return { kind: 'known' };
  const forMs = Math.max(0, now - Math.min(...unknown.map(({ since }) => since)));
  const leftMs = template.unknownLimit - forMs;
  return leftMs > 0 ? { kind: 'wait', leftMs } : { kind: template.onUnknown, forMs };
}
