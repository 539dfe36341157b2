import type { DockerHost, DockerRequest } from '../../core/docker-host.ts';
import { fault } from '../../core/errors.ts';
import type { DockerHostSettings } from '../../core/host-settings.ts';
import { parseImage } from '../../core/image.ts';
import { at, text } from '../../core/json.ts';
import { linesOf } from '../../core/lines.ts';
import { didYouMean } from '../../core/near.ts';
import { within } from '../../core/within.ts';
import { bodyOf, forCall, type Host, jsonOf, messageOf, open, unreachable } from './engine-call.ts';
import { createFrames, createKept } from './frames.ts';

type Credentials = readonly { host: string; username: string; password: string }[];
const pullSeconds = 15 * 60;
const logBytes = 4 * 1_048_576;

const refusal = ({ name }: Host, problem: string) => fault('DOCKER_HOST_REFUSED', { host: name, problem });

async function ask(host: Host, request: DockerRequest, signal: AbortSignal) {
  const limited = forCall(signal, request.seconds);
  const opened = await open(host, request, limited);
  const body = jsonOf(host, await bodyOf(host, opened, limited));
  const status = opened.response.statusCode ?? 0;
  const message = messageOf(body);
  if (status >= 500 && message === '') throw unreachable(host, new Error(`HTTP ${status}`));
  return { status, body, message: message || `HTTP ${status}` };
}

/** Docker Hub goes by a name of its own in what `docker login` keeps. */
function credentialsFor(credentials: Credentials, image: string): Record<string, string> {
  const { registry = 'docker.io' } = parseImage(image);
  const own = credentials.find(({ host }) => host === registry);
  if (!own) return {};
  const { username, password } = own;
  const auth = JSON.stringify({ username, password, serveraddress: registry });
  return { 'x-registry-auth': Buffer.from(auth).toString('base64url') };
}

/** https://docs.docker.com/reference/api/engine/ (DistributionInspect) */
async function digest(host: Host, credentials: Credentials, image: string, signal: AbortSignal): Promise<string> {
  const path = ['distribution', image, 'json'];
  const opened = await open(
    host,
    { method: 'GET', path, headers: credentialsFor(credentials, image) },
    forCall(signal),
  );
  const body = jsonOf(host, await bodyOf(host, opened, forCall(signal)));
  const found = text(at(body, 'Descriptor', 'digest'));
  if (opened.response.statusCode !== 200 || found === '') throw refusal(host, `${image}: ${messageOf(body)}`);
  return found;
}

async function pull(
  host: Host,
  credentials: Credentials,
  image: string,
  seen: (text: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const limited = forCall(signal, pullSeconds);
  const headers = credentialsFor(credentials, image);
  const { repository, registry, tag, digest } = parseImage(image);
  const fromImage = registry === undefined ? repository : `${registry}/${repository}`;
  const query = { fromImage, tag: digest ?? tag ?? 'latest' };
  const request = { method: 'POST' as const, path: ['images', 'create'], query, headers, seconds: pullSeconds };
  const opened = await open(host, request, limited);
  if (opened.response.statusCode !== 200)
    throw refusal(host, `${image}: ${messageOf(jsonOf(host, await bodyOf(host, opened, limited)))}`);
  let failure = '';
  const told = new Set<string>();
  try {
    for await (const line of linesOf(opened.response, { rest: true })) {
      const word = jsonOf(host, line);
      // The status is long sent when a pull fails: only a line tells of it.
      failure ||= text(at(word, 'error'));
      const said = [text(at(word, 'id')), text(at(word, 'status'))].filter(Boolean).join(': ');
      if (said !== '' && !told.has(said)) seen(said);
      told.add(said);
    }
    limited.throwIfAborted();
  } catch (thrown) {
    throw unreachable(host, limited.aborted ? limited.reason : thrown, opened.way.said(), pullSeconds);
  }
  if (failure !== '') throw refusal(host, `${image}: ${failure}`);
}

async function logs(
  host: Host,
  id: string,
  { lines, since, tty }: { lines: number; since?: number; tty: boolean },
  signal: AbortSignal,
): Promise<string> {
  const limited = forCall(signal);
  const from: Record<string, string> = since === undefined ? {} : { since: String(Math.floor(since / 1_000)) };
  const query = { stdout: '1', stderr: '1', tail: String(lines), ...from };
  const opened = await open(host, { method: 'GET', path: ['containers', id, 'logs'], query }, limited);
  if (opened.response.statusCode !== 200)
    throw refusal(host, messageOf(jsonOf(host, await bodyOf(host, opened, limited))));
  const kept = createKept(logBytes);
  const frames = createFrames(kept.add);
  try {
    for await (const chunk of opened.response) tty ? kept.add(chunk) : frames(chunk);
    limited.throwIfAborted();
  } catch (thrown) {
    throw unreachable(host, limited.aborted ? limited.reason : thrown, opened.way.said());
  }
  return kept.end().output;
}

/** Whether the command is over, or only the connection. */
async function exitOf(host: Host, id: string, signal: AbortSignal): Promise<number | undefined> {
  const { body } = await ask(host, { method: 'GET', path: ['exec', id, 'json'] }, signal);
  const code = at(body, 'ExitCode');
  return at(body, 'Running') === false && typeof code === 'number' ? code : undefined;
}

async function exec(
  host: Host,
  container: string,
  { command, limitBytes, ms }: { command: readonly string[]; limitBytes: number; ms: number },
  signal: AbortSignal,
) {
  const wanted = { AttachStdout: true, AttachStderr: true, Cmd: [...command] };
  const made = await ask(host, { method: 'POST', path: ['containers', container, 'exec'], body: wanted }, signal);
  if (made.status !== 201) throw refusal(host, made.message);
  const id = text(at(made.body, 'Id'));
  const limited = within(signal, ms);
  const kept = createKept(limitBytes);
  const start = { method: 'POST' as const, path: ['exec', id, 'start'], body: { Detach: false, Tty: false } };
  try {
    const opened = await open(host, start, limited);
    if (opened.response.statusCode !== 200)
      throw refusal(host, messageOf(jsonOf(host, await bodyOf(host, opened, limited))));
    const frames = createFrames(kept.add);
    for await (const chunk of opened.response) frames(chunk);
    // Such an answer ends with its connection, also where it was cut off.
    limited.throwIfAborted();
  } catch (thrown) {
    if (limited.aborted && !signal.aborted) return { ...kept.end(), timedOut: true };
    throw unreachable(host, signal.aborted ? signal.reason : thrown);
  }
  const exitCode = await exitOf(host, id, signal);
  return { ...kept.end(), timedOut: false, ...(exitCode !== undefined && { exitCode }) };
}

function createDockerHost(host: Host, credentials: Credentials): DockerHost {
  return {
    read: async (path, query, signal) => {
      const answer = await ask(host, { method: 'GET', path, query }, signal);
      if (answer.status === 404) return undefined;
      if (answer.status !== 200) throw refusal(host, answer.message);
      return answer.body;
    },
    send: async (request, { conflict }, signal) => {
      const answer = await ask(host, request, signal);
      const known = answer.status < 400 || answer.status === 404 || (conflict && answer.status === 409);
      if (!known) throw refusal(host, answer.message);
      return answer;
    },
    digest: (image, signal) => digest(host, credentials, image, signal),
    pull: (image, seen, signal) => pull(host, credentials, image, seen, signal),
    logs: (id, options, signal) => logs(host, id, options, signal),
    exec: (id, options, signal) => exec(host, id, options, signal),
  };
}

/** The Docker hosts of `shipmate.yaml`, as it now is. */
export function createDockerHosts(
  named: () => Record<string, DockerHostSettings>,
  credentials: Credentials = [],
): (name: string) => DockerHost {
  return (name) => {
    const hosts = named();
    const settings = Object.hasOwn(hosts, name) ? hosts[name] : undefined;
    const known = Object.keys(hosts);
    if (!settings)
      throw fault('UNKNOWN_DOCKER_HOST', { name, near: didYouMean(name, known), known: known.join(', ') || 'none' });
    return createDockerHost({ name, settings }, credentials);
  };
}
