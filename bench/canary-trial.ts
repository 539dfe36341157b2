import { quantileOf } from '../src/core/analysis/buckets.ts';
import { type ArmCounts, decide, type Phase } from '../src/core/analysis/judge.ts';
import type { AnalysisTemplate } from '../src/core/analysis/template.ts';
import type { Chance } from './chance.ts';

/** A canary that is played through: traffic by chance, and a look every so often. */
export type Play = {
  template: AnalysisTemplate;
  /** Requests a second, of both arms. */
  perSecond: number;
  lookSeconds: number;
  /** How long each share lasts; the last one until it is decided, or for so many looks at most. */
  phaseSeconds: number;
  weights: readonly number[];
  mostLooks: number;
  /** Chances of a failure. */
  failing: { canary: number; stable: number };
  /** How many times as long the canary takes. */
  slower: number;
};

/** The bounds of Istio's own histogram, in ms, as far as they matter here. */
const bounds = [0.5, 1, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, Number.POSITIVE_INFINITY];
const [medianMs, spread] = [40, 0.8];

/** Φ(z), to 7 digits: Abramowitz and Stegun 26.2.17. */
export function normal(z: number): number {
  const t = 1 / (1 + 0.2316419 * Math.abs(z));
  const terms = [0.31938153, -0.356563782, 1.781477937, -1.821255978, 1.330274429];
  const tail =
    (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) * terms.reduce((sum, c, n) => sum + c * t ** (n + 1), 0);
  return z > 0 ? 1 - tail : tail;
}

/** How durations, which are lognormal, fall into the buckets. */
function sharesOf(times: number): number[] {
  const upTo = bounds.map((le) => (Number.isFinite(le) ? normal(Math.log(le / (medianMs * times)) / spread) : 1));
  return upTo.map((share, n) => share - (upTo[n - 1] ?? 0));
}

const cumulated = (counts: readonly number[]) => {
  let sum = 0;
  return bounds.map((le, n) => {
    sum += counts[n] ?? 0;
    return { le, count: sum };
  });
};

/** The quantile that the histogram shows of what is as usual. */
export const usualQuantile = (quantile: number): number => quantileOf(cumulated(sharesOf(1)), quantile);

/** How many times as long everything takes where the quantile, as the histogram shows it, is so many times as large. */
export function slowerBy(ratio: number, quantile: number): number {
  const shown = (times: number) => quantileOf(cumulated(sharesOf(times)), quantile);
  let [low, high] = [1, 4];
  for (let n = 0; n < 40; n++) {
    const middle = (low + high) / 2;
    if (shown(middle) < ratio * shown(1)) low = middle;
    else high = middle;
  }
  return high;
}

type Tally = { requests: number; failures: number; durations: number[] };
const blank = (): Tally => ({ requests: 0, failures: 0, durations: bounds.map(() => 0) });
const armOf = ({ requests, failures, durations }: Tally): ArmCounts => ({
  requests,
  failures,
  latency: cumulated(durations),
});

function serve(tally: Tally, requests: number, failing: number, shares: readonly number[], chance: Chance): void {
  tally.requests += requests;
  tally.failures += chance.binomial(requests, failing);
  for (const [n, count] of chance.multinomial(requests, shares).entries())
    tally.durations[n] = (tally.durations[n] ?? 0) + count;
}

/** Any judge: what it says of the phases so far. */
export type Judge = (phases: readonly Phase[], now: number) => 'pass' | 'fail' | 'unsure';

export const ours =
  (template: AnalysisTemplate): Judge =>
  (phases, now) =>
    decide(template, { phases: [...phases], values: [], unknown: [] }, now).kind;

/** What each judge decided, and after how many requests of the canary; `passed` is when ours knew first that all is well. */
export type Outcome = { kind: 'pass' | 'fail' | 'unsure'; requests: number };

/**
 * Plays a canary once for all judges. A judge rolls back as soon as it says so, and promotes at the end of the last share or, where
 * it does not know yet, later; those without a third answer promote at the end.
 */
export function play(setup: Play, judges: readonly Judge[], chance: Chance): Outcome[] {
  const [own, other] = [sharesOf(setup.slower), sharesOf(1)];
  const ends: (Outcome | undefined)[] = judges.map(() => undefined);
  const done: Phase[] = [];
  let [now, looks, before] = [0, 0, 0];
  for (const [n, weight] of setup.weights.entries()) {
    const since = now;
    const [canary, stable] = [blank(), blank()];
    const last = n === setup.weights.length - 1;
    for (let t = 0; ; ) {
      t += setup.lookSeconds;
      looks += 1;
      now += setup.lookSeconds * 1_000;
      const requests = setup.perSecond * setup.lookSeconds;
      const mine = chance.binomial(requests, weight / 100);
      serve(canary, mine, setup.failing.canary, own, chance);
      serve(stable, requests - mine, setup.failing.stable, other, chance);
      const phase: Phase = { since, until: now, canary: armOf(canary), stable: armOf(stable) };
      const over = last && t >= setup.phaseSeconds;
      for (const [index, say] of judges.entries()) {
        if (ends[index]) continue;
        const kind = say([...done, phase], now);
        if (kind === 'fail' || (over && kind === 'pass') || looks >= setup.mostLooks)
          ends[index] = { kind, requests: before + canary.requests };
      }
      if (ends.every((end) => end !== undefined)) return ends.flatMap((end) => (end ? [end] : []));
      if (t >= setup.phaseSeconds && !last) {
        done.push(phase);
        before += canary.requests;
        break;
      }
    }
  }
  return ends.map((end) => end ?? { kind: 'unsure', requests: before });
}
