import type { JsonObject } from '../../../src/core/json.ts';

/** Manifests of small workloads, each of which may be wrong in a way of its own. */

export type Made = { namespace: string; name: string };

const merged = (base: JsonObject, more: JsonObject): JsonObject => ({ ...base, ...more });

/** A container of the bed's busybox that stays up. Pods end at once when asked to: grace periods would hold the test up. */
export const container = (image: string, more: JsonObject = {}): JsonObject =>
  merged({ name: 'main', image, args: ['sleep', '3600'] }, more);

export const podTemplate = (name: string, spec: JsonObject, labels: JsonObject = { app: name }): JsonObject => ({
  metadata: { labels },
  spec: { terminationGracePeriodSeconds: 0, ...spec },
});

export const deployment = ({ namespace, name }: Made, spec: JsonObject, more: JsonObject = {}): JsonObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name, namespace },
  spec: { replicas: 1, selector: { matchLabels: { app: name } }, template: podTemplate(name, spec), ...more },
});

export const job = ({ namespace, name }: Made, spec: JsonObject, more: JsonObject = {}): JsonObject => ({
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { name, namespace },
  spec: { template: podTemplate(name, { restartPolicy: 'Never', ...spec }), ...more },
});

export const statefulSet = ({ namespace, name }: Made, spec: JsonObject): JsonObject => ({
  apiVersion: 'apps/v1',
  kind: 'StatefulSet',
  metadata: { name, namespace },
  spec: { serviceName: name, selector: { matchLabels: { app: name } }, template: podTemplate(name, spec) },
});

export const daemonSet = ({ namespace, name }: Made, spec: JsonObject): JsonObject => ({
  apiVersion: 'apps/v1',
  kind: 'DaemonSet',
  metadata: { name, namespace },
  spec: { selector: { matchLabels: { app: name } }, template: podTemplate(name, spec) },
});

/** One that never comes due by itself. */
export const cronJob = ({ namespace, name }: Made, spec: JsonObject, more: JsonObject = {}): JsonObject => ({
  apiVersion: 'batch/v1',
  kind: 'CronJob',
  metadata: { name, namespace },
  spec: {
    schedule: '0 0 31 2 *',
    jobTemplate: { spec: { backoffLimit: 0, template: podTemplate(name, { restartPolicy: 'Never', ...spec }) } },
    ...more,
  },
});

/** A webhook that nobody answers for, for the pods of one app alone. */
export const deadWebhook = ({ namespace, name }: Made): JsonObject => ({
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: 'ValidatingWebhookConfiguration',
  metadata: { name: `${name}-${namespace}` },
  webhooks: [
    {
      name: 'pods.example.com',
      clientConfig: { url: 'https://127.0.0.1:1/' },
      rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }],
      namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
      objectSelector: { matchLabels: { app: name } },
      sideEffects: 'None',
      admissionReviewVersions: ['v1'],
    },
  ],
});

export const service = ({ namespace, name }: Made, selector: JsonObject, targetPort: string | number): JsonObject => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace },
  spec: { selector, ports: [{ port: 80, targetPort }] },
});

export const configMap = ({ namespace, name }: Made, data: JsonObject, finalizers: string[] = []): JsonObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace, finalizers },
  data,
});

export const claim = ({ namespace, name }: Made, spec: JsonObject): JsonObject => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: { name, namespace },
  spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, ...spec },
});

export const budget = ({ namespace, name }: Made, app: string): JsonObject => ({
  apiVersion: 'policy/v1',
  kind: 'PodDisruptionBudget',
  metadata: { name, namespace },
  spec: { minAvailable: 1, selector: { matchLabels: { app } } },
});

export const autoscaler = ({ namespace, name }: Made): JsonObject => ({
  apiVersion: 'autoscaling/v2',
  kind: 'HorizontalPodAutoscaler',
  metadata: { name, namespace },
  spec: {
    scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name },
    minReplicas: 1,
    maxReplicas: 3,
    metrics: [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } }],
  },
});

export const quota = ({ namespace, name }: Made, hard: JsonObject): JsonObject => ({
  apiVersion: 'v1',
  kind: 'ResourceQuota',
  metadata: { name, namespace },
  spec: { hard },
});

/** A node that no kubelet stands behind, and that a taint keeps free of pods. */
export const taintedNode = (name: string): JsonObject => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name, labels: { pool: name } },
  spec: { taints: [{ key: 'gpu', value: 'only', effect: 'NoSchedule' }] },
});

/** What Pod Security "restricted" asks of a pod. */
export const restricted: { pod: JsonObject; container: JsonObject } = {
  pod: { securityContext: { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: 'RuntimeDefault' } } },
  container: { securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } } },
};
