import { type Kind, kinds } from './kinds.ts';
import type { Permission } from './operation.ts';

/** One verb on one resource. `resource` may name a subresource: `pods/log`. */
export type Need = {
  verb: string;
  group: string;
  resource: string;
  /** In the cluster as a whole and not in an environment's namespace alone. */
  everywhere: boolean;
};

/** A rule as RBAC writes it. */
export type PermissionRule = { apiGroups: string[]; resources: string[]; verbs: string[] };

const form = /^(?<verbs>[a-z,]+) (?<resources>[a-z0-9.,/-]+)(?<everywhere> everywhere)?$/;

/** `deployments.apps/scale` and `deployments/scale.apps` mean the same. */
function resourceOf(written: string): { group: string; resource: string } {
  const parts = written.split('/').map((part) => {
    const [name = '', ...group] = part.split('.');
    return { name, group: group.join('.') };
  });
  const group = parts.find((part) => part.group !== '')?.group ?? '';
  return { group, resource: parts.map(({ name }) => name).join('/') };
}

const isClusterWide = ({ group, resource }: { group: string; resource: string }) =>
  kinds.some(({ apiVersion, plural, ...kind }: Kind) => {
    const itsGroup = apiVersion.includes('/') ? (apiVersion.split('/')[0] ?? '') : '';
    return kind.clusterWide === true && itsGroup === group && plural === resource.split('/')[0];
  });

/** One namespace is asked for in that namespace, so its own role is enough; to list them all it takes one of the cluster. */
const isOneNamespace = (verb: string, { group, resource }: { group: string; resource: string }) =>
  group === '' && resource === 'namespaces' && ['get', 'patch', 'update', 'delete'].includes(verb);

/** What a permission of an operation says, one verb and resource at a time. @throws Error where it says nothing that RBAC knows */
export function needsOf(permission: Permission): Need[] {
  const { verbs = '', resources = '', everywhere } = form.exec(permission)?.groups ?? {};
  if (verbs === '') throw new Error(`not a permission: ${permission}`);
  return resources.split(',').flatMap((written) => {
    const what = resourceOf(written);
    return verbs.split(',').map((verb) => {
      const wide = everywhere !== undefined || (isClusterWide(what) && !isOneNamespace(verb, what));
      return { verb, ...what, everywhere: wide };
    });
  });
}

const keyOf = ({ verb, group, resource, everywhere }: Need) => `${group} ${resource} ${verb} ${everywhere}`;

/** The needs of many permissions, each once, in an order that does not depend on who named it first. */
export function allNeeds(permissions: readonly Permission[]): Need[] {
  const found = new Map(permissions.flatMap(needsOf).map((need) => [keyOf(need), need]));
  return [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, need]) => need);
}

/** As RBAC rules: resources of one group that take the same verbs share one. */
export function rulesOf(needs: readonly Need[]): PermissionRule[] {
  const verbsOf = new Map<string, Set<string>>();
  for (const { group, resource, verb } of needs) {
    const key = `${group} ${resource}`;
    verbsOf.set(key, (verbsOf.get(key) ?? new Set()).add(verb));
  }
  const rules = new Map<string, PermissionRule>();
  for (const [key, found] of [...verbsOf].sort()) {
    const [group = '', resource = ''] = key.split(' ');
    const verbs = [...found].sort();
    const rule = rules.get(`${group} ${verbs}`) ?? { apiGroups: [group], resources: [], verbs };
    rule.resources.push(resource);
    rules.set(`${group} ${verbs}`, rule);
  }
  return [...rules.values()];
}

/** `patch deployments.apps`, as an operation declares it. */
export const needText = ({ verb, group, resource }: Pick<Need, 'verb' | 'group' | 'resource'>): string =>
  `${verb} ${resource}${group === '' ? '' : `.${group}`}`;

/** Gives Shipmate what it needs: in the namespaces of a file's environments, and in all where one of them is a pattern. */
export const bindCommand = 'node scripts/cluster-role.ts shipmate.yaml | kubectl apply -f -';
