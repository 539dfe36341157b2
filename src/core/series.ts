import { z } from 'zod';

/** What was measured of one side at a time: the share of its requests that went well (0 to 1), and how long they took, in ms. */
export const Figures = z.object({ rate: z.number().optional(), latency: z.number().optional() });
export type Figures = z.output<typeof Figures>;

/** How things stood at a time in ms since the epoch; the weight holds until the next point. What was not measured is left out. */
export const Point = z.object({
  at: z.number(),
  weight: z.number(),
  stable: Figures.optional(),
  canary: Figures.optional(),
});
export type Point = z.output<typeof Point>;

type Told = {
  kind: 'promoted' | 'rolled-back';
  stages: readonly { weight: number; since: number; until: number }[];
  series?: readonly Point[] | undefined;
};

/** A canary's course: as it was measured, else as its stages tell it. */
export function seriesOf({ kind, stages, series }: Told): Point[] {
  if (series && series.length > 0) return series.toSorted((a, b) => a.at - b.at);
  const last = stages.at(-1);
  if (!last) return [];
  return [
    ...stages.map(({ weight, since }) => ({ at: since, weight })),
    { at: last.until, weight: kind === 'promoted' ? 100 : 0 },
  ];
}
