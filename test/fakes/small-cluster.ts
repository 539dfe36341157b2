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
];

/** Puts the small cluster's objects into a fake one. */
export function furnish({ objects: known }: Pick<FakeCluster, 'objects'>): void {
  for (const object of objects) {
    const namespace = String(at(object, 'metadata', 'namespace') ?? '');
    const address = `${namespace}/${String(at(object, 'metadata', 'name'))}`;
    known.set(object.kind === 'Deployment' ? address : `${String(object.kind)} ${address}`, structuredClone(object));
  }
}
