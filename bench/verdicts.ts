import { apart, quantileOf } from '../src/core/analysis/buckets.ts';
import type { Phase } from '../src/core/analysis/judge.ts';
import { rank } from '../src/core/analysis/ranks.ts';
import { usualAnalysis } from '../src/core/analysis/template.ts';
import { type Judge, normal, type Outcome, ours, type Play, play, slowerBy, usualQuantile } from './canary-trial.ts';
import { createChance } from './chance.ts';
import { type Figure, quantile } from './figures.ts';

const canaries = 10_000;
const seed = 20_260_601;
const [usualFailures, difference, p95] = [0.005, 0.01, 0.95];

/** What came since a look of the same share that is at least so old. */
function lately(seen: readonly Phase[], phase: Phase, ms: number): Phase['canary'] {
  const start = seen.findLast(({ since, until }) => since === phase.since && until <= phase.until - ms);
  const { requests = 0, failures = 0, latency = [] } = start?.canary ?? {};
  return {
    requests: phase.canary.requests - requests,
    failures: phase.canary.failures - failures,
    latency: (phase.canary.latency ?? []).map(({ le, count }, n) => ({ le, count: count - (latency[n]?.count ?? 0) })),
  };
}

/**
 * As Flagger and Argo Rollouts judge: limits half way between well and ill, over the last minute, and back at the fifth check that
 * is beyond one.
 */
const fixedThreshold =
  (limits: { failures: number; ms: number; quantile: number }): (() => Judge) =>
  () => {
    const seen: Phase[] = [];
    let strikes = 0;
    return (phases) => {
      const phase = phases.at(-1);
      if (!phase) return 'unsure';
      const { requests, failures, latency = [] } = lately(seen, phase, 60_000);
      seen.push(phase);
      const beyond = failures > limits.failures * requests || quantileOf(latency, limits.quantile) > limits.ms;
      strikes += beyond ? 1 : 0;
      return strikes >= 5 ? 'fail' : 'pass';
    };
  };

/** Mann-Whitney's test over the present share at every look, as if it were the only one; of failures, and of durations. */
const plainRanks: Judge = (phases) => {
  const phase = phases.at(-1);
  if (!phase) return 'unsure';
  const { canary, stable } = phase;
  const failed = ({ requests, failures }: Phase['canary']) => [requests - failures, failures];
  const tests = [rank(failed(canary), failed(stable)), rank(apart(canary.latency ?? []), apart(stable.latency ?? []))];
  const least = usualAnalysis.falseRollback / 100 / tests.length;
  const worse = tests.some(
    ({ u, mean, variance }) => variance > 0 && 1 - normal((u - mean) / Math.sqrt(variance)) < least,
  );
  return worse ? 'fail' : 'pass';
};

const setup: Play = {
  template: usualAnalysis,
  perSecond: 40,
  lookSeconds: 10,
  phaseSeconds: 120,
  weights: [10, 25, 50, 75],
  mostLooks: 200,
  failing: { canary: usualFailures, stable: usualFailures },
  slower: 1,
};

/** Plays many canaries; answers with what each judge decided: ours, the fixed threshold, plain Mann-Whitney. */
function playMany(count: number, plan: Play, from: number): Outcome[][] {
  const chance = createChance(from);
  const limits = { failures: usualFailures + difference / 2, ms: 1.1 * usualQuantile(p95), quantile: p95 };
  const threshold = fixedThreshold(limits);
  return Array.from({ length: count }, () => play(plan, [ours(plan.template), threshold(), plainRanks], chance));
}

const percent = (outcomes: readonly Outcome[][], judge: number, kind: Outcome['kind']) =>
  (100 * outcomes.filter((each) => each[judge]?.kind === kind).length) / outcomes.length;
const requests = (outcomes: readonly Outcome[][], judge: number, kind: Outcome['kind'], q: number) =>
  quantile(
    outcomes.flatMap((each) => (each[judge]?.kind === kind ? [each[judge].requests] : [])),
    q,
  );

function beside(outcomes: readonly Outcome[][], kind: Outcome['kind']): string {
  const of = (judge: number) => Math.round(percent(outcomes, judge, kind) * 100) / 100;
  return `a fixed threshold ${of(1)} %, plain Mann-Whitney ${of(2)} %`;
}

function detected(name: string, outcomes: Outcome[][]): Figure[] {
  return [
    {
      name: `${name}Detected`,
      ours: percent(outcomes, 0, 'fail'),
      floor: 95,
      unit: `% of ${outcomes.length} rolled back (${beside(outcomes, 'fail')})`,
      limit: 1,
      least: true,
    },
    {
      name: `${name}Requests`,
      ours: requests(outcomes, 0, 'fail', 0.5),
      floor: requests(outcomes, 2, 'fail', 0.5),
      unit: `requests of the canary until it was rolled back, median (95 %: ${requests(outcomes, 0, 'fail', 0.95)}); the floor is plain Mann-Whitney, which rolls good ones back too`,
      limit: 6,
    },
  ];
}

/**
 * The judge against 10,000 canaries that are no worse, and 10,000 that are: half fail by 1 point more, half are slower by 20 %, as
 * the histogram shows it. It throws where a rate that was stated does not hold.
 */
export async function verdicts(): Promise<Figure[]> {
  const fine = playMany(canaries, setup, seed);
  const failing = { ...setup, failing: { stable: usualFailures, canary: usualFailures + difference } };
  const failed = playMany(canaries / 2, failing, seed + 1);
  const slow = playMany(canaries / 2, { ...setup, slower: slowerBy(1.2, p95) }, seed + 2);
  const figures: Figure[] = [
    {
      name: 'falseRollbacks',
      ours: percent(fine, 0, 'fail'),
      floor: usualAnalysis.falseRollback,
      unit: `% of ${canaries} that are no worse; the floor is what is stated (${beside(fine, 'fail')})`,
      limit: 1,
    },
    {
      name: 'promoted',
      ours: percent(fine, 0, 'pass'),
      floor: 99,
      unit: `% of ${canaries} that are no worse, after ${requests(fine, 0, 'pass', 0.5)} requests of the canary (95 %: ${requests(fine, 0, 'pass', 0.95)})`,
      limit: 1,
      least: true,
    },
    ...detected('failures', failed),
    ...detected('latency', slow),
  ];
  const broken = figures.filter(({ ours: found, floor, limit, least }) =>
    least ? found / floor < limit : found / floor > limit,
  );
  if (broken.length > 0) {
    console.error(`The judge does not keep what it states: ${broken.map(({ name }) => name).join(', ')}.`);
    process.exitCode = 1;
  }
  return figures;
}
