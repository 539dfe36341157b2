import { at, isObject, type Json, type JsonObject, text } from '../json.ts';
import { type Labels, labelsOf } from '../label-selector.ts';

/** What an object of any kind runs: read from its shape, so that kinds nobody here knows are seen through as well. */

/** A pod as somebody wants it, with the labels that its pods bear. */
export type PodSpec = { spec: JsonObject; labels: Labels; annotations: Json | undefined };

/** One object within another: the field that holds it, what has that field, and the way there from the whole. */
export type Visit = { value: JsonObject; key: string; parent: JsonObject | undefined; place: string };

const step = (name: string) => (/^\w+$/.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`);

/** Entries of a list go by their names, so that their order says nothing; by number where names don't tell them apart. */
function placesIn(list: readonly Json[], place: string): string[] {
  const names = list.map((each) => text(at(each, 'name')));
  const told = !names.includes('') && new Set(names).size === names.length;
  return names.map((name, n) => `${place}[${told ? JSON.stringify(name) : n}]`);
}

/** What is about an object, and what only says what others may look like. */
const notWithin = new Set(['metadata', 'openAPIV3Schema']);

/** Every object within, itself first. Without recursion: depth is not ours. */
export function objectsIn(root: Json | undefined): Visit[] {
  const found: Visit[] = [];
  const queue: (Omit<Visit, 'value'> & { value: Json })[] =
    root === undefined ? [] : [{ value: root, key: '', parent: undefined, place: '' }];
  for (let next = queue.pop(); next; next = queue.pop()) {
    const { value, key, parent, place } = next;
    if (Array.isArray(value)) {
      const places = placesIn(value, place);
      queue.push(...value.map((each, n) => ({ value: each, key, parent, place: places[n] ?? place })));
    }
    if (!isObject(value)) continue;
    found.push({ value, key, parent, place });
    for (const [name, below] of Object.entries(value))
      if (!notWithin.has(name)) queue.push({ value: below, key: name, parent: value, place: `${place}${step(name)}` });
  }
  return found;
}

/** Whether an object is a pod as Kubernetes has it. */
export const isPodSpec = (value: JsonObject): boolean =>
  Array.isArray(value.containers) || Array.isArray(value.ephemeralContainers);

/** All pods that an object stands for: its own, or those of the templates in it. */
export function podSpecsIn(object: JsonObject | undefined): PodSpec[] {
  return objectsIn(object).flatMap(({ value, parent }) =>
    isPodSpec(value)
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

/** The volumes that an object asks for, under whatever name: `volumes`, `extraVolumes`. */
export const volumesOf = (value: JsonObject): JsonObject[] =>
  Object.entries(value).flatMap(([name, list]) => (/volumes$/i.test(name) ? entries(list) : []));

const listsOfContainers = ['containers', 'initContainers', 'ephemeralContainers', 'steps', 'sidecars'];

/** Whether an object is a container, of a pod or of what other kinds make one: Argo’s templates, Tekton’s steps. */
export function isContainer({ key, parent }: Visit): boolean {
  return listsOfContainers.includes(key) ? Array.isArray(parent?.[key]) : key === 'container' || key === 'script';
}

/** Whether an object asks for something that pods alone have: then it is, or becomes, one or a part of one. */
const isLikePod = (value: JsonObject): boolean =>
  ['hostNetwork', 'hostPID', 'hostIPC'].some((field) => value[field] === true) ||
  Object.entries(value).some(([name, below]) => /securityContext$/i.test(name) && isObject(below)) ||
  volumesOf(value).some(({ hostPath }) => (hostPath ?? undefined) !== undefined);

/** The images that an object runs or mounts. */
export function imagesIn(object: JsonObject | undefined): string[] {
  const images = objectsIn(object).flatMap((visit) => {
    const { value } = visit;
    const mounted = volumesOf(value).map((volume) => text(at(volume, 'image', 'reference')));
    return isContainer(visit) || isLikePod(value) ? [text(value.image), ...mounted] : mounted;
  });
  return [...new Set(images.filter(Boolean))];
}

/** The images that an object would run or mount, and does not yet. */
export function freshImages({
  before,
  after,
}: {
  before?: JsonObject | undefined;
  after?: JsonObject | undefined;
}): string[] {
  const known = imagesIn(before);
  return imagesIn(after).filter((image) => !known.includes(image));
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
