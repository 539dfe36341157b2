import { execFile } from 'node:child_process';
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeEach, expect, test } from 'vitest';

/** `npx shipmate …` as people type it, where neither a cluster nor a registry has a part in it. */

const src = fileURLToPath(new URL('../src/', import.meta.url));
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shipmate-cli-'));
  return () => rm(folder, { recursive: true });
});

const node = (...args: string[]) =>
  promisify(execFile)(process.execPath, args, { env: { PATH: process.env.PATH }, cwd: folder }).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    ({ code, stdout, stderr }) => ({ code, stdout, stderr }),
  );
const shipmate = (...args: string[]) => node(join(src, 'shipmate.mjs'), ...args);

test.for([
  ['a Node that reads no TypeScript', ['--no-strip-types']],
  ['packages that are not installed', []],
] as const)('%s: one sentence says what to call', async ([, options]) => {
  for (const name of ['cli.ts', 'shipmate.mjs']) await copyFile(join(src, name), join(folder, name));
  expect(await node(...options, 'shipmate.mjs', 'init')).toEqual({
    code: 1,
    stdout: '',
    stderr: 'Shipmate’s packages and its Node are not here yet: call npm ci, then npx shipmate again.\n',
  });
});

test('help is asked for anywhere, and is no failure', async () => {
  for (const args of [['--help'], ['-h'], ['init', '--help'], ['verify', 'web:v1', '--help']])
    expect(await shipmate(...args), args.join(' ')).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^npx shipmate init \[--context NAME\]/),
      stderr: '',
    });
});

test.for([
  ['init', '--contxt', 'x'],
  ['init', '--namespace'],
  ['init', 'staging'],
  ['verify', 'web:v1', '--kye', 'a.pub'],
  // A head that is passed over would let a log through whose end is cut.
  ['audit', 'verify', 'audit.jsonl', '--haed', '12:9f3c'],
])('a mistyped line is named, with how it is typed: %j', async (args) => {
  const { code, stdout, stderr } = await shipmate(...args);
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toMatch(/^\S.*('--?\w+|'staging').*\n\nnpx shipmate init \[--context NAME\]/s);
});
