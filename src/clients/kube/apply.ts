import { type Fault, fault } from '../../core/errors.ts';
import { at, isObject, type JsonObject } from '../../core/json.ts';
import type { Preview } from '../../core/ports.ts';
import { type Connection, RefusedCall, sentenceOf } from './connection.ts';
import { objectPath, refOf } from './resources.ts';

const manager = 'shipmate';
/** Which run an object was last changed by. */
export const runAnnotation = 'shipmate.dev/run';

type Taken = Preview['takesOver'][number];

/** The API server's refusal in words, and what to do. */
export function refusalFault(cluster: string, namespace: string, thrown: RefusedCall): Fault {
  const { status } = thrown.refusal;
  const problem = sentenceOf(thrown.refusal);
  if (status === 404 && problem.includes('namespaces'))
    return fault('NAMESPACE_MISSING', { namespace, cluster }, thrown);
  if (status === 401 || status === 403) return fault('CLUSTER_FORBIDDEN', { cluster, problem }, thrown);
  return fault('CLUSTER_REFUSED', { cluster, problem }, thrown);
}

/** The fields in dispute and who owns them: `conflict with "kubectl" using apps/v1: .spec.replicas`. */
function conflictsOf({ refusal }: RefusedCall): Taken[] {
  const causes = at(refusal.body, 'details', 'causes');
  return (Array.isArray(causes) ? causes : []).filter(isObject).map(({ message, field }) => ({
    field: typeof field === 'string' ? field.replace(/^\./, '') : '',
    manager: /conflict with "([^"]*)"/.exec(String(message))?.[1] ?? 'somebody else',
  }));
}

async function patch(
  connection: Connection,
  manifest: JsonObject,
  query: Record<string, string>,
  signal: AbortSignal,
): Promise<JsonObject> {
  const path = objectPath(refOf(manifest));
  return await connection.call({
    method: 'PATCH',
    path,
    query: { fieldManager: manager, ...query },
    body: manifest,
    signal,
  });
}

/** The dry run; where other managers own fields, a second one that takes them over, and says from whom. */
export async function dryRun(connection: Connection, manifest: JsonObject, signal: AbortSignal): Promise<Preview> {
  try {
    return { after: await patch(connection, manifest, { dryRun: 'All' }, signal), takesOver: [] };
  } catch (thrown) {
    if (!(thrown instanceof RefusedCall) || thrown.refusal.status !== 409) throw thrown;
    const after = await patch(connection, manifest, { dryRun: 'All', force: 'true' }, signal);
    return { after, takesOver: conflictsOf(thrown) };
  }
}

/** Server-side apply, marked with the run. */
export async function applyManifest(
  connection: Connection,
  manifest: JsonObject,
  options: { run: string; force: boolean },
  signal: AbortSignal,
): Promise<JsonObject> {
  const metadata = isObject(manifest.metadata) ? manifest.metadata : {};
  const annotations = { ...(isObject(metadata.annotations) ? metadata.annotations : {}), [runAnnotation]: options.run };
  const marked = { ...manifest, metadata: { ...metadata, annotations } };
  return await patch(connection, marked, { force: String(options.force) }, signal);
}
