import { at, isObject, type Json, type JsonObject, text } from '../../core/json.ts';
import type { Kube } from '../../core/kube.ts';
import { listOf, nameIn } from './found.ts';

/** What is on a node, and what moving it away would mean. */

export const namespaceIn = (object: JsonObject): string => text(at(object, 'metadata', 'namespace'));
export const podName = (pod: JsonObject): string => `${namespaceIn(pod)}/${nameIn(pod)}`;

const ownerOf = (pod: JsonObject) =>
  listOf(at(pod, 'metadata', 'ownerReferences')).find(({ controller }) => controller === true);
const isOver = (pod: JsonObject) => ['Succeeded', 'Failed'].includes(text(at(pod, 'status', 'phase')));

/** Static pods belong to the node's own kubelet, and DaemonSet pods would be there again at once: both stay. */
function stays(pod: JsonObject): boolean {
  const mirror = at(pod, 'metadata', 'annotations', 'kubernetes.io/config.mirror') !== undefined;
  return mirror || ownerOf(pod)?.kind === 'DaemonSet';
}

/** What nobody brings back: a pod without a controller, or the contents of its emptyDir volumes. */
export function lossOf(pod: JsonObject): 'pod' | 'data' | undefined {
  if (isOver(pod)) return undefined;
  if (!ownerOf(pod)) return 'pod';
  return listOf(at(pod, 'spec', 'volumes')).some((volume) => volume.emptyDir !== undefined) ? 'data' : undefined;
}

/** The pods of a node that are to go. */
export async function podsOf(kube: Kube, node: string, signal: AbortSignal): Promise<JsonObject[]> {
  const everywhere = { apiVersion: 'v1', kind: 'Pod', namespace: '', fields: `spec.nodeName=${node}` };
  const all = await kube.list(everywhere, signal);
  return all.filter((pod) => !stays(pod));
}

/** What a plan calls the pods of one controller, or a pod that has none. */
export function makerOf(pod: JsonObject): string {
  const owner = ownerOf(pod);
  return owner ? `${text(owner.kind)} ${namespaceIn(pod)}/${text(owner.name)}` : `Pod ${podName(pod)}`;
}

export type Group = { who: string; loss: 'pod' | 'data' | undefined; count: number };

/**
 * The pods by what makes them. A plan speaks of these and not of pods, whose names change all the time: an approval
 * would be void before it is given.
 */
export function groupsOf(pods: readonly JsonObject[]): Group[] {
  const groups = new Map<string, Group>();
  for (const pod of pods) {
    const who = makerOf(pod);
    const known = groups.get(who);
    groups.set(who, { who, loss: known?.loss ?? lossOf(pod), count: (known?.count ?? 0) + 1 });
  }
  return [...groups.values()].sort((a, b) => (a.who < b.who ? -1 : 1));
}

function expressionHolds(labels: JsonObject, { key, operator, values }: JsonObject): boolean {
  const value = labels[text(key)];
  const among = Array.isArray(values) && value !== undefined && values.includes(value);
  switch (operator) {
    case 'In':
      return among;
    case 'NotIn':
      return !among;
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    default:
      return false;
  }
}

function selects(selector: Json | undefined, pod: JsonObject): boolean {
  const found = at(pod, 'metadata', 'labels');
  const labels = isObject(found) ? found : {};
  const wanted = at(selector, 'matchLabels');
  const equal = Object.entries(isObject(wanted) ? wanted : {}).every(([key, value]) => labels[key] === value);
  return equal && listOf(at(selector, 'matchExpressions')).every((each) => expressionHolds(labels, each));
}

/** The budgets that would not let any of these pods go right now. */
export function tightBudgets(budgets: readonly JsonObject[], pods: readonly JsonObject[]): string[] {
  return budgets
    .filter((budget) => (at(budget, 'status', 'disruptionsAllowed') ?? 0) === 0)
    .filter((budget) =>
      pods.some((pod) => namespaceIn(pod) === namespaceIn(budget) && selects(at(budget, 'spec', 'selector'), pod)),
    )
    .map((budget) => `${namespaceIn(budget)}/${nameIn(budget)}`);
}
