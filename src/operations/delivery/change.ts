import { type Difference, differences } from '../../core/diff.ts';
import { fault } from '../../core/errors.ts';
import { at, type JsonObject } from '../../core/json.ts';
import type { Kube } from '../../core/kube.ts';
import type { Draft, Write } from '../../core/plan.ts';
import { nameOf } from '../kubernetes/writes.ts';
import { type Found, templateOf } from '../workloads/find.ts';
import { previewMerge } from '../workloads/patch.ts';
import { withChange } from './workload.ts';

type Planned = Pick<Draft, 'changes' | 'takesOver' | 'manifest' | 'writes'>;

/** The first write of what changes a Rollout by its Deployment: it marks whose the rollout is that is followed then. */
export const markOf = ({ ref }: Found): Write => ({ kind: 'merge', ref, patch: {} });

/** Changes of another object than the workload, by its name. */
export const named = (name: string, changes: readonly Difference[]): Difference[] =>
  changes.map((change) => ({ ...change, path: `${name} ${change.path}` }));

/** Finds out what a whole manifest comes to; a Rollout's is laid over what it is, or is its Deployment's. */
export async function planManifest(kube: Kube, found: Found, manifest: JsonObject, signal: AbortSignal): Promise<Planned> {
  const { ref, live } = found;
  if (manifest.kind === 'Rollout')
    return { changes: differences(live, await previewMerge(kube, ref, live, manifest, signal)), manifest, takesOver: [] };
  const template = templateOf(found);
  const { after, takesOver } = await kube.preview(manifest, signal);
  const changes = differences(template.live, after);
  if (ref.kind !== 'Rollout') return { changes, manifest, takesOver };
  const apply: Write = { kind: 'apply', manifest, force: takesOver.length > 0 };
  const writes = changes.length > 0 ? [markOf(found), apply] : [];
  return { changes: named(nameOf(template.ref), changes), takesOver, writes };
}

/** Finds out what a change of a workload's fields comes to, and what has to be applied for it. */
export async function planChange(kube: Kube, found: Found, change: JsonObject, signal: AbortSignal): Promise<Planned> {
  const { apiVersion, kind, name, namespace } = found.ref;
  const ofTemplate = at(change, 'spec', 'template') !== undefined;
  if (kind !== 'Rollout' || (found.template && ofTemplate)) {
    if (found.template && at(change, 'spec', 'replicas') !== undefined)
      throw fault('BAD_INPUT', {
        problem: `how many pods there are is said by ${nameOf(found.ref)}, and which by ${nameOf(found.template.ref)}: scale apart from the deploy.`,
      });
    return await planManifest(kube, found, withChange(templateOf(found).live, change), signal);
  }
  const alone: JsonObject = { apiVersion, kind, metadata: { name, namespace }, ...change };
  return await planManifest(kube, found, alone, signal);
}
