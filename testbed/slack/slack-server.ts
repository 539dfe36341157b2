import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { buffer, text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Answer, type Args, no, words } from './answers.ts';
import { createFaults, type Faults, type SlackFault } from './faults.ts';
import { createRateLimits, type RateLimits } from './rate-limits.ts';
import { createResponseUrls, type ResponseUrls } from './response-urls.ts';
import { serveFile, uploaded } from './shared-files.ts';
import { acceptSockets } from './sockets.ts';
import { createTriggers } from './triggers.ts';
import { callMethod, type Slack } from './web-api.ts';
import { createWorkspace } from './workspace.ts';

export type FakeSlackOptions = {
  port?: number;
  signingSecret: string;
  botToken: string;
  appToken?: string;
  requestUrl?: string;
  /** The workspace is one of an organization on Enterprise Grid. */
  grid?: boolean;
};

/** A call of the Web API, and what it was answered; no answer where a fault kept it from taking effect. */
export type Call = { method: string; args: Args; answer: Answer | undefined; at: number };

export type Context = Slack & {
  options: FakeSlackOptions;
  faults: Faults;
  limits: RateLimits;
  calls: Call[];
  responses: ResponseUrls;
};

function argsOf(body: string, type: string | undefined): Args {
  if (type?.includes('json')) return JSON.parse(body);
  return Object.fromEntries(new URLSearchParams(body));
}

function reply(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}

const tooMany = (response: ServerResponse, seconds: number): void =>
  reply(response, 429, no('ratelimited'), { 'retry-after': String(seconds) });

function failWith(response: ServerResponse, { status, retryAfter, error }: Partial<SlackFault>): void {
  if (status === 429) tooMany(response, retryAfter ?? 1);
  else reply(response, status ?? 200, no(status === undefined ? (error ?? 'fatal_error') : 'internal_error'));
}

function openConnection({ options, base }: Context, token: unknown): Answer {
  if (options.appToken === undefined || token !== options.appToken) return no('invalid_auth');
  return { ok: true, url: `${base().replace('http', 'ws')}/socket` };
}

async function answerApi(
  context: Context,
  method: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const args = argsOf(await text(request), request.headers['content-type']);
  const token = request.headers.authorization?.replace(/^Bearer /, '') ?? args.token;
  const { options, faults, limits, calls } = context;
  const call: Call = { method, args, answer: undefined, at: Date.now() };
  calls.push(call);
  const fault = faults.take(method);
  if (fault?.hangMs && !fault.afterEffect) await sleep(fault.hangMs);
  if (fault && !fault.afterEffect && (fault.status || fault.error)) return failWith(response, fault);
  const seconds = limits.take(method, words(args, 'channel'));
  if (seconds !== undefined) return tooMany(response, seconds);
  if (method === 'apps.connections.open') call.answer = openConnection(context, token);
  else call.answer = token === options.botToken ? callMethod(context, method, args) : no('invalid_auth');
  if (fault?.afterEffect) {
    if (fault.hangMs) await sleep(fault.hangMs);
    return failWith(response, { status: 500, ...fault });
  }
  reply(response, 200, call.answer);
}

/** The bytes come bare, or as the one part of a form. */
async function uploadedBytes(request: IncomingMessage): Promise<Buffer> {
  const body = await buffer(request);
  const type = request.headers['content-type'] ?? '';
  if (!type.startsWith('multipart/')) return body;
  const form = await new Response(new Uint8Array(body), { headers: { 'content-type': type } }).formData();
  const [part] = form.values();
  return part instanceof Blob ? Buffer.from(await part.arrayBuffer()) : Buffer.from(part ?? '');
}

async function takeUpload(
  { space }: Context,
  id: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const bytes = await uploadedBytes(request);
  const file = space.files.get(id);
  if (!file) return reply(response, 404, no('file_not_found'));
  space.files.set(id, uploaded(file, bytes));
  response.writeHead(200).end(`OK - ${bytes.length}`);
}

async function route(context: Context, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const [, kind, name = ''] = /^\/(api|respond|upload|files-pri)\/([\w.]+)/.exec(request.url ?? '') ?? [];
  if (kind === 'api') return answerApi(context, name, request, response);
  if (kind === 'upload') return takeUpload(context, name, request, response);
  if (kind === 'files-pri') return serveFile({ ...context, botToken: context.options.botToken }, request, response);
  if (kind !== 'respond') return reply(response, 404, no('not_found'));
  const { status, body } = context.responses.answer(name, JSON.parse(await text(request)));
  reply(response, status, body);
}

/** Slack's servers as the app sees them: the Web API, response URLs, uploads and Socket Mode. */
export async function startSlackServer(options: FakeSlackOptions) {
  const space = createWorkspace({ grid: options.grid ?? false });
  let base = '';
  const context: Context = {
    options,
    space,
    triggers: createTriggers(),
    faults: createFaults(),
    limits: createRateLimits(),
    calls: [],
    responses: createResponseUrls(space),
    base: () => base,
  };
  const server = createServer((request, response) => {
    route(context, request, response).catch(() => reply(response, 500, no('fatal_error')));
  });
  const sockets = acceptSockets(server, '/socket');
  server.listen(options.port ?? 0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  base = `http://127.0.0.1:${address && typeof address === 'object' ? address.port : 0}`;
  const close = async () => {
    sockets.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { ...context, sockets, close };
}
