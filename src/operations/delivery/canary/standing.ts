import { podsFor } from '../../../core/canary.ts';
import { at } from '../../../core/json.ts';
import type { Stage } from '../../../core/rollout.ts';
import { type Kit, sizeOf, templateOf } from './kit.ts';
import { type Back, brokenBy } from './reasons.ts';
import { weightNow } from './router.ts';

/** What pods are made of, as this canary found and left it. One that began before Shipmate knew has no `canaryTemplate`. */
export type Templates = { stableTemplate: string; canaryTemplate?: string };

/** How a canary stands: why it must go back, if so; and how many pods its share takes by now, where it has fewer. */
export type Standing = { back?: Back; short?: number };

/** Whether all is as this canary left it; what is not is not fought over. */
export async function standing(kit: Kit, stage: Stage, before: Templates, signal: AbortSignal): Promise<Standing> {
  const { kube, rollout, stable, canary } = kit;
  const [live, beside, weight] = await Promise.all([
    kube.read(stable, signal),
    kube.workload(canary, signal),
    weightNow(kube, rollout, signal),
  ]);
  const changed = (detail: string): Standing => ({ back: { reason: 'fault', detail } });
  if (!live) return changed(`Deployment/${stable.name} was deleted meanwhile`);
  if (templateOf(live) !== before.stableTemplate)
    return changed(`somebody else changed Deployment/${stable.name} meanwhile`);
  if (!beside) return changed(`Deployment/${canary.name} was deleted meanwhile`);
  const broken = brokenBy(beside.trouble, 'the new pods don’t stay up');
  if (broken) return { back: broken };
  // Another version than the one that is judged and will be promoted.
  if (before.canaryTemplate !== undefined && templateOf(beside.object) !== before.canaryTemplate)
    return changed(`somebody else changed Deployment/${canary.name} meanwhile`);
  if (rollout.router.kind !== 'replicas' && weight !== stage.weight)
    return changed(
      weight === undefined
        ? 'what routes the traffic was deleted meanwhile'
        : `somebody else gave it ${weight} % of the traffic meanwhile`,
    );
  if (rollout.router.kind === 'replicas' && stage.weight > 0 && at(beside.object, 'spec', 'replicas') === 0)
    return changed(`somebody else scaled Deployment/${canary.name} to none`);
  // With more load stable grows, and the canary's part of it with it.
  const need = podsFor(stage.weight, sizeOf(live), rollout.router.kind === 'replicas');
  return need > sizeOf(beside.object) ? { short: need } : {};
}
