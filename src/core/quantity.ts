/**
 * Arithmetic with Kubernetes quantities. In whole billionths (the smallest suffix is `n`), so that 100m + 200m is 300m.
 * https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
 */

const nano = 1_000_000_000n;
const decimal: Record<string, bigint> = { n: 1n, u: 1_000n, m: 1_000_000n, '': nano };
['k', 'M', 'G', 'T', 'P', 'E'].forEach((unit, index) => {
  decimal[unit] = nano * 1_000n ** BigInt(index + 1);
});
const binary: Record<string, bigint> = {};
['Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'].forEach((unit, index) => {
  binary[unit] = nano * 1_024n ** BigInt(index + 1);
});
const units: Record<string, bigint> = { ...decimal, ...binary };
const form = /^(\d*)(?:\.(\d*))?(?:([numkMGTPE]|[KMGTPE]i)?|[eE]([+-]?\d{1,2}))$/;

/** A quantity in billionths, rounded up as Kubernetes does; undefined where it is none. */
export function billionths(quantity: string): bigint | undefined {
  const [, whole = '', part = '', unit = '', exponent] = form.exec(quantity) ?? [];
  if (whole === '' && part === '') return undefined;
  const power = Number(exponent ?? 0) - part.length;
  const scaled = BigInt(`${whole}${part}`) * (units[unit] ?? nano);
  return power >= 0 ? scaled * 10n ** BigInt(power) : (scaled + 10n ** BigInt(-power) - 1n) / 10n ** BigInt(-power);
}

/** Less than 0 where `a` is smaller than `b`, more where it is larger; what is no quantity counts as nothing. */
export function compareQuantities(a: string, b: string): number {
  const difference = (billionths(a) ?? 0n) - (billionths(b) ?? 0n);
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

const tenths = (value: bigint, unit: bigint) => {
  const rounded = (value * 10n + unit / 2n) / unit;
  return rounded % 10n === 0n ? String(rounded / 10n) : `${rounded / 10n}.${rounded % 10n}`;
};

/** The sum, in the largest unit that suits it: `300m`, `1.5Gi`. Binary units where one of them has one. */
export function sumOf(quantities: readonly string[]): string {
  const total = quantities.reduce((sum, quantity) => sum + (billionths(quantity) ?? 0n), 0n);
  if (quantities.some((quantity) => quantity.endsWith('i'))) {
    const [unit, size] = Object.entries(binary).findLast(([, size]) => total >= size) ?? ['', nano];
    return `${tenths(total, size)}${unit}`;
  }
  return total % nano === 0n ? String(total / nano) : `${(total + 999_999n) / 1_000_000n}m`;
}

/** How much of `hard` is used, as a share of 1; more than 1 is possible. Nothing of nothing is all of it. */
export function shareOf(used: string, hard: string): number {
  const [part, whole] = [billionths(used) ?? 0n, billionths(hard) ?? 0n];
  return whole === 0n ? 1 : Number((part * 10_000n) / whole) / 10_000;
}

/** A bar of ten, such as `▓▓▓▓▓▓░░░░ 62 %`: what is used is never shown as nothing, and only what is full as full. */
export function barOf(share: number): string {
  const inner = share <= 0 ? 0 : share >= 1 ? 10 : Math.min(9, Math.max(1, Math.round(share * 10)));
  return `${'▓'.repeat(inner)}${'░'.repeat(10 - inner)} ${Math.floor(share * 100 + 1e-9)} %`;
}
