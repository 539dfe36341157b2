import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type Sandbox, startSandbox } from '../../sandbox/start-sandbox.ts';

/** docs/rest.md, block by block, as it stands there, against the sandbox with the token that it prints. */

const page = new URL('../../docs/rest.md', import.meta.url);
let sandbox: Sandbox;
/** What it would print; shown where a test fails. */
const said: string[] = [];
let folder = '';
let blocks: { language: string; code: string }[] = [];
beforeAll(async () => {
  const text = await readFile(page, 'utf8');
  blocks = [...text.matchAll(/^```(sh|js|python)\n(.*?)^```/gms)].map(([, language = '', code = '']) => ({
    language,
    code,
  }));
  // The page keeps its answers in a file where it is read.
  folder = await mkdtemp(join(tmpdir(), 'shipmate-rest-'));
  sandbox = await startSandbox({ log: (line) => said.push(line) });
});
afterEach(({ task }) => {
  if (task.result?.state === 'fail') console.error(`The sandbox said:\n${said.join('\n')}`);
});
afterAll(async () => {
  await sandbox?.stop();
  await rm(folder, { recursive: true });
});

/** Runs a program to its end. @returns what it printed, and how it ended */
function ran(program: string, args: string[], input: string): Promise<{ code: number | null; out: string }> {
  const env = {
    ...process.env,
    SHIPMATE: `${sandbox.shipmate.url}/api/v1/cloud-native`,
    REGISTRY: sandbox.bed.registry.host,
    TOKEN: sandbox.token,
  };
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd: folder, env, timeout: 400_000 });
    let out = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        out += text;
      });
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, out }));
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  });
}

const codeOf = (language: string) => blocks.filter((block) => block.language === language).map(({ code }) => code);
const left = (name: string) =>
  sandbox.bed.kubernetes
    .kubectl(['get', 'deployment,service,hpa,virtualservice', '-n', 'staging', '-o', 'name'])
    .then((names) => names.includes(name));

// Side by side, as three users would: each is an app of its own, and most of the time is waiting. curl’s takes three minutes of real work:
// two canaries by shares, and one blue-green.
test.concurrent.for([
  // The first block is the address, which the sandbox prints with its own values.
  ['curl', 'hello-world', 'bash', ['-euo', 'pipefail'], () => codeOf('sh').slice(1)],
  ['fetch', 'hello-node', process.execPath, ['--input-type=module'], () => codeOf('js')],
  ['Python', 'hello-python', 'python3', ['-'], () => codeOf('python')],
] as const)(
  'what the page says with %s is what happens',
  { timeout: 430_000 },
  async ([, app, program, args, code], { expect }) => {
    const all = code();
    expect(all.length).toBeGreaterThan(0);
    const { code: end, out } = await ran(program, [...args], all.join('\n'));
    expect(end, out.slice(-4_000)).toBe(0);
    expect(await left(app)).toBe(false);
    // Its shares by hand were there, one after the other.
    const shares = [...out.matchAll(/"traffic":{"weight":(\d+)}/g)].map(([, share]) => Number(share));
    expect([...new Set(shares)]).toEqual(app === 'hello-world' ? [25, 50, 75] : []);
  },
);

test('the sandbox prints the line that the page begins with', () => {
  expect(sandbox.exports).toBe(
    `export SHIPMATE=${sandbox.shipmate.url}/api/v1/cloud-native REGISTRY=${sandbox.bed.registry.host} TOKEN=${sandbox.token}`,
  );
  const [first = ''] = codeOf('sh');
  expect(first.trim()).toMatch(/^export SHIPMATE=\S+\/api\/v1\/cloud-native REGISTRY=\S+ TOKEN=\S+$/);
});
