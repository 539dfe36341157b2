const units: Record<string, number> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
};

/** A Kubernetes quantity as a number: cores or bytes. `250m` is 0.25; undefined where it is none. */
export function amountOf(quantity: unknown): number | undefined {
  const [, digits = '', unit = ''] = /^(\d+(?:\.\d+)?)([a-zA-Z]*)$/.exec(String(quantity)) ?? [];
  const size = units[unit];
  return digits === '' || size === undefined ? undefined : Number(digits) * size;
}

/** `250m`, as people speak of CPU. */
export const cpuText = (cores: number): string => `${Math.round(cores * 1_000)}m`;

/** `64 Mi`, or `1.5 Gi`. */
export function memoryText(bytes: number): string {
  return bytes >= 2 ** 30 ? `${(bytes / 2 ** 30).toFixed(1)} Gi` : `${Math.round(bytes / 2 ** 20)} Mi`;
}

/** `40 %` of something; a dash where there is nothing to compare with. */
export const shareText = (part: number, whole: number): string =>
  whole > 0 ? `${Math.round((part / whole) * 100)} %` : '–';
