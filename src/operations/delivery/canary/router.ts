import { Fault, fault } from '../../../core/errors.ts';
import { at, type Json, type JsonObject } from '../../../core/json.ts';
import type { Kube, ObjectRef } from '../../../core/kube.ts';
import { runAnnotation } from '../../../core/lost-run.ts';
import type { Match, RolloutPlan } from '../../../core/rollout.ts';
import { gatewayRules } from './gateway.ts';
import { istioRoutes } from './istio.ts';

/** What the canary gets: so many of a hundred requests, those that match, and a copy of some; with a baseline, that as many. */
export type Share = {
  weight: number;
  match?: Match | undefined;
  mirror?: number | undefined;
  baseline?: boolean | undefined;
};

/** The Services between which the traffic is divided. */
export type Sides = Pick<RolloutPlan, 'service' | 'canary' | 'baseline'>;

/** What a router's object has to do with the traffic between stable and canary. */
export type Routes = {
  /** The parts of `spec` that hold routes to stable, with the share in them; all else in them stays. */
  shared(object: JsonObject, share: Share): JsonObject;
  /** The weight that the object gives the canary. */
  weightIn(object: JsonObject): number;
  /** Why the object can't be used, if so. */
  problem(object: JsonObject, shares: readonly Share[]): string | undefined;
};

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

/** The weight that the cluster gives the canary now; undefined where there is no router's object (any more). */
export async function weightNow(
  kube: Pick<Kube, 'read'>,
  plan: RolloutPlan,
  signal: AbortSignal,
): Promise<number | undefined> {
  const found = routesOf(plan);
  const live = found && (await kube.read(found.ref, signal));
  return found && live && found.routes.weightIn(live);
}
