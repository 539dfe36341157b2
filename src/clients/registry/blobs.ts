import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Dispatcher } from 'undici';
import { Fault, fault } from '../../core/errors.ts';
import { addressNamed, type Caller, type Named, patiently, refusal } from './caller.ts';

type Repository = Pick<Named, 'registry' | 'repository'>;

/** What is sent at once: it is held in memory until the registry has it. */
const chunkBytes = 8 * 1_048_576;
/** Waits between tries of what broke off in the middle. */
const patienceMs = [200, 500, 1_000, 2_000, 4_000, 8_000];

const mayPass = (thrown: unknown) => !(thrown instanceof Fault) || thrown.retry === 'later';

async function pause(thrown: unknown, tries: number, { registry }: Repository, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const wait = patienceMs[tries];
  if (!mayPass(thrown)) throw thrown;
  if (wait === undefined) {
    const problem = thrown instanceof Error ? thrown.message : String(thrown);
    throw thrown instanceof Fault ? thrown : fault('REGISTRY_UNREACHABLE', { registry, problem }, thrown);
  }
  await sleep(wait, undefined, { signal });
}

export const wrong = (registry: string, digest: string, found: string): Fault =>
  fault('REGISTRY_REFUSED', { registry, problem: `what it has as ${digest.slice(0, 19)} is ${found.slice(0, 19)}` });

/** A blob as it comes; where the connection breaks it is taken up again at the same byte. Checked at its end. */
export async function* blobOf(
  call: Caller,
  at: Repository,
  digest: string,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256');
  let offset = 0;
  for (let tries = 0; ; ) {
    try {
      const headers: Record<string, string> = offset > 0 ? { range: `bytes=${offset}-` } : {};
      const answer = await call.ask(at, { path: `blobs/${digest}`, headers, long: true }, signal);
      if (answer.statusCode !== 200 && answer.statusCode !== 206) throw await refusal(at.registry, answer);
      let skip = answer.statusCode === 206 ? 0 : offset;
      for await (const part of answer.body as AsyncIterable<Uint8Array>) {
        const rest = skip >= part.length ? new Uint8Array() : part.subarray(skip);
        skip = Math.max(0, skip - part.length);
        if (rest.length === 0) continue;
        hash.update(rest);
        offset += rest.length;
        tries = 0;
        yield rest;
      }
      break;
    } catch (thrown) {
      await pause(thrown, tries++, at, signal);
    }
  }
  const found = `sha256:${hash.digest('hex')}`;
  if (found !== digest) throw wrong(at.registry, digest, found);
}

export function hasBlob(call: Caller, at: Repository, digest: string, signal: AbortSignal): Promise<boolean> {
  return patiently(at.registry, signal, async () => {
    const answer = await call.ask(at, { method: 'HEAD', path: `blobs/${digest}` }, signal);
    await answer.body.dump();
    if (answer.statusCode === 200) return true;
    if (answer.statusCode === 404) return false;
    throw await refusal(at.registry, answer);
  });
}

/** Where the registry wants the upload to go on. It may name another host: then nothing proves to that who Shipmate is. */
function locationOf({ headers }: Dispatcher.ResponseData, base: URL): URL {
  return addressNamed(headers.location, base, base.host);
}

type Upload = { url: URL; sent: number };

/** The registry knows nothing of an upload any more: some lose one whose connection broke. */
class Forgotten extends Error {}

/** Begins an upload; `mount` asks for a blob of another repository of the same registry instead. */
async function begin(
  call: Caller,
  at: Repository,
  mount: { digest: string; from: string } | undefined,
  signal: AbortSignal,
): Promise<Upload | 'mounted'> {
  const query = mount ? `?mount=${mount.digest}&from=${encodeURIComponent(mount.from)}` : '';
  const answer = await call.ask(
    at,
    { method: 'POST', path: `blobs/uploads/${query}`, body: new Uint8Array(), ...(mount && { from: mount.from }) },
    signal,
  );
  if (answer.statusCode === 201 && mount) {
    await answer.body.dump();
    return 'mounted';
  }
  if (answer.statusCode !== 202) throw await refusal(at.registry, answer);
  await answer.body.dump();
  return { url: locationOf(answer, call.base(at)), sent: 0 };
}

/** How much of an upload the registry has; undefined where it knows nothing of it any more. */
async function received(
  call: Caller,
  at: Repository,
  { url }: Upload,
  signal: AbortSignal,
): Promise<Upload | undefined> {
  const answer = await call.ask(at, { path: url }, signal);
  await answer.body.dump();
  if (answer.statusCode !== 204) return undefined;
  const [, last] = /^(?:bytes=)?0-(\d+)$/.exec(String(answer.headers.range ?? '')) ?? [];
  return { url: locationOf(answer, url), sent: last === undefined || last === '0' ? 0 : Number(last) + 1 };
}

/** Sends one chunk, from wherever the registry is in it. */
async function sendChunk(
  call: Caller,
  at: Repository,
  upload: Upload,
  { bytes, offset }: { bytes: Uint8Array; offset: number },
  signal: AbortSignal,
): Promise<Upload> {
  let now = upload;
  for (let tries = 0; now.sent < offset + bytes.length; ) {
    try {
      if (now.sent < offset) throw new Forgotten('it forgot a part of the upload');
      const rest = bytes.subarray(now.sent - offset);
      const headers = {
        'content-type': 'application/octet-stream',
        'content-range': `${now.sent}-${now.sent + rest.length - 1}`,
      };
      const answer = await call.ask(at, { method: 'PATCH', path: now.url, headers, body: rest, long: true }, signal);
      if (answer.statusCode !== 202) throw await refusal(at.registry, answer);
      await answer.body.dump();
      now = { url: locationOf(answer, now.url), sent: now.sent + rest.length };
    } catch (thrown) {
      if (thrown instanceof Forgotten) throw thrown;
      await pause(thrown, tries++, at, signal);
      const known = await received(call, at, now, signal).catch(() => now);
      if (!known) throw new Forgotten('it forgot the upload');
      now = known;
    }
  }
  return now;
}

/** Parts of any size as chunks of one. */
async function* chunksOf(content: AsyncIterable<Uint8Array>): AsyncGenerator<{ bytes: Uint8Array; offset: number }> {
  let [held, size, offset] = [[] as Uint8Array[], 0, 0];
  for await (const part of content) {
    held.push(part);
    size += part.length;
    if (size < chunkBytes) continue;
    const bytes = Buffer.concat(held);
    yield { bytes, offset };
    offset += bytes.length;
    [held, size] = [[], 0];
  }
  if (size > 0) yield { bytes: Buffer.concat(held), offset };
}

type Sending = {
  content: () => AsyncIterable<Uint8Array>;
  mount?: { digest: string; from: string };
  limitBytes?: number;
};
type Sent = { digest: string; size: number; sent: number };

async function sendOnce(call: Caller, at: Repository, sending: Sending, signal: AbortSignal): Promise<Sent> {
  const { content, mount, limitBytes } = sending;
  const begun = await patiently(at.registry, signal, () => begin(call, at, mount, signal));
  if (begun === 'mounted') return { digest: mount?.digest ?? '', size: 0, sent: 0 };
  let upload = begun;
  const hash = createHash('sha256');
  for await (const chunk of chunksOf(content())) {
    if (limitBytes !== undefined && chunk.offset + chunk.bytes.length > limitBytes)
      throw fault('TOO_LARGE', { limit: `${Math.floor(limitBytes / 1_048_576)} MiB` });
    hash.update(chunk.bytes);
    upload = await sendChunk(call, at, upload, chunk, signal);
  }
  const digest = `sha256:${hash.digest('hex')}`;
  const end = new URL(upload.url);
  end.searchParams.set('digest', digest);
  await finish(call, at, end, digest, signal);
  return { digest, size: upload.sent, sent: upload.sent };
}

async function finish(call: Caller, at: Repository, end: URL, digest: string, signal: AbortSignal): Promise<void> {
  for (let tries = 0; ; ) {
    try {
      const answer = await call.ask(at, { method: 'PUT', path: end, body: new Uint8Array(), long: true }, signal);
      if (answer.statusCode !== 201) throw await refusal(at.registry, answer);
      return void (await answer.body.dump());
    } catch (thrown) {
      await pause(thrown, tries++, at, signal);
      // It may have been taken, and only the answer lost.
      if (await hasBlob(call, at, digest, signal).catch(() => false)) return;
    }
  }
}

/**
 * Sends a blob chunk by chunk, and ends it with the digest of what was sent: the registry checks it too. A chunk that broke off
 * goes on where the registry is; where it forgot the blob, that is sent anew, if `content` can be had `again`. With `mount`
 * nothing is sent where the registry takes it from its other repository.
 */
export async function sendBlob(
  call: Caller,
  at: Repository,
  { again = false, ...sending }: Sending & { again?: boolean },
  signal: AbortSignal,
): Promise<Sent> {
  for (let tries = 0; ; ) {
    try {
      return await sendOnce(call, at, sending, signal);
    } catch (thrown) {
      if (!(thrown instanceof Forgotten)) throw thrown;
      const { registry } = at;
      if (!again) throw fault('REGISTRY_UNREACHABLE', { registry, problem: thrown.message }, thrown);
      await pause(thrown, tries++, at, signal);
    }
  }
}
