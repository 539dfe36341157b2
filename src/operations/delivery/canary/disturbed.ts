import { at } from '../../../core/json.ts';
import type { Stage } from '../../../core/rollout.ts';
import { type Kit, templateOf } from './kit.ts';
import { type Back, brokenBy } from './reasons.ts';
import { weightNow } from './router.ts';

/** What is no longer as this canary left it, if anything: it is not fought over. */
export async function disturbed(
  kit: Kit,
  stage: Stage,
  { stableTemplate }: { stableTemplate: string },
  signal: AbortSignal,
): Promise<Back | undefined> {
  const { kube, rollout, stable, canary } = kit;
  const [live, beside, weight] = await Promise.all([
    kube.read(stable, signal),
    kube.workload(canary, signal),
    weightNow(kube, rollout, signal),
  ]);
  const changed = (detail: string): Back => ({ reason: 'fault', detail });
  if (!live) return changed(`Deployment/${stable.name} was deleted meanwhile`);
  if (templateOf(live) !== stableTemplate) return changed(`somebody else changed Deployment/${stable.name} meanwhile`);
  if (!beside) return changed(`Deployment/${canary.name} was deleted meanwhile`);
  const broken = brokenBy(beside.trouble, 'the new pods don’t stay up');
  if (broken) return broken;
  if (rollout.router.kind !== 'replicas' && weight !== stage.weight)
    return changed(
      weight === undefined
        ? 'what routes the traffic was deleted meanwhile'
        : `somebody else gave it ${weight} % of the traffic meanwhile`,
    );
  if (rollout.router.kind === 'replicas' && stage.weight > 0 && at(beside.object, 'spec', 'replicas') === 0)
    return changed(`somebody else scaled Deployment/${canary.name} to none`);
  return undefined;
}
