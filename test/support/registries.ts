import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** What the account of a registry with `login` is called. */
export const account = { username: 'ship', password: 'right-password' };

export type OwnRegistry = {
  host: string;
  process: ChildProcess;
  start(): Promise<void>;
  kill(): Promise<void>;
  end(): Promise<void>;
};

/** A port of loopback that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

const listens = (port: number) =>
  new Promise<boolean>((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });

/** The bcrypt hash of “right-password”, for the account “ship”. */
const accounts = 'ship:$2b$05$eNNwBGzCQnLXTmFYPPyuyONrwJI7v0n1XTS7shh2O8K4OMUi9SCTW\n';

const endpointOf = ({ url, token }: Notified) => ({
  name: 'shipmate',
  url,
  headers: { Authorization: [`Bearer ${token}`] },
  timeout: '5s',
  threshold: 3,
  backoff: '200ms',
});

/** Where a registry tells of what is pushed to it. */
type Notified = { url: string; token: string };

/** A registry of one's own, to be killed and started again on what it kept. `login` makes it ask who it is. */
export async function startOwnRegistry(
  options: { login?: true; folder?: string; notify?: Notified } = {},
): Promise<OwnRegistry> {
  const dir = await mkdtemp(join(tmpdir(), 'shipmate-registry-'));
  const port = await freePort();
  const file = join(dir, 'config.json');
  const passwords = join(dir, 'htpasswd');
  await writeFile(passwords, accounts);
  const config = {
    version: '0.1',
    log: { level: 'error' },
    storage: { filesystem: { rootdirectory: options.folder ?? join(dir, 'data') }, delete: { enabled: true } },
    http: { addr: `127.0.0.1:${port}`, secret: 'of-the-test' },
    ...(options.notify && { notifications: { endpoints: [endpointOf(options.notify)] } }),
    ...(options.login && { auth: { htpasswd: { realm: 'test', path: passwords } } }),
  };
  await writeFile(file, JSON.stringify(config));
  const begin = async () => {
    const child = spawn('docker-registry', ['serve', file], { stdio: 'ignore' });
    for (let tries = 0; !(await listens(port)); tries++) {
      if (tries > 100 || child.exitCode !== null) throw new Error('the registry did not start');
      await sleep(50);
    }
    return child;
  };
  const own: OwnRegistry = {
    host: `127.0.0.1:${port}`,
    process: await begin(),
    start: async () => {
      own.process = await begin();
    },
    kill: async () => {
      if (own.process.exitCode !== null || own.process.signalCode !== null) return;
      own.process.kill('SIGKILL');
      await once(own.process, 'exit');
    },
    end: async () => {
      await own.kill();
      await rm(dir, { recursive: true, force: true });
    },
  };
  return own;
}

export type Seen = { method: string; url: string; headers: IncomingHttpHeaders; bytes: number };
export type RegistryProxy = { host: string; seen: Seen[]; end(): Promise<void> };

/** Stands before a registry and sees what is asked. `meddle` may answer itself, or break the connection after so many bytes of the request. */
export async function startRegistryProxy(
  to: string,
  meddle: (
    seen: Seen,
    response: ServerResponse,
    incoming: IncomingMessage,
  ) => 'handled' | { breakAfter: number } | undefined = () => undefined,
): Promise<RegistryProxy> {
  const [hostname = '', port = ''] = to.split(':');
  const seen: Seen[] = [];
  const server = createServer((incoming, response) => {
    const one: Seen = { method: incoming.method ?? '', url: incoming.url ?? '', headers: incoming.headers, bytes: 0 };
    seen.push(one);
    const wish = meddle(one, response, incoming);
    if (wish === 'handled') return void incoming.resume();
    const outgoing = request({
      hostname,
      port,
      method: incoming.method,
      path: incoming.url,
      headers: incoming.headers,
    });
    incoming.on('data', (part: Buffer) => {
      one.bytes += part.length;
      if (wish && one.bytes > wish.breakAfter) {
        outgoing.destroy();
        incoming.socket.destroy();
      }
    });
    incoming.pipe(outgoing);
    incoming.on('error', () => outgoing.destroy());
    outgoing.on('error', () => incoming.socket.destroy());
    outgoing.on('response', (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
      answer.on('error', () => incoming.socket.destroy());
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const own = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    host: `127.0.0.1:${own}`,
    seen,
    end: async () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
