import { at, type JsonObject } from '../../core/json.ts';
import { type Kind, kinds } from '../../core/kinds.ts';
import { covers } from '../../core/name-pattern.ts';
import { didYouMean } from '../../core/near.ts';
import type { ManifestSettings } from '../../core/settings.ts';

/** What may be applied by whom at all, before any cluster is asked. */

const rights = 'it gives rights to whoever it names';
const reaches = 'it acts on everything that passes the API server';

/** Kinds through which somebody could give themselves more than they have; `manifests.allowKinds` lets them through. */
const denied: Record<string, string> = {
  Role: rights,
  ClusterRole: rights,
  RoleBinding: rights,
  ClusterRoleBinding: rights,
  MutatingWebhookConfiguration: reaches,
  ValidatingWebhookConfiguration: reaches,
  MutatingAdmissionPolicy: reaches,
  MutatingAdmissionPolicyBinding: reaches,
  ValidatingAdmissionPolicy: reaches,
  ValidatingAdmissionPolicyBinding: reaches,
  APIService: reaches,
  CertificateSigningRequest: 'it makes credentials',
  TokenRequest: 'it makes credentials',
  FlowSchema: reaches,
  PriorityLevelConfiguration: reaches,
};

/** Why an object may not be applied; nothing where it may. */
export function denialOf(object: JsonObject, kind: Kind, env: string, settings: ManifestSettings): string | undefined {
  const name = String(object.kind);
  const allowed = settings.allowKinds.includes(name);
  const why = Object.hasOwn(denied, name) ? denied[name] : undefined;
  if (why !== undefined && !allowed) return `is not applied, since ${why} (manifests.allowKinds in shipmate.yaml)`;
  if (name === 'Secret' && object.type === 'kubernetes.io/service-account-token' && !allowed)
    return 'is not applied, since it makes credentials of a service account (manifests.allowKinds in shipmate.yaml)';
  if (kind.clusterWide && !covers(settings.clusterScopedIn, env))
    return `lives in the cluster itself and not in a namespace (manifests.clusterScopedIn in shipmate.yaml lets ${env} have such)`;
  return undefined;
}

const label = /^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/;
const subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

/** What is wrong with an object's name or namespace. */
export function nameProblem(object: JsonObject, kind: Kind, namespace: string): string | undefined {
  const name = String(at(object, 'metadata', 'name'));
  const free = kind.apiVersion.startsWith('rbac.authorization.k8s.io/');
  if (free && !/^[^/%]{1,253}$/.test(name)) return 'has “/” or “%” in its name';
  const strict = kind.kind === 'Service' || kind.kind === 'Namespace';
  if (strict && !label.test(name))
    return 'must have a name of lower-case letters, digits and “-”, at most 63, with a letter first';
  if (!free && !strict && (name.length > 253 || !subdomain.test(name)))
    return 'must have a name of lower-case letters, digits, “-” and “.”';
  const own = at(object, 'metadata', 'namespace');
  if (own === undefined || own === null || own === '') return undefined;
  if (kind.clusterWide) return `has a namespace, and ${kind.kind} has none`;
  return own === namespace ? undefined : `is for the namespace ${String(own)}, and this environment is ${namespace}`;
}

/** Help with a kind that the cluster does not know: a slip of the finger, or a version of it that is gone. */
export function kindHint({ kind, apiVersion }: { kind: string; apiVersion: string }): string {
  const same = kinds.find((known) => known.kind === kind);
  if (same && same.apiVersion !== apiVersion) return ` ${kind} is in ${same.apiVersion}.`;
  return didYouMean(
    kind,
    kinds.map((known) => known.kind),
  );
}

/** What others need comes first. */
const sequence = [
  ['Namespace'],
  ['CustomResourceDefinition', 'PriorityClass', 'StorageClass', 'RuntimeClass'],
  ['ServiceAccount', 'ResourceQuota', 'LimitRange'],
  ['ClusterRole', 'Role'],
  ['ClusterRoleBinding', 'RoleBinding'],
  ['ConfigMap', 'Secret'],
  ['PersistentVolume', 'PersistentVolumeClaim'],
  ['NetworkPolicy', 'PodDisruptionBudget'],
  ['Service'],
  ['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet', 'Pod', 'Job', 'CronJob', 'Rollout'],
];
const last = sequence.length;

/** The place of a kind in the order of application; what is not named comes last: it builds on the others. */
export function rankOf(kind: string): number {
  const found = sequence.findIndex((group) => group.includes(kind));
  return found < 0 ? last : found;
}
