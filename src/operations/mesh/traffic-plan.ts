import { fault } from '../../core/errors.ts';
import { at, isObject, JsonObject } from '../../core/json.ts';
import { spanText } from '../../core/moments.ts';
import type { PlanContext } from '../../core/operation.ts';
import type { Draft } from '../../core/plan.ts';
import { list } from '../kubernetes/reading.ts';
import { planWrites } from '../kubernetes/writes.ts';
import { wayBack } from './current.ts';
import { chosenRoutes, freshRoute, type Route, routesTo } from './find-routes.ts';
import { keepersText, meansService, meshList, serviceCalled } from './objects.ts';
import { freshRule, overruledText, policyWishes, ruleFor } from './policy-edits.ts';
import { routeWishes } from './route-edits.ts';
import type { Traffic } from './settings.ts';

export const trafficPermissions = [
  'list services',
  'get,list,create,patch virtualservices.networking.istio.io,destinationrules.networking.istio.io',
] as const;

const routeFields = ['timeout', 'retries', 'mirror', 'canary'] as const;
const policyFields = ['circuitBreaker', 'connectionPool', 'loadBalancer'] as const;

/** What the traffic of a Service goes by: all VirtualServices and DestinationRules of its namespace. */
export async function meshOf(
  { on, site, signal }: Pick<PlanContext<'kube'>, 'on' | 'site' | 'signal'>,
  service: string,
) {
  const kube = on.kube(site.cluster);
  const { namespace } = site;
  const [found, virtualServices, rules] = await Promise.all([
    serviceCalled(kube, namespace, service, signal),
    meshList(kube, 'VirtualService', namespace, signal),
    meshList(kube, 'DestinationRule', namespace, signal),
  ]);
  return {
    kube,
    namespace,
    service: found,
    virtualServices,
    rules,
    routes: routesTo(virtualServices, service, namespace),
  };
}
type Mesh = Awaited<ReturnType<typeof meshOf>>;

/** @throws Fault NO_SUCH_OBJECT, BAD_INPUT for a mirror that is no Service, or no subset of it */
async function checkMirror({ kube, namespace, rules }: Mesh, { mirror, service }: Traffic, signal: AbortSignal) {
  if (!mirror) return;
  await serviceCalled(kube, namespace, mirror.service, signal);
  if (mirror.service === service && mirror.subset === undefined)
    throw fault('BAD_INPUT', {
      problem: `A mirror of ${service} to itself would only double its load: name another Service, or a subset.`,
    });
  const rule = rules.filter((each) => meansService(at(each, 'spec', 'host'), mirror.service, namespace));
  const subsets = rule.flatMap((each) => list(at(each, 'spec', 'subsets'))).map(({ name }) => String(name));
  if (mirror.subset !== undefined && !subsets.includes(mirror.subset))
    throw fault('BAD_INPUT', {
      problem: `${mirror.service} has no subset “${mirror.subset}”, only ${subsets.join(', ') || 'none'}.`,
    });
}

function wordOf([key, value]: [string, unknown]): string {
  if (value === null) return `${key} off`;
  if (typeof value === 'number') return `${key} ${/time|interval/i.test(key) ? spanText(value) : value}`;
  if (typeof value !== 'object') return `${key} ${String(value)}`;
  return `${key}: ${Object.entries(value ?? {})
    .map(wordOf)
    .join(', ')}`;
}

/** Routes as they are meant; a new one where there is none and one is needed. @throws Fault NO_SIDES, WHICH_ROUTE */
function wantedRoutes(mesh: Mesh, traffic: Traffic): Route[] {
  if (!routeFields.some((field) => traffic[field] !== undefined)) return [];
  const chosen = chosenRoutes(mesh.routes, traffic.service, traffic.route);
  if (chosen.length > 0) return chosen;
  if (traffic.canary) throw fault('NO_SIDES', traffic);
  return [freshRoute(mesh.virtualServices, traffic.service, mesh.namespace)];
}

/** Plans what is asked for the traffic of a Service, its VirtualService and its DestinationRule in one diff. */
export async function planTraffic(context: PlanContext<'kube'>, traffic: Traffic): Promise<Draft> {
  const { service, env: _env, route: _route, ...fields } = traffic;
  const asked = Object.entries(fields).filter(([, value]) => value !== undefined);
  if (asked.length === 0) throw fault('BAD_INPUT', { problem: 'Say what is to be set, such as timeout=5s.' });
  const mesh = await meshOf(context, service);
  await checkMirror(mesh, traffic, context.signal);
  const plain = JsonObject.parse(JSON.parse(JSON.stringify(traffic)));
  const routes = wantedRoutes(mesh, traffic);
  const wantsPolicy = policyFields.some((field) => traffic[field] !== undefined);
  const live = ruleFor(mesh.rules, service, mesh.namespace);
  const rule = wantsPolicy ? (live ?? freshRule(mesh.rules, service, mesh.namespace)) : undefined;
  const wishes = [...routeWishes(routes, traffic, plain), ...(rule ? policyWishes(rule, traffic, plain) : [])];
  const planned = await planWrites(mesh.kube, wishes, context.signal);
  const [only] = routes;
  const policy = at(live, 'spec', 'trafficPolicy');
  const single = routes.length <= 1;
  const undo = single ? wayBack(plain, only?.label, only?.route, isObject(policy) ? policy : undefined) : undefined;
  const where = routes.length > 0 ? ` (${routes.map(({ label }) => label).join(', ')})` : '';
  const notes = `${keepersText([...new Set([...routes.map(({ object }) => object), rule])])}${rule ? overruledText(rule) : ''}`;
  return {
    summary: `${service}${where}: ${asked.map(wordOf).join('; ')}${planned.changes.length > 0 ? notes : ''}`,
    ...planned,
    ...(undo && { undo }),
  };
}
