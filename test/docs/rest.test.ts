import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, type TestContext, test } from 'vitest';

/** What docs/rest.md asks with, against a server that answers 202 at once: no place to wait in. The whole page runs in test/e2e. */

const page = await readFile(new URL('../../docs/rest.md', import.meta.url), 'utf8');
const blocksOf = (language: string) =>
  [...page.matchAll(/^```(\w+)\n(.*?)^```/gms)].flatMap(([, its, code = '']) => (its === language ? [code] : []));
const upTo = (code: string, end: string) => code.slice(0, code.indexOf(end));

type Finished = TestContext['onTestFinished'];

const started = '/runs/another';
/** Says of a run twice that it goes on. */
async function server(onTestFinished: Finished): Promise<{ url: string; at: number[] }> {
  const at: number[] = [];
  const listening = createServer((request, response) => {
    at.push(Date.now());
    const over = request.method === 'GET' && at.length > 2;
    const location = `http://${request.headers.host}${started}`;
    response.writeHead(over ? 200 : 202, { 'content-type': 'application/json', location, 'retry-after': '1' });
    response.end(JSON.stringify({ data: { path: request.url } }));
  }).listen(0, '127.0.0.1');
  await once(listening, 'listening');
  onTestFinished(() => void listening.close());
  const address = listening.address();
  return { url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`, at };
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
    () => `${blocksOf('sh')[2]}\nrun=mine\nask POST /x '{}'\necho " $run"\n`,
    'mine',
  ],
  [
    'fetch',
    process.execPath,
    ['--input-type=module'],
    () => `${upTo(blocksOf('js')[0] ?? '', 'const app')}\nconsole.log(await ask('POST', '/x', {}))`,
    started,
  ],
  [
    'Python',
    'python3',
    ['-'],
    () => `${upTo(blocksOf('python')[0] ?? '', 'registry, app')}\nprint(ask("POST", "/x", {}))`,
    started,
  ],
] as const)(
  'with %s a run is asked for once a second, and nobody’s variables are lost',
  async ([, program, args, code, end], { onTestFinished }) => {
    const { url, at } = await server(onTestFinished);
    const out = await outputOf(program, [...args], code(), url);
    expect(out).toContain(started);
    expect(out).toContain(end);
    const gaps = at.slice(1).map((time, index) => time - (at[index] ?? 0));
    expect(gaps).toHaveLength(2);
    for (const gap of gaps) expect(gap).toBeGreaterThan(900);
  },
);
