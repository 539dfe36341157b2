import { z } from 'zod';
import type { Unknown } from '../../../core/analysis/arms.ts';
import { isPaused, nextOf, podsFor, type StageNext } from '../../../core/canary.ts';
import { isObject } from '../../../core/json.ts';
import type { StepContext } from '../../../core/operation.ts';
import type { Stage, StageWord } from '../../../core/rollout.ts';
import { Point } from '../../../core/series.ts';
import { type Gated, gateOf, type Phase } from './gate.ts';
import { type Kit, lookMs, resize, scaleTo, sizeOf, type Tried, tryUntil, unlessAborted } from './kit.ts';
import { awaitKnown, settledAndKnown } from './known.ts';
import { abortedBy, type Back } from './reasons.ts';
import { setShare } from './router.ts';
import { holdScaler } from './scaler.ts';
import { createStanding, type Standing, type Templates } from './standing.ts';

/** Where only a person can bring it on, it is looked at this often. */
const idleMs = 30_000;

/** How a stage ended. Times in ms; `since` is missing where its share was never reached. */
export type StageEnd = {
  next: StageWord | { kind: 'back'; back: Back };
  heard: number;
  paused: boolean;
  since?: number;
  until: number;
  /** What the analysis said last, in one line. */
  said?: string;
  /** What was measured on the way. */
  points: Point[];
};

/** What came before a stage. */
export type Before = Templates & {
  heard: number;
  paused: boolean;
  phases: readonly Phase[];
  /** Nothing but a pass opens the way to the next share. */
  strict: boolean;
};

/** What a stage's time counts for. */
export const phaseOf = ({ weight, baseline }: Stage): Omit<Phase, 'since' | 'until'> => ({
  weight,
  ...(baseline && { baseline }),
});

/** Gives the baseline as many pods as the canary has: it gets as much. */
async function beginExperiment(kit: Kit, pods: number, step: StepContext, signal: AbortSignal): Promise<Tried> {
  const { baseline } = kit;
  if (!baseline) return { kind: 'done' };
  await resize(kit, baseline, pods, signal);
  return await settledAndKnown(kit, baseline, baseline.name, step, signal);
}

/** Gives the canary as many pods as its share takes, and then the share. */
async function reach(kit: Kit, stage: Stage, step: StepContext, signal: AbortSignal): Promise<Tried> {
  const { run, kube, rollout, stable, canary } = kit;
  const [live, beside] = await Promise.all([kube.read(stable, signal), kube.read(canary, signal)]);
  if (!beside) return { kind: 'failed', detail: `Deployment/${canary.name} is gone` };
  const need = podsFor(stage.weight, sizeOf(live), rollout.router.kind === 'replicas');
  // Never fewer than there are: what has traffic keeps its pods.
  const pods = Math.max(need, sizeOf(beside));
  const scaled = await scaleTo(kit, canary, pods, step, signal);
  if (scaled.kind !== 'done') return scaled;
  // A share is never for the few that the proxies know so far.
  const known = need > sizeOf(beside) ? await awaitKnown(kit, canary.name, step, signal) : scaled;
  if (known.kind !== 'done') return known;
  const beginning = stage.baseline ? await beginExperiment(kit, pods, step, signal) : scaled;
  if (beginning.kind !== 'done') return beginning;
  if (stage.weight > 0) await holdScaler(kit, sizeOf(live), signal);
  step.note(`giving it ${stage.weight} % of the traffic`);
  await setShare(kube, rollout, stage, run.id, signal);
  return { kind: 'done' };
}

const spell = (ms: number) => (ms < 90_000 ? `${Math.ceil(ms / 1_000)} s` : `${Math.ceil(ms / 60_000)} min`);

function noteOf({ weight }: Stage, next: Extract<StageNext, { kind: 'hold' }>, said: string | undefined): string {
  const why = {
    baking: `${spell(next.leftMs)} left`,
    paused: 'paused: /ship canary resume, promote or abort',
    manual: 'waits to be promoted',
    analysis: 'holds: not enough is known yet',
  }[next.why];
  return [`${weight} % · ${why}`, ...(said === undefined ? [] : [said])].join(' · ');
}

type Memo = { since?: number; unknown: Unknown[]; points: Point[] };

const Stored = z.object({
  since: z.number().optional(),
  unknown: z.array(z.custom<Unknown>(isObject)).default([]),
  points: z.array(Point).default([]),
});

const memoOf = (step: StepContext): Memo => {
  const { since, unknown, points } = Stored.parse(step.memo() ?? {});
  return { unknown, points, ...(since !== undefined && { since }) };
};

/** One look: what the world and the people say, and what follows. */
async function look(
  kit: Kit,
  stage: Stage,
  before: Before,
  step: StepContext,
  { since, unknown, standing }: { since: number; unknown: Unknown[]; standing: ReturnType<typeof createStanding> },
) {
  const all = await step.steers();
  const steers = all.filter(({ n }) => n > before.heard);
  const heard = Math.max(before.heard, all.length);
  const now = kit.run.now();
  let [found, gated]: [Standing, Gated] = [{}, { gate: 'open', unknown }];
  const looked = await tryUntil(kit, step, { deadline: now, heard }, async (signal) => {
    [found, gated] = await Promise.all([
      standing(stage, before, signal),
      gateOf(
        kit,
        [...before.phases, { ...phaseOf(stage), since, until: now }],
        { strict: before.strict, now, unknown },
        signal,
      ),
    ]);
    if (!found.back && found.short !== undefined) await resize(kit, kit.canary, found.short, signal);
    return { kind: 'done' };
  });
  // The API server away is no reason to go back: nothing moves until it can be seen again, or somebody says so.
  const blind = looked.kind === 'failed';
  const aborted = abortedBy(steers);
  const gate = blind ? ('hold' as const) : gated.gate;
  const next = nextOf({ stage, now, since, paused: before.paused, steers, gate });
  const back =
    aborted ??
    (blind ? undefined : found.back) ??
    (next.kind === 'back' ? { reason: next.reason, detail: gated.said ?? '' } : undefined);
  return {
    steers,
    heard,
    now,
    next,
    back,
    said: blind ? looked.detail : gated.said,
    unknown: gated.unknown ?? [],
    point: gated.point,
  };
}

const mostPoints = 30;
/** What was measured is stored this often, for the chart: a write at each look would be too many. */
const rememberMs = 10_000;

/** As many points as a picture has room for, evenly spread whenever it is thinned, and the last among them. */
function thinned(points: readonly Point[]): Point[] {
  const [first, last] = [points[0], points.at(-1)];
  if (!first || !last) return [];
  const apart = (last.at - first.at) / mostPoints;
  const kept: Point[] = [];
  for (const point of points) if (!(point.at - (kept.at(-1)?.at ?? -Infinity) < apart)) kept.push(point);
  return kept.at(-1) === last ? kept : [...kept, last];
}

/** Brings the canary to a share of the traffic and watches it there until it goes on, back, or to another share. */
export async function doStage(kit: Kit, stage: Stage, before: Before, step: StepContext): Promise<StageEnd> {
  let { since, unknown, points } = memoOf(step);
  let rememberedAt = kit.run.now();
  const standing = createStanding(kit);
  const ended = (next: StageEnd['next'], heard: number, paused: boolean, said?: string): StageEnd => ({
    next,
    heard,
    paused,
    ...(since !== undefined && { since }),
    until: kit.run.now(),
    points,
    ...(said !== undefined && { said }),
  });
  for (;;) {
    if (since === undefined) {
      const reached = await unlessAborted(kit, step, before.heard, (signal) => reach(kit, stage, step, signal));
      if (reached.kind === 'back') return ended({ kind: 'back', back: reached.back }, reached.heard, false);
      since = kit.run.now() + kit.rollout.reachMs;
      await step.remember({ since, unknown, points });
      step.log(`${stage.weight} % of the traffic goes to ${kit.canary.name}`);
    }
    const { steers, heard, now, next, back, said, ...learned } = await look(kit, stage, before, step, {
      since,
      unknown,
      standing,
    });
    if (learned.point) points = thinned([...points, learned.point]);
    const news = JSON.stringify(learned.unknown) !== JSON.stringify(unknown);
    if (news || (learned.point && now - rememberedAt >= rememberMs)) {
      unknown = [...learned.unknown];
      rememberedAt = now;
      await step.remember({ since, unknown, points });
    }
    const paused = isPaused(before.paused, steers);
    if (back) {
      step.note([`${stage.weight} %`, back.detail || back.reason].join(' · '));
      return ended({ kind: 'back', back }, heard, paused, said);
    }
    if (next.kind !== 'hold' && next.kind !== 'back') return ended(next, heard, paused, said);
    if (next.kind === 'hold') step.note(noteOf(stage, next, said));
    const left = next.kind === 'hold' && next.why === 'baking' ? next.leftMs : Number.POSITIVE_INFINITY;
    const every =
      next.kind === 'hold' && (next.why === 'paused' || next.why === 'manual') && !kit.rollout.analysis
        ? idleMs
        : lookMs;
    await step.rest(Math.max(100, Math.min(every, left, now + every - kit.run.now())), heard);
  }
}
