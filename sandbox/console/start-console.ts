import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import type { FakeSlack } from '../../testbed/slack/fake-slack.ts';
import type { WorkspaceEvent } from '../../testbed/slack/workspace.ts';
import { type Asset, bundlePage } from './bundle-page.ts';
import { Deed, perform } from './deed.ts';
import type { CommandHint, Persona, Snapshot, Told } from './wire.ts';

export type ConsoleOptions = {
  port?: number;
  /** The manifest's slash commands, for completion. */
  commands: CommandHint[];
  /** Whom one can be; the first is who one is at first. */
  personas?: Persona[];
  /** Lines worth trying, shown where the channel begins. */
  suggestions?: string[];
};

export type Console = { url: string; close(): Promise<void> };

const defaultPersonas: Persona[] = [
  { id: 'U0ANA', role: 'requester' },
  { id: 'U0BEN', role: 'approver' },
  { id: 'U0CHO', role: 'colleague' },
  { id: 'U0GUS', role: 'guest' },
];
/** Ten files of 5 MiB together, in base64, and what is said beside them. */
const maxBytes = 7 * 1_048_576;

type Context = { slack: FakeSlack; options: ConsoleOptions; personas: Persona[]; page: Map<string, Asset> };

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
  const stop = context.slack.space.listen((event) => concerns(event, me) && tell(event));
  response.on('close', stop);
}

function answer(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

async function takeDeed({ slack }: Context, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const size = Number(request.headers['content-length'] ?? maxBytes + 1);
  if (size > maxBytes) return answer(response, 413, { problem: 'That is too long.' });
  const deed = Deed.safeParse(JSON.parse(await text(request)));
  if (!deed.success) return answer(response, 400, { problem: deed.error.message });
  answer(response, 200, await perform(slack, deed.data));
}

/** No page from elsewhere may act here, not even by a name that it made point to this machine. */
function isOurs({ headers, method }: IncomingMessage): boolean {
  const host = headers.host?.replace(/:\d+$/, '');
  const json = headers['content-type']?.startsWith('application/json') === true;
  return (host === '127.0.0.1' || host === 'localhost') && (method === 'GET' || json);
}

async function route(context: Context, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (!isOurs(request)) return answer(response, 403, { problem: 'Only the console’s own page may do that.' });
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://console');
  if (pathname === '/events')
    return streamEvents(context, searchParams.get('as') || (context.personas[0]?.id ?? ''), response);
  if (pathname === '/do' && request.method === 'POST') return takeDeed(context, request, response);
  const file = context.slack.space.files.get(/^\/files\/(\w+)$/.exec(pathname)?.[1] ?? '')?.attached;
  if (file?.mimetype === 'image/png')
    return void response.writeHead(200, { 'content-type': file.mimetype }).end(file.bytes);
  const asset = context.page.get(pathname);
  if (!asset) return answer(response, 404, { problem: 'There is nothing here.' });
  response.writeHead(200, { 'content-type': asset.type, 'cache-control': 'no-cache' }).end(asset.body);
}

/** Serves a page that looks and works like the fake Slack's workspace, on loopback. */
export async function startConsole(slack: FakeSlack, options: ConsoleOptions): Promise<Console> {
  const context: Context = { slack, options, personas: options.personas ?? defaultPersonas, page: await bundlePage() };
  const server = createServer((request, response) => {
    route(context, request, response).catch((thrown: unknown) =>
      answer(response, 500, { problem: thrown instanceof Error ? thrown.message : String(thrown) }),
    );
  });
  server.listen(options.port ?? 0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = address && typeof address === 'object' ? address.port : 0;
  const close = async () => {
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
  };
  return { url: `http://127.0.0.1:${port}/`, close };
}
