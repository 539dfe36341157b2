import { at, isObject, type JsonObject, text } from '../../core/json.ts';
import { type Kind, knownKind } from '../../core/kinds.ts';
import type { Kube } from '../../core/kube.ts';
import { ownLabels } from '../../core/ours.ts';
import { listKnown } from '../kubernetes/list-known.ts';

/** A set is what was applied under one name; its objects bear these labels. */
export const setLabels = (set: string): Record<string, string> => ({
  ...ownLabels,
  'shipmate.dev/set': set,
});

/** Where members of a set are looked for, beside the kinds that the manifest itself has. */
const usual = [
  'ConfigMap',
  'Secret',
  'ServiceAccount',
  'Service',
  'PersistentVolumeClaim',
  'Deployment',
  'StatefulSet',
  'DaemonSet',
  'Job',
  'CronJob',
  'Ingress',
  'NetworkPolicy',
  'HTTPRoute',
  'PodDisruptionBudget',
  'HorizontalPodAutoscaler',
  'VerticalPodAutoscaler',
  'ScaledObject',
  'Rollout',
].flatMap((name) => knownKind(name) ?? []);

/** Written on one member of a set: the other kinds that were ever applied under its name, or they would not be found again. */
const kindsAnnotation = 'set.shipmate.dev/kinds';

type Named = Pick<Kind, 'apiVersion' | 'kind'>;
const keyOf = ({ apiVersion, kind }: Named) => `${apiVersion}/${kind}`;
const isUsual = (kind: Named) => usual.some((each) => keyOf(each) === keyOf(kind));

function recordedKinds(members: readonly JsonObject[]): string[] {
  const written = members.map((member) => text(at(member, 'metadata', 'annotations', kindsAnnotation)));
  return written.flatMap((each) => each.split(',')).filter(Boolean);
}

function kindWritten(written: string): Named {
  const slash = written.lastIndexOf('/');
  return { apiVersion: written.slice(0, slash), kind: written.slice(slash + 1) };
}

/** Which object of a manifest bears word of the others' kinds: one that is always looked for, where there is one. */
export function bearerAmong(kinds: readonly Kind[]): number {
  const found = kinds.findIndex(isUsual);
  return found >= 0 ? found : kinds.findIndex(({ clusterWide }) => !clusterWide);
}

/** The object with word of the kinds beyond the usual ones. */
export function withKinds(object: JsonObject, members: readonly JsonObject[], kinds: readonly Kind[]): JsonObject {
  const own = kinds.filter((kind) => !kind.clusterWide && !isUsual(kind)).map(keyOf);
  const all = [...new Set([...recordedKinds(members), ...own])].sort();
  if (all.length === 0) return object;
  const metadata = isObject(object.metadata) ? object.metadata : {};
  const annotations = isObject(metadata.annotations) ? metadata.annotations : {};
  return { ...object, metadata: { ...metadata, annotations: { ...annotations, [kindsAnnotation]: all.join(',') } } };
}

/**
 * All objects of a namespace that were applied under the set's name: of the usual kinds, of `more`, and of those that its
 * members have word of. A kind that the cluster lacks has none.
 */
export async function membersOf(
  kube: Kube,
  { set, namespace, more }: { set: string; namespace: string; more: readonly Kind[] },
  signal: AbortSignal,
): Promise<JsonObject[]> {
  const known = [...usual, ...more.filter(({ clusterWide }) => !clusterWide)];
  const first = await listed(kube, set, namespace, known, signal);
  const seen = new Set(known.map(keyOf));
  const vanished = recordedKinds(first).filter((written) => !seen.has(written));
  return [...first, ...(await listed(kube, set, namespace, vanished.map(kindWritten), signal))];
}

async function listed(
  kube: Kube,
  set: string,
  namespace: string,
  kinds: readonly Named[],
  signal: AbortSignal,
): Promise<JsonObject[]> {
  const labels = Object.entries(setLabels(set))
    .map(([name, value]) => `${name}=${value}`)
    .join(',');
  const all = new Map(kinds.map((kind) => [keyOf(kind), kind]));
  const lists = [...all.values()].map(({ apiVersion, kind }) =>
    listKnown(kube, { apiVersion, kind, namespace, labels }, signal),
  );
  const found = (await Promise.all(lists)).flat();
  return found.filter((object) => at(object, 'metadata', 'deletionTimestamp') === undefined);
}
