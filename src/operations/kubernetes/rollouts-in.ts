import { Fault } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json.ts';
import type { Kube } from '../../core/kube.ts';
import type { Permission } from '../../core/operation.ts';

export const rolloutsPermission = 'list rollouts.argoproj.io' satisfies Permission;

/** The Argo Rollouts of a namespace, which run pods as other workloads do; none where the cluster has no such kind. */
export async function rolloutsIn(kube: Kube, namespace: string, signal: AbortSignal): Promise<JsonObject[]> {
  try {
    return await kube.list({ apiVersion: 'argoproj.io/v1alpha1', kind: 'Rollout', namespace }, signal);
  } catch (thrown) {
    if (thrown instanceof Fault && thrown.code === 'UNKNOWN_KIND') return [];
    throw thrown;
  }
}
