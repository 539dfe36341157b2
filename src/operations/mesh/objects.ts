import { type Edit, type EditStep, same, valueAt } from '../../core/edits.ts';
import { Fault, fault } from '../../core/errors.ts';
import { at, isObject, type Json, type JsonObject, text } from '../../core/json.ts';
import type { Kube, ObjectRef } from '../../core/kube.ts';
import { didYouMean } from '../../core/near.ts';
import { ownLabels } from '../../core/ours.ts';
import { list, nameIn } from '../kubernetes/reading.ts';
import { missing } from '../kubernetes/writes.ts';

/** Istio's kinds, in the versions that are stable since 1.22. https://istio.io/latest/docs/reference/config/ */
export const meshKinds = {
  VirtualService: 'networking.istio.io/v1',
  DestinationRule: 'networking.istio.io/v1',
  Gateway: 'networking.istio.io/v1',
  ServiceEntry: 'networking.istio.io/v1',
  Sidecar: 'networking.istio.io/v1',
  PeerAuthentication: 'security.istio.io/v1',
  AuthorizationPolicy: 'security.istio.io/v1',
  RequestAuthentication: 'security.istio.io/v1',
  Telemetry: 'telemetry.istio.io/v1',
} as const;
export type MeshKind = keyof typeof meshKinds;

export const meshRef = (kind: MeshKind, namespace: string, name: string): ObjectRef => ({
  apiVersion: meshKinds[kind],
  kind,
  namespace,
  name,
});

/** A new object of the mesh, which bears that Shipmate made it. */
export const meshObject = (kind: MeshKind, namespace: string, name: string, spec: JsonObject): JsonObject => ({
  apiVersion: meshKinds[kind],
  kind,
  metadata: { name, namespace, labels: ownLabels },
  spec,
});

/** A cluster without Istio is said to be that. */
async function inMesh<Result>(kind: MeshKind, asked: Promise<Result>): Promise<Result> {
  return await asked.catch((thrown: unknown) => {
    const unknown = thrown instanceof Fault && thrown.code === 'UNKNOWN_KIND';
    throw unknown ? fault('NO_MESH', { kind, apiVersion: meshKinds[kind] }, thrown) : thrown;
  });
}

/** All objects of a kind in a namespace. @throws Fault NO_MESH */
export const meshList = (kube: Kube, kind: MeshKind, namespace: string, signal: AbortSignal): Promise<JsonObject[]> =>
  inMesh(kind, kube.list({ apiVersion: meshKinds[kind], kind, namespace }, signal));

/** Whether a host of Istio means a Service: by its name alone, or with more and more of its domain. */
export function meansService(host: Json | undefined, service: string, namespace: string): boolean {
  const [name, ...domain] = text(host).split('.');
  const whole = [namespace, 'svc', 'cluster', 'local'];
  return name === service && domain.length <= whole.length && domain.every((part, index) => part === whole[index]);
}

/** The Service of this name. @throws Fault NO_SUCH_OBJECT, with the nearest name */
export async function serviceCalled(
  kube: Kube,
  namespace: string,
  name: string,
  signal: AbortSignal,
): Promise<JsonObject> {
  const all = await kube.list({ apiVersion: 'v1', kind: 'Service', namespace }, signal);
  const found = all.find((each) => nameIn(each) === name);
  if (found) return found;
  throw missing({ apiVersion: 'v1', kind: 'Service', namespace, name }, didYouMean(name, all.map(nameIn)));
}

/** Who keeps an object and would set back what is changed by hand, where it bears the mark of one who does. */
export function keeperOf(object: JsonObject | undefined): string | undefined {
  const labels = at(object, 'metadata', 'labels');
  const annotations = at(object, 'metadata', 'annotations');
  const owner = list(at(object, 'metadata', 'ownerReferences')).find(({ controller }) => controller === true);
  if (owner)
    return owner.kind === 'Canary' ? `Flagger (Canary/${text(owner.name)})` : `${text(owner.kind)}/${text(owner.name)}`;
  if (at(annotations, 'argocd.argoproj.io/tracking-id') || at(labels, 'argocd.argoproj.io/instance')) return 'Argo CD';
  if (at(labels, 'kustomize.toolkit.fluxcd.io/name') || at(labels, 'helm.toolkit.fluxcd.io/name')) return 'Flux';
  if (at(labels, 'app.kubernetes.io/managed-by') === 'Helm')
    return `Helm (${text(at(annotations, 'meta.helm.sh/release-name')) || 'a release'})`;
  return undefined;
}

/** What a plan says of the keepers of what it changes. */
export function keepersText(objects: readonly (JsonObject | undefined)[]): string {
  const kept = objects.flatMap((object) => {
    const keeper = keeperOf(object);
    return object && keeper !== undefined ? [`${text(object.kind)}/${nameIn(object)} is kept by ${keeper}`] : [];
  });
  return kept.length > 0 ? `; ${kept.join(', ')}, which may set it back: change it there too` : '';
}

/** The edit that makes a field what it is to be; undefined takes it away. */
export function editTo(object: JsonObject | undefined, path: readonly EditStep[], to: Json | undefined): Edit {
  const from = valueAt(object, path);
  return { path: [...path], ...(from !== undefined && { from }), ...(to !== undefined && { to }) };
}

/** An edit that changes nothing, and fails where the field is not what it was. */
export const guard = (object: JsonObject, path: readonly EditStep[]): Edit =>
  editTo(object, path, valueAt(object, path));

export const changes = ({ from, to }: Edit): boolean => !same(from, to);

/** Labels as a selector of the mesh; none means the whole namespace. */
export const selectorOf = (labels: Json | undefined): JsonObject =>
  isObject(labels) && Object.keys(labels).length > 0 ? { selector: { matchLabels: labels } } : {};
