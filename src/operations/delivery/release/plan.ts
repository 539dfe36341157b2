import { merged } from '../../../core/effects/effects.ts';
import { JsonObject } from '../../../core/json.ts';
import type { PlanContext } from '../../../core/operation.ts';
import { type PartPlan, partText } from '../../../core/parts.ts';
import { locate, siteCalled } from '../../../core/place.ts';
import { changesNothing, type Draft, type Plan } from '../../../core/plan.ts';
import { findWorkload } from '../../workloads/find.ts';
import { checkEnvironmentThere } from '../new-environment.ts';
import type { Asked } from './asked.ts';
import { type Made, make, makeStepsOf } from './make.ts';

export type ReleaseNeeds = 'kube' | 'signing' | 'scanner';
type Context = PlanContext<ReleaseNeeds>;

/** How each of them is rolled out, where the release says so. */
export type How = { strategy?: string | undefined; weights?: number[] | undefined; bake?: number | undefined };
type Wanted = { asked: readonly Asked[]; env: string; from: string | undefined; how: How };

/** What takes the app back to what it is now: its revision of now, or, where it is new, its removal. */
async function wayBack({ on, settings, signal }: Context, app: string, env: string): Promise<PartPlan['back']> {
  const place = locate(settings, { app, env });
  const kube = on.kube(place.cluster);
  const found = await findWorkload(kube, place, signal);
  if (!found) return { operation: 'workload-delete', input: { app, env } };
  const now = (await kube.allRevisions(found.ref, signal)).find(({ current }) => current);
  return { operation: 'rollback', input: { app, env, ...(now && { revision: now.revision }) } };
}

async function partOf(context: Context, { app, tag, wave }: Asked, { env, how }: Wanted, made: Made) {
  const image = made.get(app);
  const which = image ? { image: `${image.reference}@${image.digest}` } : { tag };
  // As it is stored: what was not said is not there.
  const input = JsonObject.parse(JSON.parse(JSON.stringify({ app, env, ...which, ...how })));
  const [plan, back] = await Promise.all([context.foresee('deploy', input), wayBack(context, app, env)]);
  const { digest, summary } = plan;
  const part = { key: app, wave, app, operation: 'deploy', input, digest, summary, back };
  return { plan, part: { ...part, ...(plan.image && { image: plan.image }) } };
}

const sorted = (parts: readonly PartPlan[]): PartPlan[][] => {
  const waves = [...new Set(parts.map(({ wave }) => wave))];
  return waves.map((wave) => parts.filter((part) => part.wave === wave));
};

/** Waves without those where nothing is left to do, numbered anew. */
const renumbered = (parts: readonly PartPlan[]): PartPlan[] =>
  sorted(parts).flatMap((wave, index) => wave.map((part) => ({ ...part, wave: index + 1 })));

const of = (app: string) => (text: string) => `${app}: ${text}`;
const changesOf = ({ plan, part }: { plan: Plan; part: PartPlan }) =>
  plan.changes.map((change) => ({ ...change, path: `${part.app} ${change.path}` }));

/**
 * Plans a release: images that are to be made are made first, so that what is shown, and approved, is what will run. One diff
 * of all apps, each bound by the digest of its own plan.
 */
export async function planRelease(context: Context, wanted: Wanted): Promise<Draft> {
  const { asked, from, env } = wanted;
  const site = siteCalled(context.settings, env);
  await checkEnvironmentThere(context.on.kube(site.cluster), context.settings, site, context.signal);
  const made = await make(context, asked, from);
  const all = await Promise.all(asked.map((each) => partOf(context, each, wanted, made)));
  const changing = all.filter(({ plan }) => !changesNothing(plan));
  const parts = renumbered(changing.map(({ part }) => part));
  const waves = sorted(parts).map((wave) => wave.map(partText).join(', '));
  const same = all.filter(({ plan }) => changesNothing(plan)).map(({ part }) => `${part.app} is like that already.`);
  const warnings = [...changing.flatMap(({ plan, part }) => (plan.warnings ?? []).map(of(part.app))), ...same];
  const touches = merged(changing.flatMap(({ plan }) => plan.touches ?? []));
  return {
    summary: waves.length > 0 ? waves.join(', then ') : 'like that already',
    changes: changing.flatMap(changesOf),
    takesOver: changing.flatMap(({ plan, part }) =>
      plan.takesOver.map(({ field, manager }) => ({ field: `${part.app} ${field}`, manager })),
    ),
    ...(warnings.length > 0 && { warnings }),
    writes: [],
    parts,
    // What a part changes besides its app is for the release to be approved for, and to take its turn at.
    ...(touches.length > 0 && { touches }),
    checklist: [
      ...(made.size > 0 ? makeStepsOf(context) : []),
      ...waves.map((_, index) => `wave ${index + 1}`),
      'verify',
    ],
  };
}
