import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createSecureServer, type Http2ServerRequest, type Http2ServerResponse } from 'node:http2';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, request } from 'undici';
import { z } from 'zod';
import { at, Json, type JsonObject } from '../../src/core/json.ts';
import { bed } from './bed.ts';

const Kubeconfig = z.looseObject({
  clusters: z.array(z.looseObject({ cluster: z.looseObject({ server: z.string() }) })),
});

const Method = z.enum(['GET', 'POST', 'PUT', 'PATCH', 'DELETE']);

/** What becomes of the answer to the next apply, once the API server has given it and the change is made. */
export type Drop = {
  /** Nothing of the answer gets through, or half of it. */
  passes: 'nothing' | 'half';
  /** So many answers are dropped, whatever was asked, beginning with the one to the apply. */
  times: number;
  /** Done before the connection is cut. */
  meanwhile?: () => Promise<unknown>;
};

/** An answer that the API server never gave. */
export type Instead = { status: number; headers?: Record<string, string>; body: JsonObject };

export type ApiProxy = {
  /** For K8S_ENDPOINT. */
  url: string;
  /** How the API server answered each apply that was no dry run, whether or not that got through. */
  applies: { status: number; generation: unknown }[];
  drop(how: Drop): void;
  /** Every request, in order, with the token it bore. */
  asked: { method: string; path: string; token: string }[];
  /** Answers in the API server's stead wherever it gives something. */
  answer(instead: (call: { method: string; path: string }) => Instead | undefined): void;
  /** What a watch tells gets through so many milliseconds late. */
  late(ms: number): void;
  /** Cuts all connections and takes no new ones. */
  cut(): void;
  mend(): void;
  stop(): Promise<void>;
};

/** An apply that changes something; dry runs are let alone. */
const changes = ({ method, url }: Http2ServerRequest) => method === 'PATCH' && !url.includes('dryRun=');

function cutOff({ stream, socket }: Http2ServerRequest): void {
  // An HTTP/1.1 request has a socket alone; for HTTP/2 its own socket stands for one stream, not for the connection.
  const session = stream?.session;
  if (session) session.destroy();
  else socket.destroy();
}

/**
 * A proxy to the bed's API server that reads what is asked. It has the server's own certificate, so that
 * whoever trusts the one trusts the other.
 */
export async function startApiProxy(): Promise<ApiProxy> {
  const { clusters } = Kubeconfig.parse(JSON.parse(await readFile(bed.kubeconfig, 'utf8')));
  const server = clusters[0]?.cluster.server ?? '';
  const [key, cert] = await Promise.all(
    ['key', 'crt'].map((end) => readFile(join(bed.dir, 'apiserver', `apiserver.${end}`))),
  );
  const upstream = new Agent({ connect: { ca: cert }, bodyTimeout: 0 });
  const open = new Set<Socket>();
  const applies: ApiProxy['applies'] = [];
  const asked: ApiProxy['asked'] = [];
  let instead: Parameters<ApiProxy['answer']>[0] = () => undefined;
  let dropping: Drop | undefined;
  let left = 0;
  let isCut = false;
  let lateMs = 0;
  const lagging = async function* (told: AsyncIterable<unknown>) {
    for await (const part of told) {
      await sleep(lateMs);
      yield part;
    }
  };

  /** What is in store for this answer; it begins with the answer to an apply that was done. */
  const dropFor = (applied: boolean): Drop | undefined => {
    const begun = dropping && left < dropping.times;
    if (left === 0 || !(begun || applied)) return undefined;
    left -= 1;
    return dropping;
  };
  const handle = async (incoming: Http2ServerRequest, outgoing: Http2ServerResponse) => {
    const gone = new AbortController();
    outgoing.on('close', () => gone.abort());
    const { accept, authorization, 'content-type': type } = incoming.headers;
    const call = { method: incoming.method, path: incoming.url };
    asked.push({ ...call, token: String(authorization ?? '').replace('Bearer ', '') });
    const made = instead(call);
    if (made) {
      outgoing.writeHead(made.status, { 'content-type': 'application/json', ...made.headers });
      return void outgoing.end(JSON.stringify(made.body));
    }
    const { statusCode, headers, body } = await request(new URL(incoming.url, server), {
      method: Method.parse(incoming.method),
      headers: { accept, authorization, ...(type !== undefined && { 'content-type': type }) },
      body: await buffer(incoming),
      dispatcher: upstream,
      signal: gone.signal,
    });
    const head = { 'content-type': String(headers['content-type'] ?? '') };
    const isApply = changes(incoming);
    const drop = dropFor(isApply && statusCode < 300);
    if (!isApply) {
      if (drop) return cutOff(incoming);
      outgoing.writeHead(statusCode, head);
      return await (call.path.includes('watch=true') ? pipeline(body, lagging, outgoing) : pipeline(body, outgoing));
    }
    const whole = Buffer.from(await body.arrayBuffer());
    const generation = at(Json.parse(JSON.parse(whole.toString())), 'metadata', 'generation');
    applies.push({ status: statusCode, generation });
    await drop?.meanwhile?.();
    if (drop?.passes === 'nothing') return cutOff(incoming);
    outgoing.writeHead(statusCode, { ...head, 'content-length': whole.length });
    if (!drop) return void outgoing.end(whole);
    outgoing.write(whole.subarray(0, whole.length / 2), () => setTimeout(cutOff, 50, incoming));
  };
  const proxy = createSecureServer({ key, cert, allowHTTP1: true }, (incoming, outgoing) => {
    handle(incoming, outgoing).catch(() => cutOff(incoming));
  });
  proxy.on('connection', (socket: Socket) => {
    if (isCut) return void socket.destroy();
    open.add(socket);
    socket.on('close', () => open.delete(socket));
  });
  for (const event of ['sessionError', 'tlsClientError']) proxy.on(event, () => {});
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const address = proxy.address();
  const cut = () => {
    isCut = true;
    for (const socket of open) socket.destroy();
  };
  return {
    url: `https://127.0.0.1:${address !== null && typeof address !== 'string' ? address.port : 0}`,
    applies,
    asked,
    answer: (given) => {
      instead = given;
    },
    drop: (how) => {
      dropping = how;
      left = how.times;
    },
    late: (ms) => {
      lateMs = ms;
    },
    cut,
    mend: () => {
      isCut = false;
    },
    stop: async () => {
      cut();
      proxy.close();
      await upstream.destroy();
    },
  };
}
