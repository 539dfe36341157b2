import { differences } from '../../../core/diff.ts';
import { Fault, fault } from '../../../core/errors.ts';
import { applicationOf } from '../../../core/gitops.ts';
import { at, isObject, type JsonObject, text } from '../../../core/json.ts';
import type { Kube, ObjectRef } from '../../../core/kube.ts';
import { labelsOf } from '../../../core/label-selector.ts';
import { list } from '../../../core/observed.ts';
import type { Place } from '../../../core/place.ts';
import type { Draft, Write } from '../../../core/plan.ts';
import { type RolloutPlan, type RolloutSettings, stagesText, stepOf } from '../../../core/rollout.ts';
import { gitOpsGuard } from '../../kubernetes/gitops.ts';
import { nameOf, refOf } from '../../kubernetes/writes.ts';
import type { Found } from '../../workloads/find.ts';
import { scalersOf } from '../../workloads/scaler.ts';
import { earlier } from '../earlier.ts';
import { type Beside, planGuards } from './guard-plan.ts';
import { sidesOf } from './guards.ts';
import { hiddenRetries } from './hidden-retries.ts';
import { hostsOf } from './istio.ts';
import { canaryLabels, servicesOf } from './labels.ts';
import { canaryDeployment, canaryRule, canaryService } from './objects.ts';
import { istio, nameIn, type Parts, partsOf, routerFor, serviceFor } from './parts.ts';
import { routesOf } from './router.ts';

const freshRoute = (service: string, { namespace }: Place): JsonObject => ({
  ...istio,
  metadata: { name: service, namespace, labels: { 'app.kubernetes.io/managed-by': 'shipmate' } },
  spec: { hosts: [service], http: [{ route: [{ destination: { host: service } }] }] },
});

/** Each object that comes beside stable is one line: what it is, is said by the lines about stable. */
const lineOf = ({ manifest, what }: Beside) => ({ path: nameOf(refOf(manifest)), to: what });

async function scalerOf(kube: Kube, ref: ObjectRef, signal: AbortSignal): Promise<RolloutPlan['scaler']> {
  const found = (await scalersOf(kube, ref, signal)).find(({ kind }) => kind === 'HorizontalPodAutoscaler');
  return found && { name: found.name, min: found.min };
}

type Shift = Pick<RolloutPlan, 'strategy' | 'stages' | 'watchMs' | 'drainMs' | 'reachMs'>;

type Wanted = {
  /** Stable as it will be at the end. */
  after: JsonObject;
  shift: Shift;
  settings: RolloutSettings | undefined;
  analysis: RolloutPlan['analysis'];
};

/** Why traffic that only the numbers of pods divide can't be shifted so. */
function problemOfReplicas({ stages, analysis }: RolloutPlan): string | undefined {
  if (stages.some(({ match, mirror }) => match || mirror))
    return 'requests are chosen by header or copied only where a VirtualService or HTTPRoute routes them';
  if (analysis?.template.source !== 'envoy') return undefined;
  return `the analysis ${analysis.name} reads what Envoy counts, which does not tell apart pods that one Service finds`;
}

type Around = { parts: Parts; service: JsonObject; labels: Record<string, string>; rollout: RolloutPlan };

/** The objects that stand beside stable for a while, each with what it is there for, in the order in which they come. */
function besideStable(after: JsonObject, place: Place, { parts, service, labels, rollout }: Around) {
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
    [route, 'divides the traffic'],
  ];
  const deployment = canaryDeployment(after, names, labels, byReplicas);
  const others: Beside[] = all.flatMap(([manifest, what]) => (manifest ? [{ manifest, what }] : []));
  return { deployment: { manifest: deployment, what: `for the time of the ${strategy}` }, others };
}

/** The object that routes the traffic, where it is there already. */
const routedBy = ({ kind, name }: ObjectRef, { virtual, routes }: Parts) =>
  [...virtual, ...routes].find((object) => nameIn(object) === name && object.kind === kind);

/**
 * Whether Argo CD would put back the shares of the traffic: at the next sync, as a warning.
 * @throws Fault ROUTE_KEPT_BY_GIT where it would do so at once, and the traffic would go to and fro
 */
async function keptByGit(kube: Kube, rollout: RolloutPlan, parts: Parts, signal: AbortSignal): Promise<string[]> {
  const found = routesOf(rollout);
  const live = found && routedBy(found.ref, parts);
  if (!found || !live) return [];
  const shared = found.routes.shared(live, { weight: 50, ...rollout.stages.find(({ match }) => match) });
  const after = { ...live, spec: { ...(isObject(live.spec) ? live.spec : {}), ...shared } };
  try {
    return await gitOpsGuard(kube, signal)(live, differences(live, after));
  } catch (thrown) {
    const application = applicationOf(live)?.name;
    if (!(thrown instanceof Fault) || thrown.code !== 'MANAGED_BY_GIT' || application === undefined) throw thrown;
    const pointers = Object.keys(shared)
      .map((part) => `/spec/${part}`)
      .join(', ');
    const [group = ''] = found.ref.apiVersion.split('/');
    const ignore = `{group: ${group}, kind: ${found.ref.kind}, name: ${found.ref.name}, jsonPointers: [${pointers}]}`;
    throw fault('ROUTE_KEPT_BY_GIT', { name: nameOf(found.ref), application, ignore }, thrown);
  }
}

/** Why the traffic can't be shifted as planned, if so. */
function problemOf(rollout: RolloutPlan, parts: Parts): string | undefined {
  const found = routesOf(rollout);
  if (!found) return problemOfReplicas(rollout);
  const routed = routedBy(found.ref, parts);
  const problem = routed && found.routes.problem(routed, rollout.stages);
  return problem && `${nameOf(found.ref)} can’t be divided: ${problem}`;
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
  { after, shift, settings, analysis }: Wanted,
  signal: AbortSignal,
): Promise<Pick<Draft, 'changes' | 'rollout' | 'checklist' | 'warnings'> & { writes: Write[] }> {
  const impossible = (problem: string) => fault('CANARY_IMPOSSIBLE', { app: place.app, env: place.env, problem });
  if (ref.kind !== 'Deployment') throw impossible(`a ${ref.kind} has no second one beside it`);
  const [parts, scaler] = await Promise.all([partsOf(kube, place.namespace, signal), scalerOf(kube, ref, signal)]);
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
    ...(scaler && { scaler }),
    restore: earlier(live, at(live, 'spec', 'template')),
    ...(analysis && { analysis }),
  };
  const problem = problemOf(rollout, parts);
  if (problem) throw impossible(problem);
  const labels = canaryLabels(after, own, rollout.canary, rollout.router.kind === 'replicas');
  const routes = routesOf(rollout);
  const routed = routes && routedBy(routes.ref, parts);
  const { deployment, others } = besideStable(after, place, { parts, service, labels, rollout });
  const [guard, kept] = await Promise.all([
    planGuards(kube, sidesOf(live, deployment.manifest, rollout), signal),
    keptByGit(kube, rollout, parts, signal),
    ...[deployment, ...others].map(({ manifest }) => kube.preview(manifest, signal)),
  ]);
  if (settings?.unprotected === 'refuse' && guard.unprotected.length > 0)
    throw impossible(`the canary would be less protected than stable (${guard.unprotected.join(' ')})`);
  // What guards the pods comes before the first of them, and goes after the last.
  const beside = [...guard.twins, deployment, ...others];
  const warnings = [...guard.unprotected, ...guard.warnings, ...kept, ...uncounted(rollout, parts), ...hiddenRetries(routed, analysis?.template)];
  return {
    rollout: { ...rollout, guarded: guard.guarded },
    ...(warnings.length > 0 && { warnings }),
    writes: beside.map(({ manifest }) => ({ kind: 'apply', manifest, force: true })),
    changes: [...beside.map(lineOf), ...shiftWords(rollout)],
    checklist: [
      'prepare',
      ...rollout.stages.map(stepOf),
      'promote',
      'return',
      'remove',
      ...(rollout.watchMs > 0 ? ['watch'] : []),
    ],
  };
}

/** What is said of connections: they are no requests, and only requests are counted. */
function uncounted({ router, analysis, ...plan }: RolloutPlan, { virtual }: Parts): string[] {
  const live = router.kind === 'istio' && virtual.find((object) => nameIn(object) === router.ref.name);
  const shared = live && routesOf({ router, ...plan })?.routes.shared(live, { weight: 1 });
  if (!analysis || !shared || shared.http !== undefined) return [];
  return [
    `Its routes are of connections (tcp, tls), which are not counted as requests are: the analysis ${analysis.name} knows only what queries of its own ask.`,
  ];
}

/** The lines of the plan that say how the traffic goes, and what judges it. */
function shiftWords({ stages, router, analysis }: RolloutPlan): Draft['changes'] {
  const how = router.kind === 'replicas' ? 'by the number of pods, so at most half' : `by ${nameOf(router.ref)}`;
  return [
    { path: 'traffic', to: `${stagesText(stages)}, ${how}` },
    { path: 'analysis', to: analysis?.name ?? 'none: time brings it on, and pods that break take it back' },
  ];
}
