/** Round numbers for axes. */

export type Tick = { at: number; label: string };
export type Scale = { from: number; to: number; ticks: Tick[] };

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;
const strides = [
  ...[1, 2, 5, 10, 15, 30].map((n) => n * second),
  ...[1, 2, 5, 10, 15, 30].map((n) => n * minute),
  ...[1, 2, 3, 6, 12, 24, 48, 96].map((n) => n * hour),
];
const mostTicks = 6;

/** Time since the beginning: `0`, `5 min`, `10 min`. Whose clock it was does not matter so. */
export function timeScale(spanMs: number): Scale {
  const to = Math.max(spanMs, second);
  const stride = strides.find((each) => to / each <= mostTicks) ?? to / mostTicks;
  const [unit, name] = stride >= hour ? [hour, 'h'] : stride >= minute ? [minute, 'min'] : [second, 's'];
  const ticks = Array.from({ length: Math.floor(to / stride) + 1 }, (_, n) => ({
    at: n * stride,
    label: n === 0 ? '0' : `${Math.round((n * stride * 10) / unit) / 10} ${name}`,
  }));
  return { from: 0, to, ticks };
}

const floors = [0.99, 0.95, 0.9, 0.8, 0.5, 0];

/** Up to 100 %, from a round number below the worst: 99 % and 99.9 % must not look the same. */
export function rateScale(rates: readonly number[]): Scale {
  const worst = Math.min(...rates);
  const from = floors.find((floor) => floor <= worst) ?? 0;
  const ticks = [from, (from + 1) / 2, 1].map((at) => ({ at, label: `${Math.round(at * 10_000) / 100} %` }));
  return { from, to: 1, ticks };
}

/** From 0 to a round number above the slowest. */
export function latencyScale(latencies: readonly number[]): Scale {
  const worst = Math.max(...latencies, 0.001);
  const size = 10 ** Math.floor(Math.log10(worst));
  const to = ([1, 1.5, 2, 3, 4, 5, 6, 8, 10].find((factor) => factor * size >= worst) ?? 10) * size;
  const label = (ms: number) => (ms === 0 ? '0' : `${Number((to >= second ? ms / second : ms).toPrecision(3))}`);
  const unit = to >= second ? 's' : 'ms';
  const ticks = [0, to / 2, to].map((at) => ({ at, label: at === 0 ? '0' : `${label(at)} ${unit}` }));
  return { from: 0, to, ticks };
}
