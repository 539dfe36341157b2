import { billionths } from '../../core/quantity.ts';

const nano = 1_000_000_000n;
const sizes: readonly [string, bigint][] = [
  ['Gi', 1_073_741_824n],
  ['Mi', 1_048_576n],
  ['Ki', 1_024n],
];

/** An amount of memory as people say it, whatever unit it was written in: `262144k` is `250Mi`. */
export function memoryText(quantity: string): string {
  const all = billionths(quantity);
  if (all === undefined) return quantity;
  const bytes = all / nano;
  const [unit, size] = sizes.find(([, least]) => bytes >= least) ?? ['', 1n];
  return `${Number((bytes * 10n) / size) / 10}${unit}`;
}

/** An amount of processors: `0.25` is `250m`, `2000m` is `2`. */
export function cpuText(quantity: string): string {
  const all = billionths(quantity);
  if (all === undefined) return quantity;
  return all % nano === 0n ? String(all / nano) : `${(all + 999_999n) / 1_000_000n}m`;
}
