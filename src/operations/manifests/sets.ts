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

/** Secrets are not listed: whoever may list them reads all of them. Their names are written here, and each is asked for by name. */
const secretsAnnotation = 'set.shipmate.dev/secrets';

type Named = Pick<Kind, 'apiVersion' | 'kind'>;
const keyOf = ({ apiVersion, kind }: Named) => `${apiVersion}/${kind}`;
const isSecret = ({ apiVersion, kind }: Named) => apiVersion === 'v1' && kind === 'Secret';
const isUsual = (kind: Named) => usual.some((each) => keyOf(each) === keyOf(kind));

function recorded(members: readonly JsonObject[], annotation: string): string[] {
  const written = members.map((member) => text(at(member, 'metadata', 'annotations', annotation)));
  return [...new Set(written.flatMap((each) => each.split(',')).filter(Boolean))];
}

function recordedKinds(members: readonly JsonObject[]): string[] {
  return recorded(members, kindsAnnotation);
}

function kindWritten(written: string): Named {
  const slash = written.lastIndexOf('/');
  return { apiVersion: written.slice(0, slash), kind: written.slice(slash + 1) };
}

/** Which object of a manifest bears word of the others: one that is always looked for, where there is one; never a Secret. */
export function bearerAmong(kinds: readonly Kind[]): number {
  const found = kinds.findIndex(isUsual);
  return found >= 0 ? found : kinds.findIndex((kind) => !kind.clusterWide && !isSecret(kind));
}

/** The object with word of the kinds beyond the usual ones, and of the Secrets that are there or come with it. */
export function withKinds(
  object: JsonObject,
  members: readonly JsonObject[],
  objects: readonly { kind: Kind; object: JsonObject }[],
): JsonObject {
  const kinds = objects.map(({ kind }) => kind);
  const own = kinds.filter((kind) => !kind.clusterWide && !isUsual(kind) && !isSecret(kind)).map(keyOf);
  const all = [...new Set([...recordedKinds(members), ...own])].sort();
  const secrets = [...members, ...objects.map((each) => each.object)].filter(({ kind }) => kind === 'Secret');
  const names = [...new Set(secrets.map((secret) => text(at(secret, 'metadata', 'name'))))].sort();
  if (all.length === 0 && names.length === 0) return object;
  const words = {
    ...(all.length > 0 && { [kindsAnnotation]: all.join(',') }),
    ...(names.length > 0 && { [secretsAnnotation]: names.join(',') }),
  };
  const metadata = isObject(object.metadata) ? object.metadata : {};
  const annotations = isObject(metadata.annotations) ? metadata.annotations : {};
  return { ...object, metadata: { ...metadata, annotations: { ...annotations, ...words } } };
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
  const rest = await listed(kube, set, namespace, vanished.map(kindWritten), signal);
  return [...first, ...rest, ...(await secretsOf(kube, { set, namespace, members: [...first, ...rest] }, signal))];
}

async function secretsOf(
  kube: Kube,
  { set, namespace, members }: { set: string; namespace: string; members: readonly JsonObject[] },
  signal: AbortSignal,
): Promise<JsonObject[]> {
  const names = recorded(members, secretsAnnotation);
  const found = await Promise.all(
    names.map((name) => kube.read({ apiVersion: 'v1', kind: 'Secret', namespace, name }, signal)),
  );
  const isMember = (secret: JsonObject) =>
    Object.entries(setLabels(set)).every(([name, value]) => at(secret, 'metadata', 'labels', name) === value) &&
    at(secret, 'metadata', 'deletionTimestamp') === undefined;
  return found.filter((secret) => secret !== undefined).filter(isMember);
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
  const all = new Map(kinds.filter((kind) => !isSecret(kind)).map((kind) => [keyOf(kind), kind]));
  const lists = [...all.values()].map(({ apiVersion, kind }) =>
    listKnown(kube, { apiVersion, kind, namespace, labels }, signal),
  );
  const found = (await Promise.all(lists)).flat();
  return found.filter((object) => at(object, 'metadata', 'deletionTimestamp') === undefined);
}
