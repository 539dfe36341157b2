import { at, isObject, type JsonObject, text } from '../../../core/json.ts';
import { ownLabels } from '../../../core/ours.ts';
import type { Place } from '../../../core/place.ts';
import type { RolloutPlan } from '../../../core/rollout.ts';
import type { Beside } from './guard-plan.ts';
import { hostsOf } from './istio.ts';
import { canaryLabels } from './labels.ts';
import { canaryDeployment, canaryRule, canaryService } from './objects.ts';
import { istio, nameIn, type Parts } from './parts.ts';

const freshRoute = (service: string, { namespace }: Place): JsonObject => ({
  ...istio,
  metadata: { name: service, namespace, labels: ownLabels },
  spec: { hosts: [service], http: [{ route: [{ destination: { host: service } }] }] },
});

type Around = {
  parts: Parts;
  service: JsonObject;
  /** All that lead to stable's pods. */
  own: readonly JsonObject[];
  labels: Record<string, string>;
  rollout: RolloutPlan;
  live: JsonObject;
};

/** Stable's version, fresh: under labels of its own, as many pods as the canary has, with a Service. What differs from the canary is the version alone. */
function baselineOf(
  { rollout, live, own, service }: Around,
  names: { namespace: string; canary: string },
  policy: JsonObject | undefined,
) {
  if (rollout.baseline === undefined) return [];
  const labels = canaryLabels(live, own, names.canary, false, 'baseline');
  const deployment = canaryDeployment(live, names, labels, false);
  const spec = isObject(deployment.spec) ? deployment.spec : {};
  const all: [JsonObject | undefined, string][] = [
    [{ ...deployment, spec: { ...spec, replicas: 1 } }, 'stable’s version, fresh, for the experiment'],
    [canaryService(service, names, labels), 'leads to the baseline’s pods alone'],
    [policy && canaryRule(policy, names), `as DestinationRule/${nameIn(policy ?? {})}`],
  ];
  return all;
}

/** The objects that stand beside stable for a while, each with what it is there for, in the order in which they come. */
export function besideStable(after: JsonObject, place: Place, around: Around) {
  const { parts, service, labels, rollout } = around;
  const { canary, router, strategy } = rollout;
  const names = { namespace: place.namespace, canary };
  const hosts = hostsOf(rollout.service, place.namespace);
  const policy = parts.rules.find(
    ({ spec }) => hosts.includes(text(at(spec, 'host'))) && !at(spec, 'workloadSelector'),
  );
  const byReplicas = router.kind === 'replicas';
  const rule = !byReplicas && policy ? canaryRule(policy, names) : undefined;
  const route = router.kind === 'istio' && router.created ? freshRoute(rollout.service, place) : undefined;
  const all: [JsonObject | undefined, string][] = [
    [byReplicas ? undefined : canaryService(service, names, labels), 'leads to the new pods alone'],
    [rule, `as DestinationRule/${nameIn(policy ?? {})}`],
    ...baselineOf(around, { namespace: place.namespace, canary: rollout.baseline ?? '' }, policy),
    [route, 'divides the traffic'],
  ];
  const deployment = canaryDeployment(after, names, labels, byReplicas);
  const others: Beside[] = all.flatMap(([manifest, what]) => (manifest ? [{ manifest, what }] : []));
  return { deployment: { manifest: deployment, what: `for the time of the ${strategy}` }, others };
}
