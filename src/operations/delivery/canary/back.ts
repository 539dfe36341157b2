import { setTimeout as sleep } from 'node:timers/promises';
import { fault } from '../../../core/errors.ts';
import { at, isObject, type JsonObject } from '../../../core/json.ts';
import { type ObjectRef, refOf } from '../../../core/kube.ts';
import type { StepContext } from '../../../core/operation.ts';
import type { Stage } from '../../../core/rollout.ts';
import { nameOf } from '../../kubernetes/writes.ts';
import { besideIn, type Done, type Kit, type Tried, tryUntil, unlessAborted } from './kit.ts';
import { settledAndKnown } from './known.ts';
import { podsGone } from './pods-gone.ts';
import { setShare } from './router.ts';
import { freeScaler } from './scaler.ts';

/** The way back is tried for as long as a night: an API server that is away comes back, and somebody is told meanwhile. */
const patienceMs = 8 * 3_600_000;
const again = { heard: Number.POSITIVE_INFINITY };

async function patiently(kit: Kit, step: StepContext, act: (signal: AbortSignal) => Promise<Tried>): Promise<void> {
  const deadline = step.startedAt + patienceMs;
  const done = await tryUntil(kit, step, { deadline, ...again }, act);
  if (done.kind === 'failed')
    throw fault('CANARY_STRANDED', { app: kit.run.place.app, env: kit.run.place.env, problem: done.detail });
}

const readyOf = (ready: unknown) => (typeof ready === 'number' ? ready : 0);

/** Traffic never goes to where nobody answers: stable must have pods that are ready, or it stays where it is. */
async function awaitStable({ kube, stable }: Kit, { note }: StepContext, signal: AbortSignal): Promise<void> {
  for (;;) {
    const live = await kube.read(stable, signal);
    if (!live || readyOf(at(live, 'status', 'readyReplicas')) > 0) return;
    note(`Deployment/${stable.name} has no pod that is ready: the traffic stays where it is until it has`);
    await sleep(1_000, undefined, { signal });
  }
}

/**
 * All traffic to stable: one write. Where stable was being replaced already, it gets its earlier version first, while
 * the traffic is with the canary.
 */
export async function sendBack(kit: Kit, touched: boolean, step: StepContext): Promise<void> {
  const { run, kube, rollout, stable, canary } = kit;
  await patiently(kit, step, async (signal) => {
    if (touched && rollout.restore) {
      await kube.apply(rollout.restore, { run: run.id, force: true }, signal);
      const restored = await settledAndKnown(kit, stable, rollout.service, step, signal);
      if (restored.kind !== 'done') return restored;
    }
    await awaitStable(kit, step, signal);
    if (rollout.router.kind === 'replicas') {
      if (await kube.read(canary, signal)) await kube.merge(canary, { spec: { replicas: 0 } }, {}, signal);
    } else if (await kube.read(rollout.router.ref, signal)) {
      await setShare(kube, rollout, { weight: 0 }, run.id, signal);
    }
    return { kind: 'done' };
  });
  step.log(`all traffic goes to ${stable.name}`);
}

/** A VirtualService that came with the canary, into which somebody has put more meanwhile: it stays. */
function isUsedOtherwise({ kind, spec }: JsonObject): boolean {
  if (kind !== 'VirtualService') return false;
  const http = at(spec, 'http');
  const [only, ...others] = Array.isArray(http) ? http : [];
  return others.length > 0 || (isObject(only) && Object.keys(only).some((field) => field !== 'route'));
}

/** The baseline has served: stable has its share again, and the new version stays for what comes next. */
export async function endExperiment(
  kit: Kit,
  { weight, match, mirror }: Stage,
  heard: number,
  step: StepContext,
): Promise<Done> {
  if (weight > 0) {
    const left = await unlessAborted(kit, step, heard, async (signal) => {
      await setShare(kit.kube, kit.rollout, { weight, match, mirror }, kit.run.id, signal);
      return { kind: 'done' };
    });
    if (left.kind === 'back') return left;
    await drained(kit, step);
  }
  const beside = besideIn(kit.run.plan).map(refOf).reverse();
  await clear(
    kit,
    step,
    beside.filter(({ name }) => name === kit.rollout.baseline),
  );
  step.log('the experiment is over, and its baseline gone');
  return { kind: 'done' };
}

async function clear(kit: Kit, step: StepContext, refs: readonly ObjectRef[]): Promise<void> {
  await patiently(kit, step, async (signal) => {
    for (const ref of refs) {
      const live = await kit.kube.read(ref, signal);
      if (live && !isUsedOtherwise(live)) await kit.kube.remove(ref, {}, signal);
    }
    return { kind: 'done' };
  });
}

/** Lets what is under way end. */
async function drained({ run, rollout }: Kit, step: StepContext): Promise<void> {
  const left = step.startedAt + rollout.drainMs - run.now();
  if (left <= 0) return;
  step.note('requests that are under way may end');
  await step.rest(left, again.heard);
}

/** Lets what is under way end, then takes away what stood beside stable. */
export async function takeAway(kit: Kit, step: StepContext): Promise<void> {
  const { run } = kit;
  await drained(kit, step);
  // Last come, first gone: what leads to the pods before the pods, and what guards them after the last of them.
  const beside = besideIn(run.plan).map(refOf).reverse();
  const pods = 1 + beside.findIndex(({ kind, name }) => kind === kit.canary.kind && name === kit.canary.name);
  const guards = beside.slice(pods);
  await patiently(kit, step, async (signal) => {
    await freeScaler(kit, signal);
    return { kind: 'done' };
  });
  await clear(kit, step, beside.slice(0, pods));
  if (beside.length > 0) step.note(beside.map(({ kind, name }) => `${kind}/${name}`).join(', '));
  if (guards.length === 0) return step.log('what stood beside it is gone');
  if (await podsGone(kit, step)) {
    await clear(kit, step, guards);
    return step.log('what stood beside it is gone');
  }
  const staying = guards.map(nameOf).join(', ');
  step.log(
    `pods of ${kit.canary.name} don’t end: ${staying} stays, since it guards them. The next canary takes it away`,
  );
}
