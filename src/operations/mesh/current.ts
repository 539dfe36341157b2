import { valueAt } from '../../core/edits.ts';
import { at, isObject, type Json, type JsonObject, text } from '../../core/json.ts';
import { durationMs } from '../../core/values.ts';
import { balancerOf, policyLeaves, routeLeaves, Traffic } from './settings.ts';

/** A value as the settings have it, or null where there is none: what an undo asks for. */
const before = (value: Json | undefined, time: boolean | undefined): Json | undefined =>
  value === undefined ? null : time ? durationMs(text(value)) : value;

/** For all that is asked: what there is now. */
function leavesBefore(asked: JsonObject, leaves: typeof routeLeaves, object: JsonObject | undefined): JsonObject {
  const found: JsonObject = {};
  for (const { setting, field, time } of leaves) {
    const [group, name] = setting;
    const wanted = asked[group];
    const value = before(valueAt(object, field), time);
    if (wanted === undefined || value === undefined) continue;
    const group_ = found[group];
    if (name === undefined) found[group] = value;
    else found[group] = { ...(isObject(group_) ? group_ : {}), [name]: value };
  }
  return found;
}

function mirrorBefore(route: JsonObject): Json {
  const { mirror, mirrorPercentage } = route;
  if (!isObject(mirror)) return null;
  const service = text(mirror.host).split('.')[0] ?? '';
  const subset: JsonObject = mirror.subset === undefined ? {} : { subset: mirror.subset };
  return { service, ...subset, percent: at(mirrorPercentage, 'value') ?? 100 };
}

function canaryBefore(route: JsonObject): Json {
  const sides = Array.isArray(route.route) ? route.route : [];
  const side = sides.find((each) => at(each, 'destination', 'subset') === 'canary') ?? sides[1];
  return { enabled: true, weight: at(side, 'weight') ?? 0 };
}

/**
 * The input that leads back to how a route and a policy are now; undefined where what they are has no words in the settings.
 * Of several routes at once there is no one way back.
 */
export function wayBack(
  { service, env, ...asked }: JsonObject,
  label: string | undefined,
  route: JsonObject | undefined,
  policy: JsonObject | undefined,
): { operation: string; input: JsonObject } | undefined {
  const balancer = at(policy, 'loadBalancer');
  const balanced = isObject(balancer) && (balancer.simple ?? balancer.consistentHash) !== undefined;
  const input = {
    service,
    env,
    ...(label !== undefined && { route: label }),
    ...leavesBefore(asked, routeLeaves, route),
    ...leavesBefore(asked, policyLeaves, policy),
    ...(asked.mirror !== undefined && { mirror: route ? mirrorBefore(route) : null }),
    ...(asked.canary !== undefined && route && { canary: canaryBefore(route) }),
    ...(asked.loadBalancer !== undefined && { loadBalancer: balanced ? balancerOf(balancer) : null }),
  };
  const parsed = Traffic.safeParse(input);
  return parsed.success ? { operation: 'traffic-set', input: JSON.parse(JSON.stringify(parsed.data)) } : undefined;
}
