import type { JsonObject } from '../../src/core/json.ts';
import { at } from '../../src/core/json.ts';
import type { FakeCluster } from './fake-kube.ts';

const namespaced = (kind: string, apiVersion: string, name: string, rest: JsonObject): JsonObject => ({
  apiVersion,
  kind,
  metadata: { name, namespace: 'staging', uid: `uid-${kind}-${name}` },
  ...rest,
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
];

/** Puts the small cluster's objects into a fake one. */
export function furnish({ objects: known }: Pick<FakeCluster, 'objects'>): void {
  for (const object of objects) {
    const namespace = String(at(object, 'metadata', 'namespace') ?? '');
    const address = `${namespace}/${String(at(object, 'metadata', 'name'))}`;
    known.set(object.kind === 'Deployment' ? address : `${String(object.kind)} ${address}`, structuredClone(object));
  }
}
