import { logMean } from './evidence.ts';

export type Ranked = {
  /** Mann and Whitney's U of the canary: pairs in which it was the slower one, a tie counting half. */
  u: number;
  mean: number;
  variance: number;
  /** Requests of both arms. */
  count: number;
};

/**
 * Mann and Whitney's test on buckets: all requests of one bucket are ties, and the variance is corrected for them.
 * Mann and Whitney, Annals of Mathematical Statistics 18 (1947); with ties: Lehmann, Nonparametrics (1975), 1.4.
 *
 * Example: [1, 1, 0] against [0, 1, 1]: of the four pairs stable is slower in three, and one is a tie: U = 0.5.
 */
export function rank(canary: readonly number[], stable: readonly number[]): Ranked {
  let [u, below, ties] = [0, 0, 0];
  const sum = (counts: readonly number[]) => counts.reduce((total, count) => total + count, 0);
  const [own, other] = [sum(canary), sum(stable)];
  const count = own + other;
  for (const [n, mine] of canary.entries()) {
    const theirs = stable[n] ?? 0;
    u += mine * (below + theirs / 2);
    below += theirs;
    const tied = mine + theirs;
    ties += tied ** 3 - tied;
  }
  const variance = count > 1 ? ((own * other) / 12) * (count + 1 - ties / (count * (count - 1))) : 0;
  return { u, mean: (own * other) / 2, variance: Math.max(0, variance), count };
}

/** How far the chance to be the slower one may be from a half, as it is bet on: from 0.005 to 0.5. */
const effects = Array.from({ length: 14 }, (_, n) => 12 * 0.005 * 1.43 ** n);

/**
 * ln of the evidence that the canary is the slower one, over phases: each phase's U, centred and divided by its count (van
 * Elteren 1960), is a sum that grows as a Brownian motion whose time is its variance (Sen, Sequential nonparametrics, 1981), and
 * the bet on a drift μ is exp(μZ − μ²V/2). It may be looked at any time. It assumes that chance divides the requests between
 * the arms, and, being an approximation for many, that both arms have at least some dozens of requests.
 */
export function logSlower(phases: readonly Ranked[]): number {
  const used = phases.filter(({ variance }) => variance > 0);
  const z = used.reduce((sum, { u, mean, count }) => sum + (u - mean) / (count + 1), 0);
  const v = used.reduce((sum, { variance, count }) => sum + variance / (count + 1) ** 2, 0);
  return logMean(effects.map((mu) => mu * z - (mu * mu * v) / 2));
}
