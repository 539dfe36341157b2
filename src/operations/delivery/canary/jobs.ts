import type { Heard } from '../../../core/analysis/answers.ts';
import type { Value } from '../../../core/analysis/arms.ts';
import type { JobMetric } from '../../../core/analysis/template.ts';
import { type CheckJob, type JobOutcome, jobOutcome } from '../../../core/check-job.ts';
import { contextFor } from '../../../core/effects/restricted.ts';
import { Fault } from '../../../core/errors.ts';
import { at, digestOf, isObject, type JsonObject, text } from '../../../core/json.ts';
import { runAnnotation } from '../../../core/lost-run.ts';
import { list } from '../../../core/observed.ts';
import { ownLabels } from '../../../core/ours.ts';
import { lastWords } from '../../workloads/job-run.ts';
import type { AskJob } from '../analysis.ts';
import { lentBy } from './cron-jobs.ts';
import type { Kit } from './kit.ts';

/** Jobs that look at a canary: each is made once, belongs to the canary's Deployment, and goes with it. */

const nameMost = 63;

/** The same name however often it is asked: whoever was killed finds what was started. */
function nameFor({ run, canary }: Kit, key: string): string {
  const end = `-${run.id}-${digestOf(key).slice(0, 8)}`;
  return `${canary.name.slice(0, nameMost - end.length)}${end}`;
}

/** What a Job is told of the two versions. Where the pods are the share, the canary has no Service of its own. */
function told({ run, rollout }: Kit, stable: string): Record<string, string> {
  const address = (service: string) => `${service}.${run.place.namespace}.svc:${rollout.ports[0] ?? 80}`;
  const of = (side: string, service: string) => ({
    [`${side}_SERVICE`]: service,
    [`${side}_ADDRESS`]: address(service),
  });
  return {
    APP: run.place.app,
    NAMESPACE: run.place.namespace,
    ...of('STABLE', stable),
    ...(rollout.router.kind !== 'replicas' && of('CANARY', rollout.canary)),
  };
}

type Fresh = ReturnType<typeof contextFor>;

/** What a Job of that image does: one pod, once. */
const specOfImage = (image: string, { securityContext = { allowPrivilegeEscalation: false } }: Fresh): JsonObject => ({
  backoffLimit: 0,
  template: {
    spec: {
      restartPolicy: 'Never',
      automountServiceAccountToken: false,
      containers: [{ name: 'check', image, securityContext }],
    },
  },
});

/** The first container does what is said; all of them know of the two versions. */
function withWishes(
  spec: JsonObject,
  { command, args, env, limit }: CheckJob,
  known: Record<string, string>,
): JsonObject {
  const { ttlSecondsAfterFinished: _, ...rest } = spec;
  const pod = at(spec, 'template', 'spec');
  const variables = Object.entries({ ...known, ...env }).map(([name, value]) => ({ name, value }));
  const names = variables.map(({ name }) => name);
  const containers = list(at(pod, 'containers')).map((container, index) => ({
    ...container,
    ...(index === 0 && { ...(command && { command: [...command] }), ...(args && { args: [...args] }) }),
    env: [...variables, ...list(container.env).filter(({ name }) => !names.includes(text(name)))],
  }));
  const template = isObject(spec.template) ? spec.template : {};
  return {
    ...rest,
    activeDeadlineSeconds: Math.max(1, Math.ceil(limit / 1_000)),
    template: { ...template, spec: { ...(isObject(pod) ? pod : {}), containers } },
  };
}

/** What the Job does: as approved, or why there is no saying. */
async function specOf(
  { kube, run, rollout }: Kit,
  { image = '', cronJob }: CheckJob,
  signal: AbortSignal,
): Promise<JsonObject | string> {
  if (cronJob === undefined) return specOfImage(image, contextFor(run.settings, run.place));
  const lent = await lentBy(kube, run.place.namespace, cronJob, signal);
  if (!lent) return `there is no CronJob/${cronJob}`;
  const approved = !rollout.cronJobs || rollout.cronJobs[cronJob] === lent.digest;
  return approved ? lent.spec : `CronJob/${cronJob} is another than the one that was planned with`;
}

const unknown = (why: string) => ({ kind: 'unknown' as const, why });

/** Makes the Job, of the canary's, so that the cluster clears it away with the canary. */
async function start(
  kit: Kit,
  wanted: CheckJob,
  name: string,
  stable: string,
  signal: AbortSignal,
): Promise<JobOutcome> {
  const { kube, run, canary } = kit;
  const [owner, spec] = await Promise.all([kube.read(canary, signal), specOf(kit, wanted, signal)]);
  if (typeof spec === 'string') return unknown(`can’t be made: ${spec}`);
  if (!owner) return unknown(`can’t be made: Deployment/${canary.name} is gone`);
  const { apiVersion, kind } = canary;
  const manifest: JsonObject = {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      name,
      namespace: run.place.namespace,
      labels: ownLabels,
      annotations: { [runAnnotation]: run.id },
      ownerReferences: [{ apiVersion, kind, name: canary.name, uid: text(at(owner, 'metadata', 'uid')) }],
    },
    spec: withWishes(spec, wanted, told(kit, stable)),
  };
  await kube.create(manifest, {}, signal);
  return { kind: 'running' };
}

/** Starts a Job, or looks how it is; `last` is its last line where it said no. `key` tells it from the others of the run. */
export async function lookAtJob(
  kit: Kit,
  wanted: CheckJob,
  key: string,
  signal: AbortSignal,
  /** The Service that the new version is compared with. */
  stable: string = kit.rollout.service,
): Promise<JobOutcome & { last?: string }> {
  const { kube, run } = kit;
  const name = nameFor(kit, key);
  const ref = { apiVersion: 'batch/v1', kind: 'Job', namespace: run.place.namespace, name };
  try {
    const job = await kube.read(ref, signal);
    if (!job) return await start(kit, wanted, name, stable, signal);
    const labels = `batch.kubernetes.io/job-name=${name}`;
    const pods = await kube.list({ apiVersion: 'v1', kind: 'Pod', namespace: ref.namespace, labels }, signal);
    const outcome = jobOutcome(job, pods);
    if (outcome.kind !== 'failed') return outcome;
    const last = (await lastWords(kube, ref, signal)).findLast((line) => line.trim() !== '');
    return { ...outcome, ...(last !== undefined && { last: last.slice(0, 200) }) };
  } catch (thrown) {
    // A cluster that refuses it says so again and again; one that is away is nothing that the Job says.
    if (!(thrown instanceof Fault) || thrown.retry === 'later') throw thrown;
    return unknown(`can’t be made: ${thrown.message.replace(/\.$/, '')}`);
  }
}

/** The Jobs of an analysis, each once for the phase that began at `since`. */
export function canaryJobs(kit: Kit, since: number, signal: AbortSignal, stable?: string): AskJob {
  return async (metric: JobMetric): Promise<Heard<Value>> => {
    const outcome = await lookAtJob(kit, metric, `${metric.name} ${since}`, signal, stable);
    const known = (verdict: NonNullable<Value['verdict']>, reason?: string): Heard<Value> => ({
      kind: 'known',
      known: { metric: metric.name, at: since, verdict, ...(reason !== undefined && { reason }) },
    });
    switch (outcome.kind) {
      case 'running':
        return known('running');
      case 'passed':
        return known('pass');
      case 'failed':
        return known('fail', outcome.last);
      case 'unknown':
        return { kind: 'unknown', why: `${metric.name}: its Job ${outcome.why}, and that` };
      default:
        return outcome satisfies never;
    }
  };
}
