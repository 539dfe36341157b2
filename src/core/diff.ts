import { isObject, type Json, type JsonObject } from './json.ts';
import { mask, soundsSecret } from './secret-names.ts';

/** One difference, at a path such as `spec.template.spec.containers[web].image`; undefined is "not there". */
export type Difference = { path: string; from?: Json; to?: Json };

/** What the API server fills in by itself, and what no reader of a plan needs. */
const noise = new Set([
  'status',
  'metadata.managedFields',
  'metadata.resourceVersion',
  'metadata.generation',
  'metadata.uid',
  'metadata.creationTimestamp',
  'metadata.selfLink',
]);
const noisyAnnotation = /^metadata\.annotations\.(deployment\.kubernetes\.io\/|shipmate\.dev\/)/;

/** Values of environment variables that sound like secrets are never shown, not even to approvers. */
const variable = /\.env\[([^\][]*)\]\.value$/;

function leaf(path: string, from: Json | undefined, to: Json | undefined): Difference {
  const hidden = soundsSecret(variable.exec(path)?.[1] ?? '');
  const shownTo = hidden ? (from === undefined ? mask : `${mask} (changed)`) : to;
  return {
    path,
    ...(from !== undefined && { from: hidden ? mask : from }),
    ...(to !== undefined && { to: shownTo }),
  };
}

/** The same difference without its values, where they are secret; that they differ is still seen. */
export function masked({ path, from, to }: Difference): Difference {
  if (!/^(data|stringData)\b/.test(path))
    return { path, ...(from !== undefined && { from }), ...(to !== undefined && { to }) };
  return {
    path,
    ...(from !== undefined && { from: mask }),
    ...(to !== undefined && { to: from === undefined ? mask : `${mask} (changed)` }),
  };
}

/** Lists in Kubernetes objects are maps in disguise: their entries are told apart by one of these. */
const keys = ['name', 'containerPort', 'port', 'mountPath', 'key', 'type'];

/** The field by which the entries of a list are told apart; none where they are not. */
export function keyOf(list: readonly Json[]): string | undefined {
  return keys.find((key) => list.every((entry) => isObject(entry) && entry[key] !== undefined));
}

function asMap(list: readonly Json[], key: string): Map<string, Json> {
  return new Map(list.map((entry) => [String(isObject(entry) ? entry[key] : entry), entry]));
}

function compareLists(path: string, from: readonly Json[], to: readonly Json[]): Difference[] {
  const key = keyOf([...from, ...to]);
  if (key === undefined)
    return JSON.stringify(from) === JSON.stringify(to) ? [] : [{ path, from: [...from], to: [...to] }];
  const before = asMap(from, key);
  const after = asMap(to, key);
  return [...new Set([...before.keys(), ...after.keys()])].flatMap((name) =>
    compare(`${path}[${name}]`, before.get(name), after.get(name)),
  );
}

function compareObjects(path: string, from: JsonObject, to: JsonObject): Difference[] {
  return [...new Set([...Object.keys(from), ...Object.keys(to)])].flatMap((key) =>
    compare(path === '' ? key : `${path}.${key}`, from[key], to[key]),
  );
}

function compare(path: string, from: Json | undefined, to: Json | undefined): Difference[] {
  if (noise.has(path) || noisyAnnotation.test(path)) return [];
  if (isObject(from) && isObject(to)) return compareObjects(path, from, to);
  if (isObject(to) && from === undefined) return compareObjects(path, {}, to);
  if (isObject(from) && to === undefined) return compareObjects(path, from, {});
  if (
    (Array.isArray(from) || Array.isArray(to)) &&
    (from === undefined || to === undefined || Array.isArray(from) === Array.isArray(to))
  )
    return compareLists(path, Array.isArray(from) ? from : [], Array.isArray(to) ? to : []);
  if (from === to) return [];
  return [leaf(path, from, to)];
}

/** What names an object is said elsewhere: in the diff of a new one it would only be in the way. */
const identity = new Set(['apiVersion', 'kind', 'metadata.name', 'metadata.namespace']);

/** What differs between two Kubernetes objects, leaf by leaf, without what the API server writes by itself. */
export function differences(before: JsonObject | undefined, after: JsonObject): Difference[] {
  return compareObjects('', before ?? {}, after).filter(({ path }) => !identity.has(path));
}
