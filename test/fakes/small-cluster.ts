import type { Json, JsonObject } from '../../src/core/json.ts';
import { at } from '../../src/core/json.ts';
import type { FakeCluster } from './fake-kube.ts';

const namespaced = (
  kind: string,
  apiVersion: string,
  name: string,
  rest: JsonObject,
  metadata: JsonObject = {},
): JsonObject => ({
  apiVersion,
  kind,
  metadata: { name, namespace: 'staging', uid: `uid-${kind}-${name}`, ...metadata },
  ...rest,
});

const ownedBy = (kind: string, apiVersion: string, name: string) => ({
  ownerReferences: [{ apiVersion, kind, name, uid: `uid-${kind}-${name}`, controller: true }],
});
const pod = 'web-6d4f9c6b7-x2v8k';
const web = { name: 'web', image: '127.0.0.1:5000/web:v1' };
const clusterWide = (kind: string, apiVersion: string, name: string, rest: JsonObject): JsonObject => ({
  apiVersion,
  kind,
  metadata: { name, uid: `uid-${kind}-${name}` },
  ...rest,
});

const inProduction = (object: JsonObject): JsonObject => {
  const name = String(at(object, 'metadata', 'name'));
  return { ...object, metadata: { name, namespace: 'production', uid: `uid-production-${name}` } };
};

const scalesWeb = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' };
const defaults = namespaced('LimitRange', 'v1', 'defaults', {
  spec: { limits: [{ type: 'Container', defaultRequest: { cpu: '100m', memory: '64Mi' } }] },
});

/** What scales and what it runs on. */
const scaling: readonly JsonObject[] = [
  inProduction(defaults),
  namespaced('HorizontalPodAutoscaler', 'autoscaling/v2', 'web', {
    spec: {
      scaleTargetRef: scalesWeb,
      minReplicas: 1,
      maxReplicas: 4,
      metrics: [
        { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 60 } } },
      ],
    },
  }),
  namespaced('VerticalPodAutoscaler', 'autoscaling.k8s.io/v1', 'web', {
    spec: { targetRef: scalesWeb, updatePolicy: { updateMode: 'Auto' } },
    status: {
      recommendation: {
        containerRecommendations: [{ containerName: 'web', target: { cpu: '250m', memory: '262144k' } }],
      },
    },
  }),
  namespaced('ScaledObject', 'keda.sh/v1alpha1', 'queue-worker', { spec: { scaleTargetRef: { name: 'web' } } }),
  {
    apiVersion: 'keda.sh/v1alpha1',
    kind: 'ScaledObject',
    metadata: { name: 'night-worker', namespace: 'staging', annotations: { 'autoscaling.keda.sh/paused': 'true' } },
    spec: { scaleTargetRef: { name: 'night' } },
  },
  clusterWide('Node', 'v1', 'node-1', { spec: {} }),
  clusterWide('Node', 'v1', 'node-2', { spec: { unschedulable: true } }),
  clusterWide('NodePool', 'karpenter.sh/v1', 'default', { spec: { limits: { cpu: '10' } } }),
  {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: 'on-node-1',
      namespace: 'staging',
      uid: 'uid-on-node-1',
      ownerReferences: [{ kind: 'ReplicaSet', name: 'web-1', controller: true }],
    },
    spec: { nodeName: 'node-1', containers: [] },
  },
];
const template: JsonObject = { spec: { containers: [{ name: 'main', image: '127.0.0.1:5000/web:v1' }] } };
const steps: Json = [{ setWeight: 20 }, { pause: {} }, { setWeight: 100 }];
const pauseConditions = [{ reason: 'CanaryPauseStep', startTime: '2026-11-25T02:00:00Z' }];

const rollout = (name: string, spec: JsonObject, status: JsonObject): JsonObject =>
  namespaced('Rollout', 'argoproj.io/v1alpha1', name, {
    spec: { replicas: 2, template, strategy: { canary: { steps } }, ...spec },
    status,
  });

/** What the examples of the catalogue speak of, so that each of them can be tried in the fake cluster. */
const objects: readonly JsonObject[] = [
  namespaced('ConfigMap', 'v1', 'app-config', { data: { LOG_LEVEL: 'info', GREETING: 'hello' } }),
  {
    ...namespaced('RoleBinding', 'rbac.authorization.k8s.io/v1', 'shipmate-service-account-old', {
      subjects: [{ kind: 'ServiceAccount', name: 'old', namespace: 'staging' }],
    }),
    metadata: {
      name: 'shipmate-service-account-old',
      namespace: 'staging',
      uid: 'uid-old',
      labels: { 'app.kubernetes.io/managed-by': 'shipmate' },
    },
  },
  namespaced('Deployment', 'apps/v1', 'api', {
    spec: {
      replicas: 1,
      selector: { matchLabels: { app: 'api' } },
      template: {
        metadata: { labels: { app: 'api' } },
        spec: { containers: [{ name: 'api', image: '127.0.0.1:5000/api:v1', ports: [{ containerPort: 8080 }] }] },
      },
    },
  }),
  namespaced('ReplicaSet', 'apps/v1', 'web-6d4f9c6b7', {}, ownedBy('Deployment', 'apps/v1', 'web')),
  namespaced(
    'Pod',
    'v1',
    pod,
    {
      spec: { nodeName: 'node-1', containers: [web] },
      status: {
        phase: 'Running',
        containerStatuses: [{ name: 'web', ready: true, restartCount: 0, state: { running: {} } }],
      },
    },
    ownedBy('ReplicaSet', 'apps/v1', 'web-6d4f9c6b7'),
  ),
  namespaced('PodMetrics', 'metrics.k8s.io/v1beta1', pod, {
    containers: [{ name: 'web', usage: { cpu: '12m', memory: '34Mi' } }],
  }),
  ...scaling,
  namespaced('CronJob', 'batch/v1', 'report', { spec: { schedule: '0 3 * * *', jobTemplate: { spec: { template } } } }),
  namespaced('CronJob', 'batch/v1', 'nightly', {
    spec: { schedule: '0 3 * * *', suspend: true, jobTemplate: { spec: { template } } },
  }),
  rollout('checkout', { paused: true }, { currentPodHash: 'b', stableRS: 'a', phase: 'Paused' }),
  rollout('shop', {}, { currentPodHash: 'b', stableRS: 'a', currentStepIndex: 1, phase: 'Paused', pauseConditions }),
  rollout('stopped', {}, { currentPodHash: 'b', stableRS: 'a', currentStepIndex: 0, phase: 'Degraded', abort: true }),
  namespaced('Secret', 'v1', 'app-secrets', { data: { OLD_TOKEN: 'b2xk' } }),
  {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: 'old-preview', namespace: '', uid: 'uid-old-preview' },
    status: { phase: 'Active' },
  },
  namespaced('Service', 'v1', 'old-api', { spec: { selector: { app: 'old' }, ports: [{ port: 80 }] } }),
  namespaced('Service', 'v1', 'web', { spec: { selector: { app: 'web' }, ports: [{ port: 80 }] } }),
  {
    ...namespaced('AuthorizationPolicy', 'security.istio.io/v1', 'allow-old-to-web', {
      spec: { action: 'ALLOW', rules: [{}] },
    }),
    metadata: {
      name: 'allow-old-to-web',
      namespace: 'staging',
      uid: 'uid-allow-old-to-web',
      labels: { 'app.kubernetes.io/managed-by': 'shipmate' },
    },
  },
  namespaced('Gateway', 'networking.istio.io/v1', 'old-shop', { spec: { selector: {}, servers: [] } }),
  namespaced('ServiceEntry', 'networking.istio.io/v1', 'old-example-com', { spec: { hosts: ['old.example.com'] } }),
  namespaced('PersistentVolumeClaim', 'v1', 'data', { spec: { resources: { requests: { storage: '10Gi' } } } }),
];

/** Puts the small cluster's objects into a fake one. */
export function furnish({ objects: known }: Pick<FakeCluster, 'objects'>): void {
  for (const object of objects) {
    const namespace = String(at(object, 'metadata', 'namespace') ?? '');
    const address = `${namespace}/${String(at(object, 'metadata', 'name'))}`;
    known.set(object.kind === 'Deployment' ? address : `${String(object.kind)} ${address}`, structuredClone(object));
  }
}
