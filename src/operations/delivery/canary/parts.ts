import { fault } from '../../../core/errors.ts';
import { at, type JsonObject, text } from '../../../core/json.ts';
import { type Kube, refOf } from '../../../core/kube.ts';
import { list } from '../../../core/observed.ts';
import type { Place } from '../../../core/place.ts';
import type { RolloutSettings, RouterPlan } from '../../../core/rollout.ts';
import { nameOf } from '../../kubernetes/writes.ts';
import { hostsOf, routeKinds } from './istio.ts';
import { listIfKnown } from './list-if-known.ts';

export const istio = { apiVersion: 'networking.istio.io/v1', kind: 'VirtualService' };
const gateway = { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'HTTPRoute' };
const rule = { apiVersion: 'networking.istio.io/v1', kind: 'DestinationRule' };

export const nameIn = (object: JsonObject) => text(at(object, 'metadata', 'name'));

export type Parts = { services: JsonObject[]; routes: JsonObject[]; virtual: JsonObject[]; rules: JsonObject[] };

/** What there is in a namespace that traffic goes by. */
export async function partsOf(kube: Kube, namespace: string, signal: AbortSignal): Promise<Parts> {
  const [services, virtual, routes, rules] = await Promise.all([
    kube.list({ apiVersion: 'v1', kind: 'Service', namespace }, signal),
    listIfKnown(kube, istio, namespace, signal),
    listIfKnown(kube, gateway, namespace, signal),
    listIfKnown(kube, rule, namespace, signal),
  ]);
  return { services, virtual, routes, rules };
}

const destinationsOf = (object: JsonObject): string[] =>
  routeKinds
    .flatMap((kind) => list(at(object, 'spec', kind)))
    .flatMap((route) => list(route.route).map((each) => text(at(each, 'destination', 'host'))));

const backendsOf = (object: JsonObject): string[] =>
  list(at(object, 'spec', 'rules')).flatMap((each) => list(each.backendRefs).map(({ name }) => text(name)));

/** The Service whose traffic is shifted: the one that settings name, that a route leads to, that is called like the app, or the only one. */
export function serviceFor(
  place: Place,
  settings: RolloutSettings | undefined,
  own: JsonObject[],
  { virtual, routes }: Parts,
): JsonObject {
  const named = (name: string) => own.find((service) => nameIn(service) === name);
  if (settings?.service !== undefined) {
    const found = named(settings.service);
    if (found) return found;
    throw fault('CANARY_IMPOSSIBLE', {
      app: place.app,
      env: place.env,
      problem: `the Service ${settings.service} does not lead to its pods`,
    });
  }
  const routed = own.find((service) => {
    const hosts = hostsOf(nameIn(service), place.namespace);
    return (
      virtual.some((object) => destinationsOf(object).some((host) => hosts.includes(host))) ||
      routes.some((object) => backendsOf(object).includes(nameIn(service)))
    );
  });
  const [only] = own;
  const found = routed ?? named(place.workload) ?? named(place.app) ?? (own.length === 1 ? only : undefined);
  if (found) return found;
  const known = own.map(nameIn).join(', ');
  const problem =
    known === ''
      ? 'no Service leads to its pods alone, so it has no traffic to shift'
      : `several Services lead to its pods (${known}); set apps.${place.app}.rollout.service`;
  throw fault('CANARY_IMPOSSIBLE', { app: place.app, env: place.env, problem });
}

/** The one object that routes the Service's traffic. Several could not be changed by one write. */
export function routerFor(
  place: Place,
  settings: RolloutSettings | undefined,
  service: string,
  { virtual, routes }: Parts,
): RouterPlan {
  const hosts = hostsOf(service, place.namespace);
  const vs = virtual.filter((object) => destinationsOf(object).some((host) => hosts.includes(host)));
  const hr = routes.filter((object) => backendsOf(object).includes(service));
  const wanted = settings?.router;
  const found = wanted === 'replicas' ? [] : [...(wanted === 'gateway' ? [] : vs), ...(wanted === 'istio' ? [] : hr)];
  const [first, second] = found;
  if (first && second) {
    const problem = `its traffic is routed by ${found.map((object) => nameOf(refOf(object))).join(' and ')}, and one write cannot change both; set apps.${place.app}.rollout.router`;
    throw fault('CANARY_IMPOSSIBLE', { app: place.app, env: place.env, problem });
  }
  if (first?.kind === 'VirtualService') return { kind: 'istio', ref: refOf(first), created: false };
  if (first) return { kind: 'gateway', ref: refOf(first) };
  if (wanted === 'istio')
    return { kind: 'istio', ref: { ...istio, namespace: place.namespace, name: service }, created: true };
  if (wanted === 'gateway')
    throw fault('CANARY_IMPOSSIBLE', {
      app: place.app,
      env: place.env,
      problem: `no HTTPRoute leads to the Service ${service}`,
    });
  return { kind: 'replicas' };
}
