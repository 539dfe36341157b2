import type { Finding } from './arms.ts';
import type { Judgement, MetricJudgement } from './judge.ts';

const span = (ms: number) =>
  ms < 90_000 ? `${Math.max(1, Math.round(ms / 1_000))} s` : `${Math.round(ms / 60_000)} min`;

/** As many digits as tell the two apart, and a percentage is not rounded up to 100. */
function shares(values: readonly number[]): string[] {
  const at = (digits: number) =>
    values.map((value) => (Math.floor(value * 100 * 10 ** digits + 1e-6) / 10 ** digits).toFixed(digits));
  const [one, other] = values;
  const short = at(1);
  return one === other || short[0] !== short[1] ? short : at(3);
}

function said(unit: Finding['unit'], values: readonly number[]): string[] {
  switch (unit) {
    case 'share':
      return shares(values).map((value) => `${Number(value)} %`);
    case 'percent':
      return values.map((value) => `${Math.round(value)} %`);
    case 'ms':
      return values.map((value) => `${value < 10 ? Number(value.toPrecision(2)) : Math.round(value)} ms`);
    case 'number':
      return values.map((value) => `${Number(value.toPrecision(4))}`);
    default:
      return unit satisfies never;
  }
}

const chance = (p: number | undefined) =>
  p === undefined ? '' : p < 0.001 ? ' (p < 0.001)' : ` (p = ${p.toFixed(3)})`;
const after = ({ requests, code }: MetricJudgement) =>
  requests === undefined ? '' : `${code === 'limit' ? ',' : ''} after ${requests} request${requests === 1 ? '' : 's'}`;

/** `success rate 93.1 % against 99.9 %`, or what the limit is. */
function compared({ metric, unit, canary, stable, limit, code }: MetricJudgement): string {
  if (canary === undefined) return metric;
  if (code === 'limit' && limit !== undefined) {
    const [now, bound] = said(unit, [canary, limit]);
    return `${metric} ${now}, ${canary < limit ? 'below' : 'above'} the limit of ${bound}`;
  }
  if (stable === undefined) return `${metric} ${said(unit, [canary])[0]}`;
  const [now, then] = said(unit, [canary, stable]);
  return `${metric} ${now} against ${then}`;
}

function unsure(judged: MetricJudgement): string {
  const { metric, code, needs, problem, unknownMs } = judged;
  if (code === 'unknown') return `${problem ?? 'nothing has been known'} for ${span(unknownMs ?? 0)}`;
  if (code === 'no-data') return `${metric}: no number yet`;
  if (problem !== undefined) return `${metric}: ${problem}`;
  if (code === 'no-traffic') return `${metric}: no request yet`;
  if (needs?.requests === undefined) return `${compared(judged)}: too close to tell`;
  const time = needs.ms === undefined ? '' : ` (${span(needs.ms)})`;
  return `${metric}: about ${rounded(needs.requests)} more requests${time}`;
}

/** Two digits: the rest is a guess. */
const rounded = (count: number) => (count < 20 ? count : Number(count.toPrecision(count < 100 ? 1 : 2)));

/**
 * What was decided, and by what, in one line: `success rate 93.1 % against 99.9 % after 412 requests (p < 0.001)`, or what is
 * still needed: `success rate: about 400 more requests (7 min)`.
 */
export function sentenceOf({ kind, metrics }: Judgement): string {
  const deciding = metrics.filter((metric) => metric.kind === kind);
  switch (kind) {
    case 'fail':
      return deciding
        .map((judged) =>
          judged.code === 'told'
            ? `${judged.metric} says no${judged.problem === undefined ? '' : `: ${judged.problem}`}`
            : `${compared(judged)}${after(judged)}${chance(judged.p)}`,
        )
        .join('; ');
    case 'pass':
      return deciding.map((judged) => `${compared(judged)}${after(judged)}`).join('; ');
    case 'unsure': {
      // What is unknown stands for all metrics that it hides, once.
      const words = deciding.map(unsure);
      return [...new Set(words)].join('; ');
    }
    default:
      return kind satisfies never;
  }
}
