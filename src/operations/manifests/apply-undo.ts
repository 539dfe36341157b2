import { z } from 'zod';
import { fault } from '../../core/errors.ts';
import { at } from '../../core/json.ts';
import type { Kube, ObjectRef } from '../../core/kube.ts';
import { runAnnotation } from '../../core/lost-run.ts';
import { defineOperation, type PlanContext } from '../../core/operation.ts';
import { EnvRef } from '../../core/place.ts';
import type { Draft } from '../../core/plan.ts';
import { mayRead } from '../../core/reading.ts';
import type { Run } from '../../core/run.ts';
import { nameOf, planWrites, type Wish } from '../kubernetes/writes.ts';
import { manifestPermissions, runManifest } from './apply.ts';

/** Too much hangs on these: whoever wants them gone says so by their names. */
const stays = new Set(['Namespace', 'CustomResourceDefinition']);

type Before = NonNullable<Draft['before']>[number];

async function appliedBy(context: PlanContext<'kube' | 'runs'>, id: string): Promise<Run> {
  const { on, site, actor } = context;
  const run = await on.runs.read(id);
  if (!run || !mayRead(context, run, actor)) throw fault('UNKNOWN_RUN', { id });
  const same = run.site?.cluster === site.cluster && run.site.namespace === site.namespace;
  if (!same)
    throw fault('BAD_INPUT', { problem: `run ${id} was in ${run.site?.env ?? 'no environment'}, not in ${site.env}.` });
  if (run.startedAt === undefined || !run.plan?.before || run.plan.before.length === 0)
    throw fault('NOTHING_TO_UNDO', { id });
  return run;
}

const wishOf = ({ ref, manifest }: Before): Wish => (manifest ? { kind: 'apply', manifest } : { kind: 'remove', ref });

/** What was changed by another run since: that goes as well. */
async function changedSince(
  kube: Kube,
  refs: readonly ObjectRef[],
  id: string,
  signal: AbortSignal,
): Promise<string[]> {
  const found = await Promise.all(refs.map((ref) => kube.read(ref, signal)));
  return found.flatMap((live, index) => {
    const by = at(live, 'metadata', 'annotations', runAnnotation);
    const ref = refs[index];
    return ref && typeof by === 'string' && by !== id ? [`${nameOf(ref)} was changed since by run ${by}.`] : [];
  });
}

async function plan(context: PlanContext<'kube' | 'runs'>, id: string): Promise<Draft> {
  const { on, site, signal } = context;
  const kube = on.kube(site.cluster);
  const run = await appliedBy(context, id);
  // The last is undone first: what others need goes after them.
  const before = (run.plan?.before ?? []).toReversed();
  const kept = before.filter(({ ref, manifest }) => !manifest && stays.has(ref.kind));
  const back = before.filter((each) => !kept.includes(each));
  const [planned, since] = await Promise.all([
    planWrites(kube, back.map(wishOf), signal),
    changedSince(
      kube,
      back.map(({ ref }) => ref),
      id,
      signal,
    ),
  ]);
  const gone = planned.writes.filter(({ kind }) => kind === 'remove').length;
  const lost = (run.plan?.writes ?? []).flatMap((write) =>
    write.kind === 'remove' && !before.some(({ ref }) => nameOf(ref) === nameOf(write.ref)) ? [nameOf(write.ref)] : [],
  );
  const warnings = [
    ...(planned.warnings ?? []),
    ...since,
    ...kept.map(({ ref }) => `${nameOf(ref)} stays: delete it by its name.`),
    ...lost.map((name) => `${name} was deleted with what was in it, and does not come back.`),
  ];
  return {
    summary: `as before run ${id}: ${planned.writes.length - gone} as they were, ${gone} deleted`,
    ...planned,
    ...(warnings.length > 0 && { warnings }),
  };
}

export const applyUndo = defineOperation({
  name: 'apply-undo',
  summary: 'Take back what an apply changed',
  effect: 'change',
  input: z.strictObject({ run: z.string().min(1).max(64).describe('The run of the apply'), env: EnvRef }),
  usage: '<run> in <env>',
  examples: ['k7m2p9qa in staging'],
  needs: ['kube', 'runs'],
  permissions: manifestPermissions,
  steps: ['write', 'settle'],
  limits: { run: 26 * 3_600_000, steps: { settle: 25 * 3_600_000 } },
  target: ({ env }) => ({ env }),
  plan: (context, { run }) => plan(context, run),
  run: runManifest,
});
