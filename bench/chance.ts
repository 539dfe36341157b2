import { logGamma } from '../src/core/analysis/evidence.ts';

/** A seeded source of chance: the same seed, the same benchmark. */
export type Chance = {
  /** From 0 to 1, both excluded. */
  next(): number;
  /** How many of `n` trials succeed. */
  binomial(n: number, p: number): number;
  /** How many of `n` fall on each of the shares, which sum to 1. */
  multinomial(n: number, shares: readonly number[]): number[];
};

/** Mulberry32, by Tommy Ettinger (public domain). */
function mulberry(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (((mixed ^ (mixed >>> 14)) >>> 0) + 0.5) / 4_294_967_296;
  };
}

/** From one success to the next by the geometric distribution: exact, and quick where few are expected. */
function byGaps(next: () => number, n: number, p: number): number {
  const rate = Math.log1p(-p);
  let [count, at] = [0, Math.floor(Math.log(next()) / rate)];
  while (at < n) {
    count += 1;
    at += 1 + Math.floor(Math.log(next()) / rate);
  }
  return count;
}

/** Exact by transformed rejection: Hörmann, The generation of binomial random variates (1993), algorithm BTRS; for n·p ≥ 10. */
function byRejection(next: () => number, n: number, p: number): number {
  const spread = Math.sqrt(n * p * (1 - p));
  const b = 1.15 + 2.53 * spread;
  const a = -0.0873 + 0.0248 * b + 0.01 * p;
  const c = n * p + 0.5;
  const alpha = (2.83 + 5.1 / b) * spread;
  const mode = Math.floor((n + 1) * p);
  const odds = Math.log(p / (1 - p));
  const h = logGamma(mode + 1) + logGamma(n - mode + 1);
  for (;;) {
    const u = next() - 0.5;
    const v = next();
    const us = 0.5 - Math.abs(u);
    const k = Math.floor(((2 * a) / us + b) * u + c);
    if (k < 0 || k > n) continue;
    if (us >= 0.07 && v <= 0.92 - 4.2 / b) return k;
    const bound = h - logGamma(k + 1) - logGamma(n - k + 1) + (k - mode) * odds;
    if (Math.log((v * alpha) / (a / (us * us) + b)) <= bound) return k;
  }
}

export function createChance(seed: number): Chance {
  const next = mulberry(seed);
  const binomial = (n: number, p: number): number => {
    if (p <= 0 || n <= 0) return 0;
    if (p >= 1) return n;
    if (p > 0.5) return n - binomial(n, 1 - p);
    return n * p < 10 ? byGaps(next, n, p) : byRejection(next, n, p);
  };
  const multinomial = (n: number, shares: readonly number[]): number[] => {
    let [left, mass] = [n, 1];
    return shares.map((share) => {
      const count = mass <= share ? left : binomial(left, share / mass);
      left -= count;
      mass -= share;
      return count;
    });
  };
  return { next, binomial, multinomial };
}
