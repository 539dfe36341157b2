import { environmentEntry } from '../../core/apps.ts';
import { type Difference, differences } from '../../core/diff.ts';
import type { JsonObject } from '../../core/json.ts';
import { refOf } from '../../core/kube.ts';
import { wholeLists } from '../../core/list-types.ts';
import type { Permission } from '../../core/operation.ts';
import { ownLabels } from '../../core/ours.ts';
import type { Write } from '../../core/plan.ts';
import type { NamespaceTemplate, Settings } from '../../core/settings.ts';
import { nameOf } from './writes.ts';

/** What it takes to make one: in a namespace that is not there yet nobody can have been given a role. */
export const newNamespacePermissions: readonly Permission[] = [
  'get,create,patch namespaces everywhere',
  'get,create,patch resourcequotas,limitranges,networkpolicies.networking.k8s.io everywhere',
];

const name = 'default';

/** On a namespace: the environment of a pattern that Shipmate made it for. */
export const environmentMark = 'shipmate.dev/environment';

/** Pods that may talk to nobody can't even look up a name: DNS stays open. */
const toDns: JsonObject = {
  to: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'kube-system' } } }],
  ports: [
    { protocol: 'UDP', port: 53 },
    { protocol: 'TCP', port: 53 },
  ],
};

function policySpec(policy: NonNullable<NamespaceTemplate['networkPolicy']>): JsonObject {
  if (policy === 'deny-ingress') return { podSelector: {}, policyTypes: ['Ingress'] };
  return { podSelector: {}, policyTypes: ['Ingress', 'Egress'], egress: [toDns] };
}

/** What a namespace bears that is made for an environment of a pattern; nothing for one that is written out. */
export function markFor(settings: Pick<Settings, 'environments'>, env: string): Record<string, string> {
  const entry = environmentEntry(settings, env);
  return entry && entry.key !== env ? { [environmentMark]: env } : {};
}

/** A namespace by the template, with more labels. */
export function namespaceManifest(
  namespace: string,
  { annotations = {}, labels = {} }: Partial<NamespaceTemplate> = {},
  more: Record<string, string> = {},
): JsonObject {
  const metadata = {
    name: namespace,
    labels: { ...labels, ...ownLabels, ...more },
    ...(Object.keys(annotations).length > 0 && { annotations }),
  };
  return { apiVersion: 'v1', kind: 'Namespace', metadata };
}

/** What the template puts into a namespace, in the order in which it is made. */
export function contentsOf(namespace: string, template: NamespaceTemplate | undefined): JsonObject[] {
  if (!template) return [];
  const { quota, limits, networkPolicy } = template;
  const object = (apiVersion: string, kind: string, called: string, spec: JsonObject): JsonObject => ({
    apiVersion,
    kind,
    metadata: { name: called, namespace, labels: ownLabels },
    spec,
  });
  const limit = { type: 'Container', ...limits };
  return [
    ...(networkPolicy
      ? [object('networking.k8s.io/v1', 'NetworkPolicy', `default-${networkPolicy}`, policySpec(networkPolicy))]
      : []),
    ...(quota ? [object('v1', 'ResourceQuota', name, { hard: quota })] : []),
    ...(limits ? [object('v1', 'LimitRange', name, { limits: [JSON.parse(JSON.stringify(limit))] })] : []),
  ];
}

/** In a namespace that isn't there yet the API server dry-runs nothing: these are planned as they are. */
export function unseen(manifests: readonly JsonObject[]): { changes: Difference[]; writes: Write[] } {
  const changes = manifests.flatMap((manifest) =>
    differences(undefined, manifest, wholeLists).map((change) => ({
      ...change,
      path: `${nameOf(refOf(manifest))} ${change.path}`,
    })),
  );
  const writes = manifests.map((manifest): Write => ({ kind: 'apply', manifest, force: false, answer: '' }));
  return { changes, writes };
}
