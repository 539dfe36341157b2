import { fault } from '../../../core/errors.ts';
import { at, type JsonObject, text } from '../../../core/json.ts';
import type { Kube, ObjectRef } from '../../../core/kube.ts';
import { labelsOf } from '../../../core/label-selector.ts';
import { list } from '../../../core/observed.ts';
import type { Place } from '../../../core/place.ts';
import type { Draft, Write } from '../../../core/plan.ts';
import { type RolloutPlan, type RolloutSettings, type RouterPlan, stagesText, stepOf } from '../../../core/rollout.ts';
import { smokeText } from '../../../core/smoke-test.ts';
import { nameOf, refOf } from '../../kubernetes/writes.ts';
import type { Found } from '../../workloads/find.ts';
import { scalersOf } from '../../workloads/scaler.ts';
import { earlier } from '../earlier.ts';
import { besideStable, nameIn, type Parts } from './beside.ts';
import { hostsOf } from './istio.ts';
import { canaryLabels, servicesOf } from './labels.ts';
import { listIfKnown } from './list-if-known.ts';
import { routesOf } from './router.ts';
import { uncoveredPolicies } from './uncovered.ts';

const istio = { apiVersion: 'networking.istio.io/v1', kind: 'VirtualService' };
const gateway = { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'HTTPRoute' };
const rule = { apiVersion: 'networking.istio.io/v1', kind: 'DestinationRule' };

async function partsOf(kube: Kube, namespace: string, signal: AbortSignal): Promise<Parts> {
  const [services, virtual, routes, rules] = await Promise.all([
    kube.list({ apiVersion: 'v1', kind: 'Service', namespace }, signal),
    listIfKnown(kube, istio, namespace, signal),
    listIfKnown(kube, gateway, namespace, signal),
    listIfKnown(kube, rule, namespace, signal),
  ]);
  return { services, virtual, routes, rules };
}

const destinationsOf = (object: JsonObject): string[] =>
  list(at(object, 'spec', 'http')).flatMap((route) =>
    list(route.route).map((each) => text(at(each, 'destination', 'host'))),
  );

const backendsOf = (object: JsonObject): string[] =>
  list(at(object, 'spec', 'rules')).flatMap((each) => list(each.backendRefs).map(({ name }) => text(name)));

/** The Service whose traffic is shifted: the one that settings name, that a route leads to, that is called like the app, or the only one. */
function serviceFor(
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
      ? 'no Service leads to its pods, so it has no traffic to shift'
      : `several Services lead to its pods (${known}); set apps.${place.app}.rollout.service`;
  throw fault('CANARY_IMPOSSIBLE', { app: place.app, env: place.env, problem });
}

/** The one object that routes the Service's traffic. Several could not be changed by one write. */
function routerFor(
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

/** Each object that comes beside stable is one line: what it is, is said by the lines about stable. */
async function addition(
  kube: Kube,
  manifest: JsonObject,
  what: string,
  signal: AbortSignal,
): Promise<{ write: Write; change: Draft['changes'][number] }> {
  await kube.preview(manifest, signal);
  return { write: { kind: 'apply', manifest, force: true }, change: { path: nameOf(refOf(manifest)), to: what } };
}

async function scalerOf(kube: Kube, ref: ObjectRef, signal: AbortSignal): Promise<RolloutPlan['scaler']> {
  const found = (await scalersOf(kube, ref, signal)).find(({ kind }) => kind === 'HorizontalPodAutoscaler');
  return found && { name: found.name, min: found.min };
}

type Shift = Pick<RolloutPlan, 'strategy' | 'stages' | 'smokeTest' | 'watchMs' | 'drainMs' | 'reachMs'>;

type Wanted = {
  /** What stable will get at the end. */
  manifest: JsonObject;
  shift: Shift;
  settings: RolloutSettings | undefined;
  analysis: RolloutPlan['analysis'];
};

/** Why traffic that only the numbers of pods divide can't be shifted so. */
function problemOfReplicas({ stages, analysis, smokeTest, baseline }: RolloutPlan): string | undefined {
  if (baseline !== undefined)
    return 'a baseline stands apart from stable only where a VirtualService or HTTPRoute routes the traffic';
  if (smokeTest)
    return 'a smoke test needs a VirtualService or HTTPRoute: without one the new pods have traffic from the first on';
  if (stages.some(({ match, mirror }) => match || mirror))
    return 'requests are chosen by header or copied only where a VirtualService or HTTPRoute routes them';
  if (analysis?.template.source !== 'envoy') return undefined;
  return `the analysis ${analysis.name} reads what Envoy counts, which does not tell apart pods that one Service finds`;
}

/** Why the traffic can't be shifted as planned, if so. */
function problemOf(rollout: RolloutPlan, { virtual, routes }: Parts): string | undefined {
  const found = routesOf(rollout);
  if (!found) return problemOfReplicas(rollout);
  const { ref } = found;
  const routed = [...virtual, ...routes].find((object) => nameIn(object) === ref.name && object.kind === ref.kind);
  const problem = routed && found.routes.problem(routed, rollout.stages);
  return problem && `${nameOf(ref)} can’t be divided: ${problem}`;
}

/**
 * What comes to a rolling deploy's plan where it shifts the traffic: the objects that stand beside stable for a while, and
 * how the shares grow.
 * @throws Fault CANARY_IMPOSSIBLE, with what stands in the way
 */
export async function planShift(
  kube: Kube,
  place: Place,
  { ref, live }: Found,
  { manifest, shift, settings, analysis }: Wanted,
  signal: AbortSignal,
): Promise<Pick<Draft, 'changes' | 'rollout' | 'checklist' | 'warnings'> & { writes: Write[] }> {
  const impossible = (problem: string) => fault('CANARY_IMPOSSIBLE', { app: place.app, env: place.env, problem });
  if (ref.kind !== 'Deployment') throw impossible(`a ${ref.kind} has no second one beside it`);
  const [parts, scaler, { after }] = await Promise.all([
    partsOf(kube, place.namespace, signal),
    scalerOf(kube, ref, signal),
    kube.preview(manifest, signal),
  ]);
  const stable = labelsOf(at(live, 'spec', 'template', 'metadata', 'labels'));
  const own = servicesOf(parts.services, stable);
  const service = serviceFor(place, settings, own, parts);
  const rollout: RolloutPlan = {
    ...shift,
    stable: place.workload,
    canary: `${place.workload}-canary`,
    service: nameIn(service),
    ports: list(at(service, 'spec', 'ports')).map(({ port }) => Number(port)),
    router: routerFor(place, settings, nameIn(service), parts),
    ...(shift.stages.some(({ baseline }) => baseline) && { baseline: `${place.workload}-baseline` }),
    ...(scaler && { scaler }),
    restore: earlier(live, at(live, 'spec', 'template')),
    ...(analysis && { analysis }),
  };
  const problem = problemOf(rollout, parts);
  if (problem) throw impossible(problem);
  const labels = canaryLabels(after, own, rollout.canary, rollout.router.kind === 'replicas');
  const warnings = await uncoveredPolicies(kube, place.namespace, { stable, canary: labels }, signal);
  const beside = besideStable(after, place, { parts, service, own, labels, rollout, live });
  const added = await Promise.all(beside.map((each) => addition(kube, each.manifest, each.what, signal)));
  const lastBaseline = rollout.stages.findLastIndex(({ baseline }) => baseline);
  return {
    rollout,
    ...(warnings.length > 0 && { warnings }),
    writes: added.map(({ write }) => write),
    changes: [...added.map(({ change }) => change), ...shiftWords(rollout)],
    checklist: [
      'prepare',
      ...(rollout.smokeTest ? ['smoke'] : []),
      ...rollout.stages.map(stepOf).flatMap((name, n) => (n === lastBaseline ? [name, 'experiment'] : [name])),
      'promote',
      'return',
      'remove',
      ...(rollout.watchMs > 0 ? ['watch'] : []),
    ],
  };
}

/** The lines of the plan that say how the traffic goes, and what judges it. */
function shiftWords({ stages, router, analysis, smokeTest }: RolloutPlan): Draft['changes'] {
  const how = router.kind === 'replicas' ? 'by the number of pods, so at most half' : `by ${nameOf(router.ref)}`;
  return [
    { path: 'traffic', to: `${stagesText(stages)}, ${how}` },
    ...(smokeTest ? [{ path: 'smoke test', to: smokeText(smokeTest) }] : []),
    { path: 'analysis', to: analysis?.name ?? 'none: time brings it on, and pods that break take it back' },
  ];
}
