import type { Run } from '../../../src/core/run.ts';
import { type Figures, type Point, seriesOf } from '../../../src/core/series.ts';
import type { Steer, SteerWish } from '../../../src/core/steer.ts';
import { type CourseReport, courseText, isCourse } from '../blocks/canary-blocks.ts';
import { endText, titleOf } from '../blocks/run-words.ts';
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
function altOf(report: CourseReport, series: readonly Point[]): string {
  const end = report.kind === 'promoted' ? 'then it was promoted' : 'then all traffic went back to stable';
  return [
    `Chart of the share of the traffic on the new version: ${courseText(report)}, ${end}.`,
    ...measuredText(series, 'rate', 'Success rate', percent),
    ...measuredText(series, 'latency', 'Latency', (ms) => `${Math.round(ms)} ms`),
  ].join(' ');
}

/** What the chart of a run shows, and its words; undefined where the run has shifted no traffic, or not yet to its end. */
export function courseOf(run: Run, steers: readonly Steer[]): { course: Course; alt: string } | undefined {
  const { report } = run;
  if (!isCourse(report)) return undefined;
  const series = seriesOf(report);
  if (series.length === 0) return undefined;
  const marks = steers.map(({ at, wish }) => ({ at, label: markWord(wish) }));
  return { course: { title: titleOf(run), subtitle: endText(report), series, marks }, alt: altOf(report, series) };
}
