import { Fault } from '../../core/errors.ts';
import { at, isObject, type Json, type JsonObject, text } from '../../core/json.ts';
import { type KindName, knownKind } from '../../core/kinds.ts';
import type { Kube, ObjectRef } from '../../core/kube.ts';

export const number = (value: Json | undefined): number | undefined => (typeof value === 'number' ? value : undefined);
export const listOf = (value: Json | undefined): JsonObject[] => (Array.isArray(value) ? value.filter(isObject) : []);
export const nameIn = (object: JsonObject): string => text(at(object, 'metadata', 'name'));

/** The address of an object of a kind of the table; the namespace is empty for what lives in the cluster itself. */
export function refTo(kind: KindName, namespace: string, name: string): ObjectRef {
  return { apiVersion: knownKind(kind)?.apiVersion ?? '', kind, namespace, name };
}

/** All objects of a kind; undefined in a cluster that does not have the kind, as of an add-on that is not installed. */
export async function listIfThere(
  kube: Kube,
  kind: KindName,
  namespace: string,
  signal: AbortSignal,
): Promise<JsonObject[] | undefined> {
  const apiVersion = knownKind(kind)?.apiVersion ?? '';
  return await kube.list({ apiVersion, kind, namespace }, signal).catch((thrown: unknown) => {
    if (thrown instanceof Fault && thrown.code === 'UNKNOWN_KIND') return undefined;
    throw thrown;
  });
}

/** One of the conditions in an object's status. */
export function condition(object: JsonObject, type: string): JsonObject | undefined {
  return listOf(at(object, 'status', 'conditions')).find((entry) => entry.type === type);
}

/** Whether an autoscaler's reference (`scaleTargetRef`, `targetRef`) means the workload. KEDA takes a Deployment for granted. */
export function pointsTo(reference: Json | undefined, { kind, name }: Pick<ObjectRef, 'kind' | 'name'>): boolean {
  return text(at(reference, 'name')) === name && (text(at(reference, 'kind')) || 'Deployment') === kind;
}
