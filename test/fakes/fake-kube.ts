import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { fault } from '../../src/core/errors.ts';
import { at, isObject, type Json, type JsonObject } from '../../src/core/json.ts';
import { knownKind } from '../../src/core/kinds.ts';
import type { Kube, ObjectRef, RolloutEnd } from '../../src/core/kube.ts';
import { overlay } from '../../src/core/ownership.ts';
import { usualLists } from './usual-lists.ts';

export type FakeCluster = {
  kube: Kube;
  /** The objects of the cluster: `namespace/name` of Deployments, `Kind namespace/name` of others. */
  objects: Map<string, JsonObject>;
  /** Every write that changed something, with the run that asked for it. */
  applied: { run: string; image: unknown; replicas: unknown }[];
  /** Commands that were run in containers. */
  executed: string[];
  /** Pod templates that were applied, oldest first. */
  templates: JsonObject[];
  /** How the next rollouts end; complete where none is left. */
  ends: RolloutEnd[];
  /** What Services answer, by path; 200 where nothing is said. */
  answers: Map<string, { status: number; text: string }>;
  /** How long a rollout takes. */
  rolloutMs: number;
  /** Keeps rollouts under way, however fast the machine is. @returns what lets them go on */
  hold(): () => void;
};

const text = (value: Json | undefined) => (typeof value === 'string' ? value : '');
const key = (kind: string, namespace: string, name: string) =>
  kind === 'Deployment' ? `${namespace}/${name}` : `${kind} ${namespace}/${name}`;
const keyOf = (object: JsonObject) =>
  key(text(object.kind), text(at(object, 'metadata', 'namespace')), text(at(object, 'metadata', 'name')));
const keyOfRef = ({ kind, namespace, name }: ObjectRef) => key(kind, namespace, name);
const imageOf = (object: JsonObject | undefined) => at(object, 'spec', 'template', 'spec', 'containers', 0, 'image');

/** Never answers; fails when the signal comes. */
function rejectedBy(signal: AbortSignal): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  if (signal.aborted) reject(signal.reason);
  signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  return promise;
}

/** RFC 7386. */
function merged(base: Json | undefined, patch: Json): Json {
  if (!isObject(patch)) return patch;
  const result: JsonObject = isObject(base) ? { ...base } : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete result[name];
    else result[name] = merged(result[name], value);
  }
  return result;
}

const asObject = (value: Json, otherwise: JsonObject): JsonObject => (isObject(value) ? value : otherwise);

/** Whether an object bears the labels of a selector such as `app=web,tier=front`. */
function hasLabels(object: JsonObject, labels: string | undefined): boolean {
  const wanted = (labels ?? '').split(',').filter(Boolean);
  return wanted.every((pair) => at(object, 'metadata', 'labels', pair.split('=')[0] ?? '') === pair.split('=')[1]);
}

/** Whether fields are as a selector such as `spec.nodeName=node-1` says. */
function hasFields(object: JsonObject, fields: string | undefined): boolean {
  const wanted = (fields ?? '').split(',').filter(Boolean);
  return wanted.every((pair) => at(object, ...(pair.split('=')[0] ?? '').split('.')) === pair.split('=')[1]);
}

/** What the kubelet makes of ephemeral containers: they run at once. */
function withDebuggers(pod: JsonObject): JsonObject {
  const added = at(pod, 'spec', 'ephemeralContainers');
  const names = (Array.isArray(added) ? added : []).map((container) => at(container, 'name') ?? null);
  const statuses = names.map((name) => ({ name, state: { running: {} } }));
  return { ...pod, status: { ...asObject(pod.status ?? {}, {}), ephemeralContainerStatuses: statuses } };
}

/** What Argo's controller makes of an abort. */
const heeded = (object: JsonObject): JsonObject =>
  object.kind === 'Rollout' && at(object, 'status', 'abort') === true
    ? { ...object, status: { ...asObject(object.status ?? {}, {}), phase: 'Degraded' } }
    : object;

/** What the controller of endpoints makes of a Service: all its pods are ready. */
const sliceOf = ({ metadata }: JsonObject): JsonObject => ({
  metadata: {
    namespace: at(metadata, 'namespace') ?? '',
    labels: { 'kubernetes.io/service-name': at(metadata, 'name') ?? '' },
  },
  endpoints: [{ addresses: ['10.0.0.1'] }],
});

/** A cluster in memory: for tests of the engine and of operations, not of the client. */
export function fakeCluster(): FakeCluster {
  let held = Promise.resolve();
  const hold = () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    held = promise;
    return resolve;
  };
  const state: Omit<FakeCluster, 'kube'> = {
    hold,
    objects: new Map(),
    applied: [],
    executed: [],
    templates: [],
    ends: [],
    answers: new Map(),
    rolloutMs: 0,
  };
  const laid = (manifest: JsonObject) => asObject(overlay(state.objects.get(keyOf(manifest)), manifest), manifest);
  const all = () => [...state.objects.values()];
  const store = (after: JsonObject, run: string) => {
    const before = state.objects.get(keyOf(after));
    if (JSON.stringify(before) !== JSON.stringify(after))
      state.applied.push({ run, image: imageOf(after), replicas: at(after, 'spec', 'replicas') });
    const uid = text(at(before, 'metadata', 'uid')) || `uid-${keyOf(after)}`;
    state.objects.set(keyOf(after), { ...after, metadata: { ...asObject(after.metadata ?? {}, {}), uid } });
  };
  const found = ({ kind, namespace }: { kind: string; namespace: string }): JsonObject[] =>
    kind === 'EndpointSlice'
      ? found({ kind: 'Service', namespace }).map(sliceOf)
      : all().filter(
          (object) =>
            (object.kind ?? 'Deployment') === kind &&
            (namespace === '' || at(object, 'metadata', 'namespace') === namespace),
        );
  const refuse = (problem: string) => fault('CLUSTER_REFUSED', { cluster: 'default', problem });
  const revisions = () =>
    state.templates
      .map((template, index, { length }) => {
        const when = new Date(Date.UTC(2026, 10, 25, 2, index)).toISOString();
        return { revision: index + 1, template, at: when, current: index === length - 1 };
      })
      .reverse();
  const kube: Kube = {
    read: async (ref) => state.objects.get(keyOfRef(ref)),
    kindOf: async ({ apiVersion, kind }) =>
      knownKind(kind, apiVersion) ?? { apiVersion, kind, plural: `${kind.toLowerCase()}s` },
    listTypes: async () => usualLists,
    list: async ({ labels, fields, ...selection }) =>
      found(selection).filter((object) => hasLabels(object, labels) && hasFields(object, fields)),
    look: async (of, namespace) => ({
      objects: found({ kind: typeof of === 'string' ? of : of.kind, namespace }),
      asOf: Date.now(),
    }),
    preview: async (manifest) => ({ after: laid(manifest), takesOver: [] }),
    apply: async (manifest, { run }) => {
      const after = laid(manifest);
      store(after, run);
      const template = at(after, 'spec', 'template');
      if (isObject(template) && JSON.stringify(template) !== JSON.stringify(state.templates.at(-1)))
        state.templates.push(template);
      return after;
    },
    create: async (manifest, { dryRun }) => {
      if (state.objects.has(keyOf(manifest))) throw refuse(`${keyOf(manifest)} already exists`);
      const review = text(manifest.kind).endsWith('Review');
      if (!dryRun && !review) store(manifest, text(at(manifest, 'metadata', 'annotations', 'shipmate.dev/run')));
      return review ? { ...manifest, status: { allowed: true } } : manifest;
    },
    merge: async (ref, patch, { dryRun, subresource }) => {
      const live = state.objects.get(keyOfRef(ref));
      if (!live) throw refuse(`${keyOfRef(ref)} not found`);
      const changed = asObject(merged(live, patch), live);
      const after = subresource ? heeded(withDebuggers(changed)) : changed;
      if (!dryRun) store(after, text(at(after, 'metadata', 'annotations', 'shipmate.dev/run')));
      return after;
    },
    remove: async (ref, { dryRun, uid }) => {
      const live = state.objects.get(keyOfRef(ref));
      const same = uid === undefined || at(live, 'metadata', 'uid') === uid;
      if (live && same && !dryRun) state.objects.delete(keyOfRef(ref));
      return live !== undefined && same;
    },
    evict: async (ref) => (state.objects.delete(keyOfRef(ref)) ? { kind: 'evicted' } : { kind: 'gone' }),
    logs: async function* ({ name }) {
      yield `2026-11-25T02:00:00.000000001Z ${name} says hello`;
      yield `2026-11-25T02:00:01.000000001Z ${name} says goodbye`;
    },
    exec: async (_ref, { command }) => {
      state.executed.push(command.join(' '));
      const output = command.join(' ');
      const all = { bytes: Buffer.byteLength(output), sha256: createHash('sha256').update(output).digest('hex') };
      return { exitCode: 0, output, cut: false, timedOut: false, ...all };
    },
    ask: async (_service, path) => state.answers.get(path) ?? { status: 200, text: 'ok' },
    follow: async (_ref, { seen }, signal) => {
      seen({ replicas: 1, updated: 0, ready: 0 });
      await Promise.race([held, rejectedBy(signal)]);
      await sleep(state.rolloutMs, undefined, { signal });
      return state.ends.shift() ?? { kind: 'complete', replicas: 1, updated: 1, ready: 1 };
    },
    workload: async (ref) => {
      const object = state.objects.get(keyOfRef(ref));
      const image = imageOf(object);
      return object && { object, replicas: 1, updated: 1, ready: 1, ...(typeof image === 'string' && { image }) };
    },
    revisions: async () => revisions().filter(({ current }) => !current),
    allRevisions: async () => revisions(),
    version: async () => 'v1.37.2',
    clockAheadMs: async () => 0,
  };
  return Object.assign(state, { kube });
}
