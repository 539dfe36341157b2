import { at, type JsonObject } from '../../../core/json.ts';
import type { Kube, ObjectRef } from '../../../core/kube.ts';
import { isOurs } from '../../../core/ours.ts';
import { trackLabel } from './labels.ts';

/** Where the objects say whose pods they are about that an app may have made of the same kinds as well. */
const pods: Record<string, readonly string[]> = {
  Deployment: ['spec', 'template', 'metadata', 'labels'],
  Service: ['spec', 'selector'],
};

/** An app that a deploy created bears Shipmate's mark too: what stands beside stable only for a while is about pods of its own. */
function isBesideStable(object: JsonObject, kind: string): boolean {
  const path = pods[kind];
  return isOurs(object) && (path === undefined || at(object, ...path, trackLabel) !== undefined);
}

/** Whether another object has the name that one is to have which stands beside stable for a while. */
export async function isTaken(kube: Kube, ref: ObjectRef, signal: AbortSignal): Promise<boolean> {
  const there = await kube.read(ref, signal);
  return there !== undefined && !isBesideStable(there, ref.kind);
}
