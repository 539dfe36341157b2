import { at, isObject, type Json, type JsonObject, text } from '../json.ts';
import { type Labels, labelsOf } from '../label-selector.ts';

/** What an object of any kind runs: read from its shape, so that kinds nobody here knows are seen through as well. */

/** A pod as somebody wants it, with the labels that its pods bear. */
export type PodSpec = { spec: JsonObject; labels: Labels; annotations: Json | undefined };

type Visit = { value: JsonObject; key: string; parent: JsonObject | undefined };

/** Every object within, itself first; what is about the object (metadata) is left out. Without recursion: depth is not ours. */
export function objectsIn(root: Json | undefined): Visit[] {
  const found: Visit[] = [];
  const queue: { value: Json; key: string; parent: JsonObject | undefined }[] =
    root === undefined ? [] : [{ value: root, key: '', parent: undefined }];
  for (let next = queue.pop(); next; next = queue.pop()) {
    const { value, key, parent } = next;
    if (Array.isArray(value)) queue.push(...value.map((each) => ({ value: each, key, parent })));
    if (!isObject(value)) continue;
    found.push({ value, key, parent });
    for (const [name, below] of Object.entries(value))
      if (name !== 'metadata') queue.push({ value: below, key: name, parent: value });
  }
  return found;
}

/** All pods that an object stands for: its own, or those of the templates in it. */
export function podSpecsIn(object: JsonObject | undefined): PodSpec[] {
  return objectsIn(object).flatMap(({ value, parent }) =>
    Array.isArray(value.containers) || Array.isArray(value.ephemeralContainers)
      ? [
          {
            spec: value,
            labels: labelsOf(at(parent, 'metadata', 'labels')),
            annotations: at(parent, 'metadata', 'annotations'),
          },
        ]
      : [],
  );
}

const entries = (value: Json | undefined): JsonObject[] => (Array.isArray(value) ? value.filter(isObject) : []);

/** The containers of a pod, of all kinds. */
export const containersIn = (spec: JsonObject): JsonObject[] =>
  [spec.initContainers, spec.containers, spec.ephemeralContainers].flatMap(entries);

/** The images that an object runs or mounts. */
export function imagesIn(object: JsonObject | undefined): string[] {
  const images = podSpecsIn(object).flatMap(({ spec }) => [
    ...containersIn(spec).map(({ image }) => text(image)),
    ...entries(spec.volumes).map((volume) => text(at(volume, 'image', 'reference'))),
  ]);
  return [...new Set(images.filter(Boolean))];
}

/** What pods take from their namespace, by kind: names of ConfigMaps, Secrets, ServiceAccounts and claims. */
export type Reads = Record<'ConfigMap' | 'Secret' | 'ServiceAccount' | 'PersistentVolumeClaim', ReadonlySet<string>>;

const fieldsOf: Record<string, keyof Reads> = {
  configMap: 'ConfigMap',
  configMapRef: 'ConfigMap',
  configMapKeyRef: 'ConfigMap',
  secret: 'Secret',
  secretRef: 'Secret',
  secretKeyRef: 'Secret',
  imagePullSecrets: 'Secret',
  nodePublishSecretRef: 'Secret',
  persistentVolumeClaim: 'PersistentVolumeClaim',
};

/** What the pods read. Without a service account of their own they have the one called `default`. */
export function readsOf(specs: readonly JsonObject[]): Reads {
  const found = {
    ConfigMap: new Set<string>(),
    Secret: new Set<string>(),
    ServiceAccount: new Set<string>(),
    PersistentVolumeClaim: new Set<string>(),
  };
  for (const spec of specs) {
    found.ServiceAccount.add(text(spec.serviceAccountName) || text(spec.serviceAccount) || 'default');
    for (const { value, key } of objectsIn(spec)) {
      const kind = Object.hasOwn(fieldsOf, key) ? fieldsOf[key] : undefined;
      const name = text(value.name) || text(value.secretName) || text(value.claimName);
      if (kind && name) found[kind].add(name);
    }
  }
  return found;
}
