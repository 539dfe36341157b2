import { Fault } from '../../../core/errors.ts';
import type { Kube } from '../../../core/kube.ts';

/** A cluster without the mesh, or one that does not let Shipmate look, has nothing of its kind. */
export async function listIfKnown(
  kube: Kube,
  kind: { apiVersion: string; kind: string },
  namespace: string,
  signal: AbortSignal,
) {
  try {
    return await kube.list({ ...kind, namespace }, signal);
  } catch (thrown) {
    const absent = ['CLUSTER_REFUSED', 'CLUSTER_FORBIDDEN', 'UNKNOWN_KIND'];
    if (thrown instanceof Fault && absent.includes(thrown.code)) return [];
    throw thrown;
  }
}
