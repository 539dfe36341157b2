import { Fault } from '../../core/errors.ts';
import { at, isObject, type JsonObject, text } from '../../core/json.ts';
import type { Kube, ObjectRef } from '../../core/kube.ts';
import { listOf } from './found.ts';

/**
 * Who counts replicas must be one alone: where an autoscaler does, Shipmate gives up the field. To apply without it would set
 * it back to 1, so the field's ownership is taken out of `metadata.managedFields`, and its value stays.
 * https://kubernetes.io/docs/reference/using-api/server-side-apply/#transferring-ownership
 */

const ours = 'shipmate';
const tries = 5;

const setsReplicas = (entry: JsonObject) =>
  !entry.subresource && at(entry, 'fieldsV1', 'f:spec', 'f:replicas') !== undefined;

const entriesOf = (live: JsonObject) => listOf(at(live, 'metadata', 'managedFields'));

/** Whether Shipmate itself set the workload's replica count the last time. */
export function ownsReplicas(live: JsonObject): boolean {
  return entriesOf(live).some((entry) => entry.manager === ours && setsReplicas(entry));
}

/** Others who set the count from a file of theirs, and so will set it back: Helm, Argo CD, kubectl apply. */
export function otherKeepers(live: JsonObject): string[] {
  const declares = (entry: JsonObject) =>
    entry.operation === 'Apply' || /^(kubectl-client-side-apply|helm|argocd|kustomize|flux)/i.test(text(entry.manager));
  const found = entriesOf(live).filter((entry) => entry.manager !== ours && setsReplicas(entry) && declares(entry));
  return [...new Set(found.map(({ manager }) => text(manager)))];
}

function withoutReplicas(entry: JsonObject): JsonObject {
  const fields = entry.fieldsV1;
  const spec = at(fields, 'f:spec');
  if (entry.manager !== ours || !setsReplicas(entry) || !isObject(fields) || !isObject(spec)) return entry;
  const { 'f:replicas': _, ...rest } = spec;
  return { ...entry, fieldsV1: { ...fields, 'f:spec': rest } };
}

/** Gives up `spec.replicas`; its value stays as it is. Doing it again does nothing more. */
export async function releaseReplicas(kube: Kube, ref: ObjectRef, signal: AbortSignal): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const live = await kube.read(ref, signal);
    if (!live || !ownsReplicas(live)) return;
    const resourceVersion = text(at(live, 'metadata', 'resourceVersion'));
    const managedFields = entriesOf(live).map(withoutReplicas);
    try {
      await kube.merge(ref, { metadata: { resourceVersion, managedFields } }, {}, signal);
      return;
    } catch (thrown) {
      // Somebody else, such as the Deployment's own controller, wrote in between.
      const raced = thrown instanceof Fault && thrown.message.includes('object has been modified');
      if (!raced || attempt === tries) throw thrown;
    }
  }
}
