import { endText } from '../../../src/core/end-text.ts';
import { isOver, type Run } from '../../../src/core/run.ts';
import { type Figures, type Point, seriesOf } from '../../../src/core/series.ts';
import { seriesSoFar, standingOf } from '../../../src/core/standing.ts';
import type { Steer, SteerWish } from '../../../src/core/steer.ts';
import { courseText, isCourse } from '../blocks/canary-blocks.ts';
import { titleOf } from '../blocks/run-words.ts';
import type { Course } from './share-chart.ts';

function markWord(wish: SteerWish): string {
  switch (wish.kind) {
    case 'promote':
      return 'promoted';
    case 'pause':
      return 'paused';
    case 'resume':
      return 'resumed';
    case 'weight':
      return `given ${wish.weight} %`;
    case 'abort':
      return 'aborted';
    default:
      return wish satisfies never;
  }
}

const percent = (rate: number) => `${Math.round(rate * 1_000) / 10} %`;

/** What a side was measured at last. */
function lastOf(series: readonly Point[], side: 'stable' | 'canary', what: keyof Figures): number | undefined {
  return series.findLast((point) => point[side]?.[what] !== undefined)?.[side]?.[what];
}

function measuredText(series: readonly Point[], what: keyof Figures, name: string, words: (value: number) => string) {
  const [stable, canary] = [lastOf(series, 'stable', what), lastOf(series, 'canary', what)];
  const said = [
    ...(canary === undefined ? [] : [`${words(canary)} on the new version`]),
    ...(stable === undefined ? [] : [`${words(stable)} on stable`]),
  ];
  return said.length === 0 ? [] : [`${name} at the end: ${said.join(', ')}.`];
}

/** The chart in words, for those who do not see it. */
function altOf(way: string, series: readonly Point[]): string {
  return [
    `Chart of the share of the traffic on the new version: ${way}.`,
    ...measuredText(series, 'rate', 'Success rate', percent),
    ...measuredText(series, 'latency', 'Latency', (ms) => `${Math.round(ms)} ms`),
  ].join(' ');
}

type Told = { series: Point[]; subtitle: string; way: string };

/** Of a run that is over: as its report tells it. */
function toldAtEnd({ report }: Run): Told | undefined {
  if (!isCourse(report)) return undefined;
  const end = report.kind === 'promoted' ? 'then it was promoted' : 'then all traffic went back to stable';
  return { series: seriesOf(report), subtitle: endText(report), way: `${courseText(report)}, ${end}` };
}

/** Of a run that is under way: as far as it has come, once there is more to see than one share. */
function toldSoFar(run: Run, steers: readonly Steer[]): Told | undefined {
  const standing = standingOf(run, steers);
  const series = seriesSoFar(run);
  if (!standing || series.length < 2) return undefined;
  const weights = series.map(({ weight }) => weight);
  const shares = weights.filter((weight, index) => weight !== weights[index - 1]);
  const end = Math.max(run.updatedAt, series.at(-1)?.at ?? 0);
  return {
    series: [...series, { at: end, weight: standing.weight }],
    subtitle: `Under way: ${standing.weight} % of the traffic is on the new version`,
    way: `${shares.map((weight) => `${weight} %`).join(' → ')}, and it is under way`,
  };
}

/** What the chart of a run shows, and its words; undefined where the run has shifted no traffic, or has only just begun. */
export function courseOf(run: Run, steers: readonly Steer[]): { course: Course; alt: string } | undefined {
  const told = isOver(run.state) ? toldAtEnd(run) : toldSoFar(run, steers);
  if (!told || told.series.length === 0) return undefined;
  const { series, subtitle, way } = told;
  const marks = steers.map(({ at, wish }) => ({ at, label: markWord(wish) }));
  return { course: { title: titleOf(run), subtitle, series, marks }, alt: altOf(way, series) };
}
