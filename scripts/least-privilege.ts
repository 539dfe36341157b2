import { stringify } from 'yaml';
import type { Identity } from '../src/core/identity.ts';
import type { JsonObject } from '../src/core/json.ts';
import type { Catalogue } from '../src/core/operation.ts';
import { allNeeds, rulesOf } from '../src/core/permission.ts';

const rbac = 'rbac.authorization.k8s.io';
const labels = { 'app.kubernetes.io/name': 'shipmate' };

const role = (name: string, rules: ReturnType<typeof rulesOf>): JsonObject => ({
  apiVersion: `${rbac}/v1`,
  kind: 'ClusterRole',
  metadata: { name, labels },
  rules,
});

function binding(namespace: string | undefined, clusterRole: string, home: string): JsonObject {
  return {
    apiVersion: `${rbac}/v1`,
    kind: namespace === undefined ? 'ClusterRoleBinding' : 'RoleBinding',
    metadata: { name: clusterRole, ...(namespace !== undefined && { namespace }), labels },
    roleRef: { apiGroup: rbac, kind: 'ClusterRole', name: clusterRole },
    subjects: [{ kind: 'ServiceAccount', name: 'shipmate', namespace: home }],
  };
}

/** Lets Shipmate into a namespace, with what its operations need there. */
export const roleBinding = (namespace: string, home: string): JsonObject => binding(namespace, 'shipmate', home);

/** To act in the names of these people and groups, and of nobody else. */
function impersonating(people: readonly Identity[]): JsonObject {
  const rule = (resource: string, names: readonly string[]) => ({
    apiGroups: [''],
    resources: [resource],
    verbs: ['impersonate'],
    resourceNames: [...new Set(names)].sort(),
  });
  const groups = people.flatMap((person) => person.groups);
  const users = rule(
    'users',
    people.map(({ user }) => user),
  );
  return { ...role('shipmate-people', []), rules: [users, ...(groups.length > 0 ? [rule('groups', groups)] : [])] };
}

/**
 * What the operations of the catalogue need of a cluster, and nothing else: most of it in the namespaces of the environments
 * alone, the rest (nodes, namespaces, who may do what) in the cluster as a whole. `home` is where the service account lives.
 */
export function leastPrivilege(
  catalogue: Catalogue,
  {
    namespaces,
    home,
    people = [],
    everywhere = false,
  }: { namespaces: readonly string[]; home: string; people?: readonly Identity[]; everywhere?: boolean },
): JsonObject[] {
  const needs = allNeeds([...catalogue.values()].flatMap(({ permissions }) => permissions ?? []));
  const wide = needs.filter(({ everywhere }) => everywhere);
  const known = new Set(wide.map(({ verb, group, resource }) => `${verb} ${group} ${resource}`));
  const inNamespaces = needs.filter(
    ({ verb, group, resource, everywhere }) => !everywhere && !known.has(`${verb} ${group} ${resource}`),
  );
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: home, labels } },
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'shipmate', namespace: home, labels } },
    role('shipmate', rulesOf(inNamespaces)),
    // What has no name yet can't be named: where environments come by pattern, it holds in all namespaces.
    ...(everywhere
      ? [binding(undefined, 'shipmate', home)]
      : namespaces.map((namespace) => roleBinding(namespace, home))),
    ...(wide.length > 0 ? [role('shipmate-cluster', rulesOf(wide)), binding(undefined, 'shipmate-cluster', home)] : []),
    ...(people.length > 0 ? [impersonating(people), binding(undefined, 'shipmate-people', home)] : []),
  ];
}

const intro = (
  everywhere: boolean,
) => `# What Shipmate may do in a cluster, generated from the catalogue by \`npm run docs\`: exactly what its operations need.
# The role “shipmate” holds in ${everywhere ? 'all namespaces, as environments come by pattern' : 'the namespaces of the environments alone'}, “shipmate-cluster” in the cluster as a whole.
# For your own namespaces: node scripts/cluster-role.ts shipmate.yaml | kubectl apply -f -
# An operation that you don't use needs no permission: take its lines away, and /ship doctor says what can't be done then.
`;

/** The manifest as a file. `everywhere`: its role holds in all namespaces. */
export const manifestText = (objects: readonly JsonObject[], everywhere: boolean): string =>
  intro(everywhere) + objects.map((object) => `---\n${stringify(object, { lineWidth: 0 })}`).join('');
