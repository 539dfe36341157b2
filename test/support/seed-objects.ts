import type { JsonObject } from '../../src/core/json.ts';

/** An object of each kind that a cluster takes as it is: what random changes begin with. The name is given to it. */

const labels = { app: 'seed' };
const container = (name: string): JsonObject => ({
  name,
  image: 'registry.invalid/seed',
  args: ['a', 'b'],
  env: [
    { name: 'A', value: '1' },
    { name: 'B', value: '2' },
  ],
  ports: [
    { containerPort: 53, protocol: 'UDP', name: 'dns' },
    { containerPort: 53, protocol: 'TCP', name: 'dns-tcp' },
  ],
  volumeMounts: [
    { name: 'one', mountPath: '/one' },
    { name: 'one', mountPath: '/two' },
  ],
});
const toleration = (value: string) => ({ key: 'gpu', operator: 'Equal', value, effect: 'NoSchedule' });
const podSpec: JsonObject = {
  nodeSelector: { nowhere: 'yes' },
  volumes: [{ name: 'one', emptyDir: {} }],
  tolerations: [toleration('a'), toleration('b')],
  initContainers: [
    { name: 'first', image: 'registry.invalid/seed' },
    { name: 'second', image: 'registry.invalid/seed' },
  ],
  containers: [container('seed'), { name: 'beside', image: 'registry.invalid/seed' }],
};
const template = { metadata: { labels }, spec: podSpec };
const once = { metadata: { labels }, spec: { ...podSpec, restartPolicy: 'Never' } };
const selector = { matchLabels: labels };
const rbac = 'rbac.authorization.k8s.io';
const user = (name: string) => ({ kind: 'User', apiGroup: rbac, name });
const rules = [
  { apiGroups: [''], resources: ['pods', 'services'], verbs: ['get', 'list'] },
  { apiGroups: ['apps'], resources: ['deployments'], verbs: ['get'] },
];
const utilization = (name: string, averageUtilization: number) => ({
  type: 'Resource',
  resource: { name, target: { type: 'Utilization', averageUtilization } },
});
const scaleTargetRef = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'nothing' };
const webhook = (name: string) => ({
  name,
  sideEffects: 'None',
  admissionReviewVersions: ['v1'],
  failurePolicy: 'Ignore',
  namespaceSelector: { matchLabels: { nowhere: 'yes' } },
  clientConfig: { url: 'https://127.0.0.1:1/' },
  rules: [{ apiGroups: ['nowhere.example.com'], apiVersions: ['v1'], operations: ['CREATE'], resources: ['nothing'] }],
});
const rule = (host: string, ...paths: string[]) => ({
  host,
  http: {
    paths: paths.map((path) => ({
      path,
      pathType: 'Prefix',
      backend: { service: { name: 'web', port: { number: 80 } } },
    })),
  },
});

export const seeds: Record<string, JsonObject> = {
  'v1 ConfigMap': { data: { a: '1', 'x.y': '2' } },
  'v1 ServiceAccount': { imagePullSecrets: [{ name: 'a' }, { name: 'b' }] },
  'v1 Service': {
    spec: {
      selector: labels,
      ports: [
        { name: 'dns', port: 53, protocol: 'UDP' },
        { name: 'dns-tcp', port: 53, protocol: 'TCP' },
      ],
    },
  },
  'v1 Endpoints': { subsets: [{ addresses: [{ ip: '10.0.0.1' }, { ip: '10.0.0.2' }], ports: [{ port: 80 }] }] },
  'v1 Pod': { spec: podSpec },
  'v1 PodTemplate': { template },
  'v1 ReplicationController': { spec: { replicas: 0, selector: labels, template } },
  'v1 LimitRange': {
    spec: {
      limits: [
        { type: 'Container', max: { cpu: '2' } },
        { type: 'Pod', max: { cpu: '4' } },
      ],
    },
  },
  'v1 ResourceQuota': { spec: { hard: { 'requests.nvidia.com/gpu': '4' } } },
  'v1 PersistentVolumeClaim': {
    spec: { accessModes: ['ReadWriteOnce'], storageClassName: 'nowhere', resources: { requests: { storage: '1Gi' } } },
  },
  'v1 PersistentVolume': {
    spec: {
      accessModes: ['ReadWriteOnce', 'ReadOnlyMany'],
      storageClassName: 'nowhere',
      capacity: { storage: '1Gi' },
      hostPath: { path: '/nowhere' },
      mountOptions: ['ro', 'hard'],
    },
  },
  'v1 Namespace': {},
  'v1 Node': {
    spec: {
      unschedulable: true,
      taints: [
        { key: 'a', effect: 'NoSchedule' },
        { key: 'a', effect: 'NoExecute' },
      ],
    },
  },
  'apps/v1 Deployment': { spec: { replicas: 0, selector, template } },
  'apps/v1 StatefulSet': { spec: { replicas: 0, serviceName: 'seed', selector, template } },
  'apps/v1 DaemonSet': { spec: { selector, template } },
  'apps/v1 ReplicaSet': { spec: { replicas: 0, selector, template } },
  'apps/v1 ControllerRevision': { revision: 1, data: { spec: { list: [{ name: 'a' }, { name: 'a' }] } } },
  'batch/v1 Job': { spec: { suspend: true, template: once } },
  'batch/v1 CronJob': { spec: { suspend: true, schedule: '0 0 1 1 *', jobTemplate: { spec: { template: once } } } },
  'autoscaling/v1 HorizontalPodAutoscaler': { spec: { scaleTargetRef, maxReplicas: 3 } },
  'autoscaling/v2 HorizontalPodAutoscaler': {
    spec: { scaleTargetRef, maxReplicas: 3, metrics: [utilization('cpu', 70), utilization('memory', 80)] },
  },
  'policy/v1 PodDisruptionBudget': { spec: { maxUnavailable: 1, selector } },
  'networking.k8s.io/v1 NetworkPolicy': {
    spec: {
      podSelector: selector,
      policyTypes: ['Ingress', 'Egress'],
      ingress: [
        {
          from: [{ podSelector: {} }, { ipBlock: { cidr: '10.0.0.0/8' } }],
          ports: [{ port: 53 }, { port: 53, protocol: 'UDP' }],
        },
      ],
      egress: [{}],
    },
  },
  'networking.k8s.io/v1 Ingress': { spec: { rules: [rule('a.example.com', '/', '/x'), rule('a.example.com', '/y')] } },
  'networking.k8s.io/v1 IngressClass': { spec: { controller: 'example.com/none' } },
  'discovery.k8s.io/v1 EndpointSlice': {
    addressType: 'IPv4',
    endpoints: [{ addresses: ['10.0.0.1'] }, { addresses: ['10.0.0.2'] }],
    ports: [{ name: 'a', port: 80 }],
  },
  [`${rbac}/v1 Role`]: { rules },
  [`${rbac}/v1 ClusterRole`]: { rules },
  [`${rbac}/v1 RoleBinding`]: {
    roleRef: { apiGroup: rbac, kind: 'ClusterRole', name: 'view' },
    subjects: [user('ana'), user('ben')],
  },
  [`${rbac}/v1 ClusterRoleBinding`]: {
    roleRef: { apiGroup: rbac, kind: 'ClusterRole', name: 'nowhere' },
    subjects: [user('ana'), user('ben')],
  },
  'scheduling.k8s.io/v1 PriorityClass': { value: 7 },
  'node.k8s.io/v1 RuntimeClass': { handler: 'none' },
  'coordination.k8s.io/v1 Lease': { spec: { holderIdentity: 'a' } },
  'storage.k8s.io/v1 StorageClass': { provisioner: 'example.com/none', mountOptions: ['ro', 'hard'] },
  'storage.k8s.io/v1 CSIDriver': { spec: { volumeLifecycleModes: ['Persistent', 'Ephemeral'] } },
  'storage.k8s.io/v1 CSINode': {
    spec: { drivers: [{ name: 'a.example.com', nodeID: 'a', topologyKeys: ['x', 'y'] }] },
  },
  'storage.k8s.io/v1 CSIStorageCapacity': { storageClassName: 'nowhere', capacity: '1Gi' },
  'admissionregistration.k8s.io/v1 ValidatingWebhookConfiguration': {
    webhooks: [webhook('a.example.com'), webhook('b.example.com')],
  },
  'admissionregistration.k8s.io/v1 MutatingWebhookConfiguration': {
    webhooks: [webhook('a.example.com'), webhook('b.example.com')],
  },
  'flowcontrol.apiserver.k8s.io/v1 FlowSchema': {
    spec: { priorityLevelConfiguration: { name: 'catch-all' }, matchingPrecedence: 9_000 },
  },
  'seeds.example.com/v1 Seed': {
    spec: {
      byName: [{ name: 'a', value: '1' }, { name: 'b' }],
      byBoth: [
        { host: 'a', port: 1 },
        { host: 'a', port: 2 },
      ],
      set: ['a', 'b'],
      whole: [{ name: 'a' }, { name: 'a' }],
      anything: { goes: [{ name: 'a' }, { name: 'a', type: 'b' }] },
    },
  },
};

const string = { type: 'string' };
const entries = (properties: JsonObject, more: JsonObject): JsonObject => ({
  type: 'array',
  items: { type: 'object', properties, required: Object.keys(properties).filter((name) => name !== 'value') },
  ...more,
});

/** A kind whose lists are of each type that a definition can say. */
export const seedDefinition: JsonObject = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'seeds.seeds.example.com' },
  spec: {
    group: 'seeds.example.com',
    scope: 'Namespaced',
    names: { kind: 'Seed', plural: 'seeds', singular: 'seed' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: {
              spec: {
                type: 'object',
                properties: {
                  byName: entries(
                    { name: string, value: string },
                    { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] },
                  ),
                  byBoth: entries(
                    { host: string, port: { type: 'integer' } },
                    { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['host', 'port'] },
                  ),
                  set: { type: 'array', items: string, 'x-kubernetes-list-type': 'set' },
                  whole: entries({ name: string, value: string }, {}),
                  anything: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
                },
              },
            },
          },
        },
      },
    ],
  },
};
