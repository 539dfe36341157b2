/** A kind of object in a cluster: how the API addresses it, and what people call it. */
export type Kind = {
  kind: string;
  apiVersion: string;
  /** The name that its addresses bear. */
  plural: string;
  /** Lives in the cluster itself and not in a namespace. */
  clusterWide?: true;
  /** Other things that people write for it, as kubectl knows them. */
  short?: readonly string[];
};

/**
 * The kinds that Shipmate itself speaks of. Any other is looked up in the cluster's own discovery.
 * https://kubernetes.io/docs/reference/kubernetes-api/
 */
export const kinds = [
  { kind: 'Deployment', apiVersion: 'apps/v1', plural: 'deployments', short: ['deploy'] },
  { kind: 'StatefulSet', apiVersion: 'apps/v1', plural: 'statefulsets', short: ['sts'] },
  { kind: 'DaemonSet', apiVersion: 'apps/v1', plural: 'daemonsets', short: ['ds'] },
  { kind: 'ReplicaSet', apiVersion: 'apps/v1', plural: 'replicasets', short: ['rs'] },
  { kind: 'ControllerRevision', apiVersion: 'apps/v1', plural: 'controllerrevisions' },
  { kind: 'Job', apiVersion: 'batch/v1', plural: 'jobs' },
  { kind: 'CronJob', apiVersion: 'batch/v1', plural: 'cronjobs', short: ['cj'] },
  { kind: 'Pod', apiVersion: 'v1', plural: 'pods', short: ['po'] },
  { kind: 'Service', apiVersion: 'v1', plural: 'services', short: ['svc'] },
  { kind: 'EndpointSlice', apiVersion: 'discovery.k8s.io/v1', plural: 'endpointslices' },
  { kind: 'ConfigMap', apiVersion: 'v1', plural: 'configmaps', short: ['cm'] },
  { kind: 'Secret', apiVersion: 'v1', plural: 'secrets' },
  { kind: 'ServiceAccount', apiVersion: 'v1', plural: 'serviceaccounts', short: ['sa'] },
  { kind: 'ResourceQuota', apiVersion: 'v1', plural: 'resourcequotas', short: ['quota'] },
  { kind: 'LimitRange', apiVersion: 'v1', plural: 'limitranges', short: ['limits'] },
  { kind: 'PersistentVolumeClaim', apiVersion: 'v1', plural: 'persistentvolumeclaims', short: ['pvc'] },
  { kind: 'PersistentVolume', apiVersion: 'v1', plural: 'persistentvolumes', clusterWide: true, short: ['pv'] },
  {
    kind: 'StorageClass',
    apiVersion: 'storage.k8s.io/v1',
    plural: 'storageclasses',
    clusterWide: true,
    short: ['sc'],
  },
  { kind: 'Event', apiVersion: 'v1', plural: 'events', short: ['ev'] },
  { kind: 'Namespace', apiVersion: 'v1', plural: 'namespaces', clusterWide: true, short: ['ns'] },
  { kind: 'Node', apiVersion: 'v1', plural: 'nodes', clusterWide: true, short: ['no'] },
  { kind: 'NetworkPolicy', apiVersion: 'networking.k8s.io/v1', plural: 'networkpolicies', short: ['netpol'] },
  { kind: 'Ingress', apiVersion: 'networking.k8s.io/v1', plural: 'ingresses', short: ['ing'] },
  { kind: 'HTTPRoute', apiVersion: 'gateway.networking.k8s.io/v1', plural: 'httproutes' },
  { kind: 'Role', apiVersion: 'rbac.authorization.k8s.io/v1', plural: 'roles' },
  { kind: 'RoleBinding', apiVersion: 'rbac.authorization.k8s.io/v1', plural: 'rolebindings' },
  { kind: 'ClusterRole', apiVersion: 'rbac.authorization.k8s.io/v1', plural: 'clusterroles', clusterWide: true },
  {
    kind: 'ClusterRoleBinding',
    apiVersion: 'rbac.authorization.k8s.io/v1',
    plural: 'clusterrolebindings',
    clusterWide: true,
  },
  { kind: 'PodDisruptionBudget', apiVersion: 'policy/v1', plural: 'poddisruptionbudgets', short: ['pdb'] },
  { kind: 'HorizontalPodAutoscaler', apiVersion: 'autoscaling/v2', plural: 'horizontalpodautoscalers', short: ['hpa'] },
  {
    kind: 'VerticalPodAutoscaler',
    apiVersion: 'autoscaling.k8s.io/v1',
    plural: 'verticalpodautoscalers',
    short: ['vpa'],
  },
  { kind: 'ScaledObject', apiVersion: 'keda.sh/v1alpha1', plural: 'scaledobjects', short: ['so'] },
  { kind: 'NodePool', apiVersion: 'karpenter.sh/v1', plural: 'nodepools', clusterWide: true },
  { kind: 'Rollout', apiVersion: 'argoproj.io/v1alpha1', plural: 'rollouts', short: ['ro'] },
  { kind: 'PodMetrics', apiVersion: 'metrics.k8s.io/v1beta1', plural: 'pods' },
  { kind: 'NodeMetrics', apiVersion: 'metrics.k8s.io/v1beta1', plural: 'nodes', clusterWide: true },
  {
    kind: 'SelfSubjectAccessReview',
    apiVersion: 'authorization.k8s.io/v1',
    plural: 'selfsubjectaccessreviews',
    clusterWide: true,
  },
  {
    kind: 'SelfSubjectRulesReview',
    apiVersion: 'authorization.k8s.io/v1',
    plural: 'selfsubjectrulesreviews',
    clusterWide: true,
  },
  {
    kind: 'SubjectAccessReview',
    apiVersion: 'authorization.k8s.io/v1',
    plural: 'subjectaccessreviews',
    clusterWide: true,
  },
] as const satisfies readonly Kind[];

export type KindName = (typeof kinds)[number]['kind'];

const byKind: ReadonlyMap<string, Kind> = new Map(kinds.map((entry) => [entry.kind, entry]));

/** A kind of the table by its own name; the API version must fit where it is given. */
export function knownKind(kind: string, apiVersion?: string): Kind | undefined {
  const found = byKind.get(kind);
  return found && (apiVersion === undefined || found.apiVersion === apiVersion) ? found : undefined;
}

/** What somebody may have meant by `sts`, `statefulset`, `statefulsets` or `StatefulSet`. */
export function kindCalled(word: string): Kind | undefined {
  const lower = word.toLowerCase();
  return kinds.find((entry: Kind) => [entry.kind.toLowerCase(), entry.plural, ...(entry.short ?? [])].includes(lower));
}

/** The kinds that run pods, in the words of a workload's name: `deployment/web`. */
export const workloadKinds = ['Deployment', 'StatefulSet', 'DaemonSet', 'Job', 'CronJob', 'Rollout'] as const;
export type WorkloadKind = (typeof workloadKinds)[number];

export const isWorkloadKind = (kind: string): kind is WorkloadKind => workloadKinds.some((known) => known === kind);
