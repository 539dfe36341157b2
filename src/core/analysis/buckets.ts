/** Histograms of durations as Prometheus keeps them: so many took at most `le` ms. */
export type Bucket = { le: number; count: number };
export type Buckets = readonly Bucket[];

/** In order, up to infinity, and never falling: what was read while it grew may be out of step by a few. */
export function tidy(buckets: Buckets): Bucket[] {
  const sorted = buckets.filter(({ le, count }) => le > 0 && count >= 0).toSorted((a, b) => a.le - b.le);
  let most = 0;
  const grown = sorted.map(({ le, count }) => {
    most = Math.max(most, count);
    return { le, count: most };
  });
  return grown.length === 0 || grown.at(-1)?.le === Number.POSITIVE_INFINITY
    ? grown
    : [...grown, { le: Number.POSITIVE_INFINITY, count: most }];
}

export const countOf = (buckets: Buckets): number => buckets.at(-1)?.count ?? 0;

/** How many are in each bucket alone. */
export const apart = (buckets: Buckets): number[] =>
  buckets.map(({ count }, n) => count - (n === 0 ? 0 : (buckets[n - 1]?.count ?? 0)));

/** The same histograms over the bounds that both have. */
export function alike(one: Buckets, other: Buckets): [Bucket[], Bucket[]] {
  const bounds = new Set(other.map(({ le }) => le));
  const shared = tidy(one).filter(({ le }) => bounds.has(le) || le === Number.POSITIVE_INFINITY);
  const kept = new Set(shared.map(({ le }) => le));
  return [shared, tidy(other).filter(({ le }) => kept.has(le))];
}

/** Sums of histograms, each times its weight, over the bounds of the first. */
export function added(parts: readonly { buckets: Buckets; weight: number }[]): Bucket[] {
  const bounds = parts[0]?.buckets.map(({ le }) => le) ?? [];
  const at = (buckets: Buckets, n: number, le: number) => {
    const same = buckets[n];
    return (same?.le === le ? same : buckets.findLast((bucket) => bucket.le <= le))?.count ?? 0;
  };
  return bounds.map((le, n) => ({
    le,
    count: parts.reduce((sum, { buckets, weight }) => sum + weight * at(buckets, n, le), 0),
  }));
}

/** Where a share of `q` is faster: evenly spread within a bucket, as Prometheus' histogram_quantile takes it. */
export function quantileOf(buckets: Buckets, q: number): number {
  const wanted = q * countOf(buckets);
  const n = buckets.findIndex(({ count }) => count >= wanted);
  const [low, high] = [buckets[n - 1] ?? { le: 0, count: 0 }, buckets[n]];
  if (!high || countOf(buckets) <= 0) return Number.NaN;
  if (high.le === Number.POSITIVE_INFINITY) return low.le;
  const inside = high.count - low.count;
  return inside <= 0 ? high.le : low.le + ((high.le - low.le) * (wanted - low.count)) / inside;
}

/** How many took longer than `ms`, evenly spread within a bucket. Beyond the last bound nobody knows: all of them. */
export function slowerThan(buckets: Buckets, ms: number): number {
  const n = buckets.findIndex(({ le }) => le > ms);
  const [low, high] = [buckets[n - 1] ?? { le: 0, count: 0 }, buckets[n]];
  if (!high) return 0;
  if (high.le === Number.POSITIVE_INFINITY) return countOf(buckets) - low.count;
  const faster = low.count + ((high.count - low.count) * (ms - low.le)) / (high.le - low.le);
  return countOf(buckets) - faster;
}
