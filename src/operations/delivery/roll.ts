import { Fault, fault } from '../../core/errors.ts';
import { at, type JsonObject } from '../../core/json.ts';
import { type Kube, type ObjectRef, type RolloutEnd, refOf, refOfWrite } from '../../core/kube.ts';
import { templateGeneration } from '../../core/observed.ts';
import type { Permission, RunContext, StepContext } from '../../core/operation.ts';
import type { Plan, Write } from '../../core/plan.ts';
import type { Report } from '../../core/report.ts';
import { gitOpsPermissions } from '../kubernetes/gitops.ts';
import { doWrites, nameOf } from '../kubernetes/writes.ts';
import { mergeManifest } from '../workloads/patch.ts';
import { touch } from '../workloads/taken-up.ts';
import { untilNoticed } from '../workloads/unstick.ts';
import { containersOf, workloadRef } from './workload.ts';

/** The steps of every operation that changes a workload and follows it until its pods are ready. */
export const rollSteps = ['apply', 'settle'] as const;
/** The environment's rolloutTimeoutSeconds ends a rollout; it may be a day. */
export const rollLimits = { run: 26 * 3_600_000, steps: { settle: 25 * 3_600_000 } };

/** What it takes to see how workloads of apps do. */
export const seePermissions: readonly Permission[] = [
  'get,list,watch deployments.apps,statefulsets.apps,daemonsets.apps,rollouts.argoproj.io',
  'list,watch replicasets.apps,pods',
  'get pods/log',
];
/** What it takes to change one and follow it; a StatefulSet's broken pods are deleted. */
export const rollPermissions: readonly Permission[] = [
  ...seePermissions,
  'patch deployments.apps,statefulsets.apps,daemonsets.apps,rollouts.argoproj.io',
  'delete pods',
  ...gitOpsPermissions,
];

type RollRun = RunContext<'kube', (typeof rollSteps)[number]>;

/** The workload that a plan changes: of its manifest, or of its first write. */
function rolledRef({ manifest, writes }: Plan, otherwise: ObjectRef): ObjectRef {
  if (manifest) return refOf(manifest);
  const first = writes?.find((write) => write.kind === 'merge');
  return first?.kind === 'merge' ? first.ref : otherwise;
}

async function put(kube: Kube, run: RollRun, manifest: JsonObject, { log, signal }: StepContext): Promise<void> {
  const ref = refOf(manifest);
  if (ref.kind === 'Rollout') await mergeManifest(kube, ref, manifest, run.id, signal);
  else await kube.apply(manifest, { run: run.id, force: run.plan.takesOver.length > 0 }, signal);
  const image = at(containersOf(manifest)[0], 'image');
  log(`applied to ${ref.namespace}/${ref.name}${typeof image === 'string' ? `: ${image}` : ''}`);
}

/** How following a rollout ended, as a report. */
function reportOf(end: RolloutEnd, seconds: number, { app, env }: RollRun['place']): Report {
  const { replicas, ready } = end;
  switch (end.kind) {
    case 'complete':
      return { kind: 'rolled-out', replicas, ready, seconds };
    case 'failed':
      return { kind: 'rollout-failed', replicas, ready, trouble: end.trouble };
    case 'timed-out':
      return { kind: 'rollout-timed-out', replicas, ready, trouble: end.trouble, seconds };
    case 'superseded':
      return { kind: 'superseded', ...(end.by !== undefined && { by: end.by }) };
    case 'paused': {
      const why = end.why === '' ? '' : ` (${end.why})`;
      const note = `It waits at a pause of its own strategy${why}: /ship rollout promote ${app} in ${env}, or /ship rollout abort ${app} in ${env}.`;
      return { kind: 'changed', objects: [`Rollout of ${app}`], note };
    }
    default:
      return end satisfies never;
  }
}

/** Watches a workload's rollout to its end, within what the environment allows. */
export async function settle(
  run: RollRun,
  ref: ObjectRef,
  step: StepContext,
  timeoutMs = run.place.rolloutTimeoutSeconds * 1_000,
): Promise<Report> {
  const { startedAt, note, signal } = step;
  const kube = run.on.kube(run.place.cluster);
  const seen = (count: { replicas: number; updated: number; ready: number }) =>
    note(`${count.ready} of ${count.replicas} ready, ${count.updated} updated`);
  const unheard = () => touch(kube, ref, run.now(), step);
  const end = await kube.follow(ref, { run: run.id, deadline: startedAt + timeoutMs, seen, unheard }, signal);
  return reportOf(end, Math.round((run.now() - startedAt) / 100) / 10, run.place);
}

/**
 * Writes what Argo's controller writes in a moment: which generation of its Deployment a Rollout is to follow. Until then
 * the Rollout would look as if it were through already.
 */
async function announceTemplate(kube: Kube, ref: ObjectRef, template: ObjectRef, signal: AbortSignal): Promise<void> {
  const generation = String(at(await kube.read(template, signal), 'metadata', 'generation') ?? 0);
  await kube.merge(ref, { metadata: { annotations: { [templateGeneration]: generation } } }, {}, signal);
}

/**
 * What is made comes before the pods that it leads to, or holds back: the other way round, whoever asks again after half of it was
 * done would find the workload there, and no Service would be made.
 */
const isMade = (write: Write) => write.kind === 'apply' || write.kind === 'create';

/** Says what was written already, where what comes after it is refused. */
function partly(done: readonly Write[], left: ObjectRef) {
  return (thrown: unknown): never => {
    if (!(thrown instanceof Fault) || done.length === 0 || thrown.retry === 'later') throw thrown;
    const names = done.map((write) => nameOf(refOfWrite(write))).join(', ');
    throw fault('PARTLY_APPLIED', { done: names, left: nameOf(left), problem: thrown.message }, thrown);
  };
}

/** Applies the plan's manifest, does its other writes, and watches the rollout to its end. */
export async function roll(run: RollRun): Promise<Report> {
  const { manifest, writes = [] } = run.plan;
  if (!manifest && writes.length === 0) throw fault('INTERNAL', { problem: 'a plan that writes nothing', run: run.id });
  const kube = run.on.kube(run.place.cluster);
  const ref = rolledRef(run.plan, workloadRef(run.place));
  // Without a manifest the workload is among the writes, which stand in the order in which they are done.
  const comesBefore = (write: Write) => manifest !== undefined && isMade(write);
  const [before, others] = [writes.filter(comesBefore), writes.filter((write) => !comesBefore(write))];
  await run.step('apply', async (step) => {
    await doWrites({ id: run.id, plan: { ...run.plan, writes: before } }, kube, step);
    if (manifest) await put(kube, run, manifest, step).catch(partly(before, ref));
    if (manifest && others.length > 0) await untilNoticed(kube, ref, step.signal);
    const written = [...before.map((write) => nameOf(refOfWrite(write))), ...(manifest ? [nameOf(ref)] : [])];
    await doWrites({ id: run.id, plan: { ...run.plan, writes: others } }, kube, step, undefined, written);
    const template = writes.map(refOfWrite).find(({ kind }) => kind === 'Deployment');
    if (ref.kind === 'Rollout' && template) await announceTemplate(kube, ref, template, step.signal);
  });
  return await run.step('settle', (step) => settle(run, ref, step));
}
