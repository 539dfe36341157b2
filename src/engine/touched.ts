import { edited } from '../core/edits.ts';
import type { Namespace } from '../core/effects/app-objects.ts';
import type { Touched } from '../core/effects/own-operation.ts';
import { podSpecsIn } from '../core/effects/pod-specs.ts';
import { Fault } from '../core/errors.ts';
import { at, isObject, type Json, type JsonObject } from '../core/json.ts';
import { type Kube, type ObjectRef, refOfWrite } from '../core/kube.ts';
import { overlay } from '../core/ownership.ts';
import type { Draft, Write } from '../core/plan.ts';

/** So many objects are asked about at a time. */
const together = 8;

/** A patch laid over an object: RFC 7386. */
function patched(base: Json | undefined, patch: Json): Json {
  if (!isObject(patch)) return patch;
  const result: Record<string, Json> = isObject(base) ? { ...base } : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete result[name];
    else result[name] = patched(result[name], value);
  }
  return result;
}

/** A kind that the cluster lacks has no objects. */
async function orNone<Result>(asked: Promise<Result>): Promise<Result | undefined> {
  return await asked.catch((thrown: unknown) => {
    if (thrown instanceof Fault && thrown.code === 'UNKNOWN_KIND') return undefined;
    throw thrown;
  });
}

/** What a dry run refuses, since what it needs comes with the same plan, would be as it is written. */
async function dryRun(kube: Kube, manifest: JsonObject, signal: AbortSignal): Promise<JsonObject> {
  try {
    return (await kube.preview(manifest, signal)).after;
  } catch (thrown) {
    if (thrown instanceof Fault && thrown.retry === 'never') return manifest;
    throw thrown;
  }
}

/** The object as it would be; an applied one by a dry run, since what it leaves out may be taken away. */
async function afterOf(
  kube: Kube,
  write: Write,
  before: JsonObject | undefined,
  signal: AbortSignal,
): Promise<JsonObject | undefined> {
  switch (write.kind) {
    case 'apply':
      return before ? await dryRun(kube, write.manifest, signal) : write.manifest;
    case 'create':
      return write.manifest;
    case 'merge': {
      const after = patched(before, write.patch);
      return isObject(after) ? after : undefined;
    }
    case 'edit':
      return before && edited(before, write.edits);
    case 'remove':
      return undefined;
    default:
      return write satisfies never;
  }
}

/** An object as it would be were it made like another: what a CronJob makes is what its template says. */
async function madeLike(
  kube: Kube,
  like: ObjectRef,
  ref: ObjectRef,
  signal: AbortSignal,
): Promise<JsonObject | undefined> {
  const live = await orNone(kube.read(like, signal));
  const template = at(live, 'spec', 'jobTemplate');
  if (!live || like.kind === ref.kind) return live;
  return isObject(template) ? { ...template, apiVersion: ref.apiVersion, kind: ref.kind } : undefined;
}

/** What needs no asking: of a whole write, or of an object once a manifest is laid over it. */
type Known = { whole: (write: Write) => boolean; laid: (write: Write, before: JsonObject) => boolean };

async function touchedBy(
  kube: Kube,
  write: Write,
  { like, manifest }: Draft,
  known: Known,
  signal: AbortSignal,
): Promise<Touched> {
  const ref = refOfWrite(write);
  // What gets its name when it is made is not there yet; asked for by no name, all of its kind would be read.
  const before = ref.name === '' ? undefined : await orNone(kube.read(ref, signal));
  const laid = before && write.kind === 'apply' && write.manifest === manifest ? laidOver(before, manifest) : undefined;
  if (before && known.laid(write, before)) return { ref, before, after: laid ?? before };
  const after = laid ?? (await afterOf(kube, write, before, signal));
  const fresh = !before && like && podSpecsIn(after).length > 0;
  const made = fresh ? await madeLike(kube, like, ref, signal) : undefined;
  return { ref, ...(before && { before }), ...(after && { after }), ...(made && { like: made }) };
}

/** The writes of a plan to its cluster: what it applies whole counts among them. */
const writesOf = ({ writes = [], manifest }: Draft): Write[] => [
  ...(manifest ? [{ kind: 'apply' as const, manifest, force: false, answer: '' }] : []),
  ...writes,
];

/**
 * What a plan's own manifest makes of the object, where it is not applied: one that says no more than which object it is leaves
 * its pods as they are, and a Rollout's is laid over it, since its lists would be replaced.
 */
function laidOver(before: JsonObject, manifest: JsonObject): JsonObject | undefined {
  if (manifest.spec === undefined && manifest.status === undefined) return before;
  if (manifest.kind !== 'Rollout' || !isObject(manifest.spec)) return undefined;
  return { ...before, spec: overlay(before.spec, manifest.spec) };
}

const podRef = (namespace: string, name: string): ObjectRef => ({ apiVersion: 'v1', kind: 'Pod', namespace, name });

/** Nobody asks for each pod of a node: what chooses it is known. */
function evicted({ namespace, name, labels }: NonNullable<Draft['evicts']>[number]): Touched {
  const before = { apiVersion: 'v1', kind: 'Pod', metadata: { namespace, name, labels } };
  return { ref: podRef(namespace, name), before };
}

/**
 * What a plan touches in its cluster, but for what is `known`: each as it is and as it would be. A read, and for some a dry run, for
 * each.
 */
export async function touchedIn(
  kube: Kube,
  draft: Draft,
  namespace: string,
  known: Known,
  signal: AbortSignal,
): Promise<Touched[]> {
  const found: Touched[] = [];
  const writes = writesOf(draft).filter((write) => !known.whole(write));
  for (let from = 0; from < writes.length; from += together)
    found.push(
      ...(await Promise.all(
        writes.slice(from, from + together).map((write) => touchedBy(kube, write, draft, known, signal)),
      )),
    );
  const { command, evicts = [] } = draft;
  found.push(...evicts.map(evicted));
  if (!command) return found;
  const ref = podRef(namespace, command.pod);
  const pod = await kube.read(ref, signal);
  return [...found, { ref, ...(pod && { before: pod, after: pod }), runs: true }];
}

const listed = [
  ['apps/v1', 'Deployment'],
  ['apps/v1', 'StatefulSet'],
  ['apps/v1', 'DaemonSet'],
  ['argoproj.io/v1alpha1', 'Rollout'],
  ['v1', 'Service'],
] as const;

/** What apps are made of in a namespace: five lists, however much a plan touches. */
export async function namespaceIn(kube: Kube, namespace: string, signal: AbortSignal): Promise<Namespace> {
  const lists = await Promise.all(
    listed.map(async ([apiVersion, kind]) => await orNone(kube.list({ apiVersion, kind, namespace }, signal))),
  );
  return { workloads: lists.slice(0, -1).flatMap((each) => each ?? []), services: lists.at(-1) ?? [] };
}
