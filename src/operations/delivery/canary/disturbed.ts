import { at, type JsonObject, text } from '../../../core/json.ts';
import type { Stage } from '../../../core/rollout.ts';
import { byWatch, type Eyes } from './eyes.ts';
import { guards, sidesOf, untwinned } from './guards.ts';
import { type Kit, templateOf } from './kit.ts';
import { type Back, brokenBy } from './reasons.ts';
import { weightNow } from './router.ts';

/** A watch may be silent because its connection is dead, so now and then the cluster itself is asked. */
const askEveryMs = 30_000;

const changed = (detail: string): Back => ({ reason: 'fault', detail });

/** What guards stable and no longer the canary, since somebody made or changed it meanwhile. */
async function unguarded(
  { rollout, stable }: Kit,
  eyes: Eyes,
  live: JsonObject,
  beside: JsonObject,
  signal: AbortSignal,
): Promise<Back | undefined> {
  const { kinds = [], except = [] } = rollout.guarded ?? {};
  const sides = sidesOf(live, beside, rollout);
  const watched = guards.filter(({ kind }) => kinds.includes(kind));
  const found = await Promise.all(
    watched.map(async (guard) => {
      const { apiVersion, kind } = guard;
      const policies = await eyes.list({ apiVersion, kind, namespace: stable.namespace }, signal);
      return untwinned(guard, policies, sides).map(({ metadata }) => `${kind}/${text(at(metadata, 'name'))}`);
    }),
  );
  const [name] = found.flat().filter((each) => !except.includes(each));
  if (name === undefined) return undefined;
  return changed(`somebody else changed what guards the pods meanwhile: ${name} no longer holds for the new ones`);
}

async function compare(
  kit: Kit,
  stage: Stage,
  { stableTemplate }: { stableTemplate: string },
  eyes: Eyes,
  signal: AbortSignal,
): Promise<Back | undefined> {
  const { kube, rollout, stable, canary } = kit;
  const [live, beside, weight] = await Promise.all([
    eyes.read(stable, signal),
    eyes.read(canary, signal),
    weightNow(eyes, rollout, signal),
  ]);
  if (!live) return changed(`Deployment/${stable.name} was deleted meanwhile`);
  if (templateOf(live) !== stableTemplate) return changed(`somebody else changed Deployment/${stable.name} meanwhile`);
  if (!beside) return changed(`Deployment/${canary.name} was deleted meanwhile`);
  const pods = await kube.workload(canary, signal, beside);
  const broken = brokenBy(pods?.trouble, 'the new pods don’t stay up');
  if (broken) return broken;
  if (rollout.router.kind !== 'replicas' && weight !== stage.weight)
    return changed(
      weight === undefined
        ? 'what routes the traffic was deleted meanwhile'
        : `somebody else gave it ${weight} % of the traffic meanwhile`,
    );
  if (rollout.router.kind === 'replicas' && stage.weight > 0 && at(beside, 'spec', 'replicas') === 0)
    return changed(`somebody else scaled Deployment/${canary.name} to none`);
  return await unguarded(kit, eyes, live, beside, signal);
}

/**
 * Finds out at each look what is no longer as this canary left it, if anything: it is not fought over. The watches that all
 * share are looked at; before anything follows from what they show, the cluster is asked.
 */
export function createDisturbed(kit: Kit) {
  let askedAt = Number.NEGATIVE_INFINITY;
  return async (stage: Stage, before: { stableTemplate: string }, signal: AbortSignal): Promise<Back | undefined> => {
    const now = kit.run.now();
    if (now - askedAt < askEveryMs) {
      const suspected = await compare(kit, stage, before, byWatch(kit.kube), signal);
      if (!suspected) return undefined;
    }
    const found = await compare(kit, stage, before, kit.kube, signal);
    askedAt = now;
    return found;
  };
}
