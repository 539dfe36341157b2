import { Fault } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json.ts';
import type { Kube, Selection } from '../../core/kube.ts';
import type { Permission } from '../../core/operation.ts';

/** Objects of a kind; none where the cluster doesn't have the kind. */
export async function listKnown(kube: Kube, selection: Selection, signal: AbortSignal): Promise<JsonObject[]> {
  try {
    return await kube.list(selection, signal);
  } catch (thrown) {
    if (thrown instanceof Fault && thrown.code === 'UNKNOWN_KIND') return [];
    throw thrown;
  }
}

export const rolloutsPermission = 'list rollouts.argoproj.io' satisfies Permission;

/** The Argo Rollouts of a namespace, which run pods as other workloads do. */
export const rolloutsIn = (kube: Kube, namespace: string, signal: AbortSignal): Promise<JsonObject[]> =>
  listKnown(kube, { apiVersion: 'argoproj.io/v1alpha1', kind: 'Rollout', namespace }, signal);
