import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Json } from '../../src/core/json.ts';
import { type FakeHarbor, fakeHarbor } from '../fakes/fake-harbor.ts';

export type HarborServer = {
  url: string;
  harbor: FakeHarbor;
  /** The raw addresses that were asked for. */
  asked: string[];
  /** Answers this once instead, with the status. */
  next: { status: number; body: string }[];
  /** Answers to requests with these methods get lost, once each: what was asked for is done, and nobody hears of it. */
  lost: string[];
  end(): Promise<void>;
};

export const harborAccount = { username: 'robot$shipmate', password: 'planted-password' };

/** Decodes as Harbor does: a repository's name twice, everything else once. */
function pathOf(url: string): { path: string[]; query: Record<string, string> } {
  const [address = '', search = ''] = url.split('?');
  const parts = address
    .replace(/^\/api\/v2\.0\//, '')
    .split('/')
    .map(decodeURIComponent);
  const path = parts.map((part, index) => (parts[index - 1] === 'repositories' ? decodeURIComponent(part) : part));
  return { path, query: Object.fromEntries(new URLSearchParams(search)) };
}

/** The fake behind HTTP, with an account. */
export async function startHarbor(): Promise<HarborServer> {
  const harbor = fakeHarbor();
  const asked: string[] = [];
  const next: HarborServer['next'] = [];
  const lost: string[] = [];
  const wanted = `Basic ${Buffer.from(`${harborAccount.username}:${harborAccount.password}`).toString('base64')}`;
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const said = Buffer.concat(chunks).toString('utf8');
    const { method = '', url = '' } = request;
    asked.push(`${method} ${url}`);
    const instead = next.shift();
    if (instead) return void response.writeHead(instead.status).end(instead.body);
    if (request.headers.authorization !== wanted)
      return void response
        .writeHead(401)
        .end(JSON.stringify({ errors: [{ code: 'UNAUTHORIZED', message: 'unauthorized' }] }));
    const { path, query } = pathOf(url);
    const body: Json | undefined = said === '' ? undefined : JSON.parse(said);
    const answer = harbor.answer({ method, path, query, ...(body !== undefined && { body }) });
    if (lost.includes(method)) {
      lost.splice(lost.indexOf(method), 1);
      return void response.destroy();
    }
    const [page, size] = [Number(query.page ?? 1), Number(query.page_size ?? 10)];
    const whole = Array.isArray(answer.body) ? answer.body : undefined;
    response.writeHead(answer.status, {
      'content-type': 'application/json',
      ...(answer.location && { location: answer.location }),
      ...(whole && { 'x-total-count': String(whole.length) }),
    });
    const shown = whole ? whole.slice((page - 1) * size, page * size) : answer.body;
    response.end(shown === undefined ? '' : JSON.stringify(shown));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = address !== null && typeof address !== 'string' ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    harbor,
    asked,
    next,
    lost,
    end: async () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
