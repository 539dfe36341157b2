import type { Figures, Point } from '../../../src/core/series.ts';
import { latencyScale, rateScale, type Scale } from './scale.ts';

/** A course in letters: it needs no file, so it is there whatever becomes of the picture. */

// None is as high as a line, or those of two lines would touch.
const bars = '▁▂▃▄▅▆▇';
const most = 12;
const sides = ['canary', 'stable'] as const;
type Side = (typeof sides)[number];

const figure = (point: Point, side: Side, what: keyof Figures): number | undefined => {
  const value = point[side]?.[what];
  return value !== undefined && Number.isFinite(value) ? value : undefined;
};

/** As many points as there are letters for; what came last in each part stands for it. */
function sampled(points: readonly Point[]): Point[] {
  const every = Math.ceil(points.length / most);
  return points.filter((_, index) => (points.length - 1 - index) % every === 0);
}

function barsOf(values: readonly (number | undefined)[], { from, to }: Scale): string {
  const bar = (value: number) =>
    bars[Math.round(((Math.min(Math.max(value, from), to) - from) / (to - from)) * (bars.length - 1))] ?? '';
  const known = values.slice(values.findIndex((value) => value !== undefined));
  return known.map((value) => (value === undefined ? '·' : bar(value))).join('');
}

const kinds = [
  {
    what: 'rate',
    name: 'Success rate',
    scaled: rateScale,
    words: (rate: number) => `${Math.round(rate * 1_000) / 10} %`,
  },
  { what: 'latency', name: 'Latency', scaled: latencyScale, words: (ms: number) => `${Math.round(ms)} ms` },
] as const;

/** `Success rate ▇▆▅▄ *93.6 %* · stable ▇▇▇▇ *100 %*`, the new version first; none where nothing was measured. */
export function sparklines(series: readonly Point[]): string[] {
  const measured = series.filter((point) => sides.some((side) => point[side] !== undefined));
  const points = sampled(measured);
  return kinds.flatMap(({ what, name, scaled, words }) => {
    const all = points.flatMap((point) => sides.flatMap((side) => figure(point, side, what) ?? []));
    if (all.length === 0) return [];
    const scale = scaled(all);
    const said = sides.flatMap((side) => {
      const values = points.map((point) => figure(point, side, what));
      const last = values.findLast((value) => value !== undefined);
      return last === undefined
        ? []
        : [`${side === 'stable' ? 'stable ' : ''}${barsOf(values, scale)} *${words(last)}*`];
    });
    return [`${name} ${said.join(' · ')}`];
  });
}
