import { fault } from '../../core/errors.ts';
import { at, isObject, type JsonObject } from '../../core/json.ts';
import type { Kube, ObjectRef, Workload } from '../../core/ports.ts';
import { applyManifest, dryRun, refusalFault } from './apply.ts';
import { type Connection, RefusedCall } from './connection.ts';
import { followRollout, troubleOf } from './follow.ts';
import { listPath, objectPath, refOf, selectorOf } from './resources.ts';
import { countOf, findTrouble, newestReplicaSet } from './verdict.ts';

async function read(connection: Connection, ref: ObjectRef, signal: AbortSignal): Promise<JsonObject | undefined> {
  try {
    return await connection.call({ method: 'GET', path: objectPath(ref), signal });
  } catch (thrown) {
    if (thrown instanceof RefusedCall && thrown.refusal.status === 404) return undefined;
    throw thrown;
  }
}

async function list(
  connection: Connection,
  apiVersion: string,
  kind: string,
  of: JsonObject,
  signal: AbortSignal,
): Promise<JsonObject[]> {
  const path = listPath(apiVersion, kind, String(at(of, 'metadata', 'namespace') ?? ''));
  const page = await connection.call({
    method: 'GET',
    path,
    query: { labelSelector: selectorOf(of), limit: '500' },
    signal,
  });
  return Array.isArray(page.items) ? page.items.filter(isObject) : [];
}

async function observe(connection: Connection, ref: ObjectRef, signal: AbortSignal) {
  const deployment = await read(connection, ref, signal);
  if (!deployment) return undefined;
  const [replicaSets, pods] = await Promise.all([
    list(connection, 'apps/v1', 'ReplicaSet', deployment, signal),
    list(connection, 'v1', 'Pod', deployment, signal),
  ]);
  return { deployment, replicaSets, pods };
}

async function workload(connection: Connection, ref: ObjectRef, signal: AbortSignal): Promise<Workload | undefined> {
  const observed = await observe(connection, ref, signal);
  if (!observed) return undefined;
  const { deployment } = observed;
  const image = at(deployment, 'spec', 'template', 'spec', 'containers', 0, 'image');
  const finding = findTrouble(observed, Date.now());
  return {
    ...countOf(deployment),
    object: deployment,
    ...(typeof image === 'string' && { image }),
    ...(finding && { trouble: await troubleOf(connection, ref.namespace, finding, signal) }),
  };
}

/** A pod template as it was asked for: without the label that its ReplicaSet put there. */
function templateOf(replicaSet: JsonObject): JsonObject {
  const template = at(replicaSet, 'spec', 'template');
  const labels = at(template, 'metadata', 'labels');
  if (!isObject(template) || !isObject(template.metadata) || !isObject(labels)) return {};
  const { 'pod-template-hash': _, ...own } = labels;
  return { ...template, metadata: { ...template.metadata, labels: own } };
}

async function revisions(connection: Connection, ref: ObjectRef, signal: AbortSignal): ReturnType<Kube['revisions']> {
  const deployment = await read(connection, ref, signal);
  if (!deployment) return [];
  const replicaSets = await list(connection, 'apps/v1', 'ReplicaSet', deployment, signal);
  const newest = newestReplicaSet({ deployment, replicaSets, pods: [] });
  const uid = at(deployment, 'metadata', 'uid');
  return replicaSets
    .filter((set) => set !== newest && at(set, 'metadata', 'ownerReferences', 0, 'uid') === uid)
    .map((set) => ({
      revision: Number(at(set, 'metadata', 'annotations', 'deployment.kubernetes.io/revision') ?? 0),
      template: templateOf(set),
    }))
    .sort((a, b) => b.revision - a.revision);
}

async function follow(
  connection: Connection,
  ref: ObjectRef,
  ...rest: Rest<Kube['follow']>
): ReturnType<Kube['follow']> {
  const first = await read(connection, ref, rest[1]);
  if (!first) throw fault('GONE_MEANWHILE', { namespace: ref.namespace, workload: ref.name });
  return await followRollout(connection, ref, first, ...rest);
}

type Rest<Method> = Method extends (first: never, ...rest: infer Others) => unknown ? Others : never;

/** The port `Kube` over one connection. Whatever the API server refuses comes out in words that a person can use. */
export function createKube(connection: Connection): Kube {
  const inWords = async <Result>(namespace: string, act: () => Promise<Result>): Promise<Result> => {
    try {
      return await act();
    } catch (thrown) {
      throw thrown instanceof RefusedCall ? refusalFault(connection.cluster, namespace, thrown) : thrown;
    }
  };
  return {
    read: (ref, signal) => inWords(ref.namespace, () => read(connection, ref, signal)),
    preview: (manifest, signal) => inWords(refOf(manifest).namespace, () => dryRun(connection, manifest, signal)),
    apply: (manifest, options, signal) =>
      inWords(refOf(manifest).namespace, () => applyManifest(connection, manifest, options, signal)),
    follow: (ref, ...rest) => inWords(ref.namespace, () => follow(connection, ref, ...rest)),
    workload: (ref, signal) => inWords(ref.namespace, () => workload(connection, ref, signal)),
    revisions: (ref, signal) => inWords(ref.namespace, () => revisions(connection, ref, signal)),
    ping: (signal) =>
      inWords('', async () => void (await connection.call({ method: 'GET', path: '/version', signal }))),
  };
}
