import { choosesPods } from '../../../core/effects/app-objects.ts';
import { fault } from '../../../core/errors.ts';
import { at, type JsonObject, text } from '../../../core/json.ts';
import { knownKind, type WorkloadKind } from '../../../core/kinds.ts';
import { type Kube, refOf } from '../../../core/kube.ts';
import { type Labels, labelsOf, selectorText } from '../../../core/label-selector.ts';
import { isForAll, type NewWorkloads } from '../../../core/new-workloads.ts';
import { list } from '../../../core/observed.ts';
import type { Place } from '../../../core/place.ts';
import { nameOf } from '../../kubernetes/writes.ts';
import { listIfKnown } from '../canary/list-if-known.ts';
import { nameIn } from '../canary/parts.ts';

/** Kinds that run pods for ever: of those that one of these makes, it is what is told of. */
const running: readonly WorkloadKind[] = ['Deployment', 'StatefulSet', 'DaemonSet', 'Rollout'];
/** What a Job makes ends by itself. */
const theirs = new Set<string>([...running, 'ReplicaSet', 'Job']);

async function listed(kube: Kube, kind: WorkloadKind, namespace: string, signal: AbortSignal): Promise<JsonObject[]> {
  const of = { apiVersion: knownKind(kind)?.apiVersion ?? 'apps/v1', kind };
  // Where Argo Rollouts isn't installed, or is none of Shipmate's business, there is no Rollout.
  if (kind === 'Rollout') return await listIfKnown(kube, of, namespace, signal);
  return await kube.list({ ...of, namespace }, signal);
}

/** All workloads of a namespace whose pods are meant to stay. */
export async function workloadsIn(kube: Kube, namespace: string, signal: AbortSignal): Promise<JsonObject[]> {
  return (await Promise.all(running.map((kind) => listed(kube, kind, namespace, signal)))).flat();
}

/** What stands under the very name, and is of another kind. @throws Fault NAME_OF_OTHER_KIND */
export function checkKind({ app, namespace, kind, workload: name }: Place, workloads: readonly JsonObject[]): void {
  const other = workloads.find((object) => nameIn(object) === name && object.kind !== kind);
  if (!other) return;
  throw fault('NAME_OF_OTHER_KIND', { app, namespace, kind, name, other: text(other.kind) });
}

const isEnding = ({ metadata, status }: JsonObject) =>
  at(metadata, 'deletionTimestamp') !== undefined || ['Succeeded', 'Failed'].includes(text(at(status, 'phase')));

/** Who made a pod that no workload of those kinds did: an operator, a Job, or a person. */
function makerOf(pod: JsonObject): string | undefined {
  const maker = list(at(pod, 'metadata', 'ownerReferences')).find(({ controller }) => controller === true);
  if (maker && theirs.has(text(maker.kind))) return undefined;
  return maker ? nameOf({ kind: text(maker.kind), name: text(maker.name) }) : nameOf(refOf(pod));
}

/** Whose pods a Service leads to, if anybody else's. */
async function otherBehind(
  kube: Kube,
  { namespace, kind, workload }: Place,
  selector: Labels,
  workloads: readonly JsonObject[],
  signal: AbortSignal,
): Promise<string | undefined> {
  const other = workloads.find(
    (object) =>
      !(nameIn(object) === workload && object.kind === kind) &&
      choosesPods(selector, labelsOf(at(object, 'spec', 'template', 'metadata', 'labels'))),
  );
  if (other) return nameOf({ kind: text(other.kind), name: nameIn(other) });
  const labels = Object.entries(selector)
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
  const pods = await kube.list({ apiVersion: 'v1', kind: 'Pod', namespace, labels }, signal);
  return pods.filter((pod) => !isEnding(pod)).flatMap((pod) => makerOf(pod) ?? [])[0];
}

type Joined = {
  rules: NewWorkloads;
  services: readonly JsonObject[];
  made: JsonObject | undefined;
  workloads: readonly JsonObject[];
};

/**
 * The Services that would choose the new pods: where one leads to somebody else's as well, part of what is sent to those would come
 * to the new ones. One that goes by what all new workloads bear alike is meant for all of them.
 * @returns what whoever approves should know of those that choose them already
 * @throws Fault SERVICE_OF_ANOTHER
 */
export async function checkJoins(
  kube: Kube,
  place: Place,
  { rules, services, made, workloads }: Joined,
  signal: AbortSignal,
): Promise<string[]> {
  const { app, namespace, workload } = place;
  const warnings: string[] = [];
  for (const service of [...services, ...(made ? [made] : [])]) {
    const chosen = labelsOf(at(service, 'spec', 'selector'));
    const [name, selector] = [nameIn(service), selectorText({ matchLabels: { ...chosen } })];
    const other = isForAll(rules, service) ? undefined : await otherBehind(kube, place, chosen, workloads, signal);
    const leads = service === made ? 'would lead' : 'leads';
    if (other !== undefined) throw fault('SERVICE_OF_ANOTHER', { app, namespace, name, leads, selector, other });
    if (service === made) continue;
    const how = isForAll(rules, service, workload)
      ? ', as those of all new workloads, and leads to them'
      : ' as it is: no other is made, and it leads to them';
    warnings.push(`The Service ${name} chooses the new pods (${selector})${how}.`);
  }
  return warnings;
}
