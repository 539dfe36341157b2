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
