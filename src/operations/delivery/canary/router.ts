import { Fault, fault } from '../../../core/errors.ts';
import { at, type Json } from '../../../core/json.ts';
import type { Kube, ObjectRef } from '../../../core/kube.ts';
import { runAnnotation } from '../../../core/lost-run.ts';
import type { RolloutPlan } from '../../../core/rollout.ts';
import { gatewayRules } from './gateway.ts';
import { istioRoutes } from './istio.ts';
import type { Routes, Share, Sides } from './share.ts';

/** How the object of a plan's router is read and written; undefined where the numbers of pods are the router. */
export function routesOf({
  router,
  ...sides
}: Sides & Pick<RolloutPlan, 'router'>): { routes: Routes; ref: ObjectRef } | undefined {
  switch (router.kind) {
    case 'istio':
      return { routes: istioRoutes(sides, router.ref.namespace), ref: router.ref };
    case 'gateway':
      return { routes: gatewayRules(sides), ref: router.ref };
    case 'replicas':
      return undefined;
    default:
      return router satisfies never;
  }
}

const tries = 5;

/**
 * Gives the canary its share by one write to the router's object, on the version of it that was read: what others changed
 * meanwhile stays, and only our part of it is decided anew.
 * @returns whether it had to be written
 * @throws Fault CHANGED_MEANWHILE where others change it faster than we can; NO_SUCH_OBJECT where it is gone
 */
export async function setShare(
  kube: Kube,
  plan: RolloutPlan,
  share: Share,
  run: string,
  signal: AbortSignal,
): Promise<boolean> {
  const found = routesOf(plan);
  if (!found) return false;
  const { routes, ref } = found;
  for (let attempt = 1; ; attempt++) {
    const live = await kube.read(ref, signal);
    if (!live) throw fault('NO_SUCH_OBJECT', { kind: ref.kind, name: ref.name, where: ref.namespace, near: '' });
    const wanted = routes.shared(live, share);
    const same = ([part, value]: [string, Json]) => JSON.stringify(value) === JSON.stringify(at(live, 'spec', part));
    if (Object.entries(wanted).every(same)) return false;
    const metadata = {
      resourceVersion: at(live, 'metadata', 'resourceVersion') ?? '',
      annotations: { [runAnnotation]: run },
    };
    try {
      await kube.merge(ref, { metadata, spec: wanted }, {}, signal);
      return true;
    } catch (thrown) {
      if (!(thrown instanceof Fault) || thrown.code !== 'CHANGED_MEANWHILE' || attempt >= tries) throw thrown;
    }
  }
}

const differing = (given: readonly number[], wanted: number): number | undefined =>
  given.length === 0 && wanted > 0 ? 0 : given.find((each) => each !== wanted);

const percent = (value: number) => `${Math.round(value * 10) / 10} %`;

/**
 * How the router's object no longer gives the canary its share, as a clause; undefined where it does, and where the numbers
 * of pods are the router. Routes that somebody has added, and that lead to stable alone, are theirs.
 */
export async function shareChanged(
  kube: Pick<Kube, 'read'>,
  plan: Sides & Pick<RolloutPlan, 'router'>,
  share: Share,
  signal: AbortSignal,
): Promise<string | undefined> {
  const found = routesOf(plan);
  if (!found) return undefined;
  const live = await kube.read(found.ref, signal);
  if (!live) return 'what routes the traffic was deleted meanwhile';
  const given = found.routes.given(live);
  const weight = differing(given.canary, share.weight);
  if (weight !== undefined) return `somebody else gave it ${percent(weight)} of the traffic meanwhile`;
  const fresh = differing(given.baseline, share.baseline ? share.weight : 0);
  if (fresh !== undefined)
    return `somebody else gave the baseline that it is compared with ${percent(fresh)} of the traffic meanwhile`;
  const copied = differing(given.mirror, share.mirror ?? 0);
  if (copied !== undefined) return `somebody else had ${percent(copied)} of the traffic copied to it meanwhile`;
  if (share.match && !given.match) return 'somebody else took away its route for the requests that match meanwhile';
  return undefined;
}
