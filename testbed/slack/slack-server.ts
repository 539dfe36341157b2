import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { type WebSocket, WebSocketServer } from 'ws';
import { createFaults, type Faults } from './faults.ts';
import { showAck } from './show-ack.ts';
import { type Answer, type Args, callMethod, createTriggers, type Triggers } from './web-api.ts';
import { createWorkspace, type Workspace } from './workspace.ts';

export type FakeSlackOptions = {
  port?: number;
  signingSecret: string;
  botToken: string;
  appToken?: string;
  requestUrl?: string;
};

export type Context = {
  options: FakeSlackOptions;
  space: Workspace;
  triggers: Triggers;
  faults: Faults;
  /** Every call of the Web API, oldest first. */
  calls: { method: string; args: Args; answer: Answer | undefined }[];
  responses: Map<string, { user: string; channel: string; left: number; until: number }>;
};

function argsOf(body: string, type: string | undefined): Args {
  if (type?.includes('json')) return JSON.parse(body);
  return Object.fromEntries(new URLSearchParams(body));
}

function reply(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}

async function answerApi(
  context: Context,
  method: string,
  request: IncomingMessage,
  response: ServerResponse,
  base: string,
): Promise<void> {
  const args = argsOf(await text(request), request.headers['content-type']);
  const token = request.headers.authorization?.replace(/^Bearer /, '') ?? args.token;
  const { options, faults, space, triggers, calls } = context;
  const entry: Context['calls'][number] = { method, args, answer: undefined };
  calls.push(entry);
  const fault = faults.take(method);
  if (fault?.hangMs && !fault.afterEffect) await sleep(fault.hangMs);
  if (fault && !fault.afterEffect && (fault.status || fault.error)) return failWith(response, fault);
  if (method === 'apps.connections.open') {
    if (token !== options.appToken) return reply(response, 200, { ok: false, error: 'invalid_auth' });
    return reply(response, 200, { ok: true, url: `${base.replace('http', 'ws')}/socket` });
  }
  entry.answer =
    token === options.botToken ? callMethod(space, triggers, method, args) : { ok: false, error: 'invalid_auth' };
  if (fault?.afterEffect) {
    if (fault.hangMs) await sleep(fault.hangMs);
    return failWith(response, { status: 500, ...fault });
  }
  reply(response, 200, entry.answer);
}

function failWith(
  response: ServerResponse,
  { status, retryAfter, error }: { status?: number; retryAfter?: number; error?: string },
): void {
  const wait: Record<string, string> = retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) };
  const own = status === 429 ? 'ratelimited' : 'internal_error';
  reply(response, status ?? 200, { ok: false, error: status === undefined ? (error ?? 'fatal_error') : own }, wait);
}

/** A response_url takes five answers in thirty minutes. */
async function answerResponseUrl(
  context: Context,
  id: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const known = context.responses.get(id);
  const body: Args = JSON.parse(await text(request));
  if (!known || known.left === 0 || Date.now() > known.until)
    return reply(response, 404, { ok: false, error: 'used_url' });
  known.left -= 1;
  showAck(context.space, known, undefined, body);
  reply(response, 200, { ok: true });
}

/** Slack's servers as the app sees them: the Web API, response URLs and Socket Mode. */
export async function startSlackServer(options: FakeSlackOptions) {
  const context: Context = {
    options,
    space: createWorkspace(),
    triggers: createTriggers(),
    faults: createFaults(),
    calls: [],
    responses: new Map(),
  };
  let base = '';
  const sockets: WebSocket[] = [];
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    const api = /^\/api\/([\w.]+)/.exec(path)?.[1];
    const answered =
      api === undefined
        ? answerResponseUrl(context, path.slice('/respond/'.length), request, response)
        : answerApi(context, api, request, response, base);
    answered.catch(() => reply(response, 500, { ok: false, error: 'fatal_error' }));
  });
  const socketServer = new WebSocketServer({ server, path: '/socket' });
  socketServer.on('connection', (socket) => {
    sockets.push(socket);
    socket.on('close', () => void sockets.splice(sockets.indexOf(socket), 1));
    const about = { num_connections: 1, connection_info: { app_id: 'A0SHIPMATE' }, debug_info: { host: 'fake' } };
    socket.send(JSON.stringify({ type: 'hello', ...about }));
  });
  server.listen(options.port ?? 0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  base = `http://127.0.0.1:${address && typeof address === 'object' ? address.port : 0}`;
  const close = async () => {
    for (const socket of sockets) socket.terminate();
    socketServer.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { ...context, base, socket: () => sockets[0], close };
}
