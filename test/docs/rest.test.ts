import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, type TestContext, test } from 'vitest';

/**
 * What docs/rest.md asks with, against a server that answers 202 at once (no place to wait in), and then not at all. The whole page
 * runs in test/e2e.
 */

const page = await readFile(new URL('../../docs/rest.md', import.meta.url), 'utf8');
const blocksOf = (language: string) =>
  [...page.matchAll(/^```(\w+)\n(.*?)^```/gms)].flatMap(([, its, code = '']) => (its === language ? [code] : []));
const upTo = (code: string, end: string) => code.slice(0, code.indexOf(end));

type Finished = TestContext['onTestFinished'];

const started = '/runs/another';
type Asked = { at: number; what: string; key: unknown };

/** Hangs up once, says of the run that it goes on, hangs up again, and then has its end. */
async function server(onTestFinished: Finished): Promise<{ url: string; asked: Asked[] }> {
  const asked: Asked[] = [];
  const listening = createServer((request, response) => {
    asked.push({
      at: Date.now(),
      what: `${request.method} ${request.url}`,
      key: request.headers['idempotency-key'],
    });
    if (asked.length % 2 === 1) return void request.socket.destroy();
    const [over, link] = [asked.length > 2, `http://${request.headers.host}${started}`];
    response.writeHead(over ? 200 : 202, { 'content-type': 'application/json', location: link, 'retry-after': '1' });
    response.end(
      JSON.stringify({ data: over ? { state: 'finished', path: 'it is over' } : { state: 'running', link } }),
    );
  }).listen(0, '127.0.0.1');
  await once(listening, 'listening');
  onTestFinished(() => void listening.close());
  const address = listening.address();
  return { url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`, asked };
}

async function outputOf(program: string, args: string[], code: string, url: string): Promise<string> {
  const cwd = await mkdtemp(join(tmpdir(), 'shipmate-rest-'));
  const child = spawn(program, args, { cwd, env: { ...process.env, SHIPMATE: url, REGISTRY: 'r', TOKEN: 't' } });
  let out = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (text) => {
      out += String(text);
    });
  child.stdin.end(code);
  await once(child, 'close');
  await rm(cwd, { recursive: true });
  return out;
}

test.concurrent.for([
  [
    'curl',
    'bash',
    ['-euo', 'pipefail'],
    () => `${blocksOf('sh')[2]}\ncode=mine\nask POST /x '{}'\necho " $code"\n`,
    'mine',
  ],
  [
    'fetch',
    process.execPath,
    ['--input-type=module'],
    () => `${upTo(blocksOf('js')[0] ?? '', 'const app')}\nconsole.log(await ask('POST', '/x', {}))`,
    'over',
  ],
  [
    'Python',
    'python3',
    ['-'],
    () => `${upTo(blocksOf('python')[0] ?? '', 'registry, app')}\nprint(ask("POST", "/x", {}))`,
    'over',
  ],
] as const)(
  'with %s what is not answered is asked again once a second with its key, and then for its end',
  async ([, program, args, code, end], { onTestFinished }) => {
    const { url, asked } = await server(onTestFinished);
    const out = await outputOf(program, [...args], code(), url);
    for (const said of ['running', started, 'it is over', end]) expect(out).toContain(said);
    expect(asked.map(({ what }) => what)).toEqual(['POST /x', 'POST /x', `GET ${started}`, `GET ${started}`]);
    const [first, second] = asked.map(({ key }) => key);
    expect([first, second]).toEqual([expect.stringMatching(/.{8}/), first]);
    const gaps = asked.slice(1).map(({ at }, index) => at - (asked[index]?.at ?? 0));
    for (const gap of gaps) expect(gap).toBeGreaterThan(900);
  },
);
