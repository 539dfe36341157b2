import type { Kube, ObjectRef } from '../../../core/kube.ts';
import { isOurs } from '../../../core/ours.ts';

/** Whether somebody else's object has the name that one is to have which stands beside stable for a while. */
export async function isTaken(kube: Kube, ref: ObjectRef, signal: AbortSignal): Promise<boolean> {
  const there = await kube.read(ref, signal);
  return there !== undefined && !isOurs(there);
}
