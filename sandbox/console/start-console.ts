import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import type { FakeSlack } from '../../testbed/slack/fake-slack.ts';
import type { WorkspaceEvent } from '../../testbed/slack/workspace.ts';
import type { KeptAlive } from '../kept-alive.ts';
import { type Asset, bundlePage } from './bundle-page.ts';
import { Deed, perform } from './deed.ts';
import { bearsToken, isOwnPage, pageHeaders } from './guard.ts';
import type { CommandHint, Persona, Snapshot, Told } from './wire.ts';

export type ConsoleOptions = {
  port?: number;
  /** The manifest's slash commands, for completion. */
  commands: CommandHint[];
  /** Whom one can be; the first is who one is at first. */
  personas?: Persona[];
  /** Lines worth trying, shown where the channel begins. */
  suggestions?: string[];
  /** The Shipmate that one keeps running: the page shows how it is, and can kill it. */
  shipmate?: Pick<KeptAlive, 'state' | 'listen' | 'kill'>;
};

export type Console = {
  /** The page's address, with the token that lets one in behind its #. */
  url: string;
  origin: string;
  token: string;
  close(): Promise<void>;
};

const defaultPersonas: Persona[] = [
  { id: 'U0ANA', role: 'requester' },
  { id: 'U0BEN', role: 'approver' },
  { id: 'U0CHO', role: 'colleague' },
  { id: 'U0GUS', role: 'guest' },
];
/** Ten files of 5 MiB together, in base64, and what is said beside them. */
const maxBytes = 7 * 1_048_576;

type Context = {
  slack: FakeSlack;
  options: ConsoleOptions;
  personas: Persona[];
  page: Map<string, Asset>;
  token: string;
  port: () => number;
};

function snapshotFor({ slack, options, personas }: Context, me: string): Snapshot {
  const { domain, users, channels, userGroups, messages, views } = slack.space;
  return {
    kind: 'snapshot',
    workspace: domain,
    me,
    personas,
    users,
    channels,
    userGroups,
    messages: [...messages.values()].filter(({ onlyFor }) => onlyFor === undefined || onlyFor === me),
    views: [...views.values()].filter(({ user }) => user === me),
    commands: options.commands,
    suggestions: options.suggestions ?? [],
    ...(options.shipmate && { shipmate: options.shipmate.state() }),
  };
}

/** Slack shows ephemeral messages and forms to one person alone. */
function concerns(event: WorkspaceEvent, me: string): boolean {
  switch (event.kind) {
    case 'message':
      return event.message.onlyFor === undefined || event.message.onlyFor === me;
    case 'view':
      return event.view.user === me;
    case 'view-closed':
      return event.user === me;
    case 'home':
      return event.home.user === me;
    case 'removed':
      return true;
    default:
      return event satisfies never;
  }
}

/** Pictures are fetched where they are shown. */
const withoutBytes = (key: string, value: unknown) => (key === 'bytes' ? undefined : value);

function streamEvents(context: Context, me: string, response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  const tell = (told: Told) => response.write(`data: ${JSON.stringify(told, withoutBytes)}\n\n`);
  tell(snapshotFor(context, me));
  response.on(
    'close',
    context.slack.space.listen((event) => concerns(event, me) && tell(event)),
  );
  const deaf = context.options.shipmate?.listen((state) => tell({ kind: 'shipmate', state }));
  if (deaf) response.on('close', deaf);
}

function answer(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

async function takeDeed(
  { slack, options }: Context,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const size = Number(request.headers['content-length'] ?? maxBytes + 1);
  if (size > maxBytes) return answer(response, 413, { problem: 'That is too long.' });
  const deed = Deed.safeParse(JSON.parse(await text(request)));
  if (!deed.success) return answer(response, 400, { problem: deed.error.message });
  answer(response, 200, await perform({ slack, shipmate: options.shipmate }, deed.data));
}

async function route(context: Context, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { headers, method } = request;
  for (const [name, value] of Object.entries(pageHeaders)) response.setHeader(name, value);
  if (!isOwnPage(headers, context.port()))
    return answer(response, 403, { problem: 'Only the console’s own page may do that.' });
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://console');
  // The page itself holds nothing of the workspace.
  const asset = method === 'GET' ? context.page.get(pathname) : undefined;
  if (asset)
    return void response.writeHead(200, { 'content-type': asset.type, 'cache-control': 'no-cache' }).end(asset.body);
  if (!bearsToken(headers, searchParams, context.token))
    return answer(response, 401, { problem: 'Open the console by the address that the sandbox printed.' });
  if (pathname === '/events')
    return streamEvents(context, searchParams.get('as') || (context.personas[0]?.id ?? ''), response);
  if (pathname === '/do' && method === 'POST') return takeDeed(context, request, response);
  const file = context.slack.space.files.get(/^\/files\/(\w+)$/.exec(pathname)?.[1] ?? '')?.attached;
  if (file?.mimetype === 'image/png')
    return void response.writeHead(200, { 'content-type': file.mimetype }).end(file.bytes);
  answer(response, 404, { problem: 'There is nothing here.' });
}

/** Serves a page that looks and works like the fake Slack's workspace, on loopback, for whoever has its token. */
export async function startConsole(slack: FakeSlack, options: ConsoleOptions): Promise<Console> {
  let port = 0;
  const token = randomBytes(24).toString('base64url');
  const context: Context = {
    slack,
    options,
    personas: options.personas ?? defaultPersonas,
    page: await bundlePage(),
    token,
    port: () => port,
  };
  const server = createServer((request, response) => {
    route(context, request, response).catch((thrown: unknown) =>
      answer(response, 500, { problem: thrown instanceof Error ? thrown.message : String(thrown) }),
    );
  });
  server.listen(options.port ?? 0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  port = address && typeof address === 'object' ? address.port : 0;
  const close = async () => {
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
  };
  const origin = `http://127.0.0.1:${port}`;
  return { url: `${origin}/#token=${token}`, origin, token, close };
}
