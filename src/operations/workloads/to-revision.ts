import { z } from 'zod';
import { fault } from '../../core/errors.ts';
import { shortImage } from '../../core/image.ts';
import { at, isObject, type JsonObject } from '../../core/json.ts';
import type { Kube } from '../../core/kube.ts';
import type { Place } from '../../core/place.ts';
import type { Draft } from '../../core/plan.ts';
import { markOf } from '../delivery/change.ts';
import { foresee } from '../kubernetes/foresee.ts';
import { gitOpsGuard } from '../kubernetes/gitops.ts';
import { type Found, templateOf } from './find.ts';
import { patchBetween } from './patch.ts';

export const RevisionNumber = z
  .number('must be the number of a revision')
  .int('must be a whole number')
  .min(1, 'must be at least 1')
  .describe('The number of a revision, as rollout history has it')
  .meta({ examples: [3] });

/** `web:v1, sidecar:2` of a pod template. */
export function imagesOfTemplate(template: JsonObject): string {
  const containers = at(template, 'spec', 'containers');
  return (Array.isArray(containers) ? containers : [])
    .map((container) => shortImage(String(at(container, 'image') ?? '?')))
    .join(', ');
}

/**
 * Plans the whole pod template of a revision, as kubectl would bring it back: also what others than Shipmate changed in it.
 * @throws Fault NO_SUCH_REVISION, with those that there are
 */
export async function planRevision(
  kube: Kube,
  { app, env }: Place,
  found: Found,
  revision: number,
  signal: AbortSignal,
): Promise<Draft> {
  const { ref, live } = templateOf(found);
  const all = await kube.allRevisions(found.ref, signal);
  const wanted = all.find((each) => each.revision === revision);
  const known = all.map((each) => `${each.revision}${each.current ? ' (now)' : ''}`).join(', ');
  if (!wanted) throw fault('NO_SUCH_REVISION', { app, env, revision: String(revision), known: known || 'none' });
  const template = at(live, 'spec', 'template');
  const patch = { spec: { template: patchBetween(isObject(template) ? template : {}, wanted.template) } };
  const dryRun = async () => ({ after: await kube.merge(ref, patch, { dryRun: true }, signal) });
  const foreseen = await foresee(kube, { ref, wanted: patch, seen: live }, dryRun, signal);
  const now = all.find(({ current }) => current);
  const { changes, answer } = foreseen;
  const warnings = await gitOpsGuard(kube, signal)(foreseen);
  return {
    summary: `back to revision ${revision}: ${imagesOfTemplate(wanted.template)}`,
    changes,
    ...(warnings.length > 0 && { warnings }),
    takesOver: [],
    writes: [...(found.template ? [markOf(found)] : []), { kind: 'merge', ref, patch, answer }],
    ...(now && { undo: { operation: 'rollback', input: { app, env, revision: now.revision } } }),
  };
}
