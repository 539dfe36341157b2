import type { Difference } from '../../core/diff.ts';
import { fault } from '../../core/errors.ts';
import { at, type JsonObject } from '../../core/json.ts';
import type { Kube } from '../../core/kube.ts';
import type { Draft, Write } from '../../core/plan.ts';
import { type Foreseen as Answered, foresee } from '../kubernetes/foresee.ts';
import { gitOpsGuard } from '../kubernetes/gitops.ts';
import { nameOf } from '../kubernetes/writes.ts';
import { type Found, templateOf } from '../workloads/find.ts';
import { previewMerge } from '../workloads/patch.ts';
import { withChange } from './workload.ts';

type Planned = Pick<Draft, 'changes' | 'takesOver' | 'manifest' | 'answer' | 'writes' | 'warnings' | 'touches'>;

/** What goes into the plan, and the object as the dry run has it, which a plan does not bear. */
export type Foreseen = { planned: Planned; after: JsonObject };

/**
 * The first write of what changes a Rollout by its Deployment: it marks whose the rollout is that is followed then. The mark is
 * all that it sets, and no dry run bears it: there is nothing in its answer to be bound.
 */
export const markOf = ({ ref }: Found): Write => ({ kind: 'merge', ref, patch: {}, answer: '' });

/** Changes of another object than the workload, by its name. */
export const named = (name: string, changes: readonly Difference[]): Difference[] =>
  changes.map((change) => ({ ...change, path: `${name} ${change.path}` }));

/** @throws Fault MANAGED_BY_GIT for what Argo CD would put back at once */
async function guarded(kube: Kube, found: Answered, takesOver: Draft['takesOver'], signal: AbortSignal) {
  const warnings = await gitOpsGuard(kube, signal)(found);
  const { changes, answer } = found;
  return { changes, answer, takesOver, ...(warnings.length > 0 && { warnings }) };
}

/** Finds out what a whole manifest comes to; a Rollout's is laid over what it is, or is its Deployment's. */
export async function planManifest(
  kube: Kube,
  found: Found,
  manifest: JsonObject,
  signal: AbortSignal,
): Promise<Foreseen> {
  const { ref, live } = found;
  if (manifest.kind === 'Rollout') {
    const dryRun = async (now: JsonObject = live) => ({ after: await previewMerge(kube, ref, now, manifest, signal) });
    const laid = await foresee(kube, { ref, wanted: manifest, seen: live }, dryRun, signal);
    return { planned: { ...(await guarded(kube, laid, [], signal)), manifest }, after: laid.after };
  }
  const template = templateOf(found);
  const about = { ref: template.ref, wanted: manifest, seen: template.live };
  const applied = await foresee(kube, about, () => kube.preview(manifest, signal), signal);
  const { after, takesOver, changes } = applied;
  const { answer, ...planned } = await guarded(kube, applied, takesOver, signal);
  if (ref.kind !== 'Rollout') return { planned: { ...planned, answer, manifest }, after };
  const apply: Write = { kind: 'apply', manifest, force: takesOver.length > 0, answer };
  const writes = changes.length > 0 ? [markOf(found), apply] : [];
  return { planned: { ...planned, changes: named(nameOf(template.ref), changes), writes }, after };
}

/** Finds out what a change of a workload's fields comes to, and what has to be applied for it. */
export async function planChange(kube: Kube, found: Found, change: JsonObject, signal: AbortSignal): Promise<Foreseen> {
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
