/** The value below which the share `q` of the samples lies (nearest rank). */
export function quantile(samples: readonly number[], q: number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(q * sorted.length) - 1)] ?? Number.NaN;
}

/** One line of the benchmarks' output: our figure beside the floor that was measured in the same run. */
export type Figure = {
  name: string;
  ours: number;
  floor: number;
  unit: string;
  /** The ratio may be at most this; with `least`, it must be at least this. */
  limit: number;
  least?: true;
};

const rounded = (value: number) => Math.round(value * 100) / 100;

/** Prints the figure as one line of JSON. */
export function printFigure({ name, ours, floor, unit, limit, least }: Figure): void {
  const ratio = rounded(ours / floor);
  const line = { name, ours: rounded(ours), floor: rounded(floor), ratio, unit, [least ? 'atLeast' : 'limit']: limit };
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
