import { at, isObject, type JsonObject, text } from '../../../core/json.ts';
import { list } from '../../../core/observed.ts';
import type { Match } from '../../../core/rollout.ts';
import { percentOf, type Routes, type Share, type Sides } from './share.ts';

/** Our own routes in somebody's VirtualService bear a name that begins with this. */
const own = 'shipmate-canary';

const hostOf = (destination: JsonObject) => text(at(destination, 'destination', 'host'));
const isOwn = (route: JsonObject) => text(route.name).startsWith(own);

/** The routes of a VirtualService: of requests, of connections, and of connections by the name that their TLS asks for. */
export const routeKinds = ['http', 'tcp', 'tls'] as const;
type RouteKind = (typeof routeKinds)[number];

/** How routes may call a Service. https://istio.io/latest/docs/reference/config/networking/virtual-service/#Destination */
export const hostsOf = (service: string, namespace: string): string[] => [
  service,
  `${service}.${namespace}`,
  `${service}.${namespace}.svc`,
  `${service}.${namespace}.svc.cluster.local`,
];

const escaped = (value: string) => value.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** A header match of Istio; a cookie is found in the whole header. */
function headerOf({ header, cookie, value }: Match): JsonObject {
  if (header !== undefined) return { [header.toLowerCase()]: { exact: value } };
  return { cookie: { regex: `^(.*;\\s*)?${escaped(cookie ?? '')}=${escaped(value)}(;.*)?$` } };
}

/** Those that match go to the canary, treated as the route behind treats all others. */
function matchRoute(route: JsonObject, canary: JsonObject, match: Match): JsonObject {
  const { name, match: before, route: _, mirror: __, mirrorPercentage: ___, ...rest } = route;
  const earlier = list(before);
  const header = headerOf(match);
  const matches = (earlier.length > 0 ? earlier : [{}]).map((each: JsonObject) => ({
    ...each,
    headers: { ...(isObject(each.headers) ? each.headers : {}), ...header },
  }));
  return { ...rest, name: `${own}${text(name) === '' ? '' : `-${text(name)}`}`, match: matches, route: [canary] };
}

/** The routes of a VirtualService that lead to a Service, with the canary beside it. */
export function istioRoutes({ service, canary, baseline }: Sides, namespace: string): Routes {
  const hosts = hostsOf(service, namespace);
  const canaryHosts = hostsOf(canary, namespace);
  const besideHosts = [...canaryHosts, ...(baseline === undefined ? [] : hostsOf(baseline, namespace))];
  const isStable = (destination: JsonObject) => hosts.includes(hostOf(destination));
  const isCanary = (destination: JsonObject) => canaryHosts.includes(hostOf(destination));
  const isBeside = (destination: JsonObject) => besideHosts.includes(hostOf(destination));

  const instead = (stable: JsonObject, other: string): JsonObject => {
    const { weight: _, destination, ...rest } = stable;
    const port = at(destination, 'port');
    const host = hostOf(stable).replace(service, other);
    return { ...rest, destination: { host, ...(port !== undefined && { port }) } };
  };

  const one = (route: JsonObject, { weight, match, mirror, baseline: fresh }: Share): JsonObject[] => {
    const destinations = list(route.route);
    const stable = destinations.find(isStable);
    if (isOwn(route)) return [];
    if (!stable) return [route];
    const second = instead(stable, canary);
    const third = fresh && baseline !== undefined ? instead(stable, baseline) : undefined;
    const mirrored = at(route, 'mirror', 'host');
    const { mirror: before, mirrorPercentage: percentage, ...bare } = route;
    const theirs = typeof mirrored === 'string' && !canaryHosts.includes(mirrored);
    const copy: JsonObject = theirs
      ? {
          ...(before !== undefined && { mirror: before }),
          ...(percentage !== undefined && { mirrorPercentage: percentage }),
        }
      : mirror
        ? { mirror: second.destination ?? {}, mirrorPercentage: { value: mirror } }
        : {};
    const { weight: weighted, ...alone } = stable;
    const both =
      weight > 0
        ? [
            { ...alone, weight: 100 - weight - (third ? weight : 0) },
            { ...second, weight },
            ...(third ? [{ ...third, weight }] : []),
          ]
        : [weighted === undefined || destinations.some(isBeside) ? alone : stable];
    return [...(match ? [matchRoute(route, second, match)] : []), { ...bare, ...copy, route: both }];
  };

  /** Of connections there is nothing to choose by, nor to copy: they have weights alone. */
  const connections = (route: JsonObject, { weight, baseline: fresh }: Share): JsonObject[] =>
    one(route, { weight, baseline: fresh });

  const leading = (object: JsonObject, kinds: readonly RouteKind[] = routeKinds) =>
    kinds.flatMap((kind) => list(at(object, 'spec', kind)).filter((route) => list(route.route).some(isStable)));

  return {
    shared: (object, share) =>
      Object.fromEntries(
        routeKinds.flatMap((kind) => {
          const each = kind === 'http' ? one : connections;
          const routes = list(at(object, 'spec', kind));
          return routes.some((route) => isOwn(route) || list(route.route).some(isStable))
            ? [[kind, routes.flatMap((route) => each(route, share))]]
            : [];
        }),
      ),
    given: (object) => {
      const all = routeKinds.flatMap((kind) => list(at(object, 'spec', kind)));
      const theirs = all.filter((route) => !isOwn(route));
      const shareOf = (counts: (destination: JsonObject) => boolean) =>
        theirs.flatMap((route) => {
          const to = list(route.route);
          return percentOf(to, to.length === 1 ? 1 : 0, counts);
        });
      const copies = theirs.filter((route) => canaryHosts.includes(text(at(route, 'mirror', 'host'))));
      return {
        canary: shareOf(isCanary),
        baseline: shareOf((destination) => isBeside(destination) && !isCanary(destination)),
        mirror: copies.map((route) => Number(at(route, 'mirrorPercentage', 'value') ?? 100)),
        match: all.some(isOwn),
      };
    },
    problem: (object, shares) => {
      const routes = leading(object);
      const split = routes.find((route) => list(route.route).filter((each) => !isBeside(each)).length > 1);
      if (split) {
        const names = list(split.route).map(hostOf).join(' and ');
        return `its route ${text(split.name) || '(without a name)'} divides its traffic between ${names} already`;
      }
      const requests = leading(object, ['http']);
      if (requests.length === 0 && shares.some(({ match, mirror }) => match || mirror))
        return 'its routes are of connections (tcp, tls), which have no headers to choose by and are not copied';
      const mirrors = shares.some(({ mirror }) => mirror) && requests.find((route) => route.mirror !== undefined);
      return mirrors ? `its route ${text(mirrors.name)} mirrors its traffic elsewhere already` : undefined;
    },
  };
}
