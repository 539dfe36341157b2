import { differences } from '../../../core/diff.ts';
import { Fault, fault } from '../../../core/errors.ts';
import { applicationOf } from '../../../core/gitops.ts';
import { at, isObject, type JsonObject } from '../../../core/json.ts';
import { type Kube, type ObjectRef, refOf } from '../../../core/kube.ts';
import { labelsOf } from '../../../core/label-selector.ts';
import { isForAll } from '../../../core/new-workloads.ts';
import { list } from '../../../core/observed.ts';
import type { Place } from '../../../core/place.ts';
import type { Draft, Write } from '../../../core/plan.ts';
import { type RolloutPlan, type RolloutSettings, stagesText, stepOf } from '../../../core/rollout.ts';
import type { EnvironmentSettings } from '../../../core/settings.ts';
import { smokeText } from '../../../core/smoke-test.ts';
import { gitOpsGuard } from '../../kubernetes/gitops.ts';
import { nameOf, planApply } from '../../kubernetes/writes.ts';
import type { Found } from '../../workloads/find.ts';
import { scalersOf } from '../../workloads/scaler.ts';
import { earlier } from '../earlier.ts';
import { lettersOver } from '../fresh/names.ts';
import { besideStable } from './beside.ts';
import { planCronJobs } from './cron-jobs.ts';
import { type Beside, planGuards } from './guard-plan.ts';
import { sidesOf } from './guards.ts';
import { hiddenRetries } from './hidden-retries.ts';
import { canaryLabels, servicesOf } from './labels.ts';
import { nameIn, type Parts, partsOf, routerFor, serviceFor } from './parts.ts';
import { routesOf } from './router.ts';
import { isTaken } from './taken.ts';

/** Each object that comes beside stable is one line: what it is, is said by the lines about stable. */
const lineOf = ({ manifest, what }: Beside) => ({ path: nameOf(refOf(manifest)), to: what });

async function scalerOf(kube: Kube, ref: ObjectRef, signal: AbortSignal): Promise<RolloutPlan['scaler']> {
  const [found] = await scalersOf(kube, ref, signal);
  return found && { kind: found.kind, name: found.name, min: found.min };
}

type Shift = Pick<RolloutPlan, 'strategy' | 'stages' | 'smokeTest' | 'watchMs' | 'drainMs' | 'reachMs'>;

type Wanted = {
  /** Stable as it will be at the end. */
  after: JsonObject;
  shift: Shift;
  settings: RolloutSettings | undefined;
  /** What is said of its environment. */
  here: Pick<EnvironmentSettings, 'newWorkloads'> | undefined;
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

/** Why the names of what would stand beside stable are none that Kubernetes takes, if so. */
function tooLong(workload: string, { stages }: Shift): string | undefined {
  const suffixes = ['-canary', ...(stages.some(({ baseline }) => baseline) ? ['-baseline'] : [])];
  const suffix = suffixes.findLast((each) => lettersOver(workload, each) > 0);
  if (suffix === undefined) return undefined;
  const { length } = `${workload}${suffix}`;
  return `${workload}${suffix} would have ${length} letters, and Kubernetes takes 63`;
}

const isBaseline = ({ kind, metadata }: JsonObject, { baseline }: RolloutPlan) =>
  kind === 'Deployment' && at(metadata, 'name') === baseline;

/** The object that routes the traffic, where it is there already. */
const routedBy = ({ router }: RolloutPlan, { virtual, routes }: Parts): JsonObject | undefined =>
  router.kind === 'replicas'
    ? undefined
    : [...virtual, ...routes].find(({ kind, ...rest }) => kind === router.ref.kind && nameIn(rest) === router.ref.name);

/**
 * Whether Argo CD would put back the shares of the traffic: at the next sync, as a warning.
 * @throws Fault ROUTE_KEPT_BY_GIT where it would do so at once, and the traffic would go to and fro
 */
async function keptByGit(
  kube: Kube,
  rollout: RolloutPlan,
  live: JsonObject | undefined,
  signal: AbortSignal,
): Promise<string[]> {
  const found = routesOf(rollout);
  if (!found || !live) return [];
  const shared = found.routes.shared(live, { weight: 50, ...rollout.stages.find(({ match }) => match) });
  const after = { ...live, spec: { ...(isObject(live.spec) ? live.spec : {}), ...shared } };
  const lists = await kube.listTypes(found.ref, signal);
  try {
    return await gitOpsGuard(kube, signal)({ before: live, changes: differences(live, after, lists), lists });
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

/** What can't have its name beside stable, since somebody else's object has it: it is not taken over, nor taken away. */
async function takenOf(kube: Kube, beside: readonly Beside[], signal: AbortSignal): Promise<string[]> {
  const refs = beside.map(({ manifest }) => refOf(manifest));
  const taken = await Promise.all(refs.map((ref) => isTaken(kube, ref, signal)));
  return refs.filter((_, n) => taken[n]).map(nameOf);
}

/** Why the traffic can't be shifted as planned, if so. */
function problemOf(rollout: RolloutPlan, routed: JsonObject | undefined): string | undefined {
  const found = routesOf(rollout);
  if (!found) return problemOfReplicas(rollout);
  const problem = routed && found.routes.problem(routed, rollout.stages);
  return problem && `${nameOf(found.ref)} can’t be divided: ${problem}`;
}

/** Whether a Service is the app's: not one that is meant for all of its environment. */
const isOwn =
  ({ workload, app }: Place, settings: Wanted['settings'], here: Wanted['here']) =>
  (service: JsonObject): boolean =>
    !isForAll(here?.newWorkloads, service, workload, app, settings?.service ?? '');

/**
 * What comes to a rolling deploy's plan where it shifts the traffic: the objects that stand beside stable for a while, and
 * how the shares grow.
 * @throws Fault CANARY_IMPOSSIBLE, with what stands in the way
 */
export async function planShift(
  kube: Kube,
  place: Place,
  { ref, live }: Found,
  { after, shift, settings, analysis, here }: Wanted,
  signal: AbortSignal,
): Promise<Pick<Draft, 'changes' | 'rollout' | 'checklist' | 'warnings' | 'like'> & { writes: Write[] }> {
  const impossible = (problem: string) => fault('CANARY_IMPOSSIBLE', { app: place.app, env: place.env, problem });
  if (ref.kind !== 'Deployment') throw impossible(`a ${ref.kind} has no second one beside it`);
  const long = tooLong(place.workload, shift);
  if (long) throw impossible(long);
  const [parts, scaler] = await Promise.all([partsOf(kube, place.namespace, signal), scalerOf(kube, ref, signal)]);
  const stable = labelsOf(at(live, 'spec', 'template', 'metadata', 'labels'));
  const own = servicesOf(parts.services, stable).filter(isOwn(place, settings, here));
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
  const routed = routedBy(rollout, parts);
  const problem = problemOf(rollout, routed);
  if (problem) throw impossible(problem);
  const labels = canaryLabels(after, own, rollout.canary, rollout.router.kind === 'replicas');
  const { deployment, others } = besideStable(after, place, {
    parts,
    service,
    own,
    labels,
    rollout,
    live,
  });
  const taken = await takenOf(kube, [deployment, ...others], signal);
  if (taken.length > 0) throw impossible(`there is a ${taken.join(' and a ')} already, which is not Shipmate’s`);
  const baseline = others.find(({ manifest }) => isBaseline(manifest, rollout));
  const [guard, ofBaseline, kept, lenders] = await Promise.all([
    planGuards(kube, sidesOf(live, deployment.manifest, rollout), signal),
    baseline &&
      planGuards(kube, sidesOf(live, baseline.manifest, { ...rollout, canary: rollout.baseline ?? '' }), signal),
    keptByGit(kube, rollout, routed, signal),
    planCronJobs(kube, place.namespace, rollout, signal),
  ]);
  const unprotected = [...guard.unprotected, ...(ofBaseline?.unprotected ?? [])];
  if (settings?.unprotected === 'refuse' && unprotected.length > 0)
    throw impossible(`the canary would be less protected than stable (${unprotected.join(' ')})`);
  // What guards the pods comes before the first of them, and goes after the last.
  const beside = [...guard.twins, ...(ofBaseline?.twins ?? []), deployment, ...others];
  const tried = await Promise.all(beside.map(({ manifest }) => planApply(kube, manifest, signal)));
  const warnings = [
    ...unprotected,
    ...guard.warnings,
    ...kept,
    ...lenders.warnings,
    ...uncounted(rollout, routed),
    ...hiddenRetries(routed, analysis?.template),
  ];
  const lastBaseline = rollout.stages.findLastIndex(({ baseline: fresh }) => fresh);
  return {
    rollout: { ...rollout, guarded: guard.guarded, ...(lenders.cronJobs && { cronJobs: lenders.cronJobs }) },
    ...(warnings.length > 0 && { warnings }),
    like: ref,
    // They are bound by their manifests, which come of the workload: what an earlier canary is still clearing away under their
    // names would make another answer of each dry run.
    writes: tried.map(({ write }) => ({ ...write, force: true, answer: '' })),
    changes: [...beside.map(lineOf), ...shiftWords(rollout), ...lenders.changes],
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

/** What is said of connections: they are no requests, and only requests are counted. */
function uncounted(rollout: RolloutPlan, live: JsonObject | undefined): string[] {
  const { router, analysis } = rollout;
  const shared = router.kind === 'istio' && live && routesOf(rollout)?.routes.shared(live, { weight: 1 });
  if (!analysis || !shared || shared.http !== undefined) return [];
  return [
    `Its routes are of connections (tcp, tls), which are not counted as requests are: the analysis ${analysis.name} knows only what queries of its own ask.`,
  ];
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
