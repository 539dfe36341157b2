import { type Edit, type EditStep, same, valueAt } from '../../core/edits.ts';
import { fault } from '../../core/errors.ts';
import { at, digestOf, type Json, type JsonObject, text } from '../../core/json.ts';
import { spanText } from '../../core/moments.ts';
import { thisRun } from '../kubernetes/edit-write.ts';
import { list } from '../kubernetes/reading.ts';
import { guards, ownRoute, type Route } from './find-routes.ts';
import { editTo, guard } from './objects.ts';
import { istioTime } from './settings.ts';

/** What goes wrong on purpose, for whom. */
export type Wrong = { delay?: number; abort?: number; percent: number; header?: string; value?: string };

/** https://istio.io/latest/docs/reference/config/networking/virtual-service/#HTTPFaultInjection */
export const faultOf = ({ delay, abort, percent }: Wrong): JsonObject => ({
  ...(delay !== undefined && { delay: { percentage: { value: percent }, fixedDelay: istioTime(delay) } }),
  ...(abort !== undefined && { abort: { percentage: { value: percent }, httpStatus: abort } }),
});

export function wrongText({ delay, abort, percent, header, value }: Wrong): string {
  const what = [
    delay === undefined ? '' : `${spanText(delay)} later`,
    abort === undefined ? '' : `answered with ${abort}`,
  ];
  const whose = header === undefined ? '' : ` of those with ${header}${value === undefined ? '' : `=${value}`}`;
  return `${percent} % of requests${whose} are ${what.filter(Boolean).join(', or ')}`;
}

const key = (label: string) => digestOf(label).slice(0, 8);

/** Where a VirtualService says which run put a fault on a route: only that run takes it away again by itself. */
export const markOf = (label: string): string => `shipmate.dev/fault-${key(label)}`;
export const isMark = (annotation: string): boolean => annotation.startsWith('shipmate.dev/fault-');
const routeName = (label: string) => `${ownRoute}fault-${key(label)}`;
const isFaultRoute = (route: JsonObject) => text(route.name).startsWith(`${ownRoute}fault-`);

/** The matches of a route, each with the header besides. */
function matchesWith({ route }: Route, { header = '', value }: Wrong): Json[] {
  const wanted: JsonObject = value === undefined ? { regex: '.*' } : { exact: value };
  const own = list(route.match);
  return (own.length > 0 ? own : [{}]).map((match) => {
    const headers = at(match, 'headers');
    return {
      ...match,
      headers: { ...(typeof headers === 'object' && !Array.isArray(headers) ? headers : {}), [header]: wanted },
    };
  });
}

/**
 * Puts a fault on a route; for those with a header alone, on a copy of the route before it.
 * @throws Fault BAD_INPUT where there is one already: two would take each other away
 */
export function injection(target: Route, wrong: Wrong, way: string): Edit[] {
  const { object, step, route, label } = target;
  const mark: EditStep[] = ['metadata', 'annotations', markOf(label)];
  const name = routeName(label);
  const there = route.fault ?? valueAt(object, ['spec', 'http', { name }]);
  if (there !== undefined)
    throw fault('BAD_INPUT', { problem: `The route ${label} has a fault already. Take it away first: ${way}.` });
  const marked = editTo(object, mark, thisRun);
  const here: EditStep[] = ['spec', 'http', step];
  if (wrong.header === undefined)
    return [marked, ...guards(target), editTo(object, [...here, 'fault'], faultOf(wrong))];
  const copy: JsonObject = { ...route, name, match: matchesWith(target, wrong), fault: faultOf(wrong) };
  return [marked, ...guards(target), { path: ['spec', 'http', { name }], to: copy, before: step }];
}

type Which = (route: JsonObject) => boolean;

/** Takes faults off the routes that are meant, and the copies of routes that were there for a fault alone. */
function removal(object: JsonObject, isMeant: Which, isMarkMeant: (mark: string) => boolean): Edit[] {
  const routes = list(at(object, 'spec', 'http'));
  const copies = routes.filter((route) => isFaultRoute(route) && isMeant(route));
  const others = routes.flatMap((route, index): Edit[] => {
    if (isFaultRoute(route) || route.fault === undefined || !isMeant(route)) return [];
    const here: EditStep[] = ['spec', 'http', index];
    return [
      guard(object, [...here, 'name']),
      guard(object, [...here, 'match']),
      editTo(object, [...here, 'fault'], undefined),
    ];
  });
  const annotations = at(object, 'metadata', 'annotations');
  const marks = Object.keys(typeof annotations === 'object' && annotations ? annotations : {}).filter(isMarkMeant);
  return [
    ...others,
    // Behind those that go by number, which taking an entry out would change.
    ...copies.map(({ name }) => editTo(object, ['spec', 'http', { name: text(name) }], undefined)),
    ...marks.map((mark) => editTo(object, ['metadata', 'annotations', mark], undefined)),
  ];
}

/** What takes a run's own fault away again; nothing where it is gone, or another run's by now. */
export function removalOf(object: JsonObject, label: string, wrong: Wrong, run: string): Edit[] {
  if (at(object, 'metadata', 'annotations', markOf(label)) !== run) return [];
  const isMeant: Which = (route) => {
    const named = text(route.name) === label.split('/')[1] || text(route.name) === '';
    return text(route.name) === routeName(label) || (named && same(route.fault, faultOf(wrong)));
  };
  return removal(object, isMeant, (mark) => mark === markOf(label));
}

/** What takes all faults off some routes, whoever put them there. */
export function removalFrom(object: JsonObject, routes: readonly Route[]): Edit[] {
  const here = routes.filter((each) => each.object === object);
  const isMeant: Which = (route) =>
    here.some(({ label, route: own }) => same(own, route) || text(route.name) === routeName(label));
  return removal(object, isMeant, (mark) => here.some(({ label }) => mark === markOf(label)));
}
