import { podsFor } from '../../../core/canary.ts';
import { at, type JsonObject, text } from '../../../core/json.ts';
import type { Stage } from '../../../core/rollout.ts';
import { byWatch, type Eyes } from './eyes.ts';
import { guards, sidesOf, untwinned } from './guards.ts';
import { type Kit, sizeOf, templateOf } from './kit.ts';
import { type Back, brokenBy } from './reasons.ts';
import { shareChanged } from './router.ts';

/** A watch may be silent because its connection is dead, so now and then the cluster itself is asked. */
const askEveryMs = 30_000;

/** What pods are made of, as this canary found and left it. One that began before Shipmate knew has no `canaryTemplate`. */
export type Templates = { stableTemplate: string; canaryTemplate?: string };

/** How a canary stands: why it must go back, if so; and how many pods its share takes by now, where it has fewer. */
export type Standing = { back?: Back; short?: number };

const changed = (detail: string): Standing => ({ back: { reason: 'fault', detail } });

/** What guards stable and no longer the canary, since somebody made or changed it meanwhile. */
async function unguarded(
  { rollout, stable }: Kit,
  eyes: Eyes,
  live: JsonObject,
  beside: JsonObject,
  signal: AbortSignal,
): Promise<Standing | undefined> {
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

/** Why there is nothing any more that the canary could be compared with in its experiment, if so. */
async function withoutBaseline(
  { kube, baseline }: Kit,
  eyes: Eyes,
  signal: AbortSignal,
): Promise<Standing | undefined> {
  if (!baseline) return undefined;
  const fresh = await eyes.read(baseline, signal);
  if (!fresh) return changed(`Deployment/${baseline.name} was deleted meanwhile`);
  const pods = await kube.workload(baseline, signal, fresh);
  const broken = brokenBy(pods?.trouble, 'the pods of the baseline don’t stay up');
  return broken && { back: broken };
}

async function compare(kit: Kit, stage: Stage, before: Templates, eyes: Eyes, signal: AbortSignal): Promise<Standing> {
  const { kube, rollout, stable, canary } = kit;
  const [live, beside, otherShare] = await Promise.all([
    eyes.read(stable, signal),
    eyes.read(canary, signal),
    shareChanged(eyes, rollout, stage, signal),
  ]);
  if (!live) return changed(`Deployment/${stable.name} was deleted meanwhile`);
  if (templateOf(live) !== before.stableTemplate)
    return changed(`somebody else changed Deployment/${stable.name} meanwhile`);
  if (!beside) return changed(`Deployment/${canary.name} was deleted meanwhile`);
  const pods = await kube.workload(canary, signal, beside);
  const broken = brokenBy(pods?.trouble, 'the new pods don’t stay up');
  if (broken) return { back: broken };
  // Another version than the one that is judged and will be promoted.
  if (before.canaryTemplate !== undefined && templateOf(beside) !== before.canaryTemplate)
    return changed(`somebody else changed Deployment/${canary.name} meanwhile`);
  if (otherShare !== undefined) return changed(otherShare);
  if (rollout.router.kind === 'replicas' && stage.weight > 0 && at(beside, 'spec', 'replicas') === 0)
    return changed(`somebody else scaled Deployment/${canary.name} to none`);
  const uncompared = stage.baseline && (await withoutBaseline(kit, eyes, signal));
  if (uncompared) return uncompared;
  const open = await unguarded(kit, eyes, live, beside, signal);
  if (open) return open;
  // With more load stable grows, and the canary's part of it with it.
  const need = podsFor(stage.weight, sizeOf(live), rollout.router.kind === 'replicas');
  return need > sizeOf(beside) ? { short: need } : {};
}

/**
 * Finds out at each look how a canary stands; what is no longer as this canary left it is not fought over. The watches that
 * all share are looked at; before anything follows from what they show, the cluster is asked.
 */
export function createStanding(kit: Kit) {
  let askedAt = Number.NEGATIVE_INFINITY;
  return async (stage: Stage, before: Templates, signal: AbortSignal): Promise<Standing> => {
    const now = kit.run.now();
    if (now - askedAt < askEveryMs) {
      const seen = await compare(kit, stage, before, byWatch(kit.kube), signal);
      if (!seen.back && seen.short === undefined) return seen;
    }
    const found = await compare(kit, stage, before, kit.kube, signal);
    askedAt = now;
    return found;
  };
}
