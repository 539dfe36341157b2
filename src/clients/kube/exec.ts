import { createHash } from 'node:crypto';
import { Writable } from 'node:stream';
import { fault } from '../../core/errors.ts';
import type { ExecEnd, Kube, ObjectRef } from '../../core/kube.ts';
import { within } from '../../core/within.ts';
import type { Connection } from './connection.ts';

/** Keeps the first `limit` bytes of what both streams say, in the order in which it comes, and counts and hashes the whole. */
function bounded(limit: number) {
  const chunks: Buffer[] = [];
  const hash = createHash('sha256');
  let size = 0;
  let bytes = 0;
  let cut = false;
  const stream = () =>
    new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        const kept = chunk.subarray(0, Math.max(0, limit - size));
        chunks.push(kept);
        size += kept.length;
        bytes += chunk.length;
        hash.update(chunk);
        cut ||= kept.length < chunk.length;
        done();
      },
    });
  const end = () => ({ output: Buffer.concat(chunks).toString('utf8'), cut, bytes, sha256: hash.copy().digest('hex') });
  return { stream, end };
}

type Status = {
  status?: string;
  message?: string;
  reason?: string;
  details?: { causes?: { reason?: string; message?: string }[] };
};

/** The exit code, as the kubelet's Status tells it; undefined where the command did not even start. */
function exitCodeOf(status: Status): number | undefined {
  if (status.status === 'Success') return 0;
  const code = status.details?.causes?.find(({ reason }) => reason === 'ExitCode')?.message;
  return code === undefined ? undefined : Number(code);
}

/** Runs a command in a container over a WebSocket; see `Kube.exec`. */
export async function execInPod(
  connection: Connection,
  { namespace, name }: ObjectRef,
  { container, command, limitBytes, ms }: Parameters<Kube['exec']>[1],
  signal: AbortSignal,
): Promise<ExecEnd> {
  const said = bounded(limitBytes);
  const limited = within(signal, ms);
  const ended = Promise.withResolvers<Status | undefined>();
  const words = [...command];
  const { Exec } = await import('@kubernetes/client-node');
  const started = new Exec(await connection.library()).exec(
    namespace,
    name,
    container,
    words,
    said.stream(),
    said.stream(),
    null,
    false,
    ended.resolve,
  );
  const unreachable = (thrown: unknown) =>
    fault('EXEC_FAILED', { pod: name, container, problem: thrown instanceof Error ? thrown.message : String(thrown) });
  const socket = await started.catch((thrown: unknown) => {
    throw unreachable(thrown);
  });
  const stop = () => ended.resolve(undefined);
  socket.on('close', stop);
  socket.on('error', stop);
  limited.addEventListener('abort', stop, { once: true });
  if (limited.aborted) stop();
  try {
    const status = await ended.promise;
    signal.throwIfAborted();
    const exitCode = status && exitCodeOf(status);
    if (status && exitCode === undefined) throw unreachable(status.message ?? status.reason ?? 'it did not start');
    if (!status && !limited.aborted) throw unreachable('the connection was lost');
    return { ...(exitCode !== undefined && { exitCode }), ...said.end(), timedOut: !status };
  } finally {
    limited.removeEventListener('abort', stop);
    socket.terminate();
  }
}
