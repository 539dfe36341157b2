import type { Difference } from './diff.ts';
import { at, isObject, type Json, type JsonObject, text } from './json.ts';
import { entriesOf, orderText } from './list-entries.ts';
import type { ListTypes } from './list-types.ts';
import { ownedBy } from './ownership.ts';

/**
 * What belongs to an Argo CD application is made after Git: the next sync puts back what was changed by hand, and with
 * selfHeal at once. These functions tell whose an object is, and which changes of it would be put back.
 * https://argo-cd.readthedocs.io/en/stable/user-guide/resource_tracking/
 */

export type ApplicationName = { name: string; namespace?: string };

const tracking = 'argocd.argoproj.io/tracking-id';
const instance = 'argocd.argoproj.io/instance';

/** `NAME`, or `NAMESPACE_NAME` for applications that live elsewhere than Argo CD itself. */
function applicationCalled(written: string): ApplicationName | undefined {
  const [first = '', ...rest] = written.split('_');
  if (written === '') return undefined;
  return rest.length === 0 ? { name: first } : { namespace: first, name: rest.join('_') };
}

/** The Argo CD application that an object is part of. A tracking id that was copied from another object does not count. */
export function applicationOf(object: JsonObject): ApplicationName | undefined {
  const { metadata, kind } = object;
  const id = text(at(metadata, 'annotations', tracking));
  if (id === '') return applicationCalled(text(at(metadata, 'labels', instance)));
  const [application = '', groupKind = '', address = ''] = id.split(':');
  const own =
    groupKind.split('/').at(-1) === kind && address.split('/').at(-1) === text(at(metadata, 'name')) && kind !== '';
  return own ? applicationCalled(application) : undefined;
}

function parsed(json: string): Json {
  try {
    return JSON.parse(json);
  } catch {
    return null;
  }
}

/** By these an object is known; they are no wish. */
const names = new Set(['apiVersion', 'kind', 'metadata.name', 'metadata.namespace']);

/**
 * The paths of the fields in a value, as differences name them. A list whose entries no single key tells apart is one field:
 * whoever wants something of it wants all of it.
 */
function pathsIn(value: Json, path: string, fields: readonly string[], lists: ListTypes): string[] {
  if (isObject(value) && Object.keys(value).length > 0)
    return Object.entries(value).flatMap(([name, each]) =>
      pathsIn(each, path === '' ? name : `${path}.${name}`, [...fields, name], lists),
    );
  const type = lists(fields);
  if (!Array.isArray(value) || value.length === 0 || type.kind !== 'map' || type.keys.length > 1) return [path];
  return [...entriesOf(type, value, []).from].flatMap(([label, entry]) =>
    pathsIn(entry, `${path}[${label}]`, fields, lists),
  );
}

/** The fields that Git says, as the last sync left word of them; undefined where it left none. */
function wantedFields(live: JsonObject, lists: ListTypes): string[] | undefined {
  const last = parsed(text(at(live, 'metadata', 'annotations', 'kubectl.kubernetes.io/last-applied-configuration')));
  const applied = ownedBy('argocd-controller', live);
  const fields = [last, applied].flatMap((wanted) =>
    isObject(wanted) ? pathsIn(wanted, '', [], lists).filter((path) => !names.has(path)) : [],
  );
  return fields.length > 0 ? fields : undefined;
}

const touch = (path: string, other: string) =>
  path === other || [`${path}.`, `${path}[`].some((start) => other.startsWith(start));

/** The changes of an object that lead away from what Git says: a field that Git leaves open is anybody's. */
export function awayFromGit(live: JsonObject, changes: readonly Difference[], lists: ListTypes): Difference[] {
  const wanted = wantedFields(live, lists);
  if (!wanted) return [...changes];
  return changes.filter(({ path }) => {
    const field = path.endsWith(orderText) ? path.slice(0, -orderText.length) : path;
    return path === '' || wanted.some((other) => touch(other, field) || touch(field, other));
  });
}

const objects = (value: Json | undefined): JsonObject[] => (Array.isArray(value) ? value.filter(isObject) : []);
const texts = (value: Json | undefined): string[] => (Array.isArray(value) ? value.map(text) : []);

/** Whether an application's `ignoreDifferences` name this field of this object. */
function isIgnored(application: JsonObject, object: JsonObject, path: string): boolean {
  const [group = ''] = text(object.apiVersion).includes('/') ? text(object.apiVersion).split('/') : [''];
  const fits = (rule: JsonObject, key: string, value: string) => rule[key] === undefined || text(rule[key]) === value;
  return objects(at(application, 'spec', 'ignoreDifferences')).some((rule) => {
    const about =
      text(rule.kind) === object.kind &&
      [group, '*'].includes(text(rule.group)) &&
      fits(rule, 'name', text(at(object, 'metadata', 'name'))) &&
      fits(rule, 'namespace', text(at(object, 'metadata', 'namespace')));
    const pointers = texts(rule.jsonPointers).map((pointer) => pointer.slice(1).replaceAll('/', '.'));
    const expressions = texts(rule.jqPathExpressions).map((expression) => expression.replace(/^\./, ''));
    const ours = texts(rule.managedFieldsManagers).includes('shipmate');
    return about && (ours || [...pointers, ...expressions].some((field) => touch(field, path)));
  });
}

export type Fought =
  | { kind: 'no' }
  /** `at-once`: it heals itself; `at-sync`: the next commit or click does; `unknown`: nobody may look. */
  | { kind: 'at-once' | 'at-sync' | 'unknown'; fields: string[] };

/** Whether, and how soon, changes of an object of this application would be put back. */
export function fought(
  application: JsonObject | undefined,
  live: JsonObject,
  changes: readonly Difference[],
  lists: ListTypes,
): Fought {
  const fields = awayFromGit(live, changes, lists)
    .map(({ path }) => path)
    .filter((path) => !application || path === '' || !isIgnored(application, live, path));
  if (fields.length === 0) return { kind: 'no' };
  if (!application) return { kind: 'unknown', fields };
  const automated = at(application, 'spec', 'syncPolicy', 'automated');
  const on = isObject(automated) && automated.enabled !== false;
  return { kind: on && automated.selfHeal === true ? 'at-once' : 'at-sync', fields };
}

/** `https://github.com/team/web, deploy/web, main`: where an application's manifests are. */
export function sourceOf(application: JsonObject | undefined): string {
  const spec = at(application, 'spec');
  const source = at(spec, 'source') ?? at(spec, 'sources', 0);
  const parts = [at(source, 'repoURL'), at(source, 'path') ?? at(source, 'chart'), at(source, 'targetRevision')];
  return parts.map(text).filter(Boolean).join(', ');
}
