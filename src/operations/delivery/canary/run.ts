import { fault } from '../../../core/errors.ts';
import type { StepContext } from '../../../core/operation.ts';
import type { Report } from '../../../core/report.ts';
import { type Stage, stageAfter, stepOf } from '../../../core/rollout.ts';
import type { Point } from '../../../core/series.ts';
import { doWrites } from '../../kubernetes/writes.ts';
import { endExperiment, sendBack, takeAway } from './back.ts';
import type { Phase } from './gate.ts';
import { type Done, type Kit, kitOf, resize, type ShiftRun, templateOf, unlessAborted } from './kit.ts';
import { settledAndKnown } from './known.ts';
import type { Back } from './reasons.ts';
import { setShare } from './router.ts';
import { smoke } from './smoke.ts';
import { type Before, doStage, phaseOf, type StageEnd } from './stage.ts';
import type { Templates } from './standing.ts';
import { watchAfter } from './watch.ts';

type Prepared = ({ kind: 'ready' } & Templates) | Extract<Done, { kind: 'back' }>;

/** Puts up what stands beside stable, without traffic, and waits until its first pod is ready and known. */
async function prepare(kit: Kit, step: StepContext): Promise<Prepared> {
  const { run, kube, rollout, stable, canary } = kit;
  const done = await unlessAborted(kit, step, 0, async (signal) => {
    await doWrites(run, kube, { ...step, signal });
    // Where the pods are the share there is nothing to wait for yet.
    if (rollout.router.kind === 'replicas') return { kind: 'done' };
    await setShare(kube, rollout, { weight: 0 }, run.id, signal);
    await resize(kit, canary, 1, signal);
    return await settledAndKnown(kit, canary, canary.name, step, signal);
  });
  if (done.kind === 'back') return done;
  const [live, beside] = await Promise.all([stable, canary].map((ref) => kube.read(ref, step.signal)));
  return { kind: 'ready', stableTemplate: templateOf(live), canaryTemplate: templateOf(beside) };
}

/** Stable gets the new version, while the canary serves. */
async function promote(kit: Kit, heard: number, step: StepContext): Promise<Done> {
  const { run, kube, rollout, stable } = kit;
  const { manifest, takesOver } = run.plan;
  if (!manifest) throw fault('INTERNAL', { problem: 'a plan without a manifest', run: run.id });
  return await unlessAborted(kit, step, heard, async (signal) => {
    await kube.apply(manifest, { run: run.id, force: takesOver.length > 0 }, signal);
    return await settledAndKnown(kit, stable, rollout.service, step, signal);
  });
}

/** A step's name is its own also where a share comes twice. */
function nameOf(stage: Stage, used: Map<string, number>): `weight ${string}` {
  const name = stepOf(stage);
  const count = (used.get(name) ?? 0) + 1;
  used.set(name, count);
  return count === 1 ? name : `${name} (${count})`;
}

type Shifted = {
  series: Point[];
  stages: { weight: number; since: number; until: number }[];
  heard: number;
  back?: Back;
  said?: string;
};

/** From share to share, as planned and as people say. */
async function shift(kit: Kit, templates: Templates): Promise<Shifted> {
  const planned = kit.rollout.stages;
  const used = new Map<string, number>();
  const phases: Phase[] = [];
  const series: Point[] = [];
  let [before, said]: [Omit<Before, 'strict' | 'phases'>, string | undefined] = [
    { heard: 0, paused: false, ...templates },
    undefined,
  ];
  let next: Stage | undefined = planned[0];
  let index = 0;
  while (next) {
    const stage: Stage = next;
    const strict = stage.weight < 100 && (planned[index + 1]?.weight ?? 100) === 100;
    const context: Before = { ...before, phases: [...phases], strict };
    const end: StageEnd = await kit.run.step(nameOf(stage, used), (step) => doStage(kit, stage, context, step));
    if (end.since !== undefined && end.until > end.since)
      phases.push({ ...phaseOf(stage), since: end.since, until: end.until });
    before = { ...before, heard: end.heard, paused: end.paused };
    said = end.said ?? said;
    series.push(...(end.since === undefined ? [] : [{ at: end.since, weight: stage.weight }]), ...end.points);
    const state = { series, stages: phases, heard: end.heard, ...(said !== undefined && { said }) };
    if (end.next.kind === 'back') return { ...state, back: end.next.back };
    if (stage.baseline && !planned.slice(index + 1).some(({ baseline }) => baseline)) {
      const over = await kit.run.step('experiment', (step) => endExperiment(kit, stage, end.heard, step));
      // Missing in runs of before a baseline had a share.
      if (over?.kind === 'back') return { ...state, heard: over.heard, back: over.back };
    }
    ({ stage: next, index } = stageAfter(kit.rollout, stage, index, end.next));
  }
  return { series, stages: phases, heard: before.heard, ...(said !== undefined && { said }) };
}

/** What a report tells of the way; the picture ends where the traffic then was. */
function course({ series, stages, said }: Shifted, weight: number, now: number) {
  const measured = series.some(({ canary }) => canary !== undefined);
  return {
    stages,
    ...(measured && { series: [...series, { at: now, weight }] }),
    ...(said !== undefined && { said }),
  };
}

async function goBack(kit: Kit, back: Back, shifted: Shifted, touched: boolean): Promise<Report> {
  const { run, rollout } = kit;
  await run.step('back', (step) => sendBack(kit, touched, step));
  await run.step('remove', (step) => takeAway(kit, step));
  return { kind: 'rolled-back', strategy: rollout.strategy, ...back, ...course(shifted, 0, run.now()) };
}

/** A deploy that shifts the traffic: prepare, one share after the other, promote, hand over, clear away, watch. */
export async function runShift(run: ShiftRun): Promise<Report> {
  const kit = kitOf(run);
  const { rollout, stable } = kit;
  const prepared = await run.step('prepare', (step) => prepare(kit, step));
  if (prepared.kind === 'back') return await goBack(kit, prepared.back, { series: [], stages: [], heard: 0 }, false);
  const { smokeTest } = rollout;
  const tested = smokeTest && (await run.step('smoke', (step) => smoke(kit, smokeTest, step)));
  if (tested?.kind === 'back') return await goBack(kit, tested.back, { series: [], stages: [], heard: 0 }, false);
  const shifted = await shift(kit, prepared);
  if (shifted.back) return await goBack(kit, shifted.back, shifted, false);
  const promoted = await run.step('promote', (step) => promote(kit, shifted.heard, step));
  if (promoted.kind === 'back') return await goBack(kit, promoted.back, shifted, true);
  await run.step('return', (step) => sendBack(kit, false, step));
  await run.step('remove', (step) => takeAway(kit, step));
  const after =
    rollout.watchMs > 0 ? await run.step('watch', (step) => watchAfter(kit, shifted.heard, step)) : undefined;
  if (after?.back) {
    await run.step('back', (step) => sendBack(kit, true, step));
    return { kind: 'rolled-back', strategy: rollout.strategy, ...after.back, ...course(shifted, 0, run.now()) };
  }
  const pods = await run.on.kube(run.place.cluster).workload(stable, run.signal);
  const { replicas = 0, ready = 0 } = pods ?? {};
  return { kind: 'promoted', strategy: rollout.strategy, replicas, ready, ...course(shifted, 100, run.now()) };
}
