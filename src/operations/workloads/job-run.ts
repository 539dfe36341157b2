import { z } from 'zod';
import { fault } from '../../core/errors.ts';
import { at, isObject, type JsonObject } from '../../core/json.ts';
import { type Kube, type ObjectRef, type RolloutEnd, refOf } from '../../core/kube.ts';
import { defineOperation, type PlanContext, type RunContext, type StepContext } from '../../core/operation.ts';
import { EnvRef } from '../../core/place.ts';
import type { Draft } from '../../core/plan.ts';
import type { Report } from '../../core/report.ts';
import { planCreate } from '../kubernetes/edit-write.ts';
import { doWrites } from '../kubernetes/writes.ts';
import { CronName, cronOf, cronRoute, cronTarget } from './cron.ts';
import { imagesOfTemplate } from './to-revision.ts';

const steps = ['create', 'follow'] as const;
type JobRun = RunContext<'kube', (typeof steps)[number]>;

/** A Job may well take hours; one without an end of its own is not waited for longer. */
const longestMs = 24 * 3_600_000;
const tailLines = 20;
const nameMost = 63;

/** The Job that a CronJob would make, as `kubectl create job --from` does; its name comes with the run. */
function jobOf({ ref, live }: { ref: ObjectRef; live: JsonObject }): JsonObject {
  const template = at(live, 'spec', 'jobTemplate');
  const of = (field: string) => {
    const found = at(template, 'metadata', field);
    return isObject(found) ? found : {};
  };
  const uid = at(live, 'metadata', 'uid') ?? '';
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      namespace: ref.namespace,
      labels: of('labels'),
      annotations: { ...of('annotations'), 'cronjob.kubernetes.io/instantiate': 'manual' },
      ownerReferences: [{ apiVersion: 'batch/v1', kind: 'CronJob', name: ref.name, uid, controller: true }],
    },
    spec: at(template, 'spec') ?? {},
  };
}

const withName = (job: JsonObject, name: string): JsonObject => ({
  ...job,
  metadata: { ...(isObject(job.metadata) ? job.metadata : {}), name },
});

async function plan({ on, place, signal }: PlanContext<'kube'>): Promise<Draft> {
  const kube = on.kube(place.cluster);
  const found = await cronOf(kube, place, signal);
  const job = jobOf(found);
  const tried = withName(job, jobName(place.workload, 'dryrun'));
  const { write } = await planCreate(kube, tried, signal);
  const template = at(job, 'spec', 'template');
  const images = isObject(template) ? imagesOfTemplate(template) : '';
  const suspended = at(found.live, 'spec', 'suspend') === true ? ' (it is suspended, and stays so)' : '';
  return {
    summary: `runs ${place.workload} now: ${images}${suspended}`,
    changes: [{ path: `Job/${jobName(place.workload, 'RUN')}`, to: `made of CronJob/${place.workload}` }],
    takesOver: [],
    manifest: job,
    like: found.ref,
    answer: write.answer,
  };
}

/** The same name however often the step is repeated. */
const jobName = (cron: string, run: string): string => `${cron.slice(0, nameMost - run.length - 1)}-${run}`;

/** The newest of the Job's pods says what it did. */
export async function lastWords(kube: Kube, { namespace, name }: ObjectRef, signal: AbortSignal): Promise<string[]> {
  const labels = `batch.kubernetes.io/job-name=${name}`;
  const pods = await kube.list({ apiVersion: 'v1', kind: 'Pod', namespace, labels }, signal);
  const age = (pod: JsonObject) => String(at(pod, 'metadata', 'creationTimestamp') ?? '');
  const newest = pods.toSorted((a, b) => age(b).localeCompare(age(a)))[0];
  if (!newest) return [];
  const ref = { apiVersion: 'v1', kind: 'Pod', namespace, name: String(at(newest, 'metadata', 'name')) };
  const container = String(at(newest, 'spec', 'containers', 0, 'name') ?? '') || undefined;
  const lines: string[] = [];
  try {
    for await (const line of kube.logs(ref, { ...(container !== undefined && { container }), tailLines }, signal))
      lines.push(line.replace(/^\S+ ?/, ''));
  } catch {
    // The pod may be gone already; what the Job came to is known without its words.
  }
  return lines.slice(-tailLines);
}

function reportOf(end: RolloutEnd, job: string, lines: string[], seconds: number): Report {
  const { replicas, ready } = end;
  switch (end.kind) {
    case 'complete':
      return { kind: 'text', title: `${job} is done`, text: lines.join('\n'), note: `complete after ${seconds} s` };
    case 'failed':
      return { kind: 'rollout-failed', replicas, ready, trouble: { ...end.trouble, logs: lines } };
    case 'timed-out':
      return { kind: 'rollout-timed-out', replicas, ready, trouble: { ...end.trouble, logs: lines }, seconds };
    case 'superseded':
      return { kind: 'superseded', ...(end.by !== undefined && { by: end.by }) };
    case 'paused':
      return { kind: 'changed', objects: [`Job/${job}`], note: end.why };
    default:
      return end satisfies never;
  }
}

async function follow(run: JobRun, ref: ObjectRef, { startedAt, note, log, signal }: StepContext): Promise<Report> {
  const kube = run.on.kube(run.place.cluster);
  const seen = ({ replicas, updated, ready }: { replicas: number; updated: number; ready: number }) =>
    note(`${ready} of ${replicas} done, ${updated - ready} running`);
  const end = await kube.follow(ref, { run: run.id, deadline: startedAt + longestMs, seen }, signal);
  const lines = await lastWords(kube, ref, signal);
  if (lines.length > 0) log(lines.join('\n'));
  return reportOf(end, ref.name, lines, Math.round((run.now() - startedAt) / 100) / 10);
}

export const jobRun = defineOperation({
  name: 'job-run',
  summary: 'Run a CronJob now, and follow it to its end',
  effect: 'change',
  input: z.strictObject({ name: CronName, env: EnvRef }),
  usage: '<name> in <env>',
  examples: ['report in staging'],
  routes: [cronRoute('run', 'Run a CronJob now')],
  needs: ['kube'],
  permissions: ['get,list cronjobs.batch', 'get,list,watch,create jobs.batch', 'list,watch pods', 'get pods/log'],
  steps,
  limits: { run: longestMs + 3_600_000, steps: { follow: longestMs + 60_000 } },
  target: cronTarget,
  plan,
  run: async (run) => {
    if (!run.plan.manifest) throw fault('INTERNAL', { problem: 'a plan without a Job', run: run.id });
    const manifest = withName(run.plan.manifest, jobName(run.place.workload, run.id));
    const plan = { ...run.plan, writes: [{ kind: 'create' as const, manifest, answer: run.plan.answer ?? '' }] };
    const ref = refOf(manifest);
    await run.step('create', async (step) => {
      await doWrites({ id: run.id, plan }, run.on.kube(run.place.cluster), step);
    });
    return await run.step('follow', (step) => follow(run, ref, step));
  },
});
