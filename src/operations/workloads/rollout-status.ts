import { z } from 'zod';
import { at, type JsonObject } from '../../core/json.ts';
import type { Workload } from '../../core/kube.ts';
import { defineOperation, type RunContext } from '../../core/operation.ts';
import { EnvRef, WorkloadRef } from '../../core/place.ts';
import type { PodTrouble, Report } from '../../core/report.ts';
import { calledBy, workloadOf } from './find.ts';
import { heldUp } from './held-up.ts';
import { jobNote } from './job-words.ts';
import { podRow, podsOf } from './pods.ts';
import { workloadRoutes } from './routes.ts';

/** What is wrong, in the words of a tired person's colleague. */
const causes: Record<PodTrouble['code'], string> = {
  'image-pull': 'the image can’t be pulled',
  'crash-loop': 'the container starts and crashes',
  'no-room': 'no node has room for the pods',
  quota: 'the namespace’s quota is used up',
  'bad-config': 'a ConfigMap, Secret or setting it needs is missing or wrong',
  'not-ready': 'the pods run but don’t get ready',
  unheard: 'the controller has not taken up the change',
  unknown: 'the pods don’t get ready',
};

function troubleNote({ code, pod, detail, logs }: PodTrouble): string {
  const where = pod === undefined ? '' : ` (${pod})`;
  const last = logs.length > 0 ? ` Its last words: ${logs.slice(-3).join(' / ')}` : '';
  return `Stuck: ${causes[code]}${where}${detail === '' ? '' : `: ${detail}`}.${last}`;
}

/** Progressing's own reason, where the controller has given up waiting. */
function overdue(workload: JsonObject): string | undefined {
  const conditions = at(workload, 'status', 'conditions');
  const found = (Array.isArray(conditions) ? conditions : []).find(
    (condition) => at(condition, 'reason') === 'ProgressDeadlineExceeded',
  );
  return found === undefined ? undefined : String(at(found, 'message'));
}

function noteOf({ object, replicas, updated, ready, trouble }: Workload): string {
  if (object.kind === 'Job' || object.kind === 'CronJob') return jobNote(object, trouble && troubleNote(trouble));
  const counts = `${ready} of ${replicas} pods ready with the newest template, ${updated} updated.`;
  const held = heldUp(object);
  const reason = trouble ? troubleNote(trouble) : undefined;
  const late = trouble ? undefined : overdue(object);
  const waits = held === undefined ? undefined : `It does not go on: ${held}.`;
  const going = updated < replicas || ready < replicas ? 'It is under way.' : 'It is through.';
  return [counts, reason ?? waits ?? (late === undefined ? going : `Stuck: ${late}`), reason && waits]
    .filter((part) => part !== undefined)
    .join(' ');
}

async function read(run: RunContext<'kube', 'read'>): Promise<Report> {
  const { place, signal } = run;
  const kube = run.on.kube(place.cluster);
  const found = await workloadOf(kube, place, signal);
  const [workload, pods] = await Promise.all([kube.workload(found.ref, signal), podsOf(kube, found, signal)]);
  const age = (pod: JsonObject) => String(at(pod, 'metadata', 'creationTimestamp') ?? '');
  const newestFirst = pods.toSorted((a, b) => age(b).localeCompare(age(a)));
  return {
    kind: 'table',
    title: `${calledBy(place)} in ${place.env}`,
    columns: ['Pod', 'State', 'Ready', 'Restarts'],
    rows: newestFirst.map(podRow),
    ...(workload && { note: noteOf(workload) }),
  };
}

export const rolloutStatus = defineOperation({
  name: 'rollout-status',
  summary: 'Show how a rollout goes, and why it is stuck',
  effect: 'read',
  input: z.strictObject({ app: WorkloadRef, env: EnvRef }),
  usage: '<app> in <env>',
  examples: ['web in staging', 'statefulset/db in staging', 'job/migrate in staging'],
  routes: workloadRoutes({
    method: 'GET',
    path: '/status',
    summary: 'How the rollout goes',
    kinds: ['deployments', 'statefulsets', 'daemonsets', 'rollouts', 'jobs', 'cronjobs'],
  }),
  needs: ['kube'],
  permissions: [
    'get,list deployments.apps,statefulsets.apps,daemonsets.apps,rollouts.argoproj.io',
    'get,list,watch jobs.batch,cronjobs.batch',
    'list,watch pods,replicasets.apps',
    'get pods/log',
  ],
  steps: ['read'],
  target: ({ app, env }) => ({ app, env }),
  plan: async () => ({ summary: 'looks', changes: [], takesOver: [] }),
  run: (run) => run.step('read', () => read(run)),
});
