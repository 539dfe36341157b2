import { same } from '../edits.ts';
import { at, isObject, type Json, type JsonObject } from '../json.ts';
import { isNamespace, type ObjectRef } from '../kube.ts';
import { type Labels, labelsOf, selects } from '../label-selector.ts';
import { type AppObjects, choosesPods, isKind } from './app-objects.ts';
import { calledIn, ledTo, type Named } from './leads-to.ts';
import { podSpecsIn } from './pod-specs.ts';

/** One object that a plan writes, removes or runs something in: as it is, and as it would be. */
export type Touched = {
  ref: ObjectRef;
  before?: JsonObject;
  after?: JsonObject;
  /** What its pods are made like, where it is not there yet: what that had is not new with it. */
  like?: JsonObject;
  runs?: true;
};

/**
 * The operation that is meant for each kind of change, and the others that are as well: who may do those is asked about
 * them alone. Whoever changes the same by another operation must be allowed both.
 */
const family: Record<string, readonly string[]> = {
  deploy: ['rollback', 'release', 'rollout-promote', 'rollout-abort', 'rollout-retry'],
  scale: ['autoscale'],
  restart: [],
  'workload-delete': [],
  'pod-delete': ['drain'],
  debug: [],
  exec: [],
  'rollout-pause': ['rollout-resume'],
  autoscale: ['autoscale-off', 'keda-pause', 'keda-resume'],
  'vpa-set': [],
  'pdb-set': [],
  'service-expose': ['service-delete'],
  'service-delete': [],
  'route-set': ['service-expose'],
  'traffic-set': ['timeout', 'retries', 'breaker', 'pool', 'balance', 'mirror', 'fault', 'fault-off'],
  'config-set': ['config-unset'],
  'secret-set': ['secret-unset'],
  'serviceaccount-create': [],
  'volume-create': ['volume-resize'],
  'volume-delete': [],
  'network-allow': ['network-deny'],
  'callers-allow': ['callers-deny', 'callers-drop'],
  mtls: [],
  jwt: [],
  telemetry: [],
  'access-grant': ['access-revoke'],
  build: [],
  tag: ['promote', 'build'],
  'image-delete': [],
};

/** Every operation that the policy may be asked about besides the one that was asked for. */
export const ownOperations: readonly string[] = Object.keys(family);

/** Whether an operation is one of those that a kind of change is meant for. */
export const isOwn = (own: string, asked: string): boolean => own === asked || (family[own]?.includes(asked) ?? false);

function differs(before: JsonObject, after: JsonObject, ...path: string[]): boolean {
  return !same(at(before, ...path), at(after, ...path));
}

const without = (value: Json | undefined, ...names: string[]): Json =>
  isObject(value)
    ? Object.fromEntries(Object.entries(value).filter(([name]) => !names.includes(name)))
    : (value ?? null);

/** What is done to a workload, or to whatever else runs pods. */
function toWorkload({ before, after }: Touched): string[] {
  if (!after) return ['workload-delete'];
  if (!before) return ['deploy'];
  const [from, to] = [at(before, 'spec', 'template'), at(after, 'spec', 'template')];
  const marks = (template: Json | undefined) => at(template, 'metadata', 'annotations');
  const bare = (template: Json | undefined) => ({
    spec: at(template, 'spec') ?? null,
    labels: at(template, 'metadata', 'labels') ?? null,
  });
  const renewed = !same(marks(from), marks(to)) || differs(before, after, 'spec', 'restartAt');
  const rest = (object: JsonObject) => without(object.spec, 'template', 'replicas', 'paused', 'restartAt');
  const deployed = !same(bare(from), bare(to)) || !same(rest(before), rest(after)) || differs(before, after, 'status');
  const found = [
    ...(deployed ? ['deploy'] : []),
    ...(renewed && !deployed ? ['restart'] : []),
    ...((at(before, 'spec', 'replicas') ?? 1) === (at(after, 'spec', 'replicas') ?? 1) ? [] : ['scale']),
    ...(differs(before, after, 'spec', 'paused') ? ['rollout-pause'] : []),
  ];
  return found.length > 0 ? found : ['deploy'];
}

function toPod({ before, after, runs }: Touched): string[] {
  if (runs) return ['exec'];
  if (!after) return ['pod-delete'];
  if (!before) return ['deploy'];
  return differs(before, after, 'spec', 'ephemeralContainers') ? ['debug'] : ['deploy'];
}

/** What is read from an object once, however many apps it is held against. Both sides count: what leaves an app was its own. */
export type Facts = Touched & {
  sides: readonly JsonObject[];
  named: readonly Named[];
  bearing: readonly Labels[];
  /** What it calls the pods that it makes or chooses. */
  called: readonly string[];
};

export function factsOf(touched: Touched): Facts {
  const sides = [touched.before, touched.after].filter((each) => each !== undefined);
  const bearing = sides.flatMap((object) => {
    const own = object.kind === 'Pod' ? [labelsOf(at(object, 'metadata', 'labels'))] : [];
    return [...own, ...podSpecsIn(object).map(({ labels }) => labels)];
  });
  return { ...touched, sides, named: sides.flatMap(ledTo), bearing, called: sides.flatMap(calledIn) };
}

/** Of an app that is not there yet nothing but its name is known: what calls pods by it waits for them. */
const waitsFor = (app: AppObjects, { called }: Facts): boolean =>
  app.labels.length === 0 && called.some((name) => app.names.has(name));

/** Whether pods are, or would be, among those that the app's Services or workloads choose. */
function runsAmong(app: AppObjects, facts: Facts): boolean {
  const { bearing } = facts;
  if (bearing.length > 0 && waitsFor(app, facts)) return true;
  return bearing.some(
    (labels) =>
      app.serviceSelectors.some((selector) => choosesPods(selector, labels)) ||
      app.selectors.some((selector) => selects(selector, labels)),
  );
}

const made = ({ after }: Touched, set: string, gone: string) => (after ? set : gone);

/** Where a policy says whose pods it is for; one that says nothing is for all of its namespace. */
function selectorOf(object: JsonObject): Json {
  const { spec } = object;
  const labels = at(spec, 'workloadSelector', 'labels') ?? at(spec, 'selector', 'matchLabels');
  const selector = at(spec, 'podSelector') ?? at(spec, 'endpointSelector');
  return selector ?? (labels === undefined ? (at(spec, 'selector') ?? {}) : { matchLabels: labels });
}

/** Kinds that choose the app's pods by their labels, and the operation that is meant for each. */
const choosing: Record<string, (touched: Touched) => string> = {
  PodDisruptionBudget: () => 'pdb-set',
  NetworkPolicy: () => 'network-allow',
  CiliumNetworkPolicy: () => 'network-allow',
  AuthorizationPolicy: () => 'callers-allow',
  PeerAuthentication: () => 'mtls',
  RequestAuthentication: () => 'jwt',
  Telemetry: () => 'telemetry',
  EnvoyFilter: () => 'traffic-set',
  Sidecar: () => 'traffic-set',
  WasmPlugin: () => 'traffic-set',
};

/** Whether a policy names what it is for, rather than choosing pods. */
const hasTarget = (object: JsonObject): boolean =>
  at(object, 'spec', 'targetRefs') !== undefined || at(object, 'spec', 'targetRef') !== undefined;

function choosesApp(app: AppObjects, object: JsonObject): boolean {
  if (hasTarget(object)) return false;
  return app.labels.some((labels) => selects(selectorOf(object), labels));
}

// Several policies in one object (`specs` of Cilium) may each be for other pods.
const choosesAll = (object: JsonObject): boolean =>
  !hasTarget(object) && object.specs === undefined && same(selectorOf(object), {});

/** Whether it is about a namespace as a whole: the namespace itself, and policies for all that is in it. */
export const isOfNamespace = ({ ref, before, after }: Touched): boolean =>
  isNamespace(ref) ||
  (Object.hasOwn(choosing, ref.kind) && [before, after].every((object) => object === undefined || choosesAll(object)));

/** Kinds that the app's pods read. */
const reading: Record<string, (touched: Touched) => string> = {
  ConfigMap: () => 'config-set',
  Secret: () => 'secret-set',
  ServiceAccount: () => 'serviceaccount-create',
  PersistentVolumeClaim: (touched) => made(touched, 'volume-create', 'volume-delete'),
};

function isRead(app: AppObjects, { kind, name }: ObjectRef): boolean {
  if (kind === 'PersistentVolumeClaim' && app.claims.some((claim) => name.startsWith(claim))) return true;
  return Object.entries(app.reads).some(([each, names]) => each === kind && names.has(name));
}

/** What an object does to whatever it leads to, by its kind. */
const leading: Record<string, string> = {
  VirtualService: 'traffic-set',
  DestinationRule: 'traffic-set',
  Ingress: 'route-set',
  HorizontalPodAutoscaler: 'autoscale',
  ScaledObject: 'autoscale',
  VerticalPodAutoscaler: 'vpa-set',
  RoleBinding: 'access-grant',
  ClusterRoleBinding: 'access-grant',
};

/** What leads to the app or acts on it: routes, scalers, bindings, and kinds nobody here knows that name its objects. */
function byReference(app: AppObjects, touched: Facts): string[] {
  const { kind } = touched.ref;
  const isIts = ({ kind: what, namespace, name }: Named) => {
    if (namespace !== app.namespace) return false;
    if (what === 'Service') return app.services.has(name);
    if (what === 'ServiceAccount') return app.reads.ServiceAccount.has(name);
    return app.names.has(name) && (what === '' || isKind(app.kind, what));
  };
  if (!touched.named.some(isIts)) return [];
  if (Object.hasOwn(leading, kind)) return [leading[kind] ?? 'deploy'];
  if (Object.hasOwn(choosing, kind)) return [choosing[kind]?.(touched) ?? 'deploy'];
  return [kind.endsWith('Route') ? 'route-set' : 'deploy'];
}

function byKind(app: AppObjects, touched: Facts): string[] {
  const { ref, sides } = touched;
  if (ref.namespace !== app.namespace) return [];
  const { kind, name } = ref;
  if (kind === 'Service') {
    const chosen = sides.some((service) =>
      app.labels.some((labels) => choosesPods(at(service, 'spec', 'selector'), labels)),
    );
    return app.services.has(name) || chosen || waitsFor(app, touched)
      ? [made(touched, 'service-expose', 'service-delete')]
      : [];
  }
  if (app.names.has(name) && kind !== 'Pod' && isKind(app.kind, kind)) return toWorkload(touched);
  if (runsAmong(app, touched)) return kind === 'Pod' ? toPod(touched) : toWorkload(touched);
  if (Object.hasOwn(reading, kind)) return isRead(app, ref) ? [reading[kind]?.(touched) ?? ''] : [];
  if (Object.hasOwn(choosing, kind) && (waitsFor(app, touched) || sides.some((object) => choosesApp(app, object))))
    return [choosing[kind]?.(touched) ?? ''];
  return [];
}

/**
 * The operations that are meant for what this does to the app; none where it is not the app's.
 *
 * @example a manifest that changes image and replicas of the app's Deployment: `['deploy', 'scale']`
 */
export function ownOperationsFor(app: AppObjects, touched: Facts): string[] {
  const { name } = touched.ref;
  if (isNamespace(touched.ref)) return name === app.namespace && !touched.after ? ['workload-delete'] : [];
  return [...new Set([...byKind(app, touched), ...byReference(app, touched)])].filter(Boolean);
}

/** How many replicas it would have, and has: what a rule for small changes is about. */
export function replicasOf({ before, after }: Touched): { from: number; to: number } | undefined {
  const [from = 1, to = from] = [at(before, 'spec', 'replicas'), at(after, 'spec', 'replicas')];
  return after && typeof from === 'number' && typeof to === 'number' ? { from, to } : undefined;
}
