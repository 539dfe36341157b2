import { type ArmCounts, type Finding, type Phase, type Rigour, type Verdict, worstOf } from './arms.ts';
import { logBet, logNoWorse } from './evidence.ts';
import type { SuccessRate } from './template.ts';

/** What must succeed where there is nothing to compare with and no limit is set, in percent. */
const usualMin = 95;

type Tested = { kind: Verdict; log: number };

const sum = (arms: readonly ArmCounts[], key: 'requests' | 'failures') =>
  arms.reduce((total, arm) => total + arm[key], 0);

/** Stable's rate as it would be over the canary's mix of phases: a bad minute counts for both alike. */
function stableRate(phases: readonly Phase[]): number {
  const requests = sum(
    phases.map(({ canary }) => canary),
    'requests',
  );
  return phases.reduce(
    (rate, { canary, stable }) => rate + (canary.requests / requests) * (stable.failures / stable.requests),
    0,
  );
}

/** Against stable: worse beyond chance and by half the difference at least, or so good that the difference is ruled out. */
function compared(phases: readonly Phase[], difference: number, rigour: Rigour): Tested {
  const splits = phases.map(({ canary, stable }) => ({
    hits: canary.failures,
    others: stable.failures,
    share: canary.requests / (canary.requests + stable.requests),
  }));
  const log = logBet(splits, 'more');
  const arms = phases.map(({ canary }) => canary);
  const gap = sum(arms, 'failures') / sum(arms, 'requests') - stableRate(phases);
  const few = [arms, phases.map(({ stable }) => stable)].some((all) => sum(all, 'requests') < rigour.minimumRequests);
  if (few) return { kind: 'unsure', log };
  if (gap >= difference / 2) return { kind: log >= -Math.log(rigour.falseRollback) ? 'fail' : 'unsure', log };
  return { kind: logNoWorse(phases, difference) >= -Math.log(rigour.falsePass) ? 'pass' : 'unsure', log };
}

/** Against a limit for failures: beyond it beyond chance, or a rate of `difference` above it ruled out. */
function limited(canary: readonly ArmCounts[], limit: number, difference: number, rigour: Rigour): Tested {
  const [requests, hits] = [sum(canary, 'requests'), sum(canary, 'failures')];
  const against = (share: number, side: 'more' | 'fewer') => logBet([{ hits, others: requests - hits, share }], side);
  const log = against(Math.max(limit, 1e-9), 'more');
  if (requests < rigour.minimumRequests) return { kind: 'unsure', log };
  if (log >= -Math.log(rigour.falseRollback)) return { kind: 'fail', log };
  const beyond = Math.min(limit + difference, 1 - 1e-9);
  const fine = hits / requests < limit + difference / 2 && against(beyond, 'fewer') >= -Math.log(rigour.falsePass);
  return { kind: fine ? 'pass' : 'unsure', log };
}

/** How many tests of chance a metric makes: the chance of a false rollback is divided among them. */
export const testsOfRate = ({ min }: SuccessRate): number => (min === undefined ? 1 : 2);

/** Success rate of the canary against stable's over the same time, and against its limit. */
export function judgeRates(metric: SuccessRate, phases: readonly Phase[], rigour: Rigour): Finding {
  const difference = metric.smallestDifference / 100;
  const arms = phases.map(({ canary }) => canary);
  const requests = sum(arms, 'requests');
  if (requests <= 0) return { kind: 'unsure', code: 'no-traffic', unit: 'share', requests: 0 };
  const both = phases.filter(({ canary, stable }) => canary.requests > 0 && stable.requests > 0);
  const alone = both.length === 0;
  const min = metric.min ?? (alone ? usualMin : undefined);
  const against = alone ? undefined : compared(both, difference, rigour);
  const limit = min === undefined ? undefined : limited(arms, 1 - min / 100, difference, rigour);
  const failing = against?.kind === 'fail' ? against : limit?.kind === 'fail' ? limit : (against ?? limit);
  const kind = worstOf([against, limit].flatMap((tested) => (tested ? [tested.kind] : [])));
  const few = requests < rigour.minimumRequests;
  const code = {
    fail: against?.kind === 'fail' ? ('regression' as const) : ('limit' as const),
    pass: against ? ('no-worse' as const) : ('within-limit' as const),
    unsure: few ? ('few-requests' as const) : ('undecided' as const),
  }[kind];
  return {
    kind,
    code,
    unit: 'share',
    canary: 1 - sum(arms, 'failures') / requests,
    ...(!alone && { stable: 1 - stableRate(both) }),
    ...(min !== undefined && { limit: min / 100 }),
    p: Math.min(1, Math.exp(-(failing?.log ?? 0))),
    requests: Math.round(requests),
  };
}
