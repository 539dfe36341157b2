import { z } from 'zod';
import { at, isObject, type JsonObject } from '../../core/json.ts';
import { knownKind } from '../../core/kinds.ts';
import type { Kube, ObjectRef } from '../../core/kube.ts';
import { defineOperation, type PlanContext } from '../../core/operation.ts';
import { EnvRef, WorkloadRef } from '../../core/place.ts';
import type { Draft } from '../../core/plan.ts';
import { nameIn } from '../kubernetes/reading.ts';
import { nameOf, planWrites, runWrites, writeSteps } from '../kubernetes/writes.ts';
import { type Found, workloadOf } from './find.ts';
import { ownRoutes } from './own-routes.ts';
import { podsOf } from './pods.ts';
import { workloadRoutes } from './routes.ts';
import { scalersOf } from './scaler.ts';

const All = z
  .boolean('must be yes or no')
  .default(false)
  .describe(
    'Also the autoscalers that target it, the Services that select nothing else, and the routes made for those',
  );

/** Whether a Service's (non-empty) selector fits the labels of a workload's pods. */
function selects(service: JsonObject, workload: JsonObject): boolean {
  const selector = at(service, 'spec', 'selector');
  const labels = at(workload, 'spec', 'template', 'metadata', 'labels');
  const pairs = isObject(selector) ? Object.entries(selector) : [];
  return pairs.length > 0 && isObject(labels) && pairs.every(([key, value]) => labels[key] === value);
}

const refAs = (kind: string, namespace: string, name: string): ObjectRef => ({
  apiVersion: knownKind(kind)?.apiVersion ?? 'v1',
  kind,
  namespace,
  name,
});

type Around = { scalers: ObjectRef[]; services: ObjectRef[]; shared: ObjectRef[]; routes: ObjectRef[] };

/** The Services and autoscalers that would be left pointing at nothing; a Service may be shared with other workloads. */
async function around(kube: Kube, { ref, live }: Found, signal: AbortSignal): Promise<Around> {
  const { namespace } = ref;
  const list = (kind: string, apiVersion: string) => kube.list({ kind, apiVersion, namespace }, signal);
  const [scalers, services, ...others] = await Promise.all([
    scalersOf(kube, ref, signal),
    list('Service', 'v1'),
    list('Deployment', 'apps/v1'),
    list('StatefulSet', 'apps/v1'),
    list('DaemonSet', 'apps/v1'),
  ]);
  const uid = at(live, 'metadata', 'uid');
  const neighbours = others.flat().filter((object) => at(object, 'metadata', 'uid') !== uid);
  const ours = services.filter((service) => selects(service, live));
  const isShared = (service: JsonObject) => neighbours.some((neighbour) => selects(service, neighbour));
  const alone = ours.filter((service) => !isShared(service));
  const refs = (objects: JsonObject[]) => objects.map((object) => refAs('Service', namespace, nameIn(object)));
  return {
    scalers: scalers.map(({ kind, name }) => refAs(kind, namespace, name)),
    services: refs(alone),
    routes: await ownRoutes(kube, namespace, alone.map(nameIn), signal),
    shared: refs(ours.filter(isShared)),
  };
}

const mostNames = 6;

function podsText(pods: readonly JsonObject[]): string {
  if (pods.length === 0) return 'no pods';
  const names = pods.map((pod) => String(at(pod, 'metadata', 'name')));
  const shown = [...names.slice(0, mostNames), ...(names.length > mostNames ? ['…'] : [])].join(', ');
  return names.length === 1 ? `its pod ${shown}` : `its ${names.length} pods (${shown})`;
}

function leftText(left: readonly ObjectRef[], shared: readonly ObjectRef[]): string[] {
  const lead = left.length === 1 ? 'leads' : 'lead';
  return [
    ...(left.length > 0
      ? [`${left.map(nameOf).join(', ')} would then ${lead} nowhere (all=yes deletes that too)`]
      : []),
    ...(shared.length > 0 ? [`${shared.map(nameOf).join(', ')} stays: other workloads use it`] : []),
  ];
}

async function plan({ on, place, signal }: PlanContext<'kube'>, all: boolean): Promise<Draft> {
  const kube = on.kube(place.cluster);
  const found = await workloadOf(kube, place, signal);
  const [pods, { scalers, services, shared, routes }] = await Promise.all([
    podsOf(kube, found, signal),
    around(kube, found, signal),
  ]);
  const hanging = [...scalers, ...services, ...routes];
  // The autoscaler goes first: it would find its target missing.
  const doomed = all ? [...scalers, found.ref, ...routes, ...services] : [found.ref];
  const wishes = doomed.map((ref) => ({ kind: 'remove' as const, ref }));
  const claims = at(found.live, 'spec', 'volumeClaimTemplates');
  const kept = Array.isArray(claims) && claims.length > 0 ? ['the volumes of its pods stay'] : [];
  return {
    ...(await planWrites(kube, wishes, signal)),
    summary: [
      `deletes ${doomed.map(nameOf).join(', ')} with ${podsText(pods)}`,
      ...leftText(all ? [] : hanging, shared),
      ...kept,
    ].join('; '),
  };
}

export const workloadDelete = defineOperation({
  name: 'workload-delete',
  summary: 'Delete a workload and its pods',
  effect: 'change',
  input: z.strictObject({ app: WorkloadRef, env: EnvRef, all: All }),
  usage: '<app> in <env> [all=<all>]',
  examples: ['web in staging', 'statefulset/db in staging all=yes', 'job/migrate in staging'],
  routes: workloadRoutes({
    method: 'DELETE',
    path: '',
    summary: 'Delete with its pods',
    kinds: ['deployments', 'statefulsets', 'daemonsets', 'rollouts', 'jobs', 'cronjobs'],
    more: { all: All },
  }),
  needs: ['kube'],
  permissions: [
    'get,list,delete deployments.apps,statefulsets.apps,daemonsets.apps,rollouts.argoproj.io,jobs.batch,cronjobs.batch',
    'get,list,delete services,horizontalpodautoscalers.autoscaling,scaledobjects.keda.sh',
    'get,list,delete virtualservices.networking.istio.io,destinationrules.networking.istio.io',
    'list,watch pods,replicasets.apps,jobs.batch',
  ],
  steps: writeSteps,
  target: ({ app, env }) => ({ app, env }),
  plan: (context, { all }) => plan(context, all),
  run: (run) => runWrites(run),
});
