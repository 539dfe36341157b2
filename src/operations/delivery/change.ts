import { differences } from '../../core/diff.ts';
import type { JsonObject } from '../../core/json.ts';
import type { Kube } from '../../core/kube.ts';
import type { Draft } from '../../core/plan.ts';
import type { Found } from '../workloads/find.ts';
import { previewMerge } from '../workloads/patch.ts';
import { withChange } from './workload.ts';

/** Finds out what a whole manifest comes to; a Rollout's is laid over what it is. */
export async function planManifest(kube: Kube, { ref, live }: Found, manifest: JsonObject, signal: AbortSignal) {
  if (ref.kind === 'Rollout')
    return {
      changes: differences(live, await previewMerge(kube, ref, live, manifest, signal)),
      manifest,
      takesOver: [],
    };
  const { after, takesOver } = await kube.preview(manifest, signal);
  return { changes: differences(live, after), manifest, takesOver };
}

/** Finds out what a change of a workload's fields comes to, and what has to be applied for it. */
export async function planChange(
  kube: Kube,
  found: Found,
  change: JsonObject,
  signal: AbortSignal,
): Promise<Pick<Draft, 'changes' | 'takesOver'> & { manifest: JsonObject }> {
  const { apiVersion, kind, name, namespace } = found.ref;
  const alone: JsonObject = { apiVersion, kind, metadata: { name, namespace }, ...change };
  return await planManifest(kube, found, kind === 'Rollout' ? alone : withChange(found.live, change), signal);
}
