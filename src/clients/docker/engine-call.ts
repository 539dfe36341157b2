import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DockerRequest } from '../../core/docker-host.ts';
import { Fault, fault } from '../../core/errors.ts';
import type { DockerHostSettings } from '../../core/host-settings.ts';
import { at, Json, text } from '../../core/json.ts';
import { inPath } from '../../core/url-part.ts';
import { within } from '../../core/within.ts';
import { type Reach, reach } from './reach.ts';

/** What a daemon usually takes, with room to spare. */
export const callSeconds = 20;
const largestBytes = 64 * 1_048_576;

export type Host = { name: string; settings: DockerHostSettings };
export type Call = DockerRequest & { headers?: Record<string, string> };

function pathOf({ path, query }: Call): string {
  const search = new URLSearchParams(query).toString();
  return `/${path.map(inPath).join('/')}${search === '' ? '' : `?${search}`}`;
}

const words: Record<string, string> = {
  ENOENT: 'there is no such socket',
  ECONNREFUSED: 'nothing listens there',
  ECONNRESET: 'the connection broke in the middle',
  EPIPE: 'the connection broke in the middle',
  ENOTFOUND: 'its name is not known',
  EACCES: 'Shipmate may not open its socket',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is another host’s',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is of an authority that Shipmate does not trust',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate is of an authority that Shipmate does not trust',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate is of an authority that Shipmate does not trust',
  CERT_HAS_EXPIRED: 'its certificate has expired',
};

/** The last line of what ssh said, which is its complaint. */
const complaint = (said: string) => said.trim().split('\n').at(-1)?.trim().replace(/\.$/, '') ?? '';

/** @returns a fault that names the host and says in plain words what is wrong on the way to it */
export function unreachable({ name }: Host, thrown: unknown, said = '', seconds = callSeconds): Fault {
  if (thrown instanceof Fault) return thrown;
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  const code = 'code' in error ? String(error.code) : '';
  const late = error.name === 'TimeoutError';
  const ofFile = code === 'ENOENT' && !('syscall' in error && error.syscall === 'connect');
  const known = late ? `no answer within ${seconds} s` : ofFile ? error.message : (words[code] ?? error.message);
  const ssh = complaint(said);
  const problem = ssh === '' ? known : `ssh says “${ssh.slice(0, 200)}”`;
  return fault('DOCKER_HOST_UNREACHABLE', { host: name, problem }, thrown);
}

/** The beginning of an answer; its body is still to be read. */
export type Opened = { response: IncomingMessage; way: Reach };

/** Sends a request and waits for the head of its answer. `signal` ends the whole of it. */
export async function open(host: Host, call: Call, signal: AbortSignal): Promise<Opened> {
  signal.throwIfAborted();
  const body = call.body === undefined ? undefined : JSON.stringify(call.body);
  let way: Reach | undefined;
  try {
    way = reach(host.settings);
    const headers = {
      host: 'docker',
      ...(body !== undefined && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
      ...(body === undefined && call.method === 'POST' && { 'content-length': 0 }),
      ...call.headers,
    };
    const request = way.request({ method: call.method, path: pathOf(call), headers, signal });
    request.on('error', () => {});
    request.end(body);
    const [response]: IncomingMessage[] = await once(request, 'response');
    if (!response) throw new Error('no answer');
    return { response, way };
  } catch (thrown) {
    // ssh's complaint comes a moment after its output has ended.
    if (way && host.settings.address.startsWith('ssh:') && !signal.aborted) await sleep(100);
    const late = signal.aborted && signal.reason instanceof Error ? signal.reason : thrown;
    throw unreachable(host, late, way?.said(), call.seconds);
  }
}

/** Reads the whole of an answer, up to what any sane one has. */
export async function bodyOf(host: Host, { response, way }: Opened, signal: AbortSignal): Promise<string> {
  const parts: Buffer[] = [];
  let size = 0;
  try {
    for await (const part of response) {
      parts.push(part);
      size += part.length;
      if (size > largestBytes) throw new Error('its answer is larger than 64 MiB');
    }
    signal.throwIfAborted();
  } catch (thrown) {
    throw unreachable(host, signal.aborted ? signal.reason : thrown, way.said());
  } finally {
    response.destroy();
  }
  return Buffer.concat(parts).toString('utf8');
}

/** What the daemon says; where it is no JSON something else than a daemon answers. */
export function jsonOf(host: Host, body: string): Json | undefined {
  if (body.trim() === '') return undefined;
  try {
    return Json.parse(JSON.parse(body));
  } catch (thrown) {
    throw fault('DOCKER_HOST_UNREACHABLE', { host: host.name, problem: `it answered “${body.slice(0, 80)}”` }, thrown);
  }
}

/** The daemon's own words of a refusal. */
export const messageOf = (body: Json | undefined): string => text(at(body, 'message')).trim();

/** `signal`, and the call's own limit. */
export const forCall = (signal: AbortSignal, seconds = callSeconds): AbortSignal => within(signal, seconds * 1_000);
