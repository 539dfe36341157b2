import { addAbortSignal, Readable } from 'node:stream';
import Docker from 'dockerode';
import { z } from 'zod';
import { Fault, fault } from '../../core/errors.ts';
import { parseImage } from '../../core/image.ts';
import { linesOf } from '../../core/lines.ts';
import type { BuildProgress, Docker as DockerPort } from '../../core/ports.ts';
import { packContext } from './context.ts';

/** A build or push that says nothing for this long is taken for dead. */
const silenceMs = 10 * 60_000;

const Line = z.looseObject({
  stream: z.string().optional(),
  status: z.string().optional(),
  id: z.string().optional(),
  error: z.string().optional(),
  aux: z.looseObject({ Digest: z.string().optional() }).optional(),
});
type Line = z.output<typeof Line>;

export type DockerOptions = {
  /** `unix:///var/run/docker.sock`, `tcp://host:2375`, … as DOCKER_HOST has it. */
  host?: string;
  /** Sent only with pushes to their own host. */
  credentials?: readonly { host: string; username: string; password: string; email?: string }[];
};

function connect(host: string): Docker {
  const url = new URL(host);
  if (url.protocol === 'unix:') return new Docker({ socketPath: url.pathname, timeout: silenceMs });
  const protocol = url.protocol === 'https:' ? 'https' : 'http';
  return new Docker({
    host: url.hostname,
    port: url.port || '2375',
    protocol,
    timeout: silenceMs,
  });
}

/** A line of the daemon. @throws Fault DOCKER_UNREACHABLE where it is none: something else than a daemon answers there */
function lineOf(host: string, text: string): Line {
  try {
    return Line.parse(JSON.parse(text));
  } catch (thrown) {
    throw fault('DOCKER_UNREACHABLE', { host, problem: `it answered “${text.slice(0, 100)}”` }, thrown);
  }
}

/** Reads the daemon's JSON lines; `error` among them is how a build or push fails, for the HTTP status is long sent. */
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

/** `Step 3/7 : COPY . /app` */
function progressOf(text: string): BuildProgress {
  const step = /^Step (\d+)\/(\d+) : (.*)/.exec(text);
  return step ? { text: step[3] ?? '', step: Number(step[1]), steps: Number(step[2]) } : { text };
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

/** Builds and pushes on a Docker daemon. */
export function createDocker(options: DockerOptions = {}): DockerPort {
  const host = options.host ?? 'unix:///var/run/docker.sock';
  const docker = connect(host);

  const build: DockerPort['build'] = async ({ context, dockerfile, tag, args }, seen, signal) => {
    const packed = await packContext(context, dockerfile, tag);
    let instruction = '';
    const refused = (problem: string) =>
      fault('BUILD_FAILED', {
        image: tag,
        problem: `${problem.trim()}${instruction === '' ? '' : ` (at: ${instruction})`}`,
      });
    try {
      const stream = await docker.buildImage(packed, {
        t: tag,
        dockerfile,
        buildargs: args,
        rm: true,
        forcerm: true,
        abortSignal: signal,
      });
      const failure = await readLines(
        stream,
        host,
        ({ stream: text, status }) => {
          for (const line of (text ?? status ?? '').split('\n').filter((part) => part.trim() !== '')) {
            const progress = progressOf(line);
            if (progress.step !== undefined) instruction = progress.text;
            seen(progress);
          }
        },
        signal,
      );
      if (failure !== undefined) throw refused(failure);
    } catch (thrown) {
      throw daemonFault(host, thrown, refused);
    } finally {
      packed.destroy();
    }
  };

  const push: DockerPort['push'] = async (tag, seen, signal) => {
    const refused = (problem: string) => fault('PUSH_FAILED', { image: tag, problem: problem.trim() });
    const { registry } = parseImage(tag);
    const own = options.credentials?.find((entry) => entry.host === registry);
    // The daemon insists on the header, also where there is nothing to say in it.
    const authconfig = {
      username: own?.username ?? '',
      password: own?.password ?? '',
      email: own?.email ?? '',
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
      throw daemonFault(host, thrown, refused);
    }
  };
  return { build, push };
}
