import { at, isObject, type Json, type JsonObject } from './json.ts';
import { type Kind, kindCalled, kinds } from './kinds.ts';
import { didYouMean } from './near.ts';

/** Who may do what, as RBAC has it. https://kubernetes.io/docs/reference/access-authn-authz/rbac/ */

/** What one would do: a verb on a resource, which may be a subresource (`pods/log`). */
export type Deed = { verb: string; group: string; resource: string };

/** One way by which somebody may do it. `names` where it holds for objects of these names alone. */
export type Grant = { subject: string; binding: string; role: string; everywhere: boolean; names?: string[] };

export type RoleBook = {
  roles: readonly JsonObject[];
  clusterRoles: readonly JsonObject[];
  roleBindings: readonly JsonObject[];
  clusterRoleBindings: readonly JsonObject[];
};

const list = (value: Json | undefined): Json[] => (Array.isArray(value) ? value : []);
const objects = (value: Json | undefined): JsonObject[] => list(value).filter(isObject);
const nameOf = (object: JsonObject) => String(at(object, 'metadata', 'name'));

// “*” is all, and “*/log” that subresource of all.
function coversResource(rule: Json, resource: string): boolean {
  const [, sub] = resource.split('/');
  return rule === '*' || rule === resource || (sub !== undefined && rule === `*/${sub}`);
}

/** Whether a rule allows the deed; it may hold for some names alone. */
export function ruleAllows(rule: JsonObject, { verb, group, resource }: Deed): boolean {
  const verbs = list(rule.verbs);
  const groups = list(rule.apiGroups);
  return (
    (verbs.includes('*') || verbs.includes(verb)) &&
    (groups.includes('*') || groups.includes(group)) &&
    list(rule.resources).some((each) => coversResource(each, resource))
  );
}

function subjectText({ kind, name, namespace }: JsonObject, fallback: string): string {
  const where = typeof namespace === 'string' ? namespace : fallback;
  return kind === 'ServiceAccount'
    ? `service account ${where}/${String(name)}`
    : `${String(kind).toLowerCase()} ${String(name)}`;
}

/** By which names a role allows a deed: all (undefined), some, or not at all (an empty list). */
function namesOf(role: JsonObject, deed: Deed): string[] | undefined {
  const rules = objects(role.rules).filter((rule) => ruleAllows(rule, deed));
  if (rules.some((rule) => list(rule.resourceNames).length === 0)) return undefined;
  return [...new Set(rules.flatMap((rule) => list(rule.resourceNames).map(String)))];
}

/** Everybody who may do it, and by what. Of what lives in the cluster itself, a RoleBinding gives nothing. */
export function whoMay(book: RoleBook, deed: Deed, clusterWide: boolean): Grant[] {
  const bindings = clusterWide ? book.clusterRoleBindings : [...book.roleBindings, ...book.clusterRoleBindings];
  return bindings.flatMap((binding) => {
    const everywhere = binding.kind === 'ClusterRoleBinding';
    const [kind, name] = [at(binding, 'roleRef', 'kind'), at(binding, 'roleRef', 'name')];
    const role = (kind === 'Role' ? book.roles : book.clusterRoles).find((each) => nameOf(each) === name);
    const names = role ? namesOf(role, deed) : [];
    if (names?.length === 0) return [];
    const namespace = String(at(binding, 'metadata', 'namespace') ?? '');
    return objects(binding.subjects).map((subject) => ({
      subject: subjectText(subject, namespace),
      binding: `${String(binding.kind)}/${nameOf(binding)}`,
      role: `${String(kind)}/${String(name)}`,
      everywhere,
      ...(names && { names }),
    }));
  });
}

export type Resource = { group: string; resource: string; clusterWide: boolean };

const groupOf = (apiVersion: string) => (apiVersion.includes('/') ? (apiVersion.split('/')[0] ?? '') : '');

/**
 * What somebody means by `pods`, `deploy`, `pods/log`, or, of kinds that Shipmate doesn't know, `widgets.example.com`.
 * A dot at the end is the core group. Answers with what is wrong where nothing is meant.
 */
export function resourceCalled(word: string): Resource | { problem: string } {
  const [base = '', sub] = word.split('/');
  const [plural = '', ...groups] = base.split('.');
  const tail = sub === undefined ? '' : `/${sub}`;
  const ofKind = (kind: Kind): Resource => ({
    group: groupOf(kind.apiVersion),
    resource: `${kind.plural}${tail}`,
    clusterWide: kind.clusterWide === true,
  });
  if (!/^[a-z]+$/i.test(plural) || !/^(\/[a-z]+)?$/.test(tail)) return { problem: `“${word}” is no resource.` };
  if (groups.length > 0) {
    const group = groups.join('.');
    const known = kinds.find((kind: Kind) => groupOf(kind.apiVersion) === group && kind.plural === plural);
    return known ? ofKind(known) : { group, resource: `${plural}${tail}`, clusterWide: false };
  }
  const kind = kindCalled(plural);
  if (kind) return ofKind(kind);
  const near = didYouMean(
    plural,
    kinds.map((known) => known.plural),
  );
  return { problem: `I don’t know the resource “${word}”.${near} Write it with its API group: ${plural}.GROUP` };
}
