import { fault } from '../../core/errors.ts';
import { isWorkloadKind } from '../../core/kinds.ts';
import { type Kube, refOf } from '../../core/kube.ts';
import { applyManifest, createObject, dryRun, evictPod, mergeObject, refusalFault, removeObject } from './apply.ts';
import { askService } from './ask.ts';
import { type Connection, RefusedCall } from './connection.ts';
import { execInPod } from './exec.ts';
import { followRollout } from './follow.ts';
import { createListTypes } from './list-types.ts';
import { readLogs } from './pod-logs.ts';
import { clockAheadMs, listObjects, readObject, readRevisions, readWorkload } from './reads.ts';
import { kindOf } from './resources.ts';
import { createWatches, type Watches } from './shared-watch.ts';

async function follow(
  connection: Connection,
  watches: Watches,
  ...[ref, options, signal]: Parameters<Kube['follow']>
): ReturnType<Kube['follow']> {
  const first = await readObject(connection, ref, signal);
  if (!first) throw fault('GONE_MEANWHILE', { namespace: ref.namespace, workload: ref.name });
  if (!isWorkloadKind(ref.kind)) throw fault('UNKNOWN_KIND', { cluster: connection.cluster, ...ref });
  return await followRollout(connection, watches, ref.kind, ref, first, options, signal);
}

/** A log line by line, with a refusal put into words. */
async function* logLines(connection: Connection, ...[ref, options, signal]: Parameters<Kube['logs']>) {
  try {
    yield* readLogs(connection, ref, options, signal);
  } catch (thrown) {
    throw thrown instanceof RefusedCall ? refusalFault(connection, ref.namespace, thrown) : thrown;
  }
}

/** The port `Kube` over one connection; `listTypes` where they are known already. Whatever the API server refuses comes out in words that a person can use. */
export function createKube(
  connection: Connection,
  listTypes: Kube['listTypes'] = createListTypes(connection),
): Kube & { close(): void } {
  const watches = createWatches(connection);
  const inWords = async <Result>(namespace: string, act: () => Promise<Result>): Promise<Result> => {
    try {
      return await act();
    } catch (thrown) {
      throw thrown instanceof RefusedCall ? refusalFault(connection, namespace, thrown) : thrown;
    }
  };
  const of = (manifest: Parameters<Kube['preview']>[0]) => refOf(manifest).namespace;
  return {
    read: (ref, signal) => inWords(ref.namespace, () => readObject(connection, ref, signal)),
    kindOf: (of, signal) => inWords('', () => kindOf(connection, of, signal)),
    listTypes,
    list: (selection, signal) => inWords(selection.namespace, () => listObjects(connection, selection, signal)),
    look: (of, namespace, signal) =>
      inWords(namespace, async () =>
        watches.look(typeof of === 'string' ? of : await kindOf(connection, of, signal), namespace, signal),
      ),
    preview: (manifest, signal) => inWords(of(manifest), () => dryRun(connection, manifest, signal)),
    apply: (manifest, options, signal) =>
      inWords(of(manifest), () => applyManifest(connection, manifest, options, signal)),
    create: (manifest, options, signal) =>
      inWords(of(manifest), () => createObject(connection, manifest, options, signal)),
    merge: (ref, ...rest) => inWords(ref.namespace, () => mergeObject(connection, ref, ...rest)),
    remove: (ref, ...rest) => inWords(ref.namespace, () => removeObject(connection, ref, ...rest)),
    evict: (ref, signal) => inWords(ref.namespace, () => evictPod(connection, ref, signal)),
    logs: (...args) => logLines(connection, ...args),
    exec: (ref, ...rest) => inWords(ref.namespace, () => execInPod(connection, ref, ...rest)),
    ask: (service, ...rest) => inWords(service.namespace, () => askService(connection, service, ...rest)),
    follow: (...args) => inWords(args[0].namespace, () => follow(connection, watches, ...args)),
    workload: (ref, signal, seen) => inWords(ref.namespace, () => readWorkload(connection, watches, ref, signal, seen)),
    revisions: (ref, signal) =>
      inWords(ref.namespace, async () =>
        (await readRevisions(connection, ref, signal)).filter(({ current }) => !current),
      ),
    allRevisions: (ref, signal) => inWords(ref.namespace, () => readRevisions(connection, ref, signal)),
    version: (signal) =>
      inWords('', async () => {
        const { gitVersion } = await connection.call({ method: 'GET', path: '/version', signal });
        return String(gitVersion ?? 'unknown');
      }),
    clockAheadMs: (signal) => inWords('', () => clockAheadMs(connection, signal)),
    close: watches.close,
  };
}
