import { at, digestOf, isObject, type Json, type JsonObject, text } from '../../../core/json.ts';
import { type Labels, labelsOf, selectorText, selects } from '../../../core/label-selector.ts';
import { list } from '../../../core/observed.ts';
import type { Permission } from '../../../core/operation.ts';
import { marksOf, metadataOf } from './objects.ts';

/**
 * What guards pods by their labels, or a Service by its name. The canary's pods differ from stable's in a label, so what goes
 * by that label needs a twin that goes by theirs: a canary is never less protected than stable.
 */
export type Guard = {
  apiVersion: string;
  kind: string;
  /** The part of its spec that says which pods. */
  field: string;
  /** Whether that is bare labels and no LabelSelector. */
  bare?: true;
  /** Whether Shipmate may make one: what can rewrite all of a proxy is nothing to have the right to write for this alone. */
  twin: boolean;
};

const [security, networking] = ['security.istio.io/v1', 'networking.istio.io/v1'];

export const guards: readonly Guard[] = [
  { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', field: 'podSelector', twin: true },
  { apiVersion: security, kind: 'AuthorizationPolicy', field: 'selector', twin: true },
  { apiVersion: security, kind: 'PeerAuthentication', field: 'selector', twin: true },
  { apiVersion: security, kind: 'RequestAuthentication', field: 'selector', twin: true },
  // How these pods call others: with TLS, say.
  { apiVersion: networking, kind: 'DestinationRule', field: 'workloadSelector', twin: true },
  { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', field: 'selector', twin: true },
  { apiVersion: networking, kind: 'Sidecar', field: 'workloadSelector', bare: true, twin: false },
  {
    apiVersion: 'networking.istio.io/v1alpha3',
    kind: 'EnvoyFilter',
    field: 'workloadSelector',
    bare: true,
    twin: false,
  },
  { apiVersion: 'extensions.istio.io/v1alpha1', kind: 'WasmPlugin', field: 'selector', twin: false },
  { apiVersion: 'cilium.io/v2', kind: 'CiliumNetworkPolicy', field: 'endpointSelector', twin: false },
];

/** What it takes to see them, and to make and take away their twins. */
export const guardPermissions: readonly Permission[] = [
  'get,list,watch,create,patch,delete networkpolicies.networking.k8s.io,poddisruptionbudgets.policy',
  'get,list,watch,create,patch,delete authorizationpolicies.security.istio.io,peerauthentications.security.istio.io',
  'get,list,watch,create,patch,delete requestauthentications.security.istio.io,destinationrules.networking.istio.io',
  'list sidecars.networking.istio.io,envoyfilters.networking.istio.io,wasmplugins.extensions.istio.io',
  'list ciliumnetworkpolicies.cilium.io',
];

/** Stable and the canary as their guards see them. */
export type Sides = {
  namespace: string;
  /** The name of what stands beside stable. */
  canary: string;
  /** What the canary's pods, and none of stable's, are found by. */
  selector: JsonObject;
  stableLabels: Labels;
  canaryLabels: Labels;
  /** Which Service leads to which. */
  stableService: string;
  canaryService: string;
};

const podLabels = (deployment: JsonObject) => labelsOf(at(deployment, 'spec', 'template', 'metadata', 'labels'));

/** The sides of a canary, from the two Deployments. */
export function sidesOf(
  stable: JsonObject,
  beside: JsonObject,
  { service, canary, router }: { service: string; canary: string; router: { kind: string } },
): Sides {
  const selector = at(beside, 'spec', 'selector', 'matchLabels');
  return {
    namespace: text(at(beside, 'metadata', 'namespace')),
    canary,
    selector: isObject(selector) ? selector : {},
    stableLabels: podLabels(stable),
    canaryLabels: podLabels(beside),
    stableService: service,
    canaryService: router.kind === 'replicas' ? service : canary,
  };
}

const nameIn = (policy: JsonObject) => text(at(policy, 'metadata', 'name'));

function selectorOf({ field, bare }: Guard, policy: JsonObject): Json | undefined {
  const found = at(policy, 'spec', field);
  return bare && isObject(found) ? { matchLabels: found.labels ?? {} } : found;
}

/** What a policy is about where it goes by no labels: of Services the one that it names. */
const targetsOf = (policy: JsonObject): JsonObject[] => {
  const one = at(policy, 'spec', 'targetRef');
  return [...list(at(policy, 'spec', 'targetRefs')), ...(isObject(one) ? [one] : [])];
};
const isFor = (service: string) => (target: JsonObject) => target.kind === 'Service' && target.name === service;

function holds(guard: Guard, policy: JsonObject, labels: Labels, service: string): boolean {
  const targets = targetsOf(policy);
  if (targets.length > 0) return targets.some(isFor(service));
  const selector = selectorOf(guard, policy);
  return selector === undefined || selects(selector, labels);
}

const madeAt = (policy: JsonObject) => `${text(at(policy, 'metadata', 'creationTimestamp'))} ${nameIn(policy)}`;

/** Those of a kind's policies that hold for stable and not for the canary, the oldest first: of some kinds that one counts. */
export function uncovered(guard: Guard, policies: readonly JsonObject[], sides: Sides): JsonObject[] {
  return policies
    .filter(
      (policy) =>
        holds(guard, policy, sides.stableLabels, sides.stableService) &&
        !holds(guard, policy, sides.canaryLabels, sides.canaryService),
    )
    .sort((a, b) => (madeAt(a) < madeAt(b) ? -1 : 1));
}

const mostInName = 253;

/** The name of a policy's twin: the same at every look. */
function twinName(policy: JsonObject, { canary }: Sides): string {
  const whole = `${canary}-${nameIn(policy)}`;
  return whole.length <= mostInName ? whole : `${whole.slice(0, mostInName - 9)}-${digestOf(whole).slice(-8)}`;
}

/** A count of stable's pods that must stay is none that the fewer of a canary could keep. */
function budgetOf({ minAvailable, ...spec }: JsonObject): JsonObject {
  return typeof minAvailable === 'number'
    ? { ...spec, maxUnavailable: 1 }
    : { ...spec, ...(minAvailable !== undefined && { minAvailable }) };
}

/** The same policy for the canary. */
export function twinOf({ apiVersion, kind, field }: Guard, policy: JsonObject, sides: Sides): JsonObject {
  const whole = isObject(policy.spec) ? policy.spec : {};
  const { targetRef: _, targetRefs: __, ...spec } = kind === 'PodDisruptionBudget' ? budgetOf(whole) : whole;
  const targets = targetsOf(policy)
    .filter(isFor(sides.stableService))
    .map((target) => ({ ...target, name: sides.canaryService }));
  const which: JsonObject = targets.length > 0 ? { targetRefs: targets } : { [field]: { matchLabels: sides.selector } };
  const metadata = metadataOf({ namespace: sides.namespace, canary: twinName(policy, sides) }, marksOf(policy));
  return { apiVersion, kind, metadata, spec: { ...spec, ...which } };
}

const essenceOf = (policy: JsonObject) => digestOf({ spec: policy.spec ?? {}, ...marksOf(policy) });

/** Those that hold for stable and whose twin is not there, or not as they are now. */
export function untwinned(guard: Guard, policies: readonly JsonObject[], sides: Sides): JsonObject[] {
  const essences = new Map(policies.map((policy) => [nameIn(policy), essenceOf(policy)]));
  return uncovered(guard, policies, sides).filter((policy) => {
    const wanted = twinOf(guard, policy, sides);
    return essences.get(nameIn(wanted)) !== essenceOf(wanted);
  });
}

/** By what a policy goes, as people are shown it. */
export function reachText(guard: Guard, policy: JsonObject): string {
  const [first] = targetsOf(policy);
  return first ? `${text(first.kind)}/${text(first.name)}` : selectorText(selectorOf(guard, policy));
}

/** The pods that a NetworkPolicy lets in or out by a label that stable's bear and the canary's don't, if it does. */
export function peersMissed({ spec }: JsonObject, { stableLabels, canaryLabels }: Sides): Json | undefined {
  const rules = [...list(at(spec, 'ingress')), ...list(at(spec, 'egress'))];
  return rules
    .flatMap((rule) => [...list(rule.from), ...list(rule.to)])
    .flatMap(({ namespaceSelector, podSelector }) => (namespaceSelector === undefined ? [podSelector ?? null] : []))
    .find((selector) => selects(selector, stableLabels) && !selects(selector, canaryLabels));
}
