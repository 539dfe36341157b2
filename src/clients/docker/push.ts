import { addAbortSignal, Readable } from 'node:stream';
import Docker from 'dockerode';
import { z } from 'zod';
import type { Docker as DockerPort } from '../../core/build.ts';
import { Fault, fault } from '../../core/errors.ts';
import { parseImage } from '../../core/image.ts';
import { linesOf } from '../../core/lines.ts';
import type { Login } from './buildx.ts';

/** A push that says nothing for this long is taken for dead. */
const silenceMs = 10 * 60_000;

const Line = z.looseObject({
  status: z.string().optional(),
  id: z.string().optional(),
  error: z.string().optional(),
  aux: z.looseObject({ Digest: z.string().optional() }).optional(),
});
type Line = z.output<typeof Line>;

/** An index's manifests are told by the daemons that keep them: https://docs.docker.com/reference/api/engine/version/v1.48/ */
const Image = z.looseObject({
  Id: z.string(),
  Manifests: z
    .array(z.looseObject({ Kind: z.string().optional(), Descriptor: z.looseObject({ digest: z.string() }) }))
    .nullish(),
});

function connect(host: string): Docker {
  const url = new URL(host);
  if (url.protocol === 'unix:') return new Docker({ socketPath: url.pathname, timeout: silenceMs });
  const protocol = url.protocol === 'https:' ? 'https' : 'http';
  return new Docker({ host: url.hostname, port: url.port || '2375', protocol, timeout: silenceMs });
}

/** Dockerode's own `inspect` sends no query. */
const inspect = (docker: Docker, tag: string): Promise<unknown> =>
  new Promise((resolve, reject) => {
    const statusCodes = { 200: true, 404: 'no such image', 500: 'server error' };
    const call = { path: `/images/${tag}/json?`, method: 'GET', options: { manifests: true }, statusCodes };
    docker.modem.dial(call, (failed: unknown, found: unknown) => (failed ? reject(failed) : resolve(found)));
  });

/** A line of the daemon. @throws Fault DOCKER_UNREACHABLE where it is none: something else than a daemon answers there */
function lineOf(host: string, text: string): Line {
  try {
    return Line.parse(JSON.parse(text));
  } catch (thrown) {
    throw fault('DOCKER_UNREACHABLE', { host, problem: `it answered “${text.slice(0, 100)}”` }, thrown);
  }
}

/** Reads the daemon's JSON lines; `error` among them is how a push fails, for the HTTP status is long sent. */
async function readLines(
  stream: NodeJS.ReadableStream,
  host: string,
  heard: (line: Line) => void,
  signal: AbortSignal,
): Promise<string | undefined> {
  let failure: string | undefined;
  const readable = addAbortSignal(signal, Readable.from(stream));
  for await (const text of linesOf(readable, { rest: true })) {
    if (text.trim() === '') continue;
    const line = lineOf(host, text);
    failure ??= line.error;
    heard(line);
  }
  return failure;
}

/** Where an error comes from is told only by its shape: the daemon's answers have a status, the connection's have a code. */
const DockerError = z.looseObject({
  statusCode: z.number().optional(),
  code: z.string().optional(),
  message: z.string(),
});

function daemonFault(host: string, thrown: unknown, refused: (problem: string) => Fault): Fault {
  if (thrown instanceof Fault) return thrown;
  const { statusCode, code, message } = DockerError.parse(thrown);
  if (statusCode !== undefined && statusCode < 500) return refused(message);
  return fault('DOCKER_UNREACHABLE', { host, problem: code ?? message }, thrown);
}

const broke =
  /connection refused|connection reset|timeout|no such host|\bEOF\b|received unexpected HTTP status: 5|50[0-9] |broken pipe|blob upload (unknown|invalid)/i;
const unauthorised = /unauthorized|authentication required|denied|no basic auth credentials|insufficient_scope/i;

/** What a push met: what may pass, what a login would mend, or the daemon's own words. */
function pushFault(image: string, problem: string): Fault {
  const { registry = 'docker.io' } = parseImage(image);
  if (unauthorised.test(problem)) return fault('REGISTRY_FORBIDDEN', { registry });
  return fault(broke.test(problem) ? 'PUSH_BROKE' : 'PUSH_FAILED', { image, problem: problem.trim() });
}

/** Pushes images of a daemon over its Engine API. */
export function createPush(host: string, logins: () => readonly Login[]): Pick<DockerPort, 'push' | 'image'> {
  const docker = connect(host);
  const push: DockerPort['push'] = async (tag, seen, signal) => {
    const refused = (problem: string) => pushFault(tag, problem);
    const { registry } = parseImage(tag);
    const own = logins().find(({ host: known }) => known === (registry ?? 'docker.io'));
    // The daemon insists on the header, also where there is nothing to say in it.
    const authconfig = {
      username: own?.username ?? '',
      password: own?.password ?? '',
      email: '',
      serveraddress: registry ?? '',
    };
    try {
      const stream = await docker.getImage(tag).push({ authconfig, abortSignal: signal });
      let digest: string | undefined;
      const layers = new Set<string>();
      const failure = await readLines(
        stream,
        host,
        ({ status, id, aux }) => {
          digest ??= aux?.Digest;
          // One line a layer and state; the byte counts in between are noise in a thread.
          const text = [id, status].filter(Boolean).join(': ');
          if (status !== undefined && !layers.has(text)) seen({ text });
          layers.add(text);
        },
        signal,
      );
      if (failure !== undefined) throw refused(failure);
      if (digest === undefined) throw refused('the daemon did not say under which digest.');
      return { digest };
    } catch (thrown) {
      signal.throwIfAborted();
      throw daemonFault(host, thrown, refused);
    }
  };
  const image: DockerPort['image'] = async (tag, signal) => {
    try {
      const { Id: id, Manifests } = Image.parse(await inspect(docker, tag));
      signal.throwIfAborted();
      const parts = (Manifests ?? []).filter(({ Kind }) => Kind === 'image');
      return { id, parts: parts.map(({ Descriptor }) => Descriptor.digest) };
    } catch (thrown) {
      const { statusCode } = DockerError.parse(thrown);
      if (statusCode === 404) return undefined;
      throw daemonFault(host, thrown, (problem) => fault('BAD_INPUT', { problem }));
    }
  };
  return { push, image };
}
