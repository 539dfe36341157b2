import { type Fault, fault } from '../../core/errors.ts';
import { at, digestOf, isObject, type JsonObject } from '../../core/json.ts';
import { type Eviction, type Kube, type ObjectRef, type Preview, refOf } from '../../core/kube.ts';
import { runAnnotation } from '../../core/lost-run.ts';
import { applyAnnotation } from '../../core/settled.ts';
import { type Connection, RefusedCall, sentenceOf } from './connection.ts';
import { forbidden } from './forbidden.ts';
import { collectionPath, kindOf, objectPath } from './resources.ts';
import type { Call } from './transport.ts';

const manager = 'shipmate';
const kindMissing = /could not find the requested resource|404 page not found/;

type Taken = Preview['takesOver'][number];

/** What the API server names one by one. */
function causesOf({ refusal }: RefusedCall): JsonObject[] {
  const causes = at(refusal.body, 'details', 'causes');
  return Array.isArray(causes) ? causes.filter(isObject) : [];
}

/** The API server's refusal in words, and what to do. */
export function refusalFault(
  { cluster, as }: Pick<Connection, 'cluster' | 'as'>,
  namespace: string,
  thrown: RefusedCall,
): Fault {
  const { status } = thrown.refusal;
  const problem = sentenceOf(thrown.refusal);
  if (status === 404 && problem.includes('namespaces'))
    return fault('NAMESPACE_MISSING', { namespace, cluster }, thrown);
  if (status === 409 && thrown.refusal.body.reason === 'Conflict' && problem.includes('has been modified'))
    return fault('CHANGED_MEANWHILE', { problem }, thrown);
  if (status === 403 && causesOf(thrown).some(({ reason }) => reason === 'NamespaceTerminating'))
    return fault('NAMESPACE_GOES', { namespace }, thrown);
  if (status === 401 || status === 403) return forbidden(cluster, problem, as?.user, thrown);
  return fault('CLUSTER_REFUSED', { cluster, problem }, thrown);
}

/** The fields in dispute and who owns them: `conflict with "kubectl" using apps/v1: .spec.replicas`. */
function conflictsOf(thrown: RefusedCall): Taken[] {
  return causesOf(thrown).map(({ message, field }) => ({
    field: typeof field === 'string' ? field.replace(/^\./, '') : '',
    manager: /conflict with "([^"]*)"/.exec(String(message))?.[1] ?? 'somebody else',
  }));
}

/** What Shipmate set in another way than by applying is its own as well, though the API server keeps the two apart. */
const isOurs = (conflicts: Taken[]) => conflicts.length > 0 && conflicts.every((taken) => taken.manager === manager);

async function patch(
  connection: Connection,
  manifest: JsonObject,
  query: Record<string, string>,
  signal: AbortSignal,
  more: Pick<Call, 'lookFirst'> = {},
): Promise<JsonObject> {
  const ref = refOf(manifest);
  const path = objectPath(await kindOf(connection, ref, signal), ref);
  const call: Call = {
    method: 'PATCH',
    path,
    query: { fieldManager: manager, ...query },
    body: manifest,
    signal,
    ...more,
  };
  return await connection.call(call).catch((thrown: unknown) => {
    // Applying makes what isn't there; not found is the kind itself, such as one of an add-on.
    const missing = thrown instanceof RefusedCall && thrown.refusal.status === 404 && kindMissing.test(thrown.message);
    throw missing ? fault('UNKNOWN_KIND', { cluster: connection.cluster, ...ref }, thrown) : thrown;
  });
}

/** The dry run; where other managers own fields, a second one that takes them over, and says from whom. */
export async function dryRun(connection: Connection, manifest: JsonObject, signal: AbortSignal): Promise<Preview> {
  try {
    return { after: await patch(connection, manifest, { dryRun: 'All' }, signal), takesOver: [] };
  } catch (thrown) {
    if (!(thrown instanceof RefusedCall) || thrown.refusal.status !== 409) throw thrown;
    const after = await patch(connection, manifest, { dryRun: 'All', force: 'true' }, signal);
    return { after, takesOver: conflictsOf(thrown).filter((taken) => !isOurs([taken])) };
  }
}

/** The object, where its last apply was this very one: then it was done, whatever became of the answer. */
async function doneAlready(
  connection: Connection,
  marked: JsonObject,
  signal: AbortSignal,
): Promise<JsonObject | undefined> {
  const ref = refOf(marked);
  const path = objectPath(await kindOf(connection, ref, signal), ref);
  try {
    const live = await connection.call({ method: 'GET', path, signal });
    const markOf = (object: JsonObject) => at(object, 'metadata', 'annotations', applyAnnotation);
    return markOf(live) === markOf(marked) ? live : undefined;
  } catch (thrown) {
    if (thrown instanceof RefusedCall && thrown.refusal.status === 404) return undefined;
    throw thrown;
  }
}

/** The manifest with the run, and with a mark by which this apply is known again. */
function markedBy(run: string, manifest: JsonObject): JsonObject {
  const metadata = isObject(manifest.metadata) ? manifest.metadata : {};
  const annotations = isObject(metadata.annotations) ? metadata.annotations : {};
  const marks = { [runAnnotation]: run, [applyAnnotation]: digestOf({ run, manifest }).slice(0, 16) };
  return { ...manifest, metadata: { ...metadata, annotations: { ...annotations, ...marks } } };
}

/**
 * Server-side apply, marked with the run. An answer may get lost, or a worker be killed, after the change was made: to make
 * it again would take back what somebody else changed since. So where there is no answer, or others own the fields, the
 * object is looked at first, and fields are taken over at the second try only.
 */
export async function applyManifest(
  connection: Connection,
  manifest: JsonObject,
  { run, force }: { run: string; force: boolean },
  signal: AbortSignal,
): Promise<JsonObject> {
  const marked = markedBy(run, manifest);
  const send = (forced: boolean) => patch(connection, marked, { force: String(forced) }, signal, { lookFirst: true });
  try {
    return await send(false);
  } catch (thrown) {
    const refused = thrown instanceof RefusedCall;
    if (refused && thrown.refusal.status !== 409) throw thrown;
    const done = await doneAlready(connection, marked, signal);
    if (done) return done;
    const allowed = force || (refused && isOurs(conflictsOf(thrown)));
    if (refused && !allowed) throw thrown;
    return await send(allowed);
  }
}

const dry = (dryRun: boolean | undefined): Record<string, string> => (dryRun ? { dryRun: 'All' } : {});

/** Creates what is not applied; see `Kube.create`. */
export async function createObject(
  connection: Connection,
  manifest: JsonObject,
  { dryRun }: { dryRun?: boolean },
  signal: AbortSignal,
): Promise<JsonObject> {
  const ref = refOf(manifest);
  const path = collectionPath(await kindOf(connection, ref, signal), ref.namespace);
  const query = { fieldManager: manager, ...dry(dryRun) };
  return await connection.call({ method: 'POST', path, query, body: manifest, type: 'application/json', signal });
}

/** A JSON merge patch; see `Kube.merge`. */
export async function mergeObject(
  connection: Connection,
  ref: ObjectRef,
  body: JsonObject,
  { dryRun, subresource }: Parameters<Kube['merge']>[2],
  signal: AbortSignal,
): Promise<JsonObject> {
  const own = objectPath(await kindOf(connection, ref, signal), ref);
  const path = subresource === undefined ? own : `${own}/${subresource}`;
  const query = { fieldManager: manager, ...dry(dryRun) };
  return await connection.call({ method: 'PATCH', path, query, body, type: 'application/merge-patch+json', signal });
}

/** Deletes; see `Kube.remove`. */
export async function removeObject(
  connection: Connection,
  ref: ObjectRef,
  { dryRun, uid }: { dryRun?: boolean; uid?: string },
  signal: AbortSignal,
): Promise<boolean> {
  const path = objectPath(await kindOf(connection, ref, signal), ref);
  const body: JsonObject = {
    apiVersion: 'v1',
    kind: 'DeleteOptions',
    propagationPolicy: 'Background',
    // Where a deletion has a body, the API server does not look at the query: a dry run has to be asked for here.
    ...(dryRun && { dryRun: ['All'] }),
    ...(uid !== undefined && { preconditions: { uid } }),
  };
  try {
    await connection.call({ method: 'DELETE', path, body, type: 'application/json', signal });
    return true;
  } catch (thrown) {
    const status = thrown instanceof RefusedCall ? thrown.refusal.status : 0;
    // Another object of the same name is not the one that was planned for: that one is gone.
    if (status === 404 || (status === 409 && uid !== undefined)) return false;
    throw thrown;
  }
}

/** Why an eviction is not allowed: the budget's own words, which name it and count, where there are any. */
function budgetSentence({ refusal }: RefusedCall): string {
  const said = at(refusal.body, 'details', 'causes', 0, 'message');
  return typeof said === 'string' && said !== '' ? said : sentenceOf(refusal);
}

/** Asks once for a pod's eviction; 429 is a PodDisruptionBudget's no, and 500 what two budgets for one pod lead to. */
export async function evictPod(
  connection: Connection,
  { uid, ...ref }: ObjectRef & { uid?: string },
  signal: AbortSignal,
): Promise<Eviction> {
  const { namespace, name } = ref;
  const path = `${objectPath(await kindOf(connection, ref, signal), ref)}/eviction`;
  const body: JsonObject = {
    apiVersion: 'policy/v1',
    kind: 'Eviction',
    metadata: { name, namespace },
    ...(uid !== undefined && { deleteOptions: { preconditions: { uid } } }),
  };
  try {
    await connection.call({ method: 'POST', path, body, type: 'application/json', once: true, signal });
    return { kind: 'evicted' };
  } catch (thrown) {
    if (!(thrown instanceof RefusedCall)) throw thrown;
    const { status } = thrown.refusal;
    if (status === 404 || (status === 409 && uid !== undefined)) return { kind: 'gone' };
    if (status === 429 || status >= 500) return { kind: 'blocked', why: budgetSentence(thrown) };
    throw thrown;
  }
}
