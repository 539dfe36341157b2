import type { Edit, EditStep } from '../../core/edits.ts';
import { fault } from '../../core/errors.ts';
import { at, type Json, type JsonObject, text } from '../../core/json.ts';
import { refOf } from '../../core/kube.ts';
import { list } from '../kubernetes/reading.ts';
import type { Wish } from '../kubernetes/writes.ts';
import { guards, type Route } from './find-routes.ts';
import { changes, editTo, guard } from './objects.ts';
import { askedOf, istioTime, routeLeaves, type Traffic } from './settings.ts';

const asField = (value: Json, time: boolean | undefined): Json =>
  time && typeof value === 'number' ? istioTime(value) : value;

/** Without a count Envoy would never try again, so what is said of retries alone keeps the mesh's own two. */
function withCount(asked: JsonObject, route: JsonObject): JsonObject {
  const { retries } = asked;
  const says = at(retries, 'attempts') !== undefined || at(route, 'retries', 'attempts') !== undefined;
  const sets = at(retries, 'perTryTimeout') != null || at(retries, 'retryOn') != null;
  return !says && sets && typeof retries === 'object' ? { ...asked, retries: { ...retries, attempts: 2 } } : asked;
}

function leafEdits({ object, step, route }: Route, traffic: JsonObject): Edit[] {
  const asked = withCount(traffic, route);
  return routeLeaves.flatMap((leaf) => {
    const value = askedOf(asked, leaf);
    if (value === undefined) return [];
    return [
      editTo(object, ['spec', 'http', step, ...leaf.field], value === null ? undefined : asField(value, leaf.time)),
    ];
  });
}

function mirrorEdits({ object, step, route }: Route, mirror: Traffic['mirror']): Edit[] {
  if (mirror === undefined) return [];
  const here: EditStep[] = ['spec', 'http', step];
  if (route.mirrors !== undefined)
    throw fault('BAD_INPUT', {
      problem: 'The route has several mirrors (mirrors) of its own: change those in its manifest.',
    });
  const to = mirror
    ? { host: mirror.service, ...(mirror.subset !== undefined && { subset: mirror.subset }) }
    : undefined;
  return [
    editTo(object, [...here, 'mirror'], to),
    editTo(object, [...here, 'mirrorPercentage'], mirror ? { value: mirror.percent } : undefined),
  ];
}

const isCanary = (destination: Json | undefined) =>
  at(destination, 'subset') === 'canary' || text(at(destination, 'host')).split('.')[0]?.endsWith('-canary') === true;

/** The shares of a route's two sides. @throws Fault NO_SIDES where it has not exactly these two */
function canaryEdits({ object, step, route }: Route, { service, env, canary }: Traffic): Edit[] {
  if (!canary) return [];
  const sides = list(route.route);
  const index = sides.findIndex(({ destination }) => isCanary(destination));
  if (index < 0 || sides.length !== 2) throw fault('NO_SIDES', { service, env });
  const weight = canary.enabled ? canary.weight : 0;
  return sides.flatMap((_, side) => {
    const here: EditStep[] = ['spec', 'http', step, 'route', side];
    return [
      guard(object, [...here, 'destination']),
      editTo(object, [...here, 'weight'], side === index ? weight : 100 - weight),
    ];
  });
}

/** What is asked of routes, as edits of their VirtualServices; those of one are one write. */
export function routeWishes(routes: readonly Route[], traffic: Traffic, asked: JsonObject): Wish[] {
  const parts = routes.map((route) => {
    const edits = [...leafEdits(route, asked), ...mirrorEdits(route, traffic.mirror), ...canaryEdits(route, traffic)];
    return { route, edits: edits.some(changes) ? [...guards(route), ...edits] : [] };
  });
  return [...Map.groupBy(parts, ({ route }) => route.object)].flatMap(([object, all]): Wish[] => {
    const edits = all.flatMap((part) => part.edits);
    return edits.length > 0 ? [{ kind: 'edit', ref: refOf(object), edits, base: object }] : [];
  });
}
