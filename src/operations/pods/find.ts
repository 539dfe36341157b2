import { fault } from '../../core/errors.ts';
import { at, type JsonObject, text } from '../../core/json.ts';
import { knownKind, type WorkloadKind } from '../../core/kinds.ts';
import type { Kube, ObjectRef } from '../../core/kube.ts';
import { spanText } from '../../core/moments.ts';
import { didYouMean } from '../../core/near.ts';
import type { Permission, PlanContext } from '../../core/operation.ts';
import type { Place } from '../../core/place.ts';
import { list, nameIn } from './raw.ts';
import { podNamed, workloadOfPodName } from './subject.ts';

/** Which pods are meant; without an app all of the environment. */
export type Wanted = { app?: string | undefined; pod?: string | undefined };
/** The pods, and when they were last known to be so. */
export type Found = { pods: JsonObject[]; asOf: number };

type Context = Pick<PlanContext<'kube'>, 'on' | 'place' | 'site' | 'signal'>;

/** What finding pods needs to be allowed. */
export const findPermissions = [
  'get,list,watch pods',
  'get,list,watch replicasets.apps',
  'get,list,watch jobs.batch',
  'get deployments.apps,statefulsets.apps,daemonsets.apps,cronjobs.batch',
] as const satisfies readonly Permission[];

/** A picture older than this is said to be old. */
const freshMs = 15_000;

/** What stands between a workload and its pods. */
const between: Partial<Record<WorkloadKind, 'ReplicaSet' | 'Job'>> = {
  Deployment: 'ReplicaSet',
  Rollout: 'ReplicaSet',
  CronJob: 'Job',
};

type Controller = { apiVersion: string; kind: string; name: string };

/** Whoever makes and replaces the object. */
export function controllerOf(object: JsonObject | undefined): Controller | undefined {
  const found = list(at(object, 'metadata', 'ownerReferences')).find(({ controller }) => controller === true);
  return found && { apiVersion: text(found.apiVersion), kind: text(found.kind), name: text(found.name) };
}

export const podRef = (namespace: string, name: string): ObjectRef => ({
  apiVersion: 'v1',
  kind: 'Pod',
  namespace,
  name,
});

export const refOfPlace = ({ kind, namespace, workload }: Place): ObjectRef => ({
  apiVersion: knownKind(kind)?.apiVersion ?? 'apps/v1',
  kind,
  namespace,
  name: workload,
});

/** The pods of the place's workload, with the names of the ReplicaSets or Jobs between. */
export async function podsOfWorkload(
  kube: Kube,
  place: Place,
  signal: AbortSignal,
): Promise<Found & { middles: string[] }> {
  const { kind, namespace, workload } = place;
  const middle = between[kind];
  const [pods, middles] = await Promise.all([
    kube.look('Pod', namespace, signal),
    middle && kube.look(middle, namespace, signal),
  ]);
  const isIts = (object: JsonObject) => {
    const controller = controllerOf(object);
    return controller?.kind === kind && controller.name === workload;
  };
  const names = (middles?.objects ?? []).filter(isIts).map(nameIn);
  const viaMiddle = (pod: JsonObject) => {
    const controller = controllerOf(pod);
    return controller?.kind === middle && names.includes(controller?.name ?? '');
  };
  const found = pods.objects.filter(middle ? viaMiddle : isIts);
  if (found.length === 0 && !(await kube.read(refOfPlace(place), signal))) throw fault('NOT_DEPLOYED', place);
  return { pods: found, asOf: pods.asOf, middles: names };
}

/** The workload at the top of a pod's line of owners, as `deployment/web`; undefined where there is none. */
async function workloadOf(
  kube: Kube,
  pod: JsonObject,
  namespace: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const controller = controllerOf(pod);
  if (!controller) return undefined;
  const isMiddle = controller.kind === 'ReplicaSet' || controller.kind === 'Job';
  const above = isMiddle ? controllerOf(await kube.read({ ...controller, namespace }, signal)) : undefined;
  const top = above ?? controller;
  return `${top.kind.toLowerCase()}/${top.name}`;
}

/** One pod by its name. What the name made policy and locks believe must be true. */
async function podCalled(kube: Kube, name: string, namespace: string, signal: AbortSignal): Promise<JsonObject> {
  const pod = await kube.read(podRef(namespace, name), signal);
  if (!pod) {
    const { objects } = await kube.look('Pod', namespace, signal);
    throw fault('NO_SUCH_OBJECT', { kind: 'Pod', name, where: namespace, near: didYouMean(name, objects.map(nameIn)) });
  }
  const [believed, owner] = [workloadOfPodName(name), await workloadOf(kube, pod, namespace, signal)];
  if (believed === owner) return pod;
  const problem = owner
    ? `The pod ${name} belongs to ${owner}: ask for it as “${owner} pod=${name}”.`
    : `The pod ${name} belongs to no workload, though its name looks like one of ${believed}.`;
  throw fault('BAD_INPUT', { problem });
}

function partOf(pods: JsonObject[], part: string, namespace: string): JsonObject[] {
  const found = pods.filter((pod) => nameIn(pod) === part || nameIn(pod).endsWith(`-${part}`));
  if (found.length > 0) return found;
  const ends = pods.map((pod) => nameIn(pod).split('-').at(-1) ?? '');
  const near = didYouMean(part, [...pods.map(nameIn), ...ends]);
  throw fault('NO_SUCH_OBJECT', { kind: 'Pod', name: part, where: namespace, near });
}

const byName = (a: JsonObject, b: JsonObject) => (nameIn(a) < nameIn(b) ? -1 : 1);

/**
 * The pods that are meant, by name. A workload that is there may well have none.
 * @throws Fault NOT_DEPLOYED, NO_SUCH_OBJECT, BAD_INPUT
 */
export async function findPods(context: Context, { app, pod }: Wanted): Promise<Found> {
  const { site, signal } = context;
  const kube = context.on.kube(site.cluster);
  const single = podNamed(app);
  if (single !== undefined) return { pods: [await podCalled(kube, single, site.namespace, signal)], asOf: Date.now() };
  if (app === undefined) {
    const { objects, asOf } = await kube.look('Pod', site.namespace, signal);
    return { pods: [...objects].sort(byName), asOf };
  }
  const { pods, asOf } = await podsOfWorkload(kube, context.place, signal);
  const chosen = pod === undefined ? pods : partOf(pods, pod, site.namespace);
  return { pods: [...chosen].sort(byName), asOf };
}

/** Said beside a picture that is not of now. */
export function ageNote(asOf: number, now: number): string | undefined {
  return now - asOf < freshMs ? undefined : `As it was ${spanText(now - asOf)} ago: the cluster does not answer.`;
}
