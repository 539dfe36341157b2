import { z } from 'zod';
import { unpaused } from './canary.ts';
import { at, type Json } from './json.ts';
import { type RolloutPlan, type Stage, type StageWord, stageAfter } from './rollout.ts';
import type { Run } from './run.ts';
import { Point } from './series.ts';
import type { Steer } from './steer.ts';

/** How a deploy that shifts the traffic stands, from what the store has of it: for those who look, never for the run itself. */
export type Standing = {
  /** Of the traffic, on the new version now. */
  weight: number;
  /** `moving`: on its way to `to`; `held`: paused, until somebody says more; `manual`: planned to wait for that. */
  phase: 'preparing' | 'moving' | 'baking' | 'held' | 'manual' | 'unsure' | 'promoting' | 'back' | 'cleared';
  /** The share after this one, and when it comes by itself; without `to` the promotion comes. */
  to?: number;
  nextAt?: number;
};

type Ended = { next: StageWord; heard: number; paused: boolean };

function endedOf(result: Json | undefined): Ended | undefined {
  const kind = at(result, 'next', 'kind');
  const [heard, paused, weight] = [at(result, 'heard'), at(result, 'paused') === true, at(result, 'next', 'weight')];
  if (typeof heard !== 'number') return undefined;
  if (kind === 'on') return { next: { kind, full: at(result, 'next', 'full') === true }, heard, paused };
  return kind === 'weight' && typeof weight === 'number' ? { next: { kind, weight }, heard, paused } : undefined;
}

type Here = { stage: Stage; index: number; heard: number; paused: boolean; weight: number };

/** Where its stages have led it: the stage that is under way, and what the ones before left. */
function stageUnderWay(rollout: RolloutPlan, names: readonly string[], steps: Run['steps']): Here | undefined {
  const [first] = rollout.stages;
  let here: Here | undefined = first && { stage: first, index: 0, heard: 0, paused: false, weight: 0 };
  for (const name of names.slice(0, -1)) {
    const ended = endedOf(steps[name]?.result);
    if (!here || !ended) return undefined;
    const after = stageAfter(rollout, here.stage, here.index, ended.next);
    here = after.stage && {
      stage: after.stage,
      index: after.index,
      heard: ended.heard,
      paused: ended.paused,
      weight: here.stage.weight,
    };
  }
  return here;
}

function atStage(
  rollout: RolloutPlan,
  here: Here,
  since: number | undefined,
  said: readonly Steer[],
  now: number,
): Standing {
  const { stage, index, heard, paused } = here;
  if (since === undefined) return { weight: here.weight, phase: 'moving', to: stage.weight };
  const next = stageAfter(rollout, stage, index, { kind: 'on', full: false }).stage;
  const standing = { weight: stage.weight, ...(next && { to: next.weight }) };
  const steers = said.filter(({ n }) => n > heard);
  const { ms, held } = unpaused({ steers, paused, since, now: Math.max(now, since) });
  if (held) return { ...standing, phase: 'held' };
  if (stage.manual) return { ...standing, phase: 'manual' };
  const left = (stage.bake ?? 0) - ms;
  // Its time is over and it is still here: what is measured does not say enough yet.
  if (left <= 0 && rollout.analysis !== undefined) return { ...standing, phase: 'unsure' };
  return { ...standing, phase: 'baking', nextAt: Math.max(now, since) + left };
}

/** The steps that were begun, in that order: people may ask for a share that is planned for later, or was passed over. */
export const begunSteps = ({ checklist, steps }: Pick<Run, 'checklist' | 'steps'>): string[] =>
  [...new Set(checklist)]
    .filter((name) => steps[name])
    .sort((a, b) => (steps[a]?.startedAt ?? 0) - (steps[b]?.startedAt ?? 0));

/** The share that a step is about: `weight 25`. */
export function shareOf(name: string): number | undefined {
  const share = /^weight (\d+)/.exec(name)?.[1];
  return share === undefined ? undefined : Number(share);
}

// What a share leaves behind, and what it remembers while it is under way: both have these.
const Way = z.object({ since: z.number(), points: z.array(Point).default([]) });

/** The course of a run that shifts traffic, as far as it has come: what was measured of each share that was reached. */
export function seriesSoFar(run: Pick<Run, 'checklist' | 'steps'>): Point[] {
  const points = begunSteps(run).flatMap((name) => {
    const weight = shareOf(name);
    const way = Way.safeParse(run.steps[name]?.result ?? run.steps[name]?.memo).data;
    return weight === undefined || !way ? [] : [{ at: way.since, weight }, ...way.points];
  });
  // A share counts from a moment after it was set, and may be looked at before.
  return points.sort((a, b) => a.at - b.at);
}

/** How a run stands that shifts traffic and is under way; undefined for every other. */
export function standingOf(run: Run, steers: readonly Steer[]): Standing | undefined {
  const { plan, steps, state, updatedAt } = run;
  const rollout = plan?.rollout;
  const begun = begunSteps(run);
  const current = begun.at(-1);
  if (!rollout || state !== 'running' || current === undefined) return undefined;
  const shares = begun.filter((name) => shareOf(name) !== undefined);
  const last = shareOf(shares.at(-1) ?? '') ?? 0;
  if (steps.back) return { weight: 0, phase: steps.back.state === 'done' ? 'cleared' : 'back' };
  switch (current.split(' ')[0]) {
    case 'prepare':
    case 'smoke': {
      const [first] = rollout.stages;
      return { weight: 0, phase: 'preparing', ...(first && { to: first.weight }) };
    }
    case 'weight': {
      const here = stageUnderWay(rollout, shares, steps);
      const since = at(steps[current]?.memo, 'since');
      if (here) return atStage(rollout, here, typeof since === 'number' ? since : undefined, steers, updatedAt);
      return { weight: last, phase: 'unsure' };
    }
    // Between two shares: what stood beside for the comparison goes.
    case 'experiment':
      return { weight: last, phase: 'moving' };
    case 'promote':
      return { weight: last, phase: 'promoting' };
    default:
      return { weight: 100, phase: 'cleared' };
  }
}
