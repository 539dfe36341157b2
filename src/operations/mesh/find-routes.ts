import type { Edit, EditStep } from '../../core/edits.ts';
import { fault } from '../../core/errors.ts';
import { at, type JsonObject, text } from '../../core/json.ts';
import { entries, list, nameIn } from '../kubernetes/reading.ts';
import { guard, meansService, meshObject } from './objects.ts';

/** One HTTP route that leads to a Service, in the VirtualService that has it. */
export type Route = {
  object: JsonObject;
  /** Where in the list of routes: by its name where it has one of its own. */
  step: EditStep;
  route: JsonObject;
  /** `shop/cart`: the VirtualService, and the route's name or number. */
  label: string;
};

/** Routes that Shipmate puts before others for a while; nobody means them. */
export const ownRoute = 'shipmate-';

const destinations = (route: JsonObject): JsonObject[] => list(route.route);

/** A match in words: `/cart`, `x-user=ana`. */
export function matchText(route: JsonObject): string {
  const one = (value: JsonObject | undefined, before: string) =>
    value
      ? `${before}${text(value.exact) || `${text(value.prefix)}${value.prefix === undefined ? '' : '*'}` || text(value.regex)}`
      : '';
  return list(route.match)
    .map((match) =>
      [
        one(list([match.uri ?? null])[0], ''),
        one(list([match.method ?? null])[0], ''),
        ...entries(match.headers).map(([name]) => one(list([at(match, 'headers', name) ?? null])[0], `${name}=`)),
        ...(match.gateways ? ['at its gateway'] : []),
      ]
        .filter(Boolean)
        .join(' and '),
    )
    .filter(Boolean)
    .join(' or ');
}

/** All routes of VirtualServices that lead to a Service. */
export function routesTo(objects: readonly JsonObject[], service: string, namespace: string): Route[] {
  return objects.flatMap((object) => {
    const routes = list(at(object, 'spec', 'http'));
    return routes.flatMap((route, index): Route[] => {
      const leads = destinations(route).some(({ destination }) =>
        meansService(at(destination, 'host'), service, namespace),
      );
      const name = text(route.name);
      if (!leads || name.startsWith(ownRoute)) return [];
      const alone = name !== '' && routes.filter((each) => each.name === name).length === 1;
      // Numbers that stay, whatever Shipmate has put before the route for a while.
      const ahead = routes.slice(0, index).filter((each) => text(each.name).startsWith(ownRoute)).length;
      const label = `${nameIn(object)}/${name || index + 1 - ahead}`;
      return [{ object, route, step: alone ? { name } : index, label }];
    });
  });
}

const described = ({ label, route }: Route) => {
  const match = matchText(route);
  return match === '' ? label : `${label} (${match})`;
};

/**
 * The routes that are meant: the only one, the one that is named, or all.
 * @throws Fault WHICH_ROUTE where there are several, BAD_INPUT where none is called that
 */
export function chosenRoutes(routes: readonly Route[], service: string, wanted: string | undefined): Route[] {
  if (wanted === 'all') return [...routes];
  const said = routes.map(described).join(', ');
  if (wanted !== undefined) {
    const found = routes.filter(({ label }) => label === wanted || label.split('/')[1] === wanted);
    const [only] = found;
    if (only && found.length === 1) return [only];
    const problem =
      routes.length === 0
        ? `No route leads to ${service} yet.`
        : `No one route is called “${wanted}”: there are ${said}.`;
    throw fault('BAD_INPUT', { problem });
  }
  const [first] = routes;
  if (!first || routes.length === 1) return [...routes];
  throw fault('WHICH_ROUTE', { service, routes: said, example: `route=${first.label}` });
}

/** What tells that a route without a name is still the one at its number. */
export function guards({ object, step, route }: Route): Edit[] {
  if (typeof step !== 'number') return [];
  const here: EditStep[] = ['spec', 'http', step];
  const hosts = destinations(route).map((_, index) => guard(object, [...here, 'route', index, 'destination', 'host']));
  return [guard(object, [...here, 'match']), ...hosts];
}

/** Where no VirtualService leads to a Service: a new one, with one route for all. */
export function freshRoute(objects: readonly JsonObject[], service: string, namespace: string): Route {
  const taken = objects.some((object) => nameIn(object) === service);
  const route: JsonObject = { name: 'primary', route: [{ destination: { host: service } }] };
  const name = taken ? `${service}-mesh` : service;
  const object = meshObject('VirtualService', namespace, name, { hosts: [service], http: [route] });
  return { object, route, step: { name: 'primary' }, label: `${name}/primary` };
}
