import { type Finding, type Phase, type Rigour, type Verdict, worstOf } from './arms.ts';
import { added, alike, apart, type Buckets, countOf, quantileOf, slowerThan } from './buckets.ts';
import { logBet, logMean } from './evidence.ts';
import { logSlower, rank } from './ranks.ts';
import type { Latency } from './template.ts';

type Pair = { canary: Buckets; stable: Buckets };
type Tested = { kind: Verdict; log: number };

/** Stable's durations as they would be over the canary's mix of phases, and the canary's. */
function over(pairs: readonly Pair[]): Pair {
  const weighted = pairs.map(({ canary, stable }) => ({
    buckets: stable,
    weight: countOf(canary) / countOf(stable),
  }));
  return { canary: added(pairs.map(({ canary }) => ({ buckets: canary, weight: 1 }))), stable: added(weighted) };
}

/**
 * ln of the evidence that the canary is slower. Half of it is bet on the ranks of all requests (a slower version as a whole),
 * half on how many of the slowest are the canary's, where “slow” is the quantile of both arms together, which does not know
 * whose a request was.
 */
function logWorse(pairs: readonly Pair[], q: number): number {
  const splits = pairs.map(({ canary, stable }) => {
    const pooled = added([canary, stable].map((buckets) => ({ buckets, weight: 1 })));
    const slow = quantileOf(pooled, q);
    return {
      hits: slowerThan(canary, slow),
      others: slowerThan(stable, slow),
      share: countOf(canary) / (countOf(canary) + countOf(stable)),
    };
  });
  const ranks = logSlower(pairs.map(({ canary, stable }) => rank(apart(canary), apart(stable))));
  return logMean([logBet(splits, 'more'), ranks]);
}

/** The smallest difference that matters beside a quantile of `ms`, in ms. */
const gapAt = (ms: number, { smallestDifference, ignoreBelow }: Latency): number =>
  Math.max((ms * smallestDifference) / 100, ignoreBelow);

/**
 * ln of the evidence that the canary's quantile is not larger than stable's by the smallest difference. Were it so, the canary would
 * have as large a share beyond stable's quantile and that difference as stable has beyond its quantile.
 */
function logNoSlower(pairs: readonly Pair[], metric: Latency): number {
  const splits = pairs.map(({ canary, stable }) => {
    const slow = quantileOf(stable, metric.quantile);
    return {
      hits: slowerThan(canary, slow + gapAt(slow, metric)),
      others: slowerThan(stable, slow),
      share: countOf(canary) / (countOf(canary) + countOf(stable)),
    };
  });
  return logBet(splits, 'fewer');
}

function compared(pairs: readonly Pair[], metric: Latency, rigour: Rigour): Tested {
  const log = logWorse(pairs, metric.quantile);
  const both = over(pairs);
  const stable = pairs.reduce((sum, pair) => sum + countOf(pair.stable), 0);
  if (Math.min(countOf(both.canary), stable) < rigour.minimumRequests) return { kind: 'unsure', log };
  const usual = quantileOf(both.stable, metric.quantile);
  if (quantileOf(both.canary, metric.quantile) - usual >= gapAt(usual, metric) / 2)
    return { kind: log >= -Math.log(rigour.falseRollback) ? 'fail' : 'unsure', log };
  return { kind: logNoSlower(pairs, metric) >= -Math.log(rigour.falsePass) ? 'pass' : 'unsure', log };
}

/** Against a limit: more than the share beyond it, beyond chance; or a quantile of `difference` above it ruled out. */
function limited(canary: Buckets, max: number, metric: Latency, rigour: Rigour): Tested {
  const share = 1 - metric.quantile;
  const against = (ms: number, side: 'more' | 'fewer') => {
    const hits = slowerThan(canary, ms);
    return logBet([{ hits, others: countOf(canary) - hits, share }], side);
  };
  const log = against(max, 'more');
  if (countOf(canary) < rigour.minimumRequests) return { kind: 'unsure', log };
  if (log >= -Math.log(rigour.falseRollback)) return { kind: 'fail', log };
  const gap = gapAt(max, metric);
  const fine =
    quantileOf(canary, metric.quantile) < max + gap / 2 && against(max + gap, 'fewer') >= -Math.log(rigour.falsePass);
  return { kind: fine ? 'pass' : 'unsure', log };
}

export const testsOfLatency = ({ max }: Latency): number => (max === undefined ? 1 : 2);

/** A latency quantile of the canary against stable's over the same time, and against its limit. */
export function judgeLatency(metric: Latency, phases: readonly Phase[], rigour: Rigour): Finding {
  const pairs = phases.map(({ canary, stable }): Pair => {
    const [own, other] = alike(canary.latency ?? [], stable.latency ?? canary.latency ?? []);
    return { canary: own, stable: stable.latency ? other : [] };
  });
  const served = pairs.filter(({ canary }) => countOf(canary) > 0);
  const both = served.filter(({ stable }) => countOf(stable) > 0);
  const all = added(served.map(({ canary }) => ({ buckets: canary, weight: 1 })));
  const requests = Math.round(countOf(all));
  if (served.length === 0) return { kind: 'unsure', code: 'no-traffic', unit: 'ms', requests: 0 };
  const against = both.length > 0 ? compared(both, metric, rigour) : undefined;
  const limit = metric.max === undefined ? undefined : limited(all, metric.max, metric, rigour);
  const tests = [against, limit].flatMap((tested) => (tested ? [tested.kind] : []));
  // With nothing to compare with and no limit, nothing is wrong with any duration.
  const kind = tests.length > 0 ? worstOf(tests) : requests < rigour.minimumRequests ? 'unsure' : 'pass';
  const failing = against?.kind === 'fail' ? against : limit?.kind === 'fail' ? limit : (against ?? limit);
  const code = {
    fail: against?.kind === 'fail' ? ('regression' as const) : ('limit' as const),
    pass: against ? ('no-worse' as const) : ('within-limit' as const),
    unsure: requests < rigour.minimumRequests ? ('few-requests' as const) : ('undecided' as const),
  }[kind];
  return {
    kind,
    code,
    unit: 'ms',
    canary: quantileOf(all, metric.quantile),
    ...(both.length > 0 && { stable: quantileOf(over(both).stable, metric.quantile) }),
    ...(metric.max !== undefined && { limit: metric.max }),
    ...(failing && { p: Math.min(1, Math.exp(-failing.log)) }),
    requests,
  };
}
