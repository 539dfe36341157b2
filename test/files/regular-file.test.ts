import { execFileSync } from 'node:child_process';
import { closeSync } from 'node:fs';
import { mkdir, mkdtemp, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { isMissing, openGiven, readGiven, readInside, UnfitFile } from '../../src/files/regular-file.ts';

let root: string;
beforeEach(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'shipmate-files-'));
  root = join(folder, 'root');
  await mkdir(join(root, 'sub'), { recursive: true });
  await writeFile(join(root, 'plain'), 'text');
  await writeFile(join(folder, 'secret'), 'secret');
  return () => rm(folder, { recursive: true });
});

const inside = (path: string, limit = 1_000) => readInside(root, path, limit).toString();
const given = (path: string, limit = 1_000) => readGiven(join(root, path), limit).toString();
const said = (act: () => unknown): string => {
  try {
    act();
    return 'read';
  } catch (thrown) {
    return thrown instanceof UnfitFile ? thrown.message : String(thrown);
  }
};

test('a regular file is read, up to the limit and not beyond', async () => {
  expect([inside('plain'), given('plain'), inside('sub/../plain'), inside('plain', 4)]).toEqual(Array(4).fill('text'));
  await writeFile(join(root, 'empty'), '');
  expect([inside('empty', 0), given('empty', 0)]).toEqual(['', '']);
  for (const read of [inside, given]) {
    expect(said(() => read('plain', 3))).toBe('is larger than 0 KiB');
    await truncate(join(root, 'plain'), 64 * 1_024 ** 3);
    expect(said(() => read('plain', 1_048_576))).toBe('is larger than 1 MiB');
    await truncate(join(root, 'plain'), 0);
    await writeFile(join(root, 'plain'), 'text');
  }
});

test.each(['/dev/zero', '/dev/tty', '/etc/passwd', '../secret', 'plain', 'nothing', '/proc/self/environ', 'link'])(
  'from outside no link is followed: -> %s',
  async (target) => {
    await symlink(target, join(root, 'link'));
    expect(said(() => inside('link'))).toBe('is a link');
  },
);

test('the folders on the way may be links within the root, and nowhere else', async () => {
  await symlink('..', join(root, 'sub', 'up'));
  await symlink('../..', join(root, 'sub', 'out'));
  await symlink('/', join(root, 'all'));
  expect(inside('sub/up/plain')).toBe('text');
  for (const path of ['sub/out/secret', 'all/dev/zero', '../secret', '/etc/passwd', join(root, '../secret')])
    expect(
      said(() => inside(path)),
      path,
    ).toBe('lies outside of it');
});

test.each(['inside', 'given'])(
  'a pipe, a device, a socket and a folder are told at once, and not read: %s',
  async (way) => {
    const read = way === 'inside' ? inside : given;
    execFileSync('mkfifo', [join(root, 'pipe')]);
    const server = createServer().listen(join(root, 'socket'));
    await new Promise((listening) => server.once('listening', listening));
    expect(said(() => read('pipe'))).toBe('is no regular file');
    expect(said(() => read('socket'))).toMatch(/ENXIO|no regular file/);
    expect(said(() => read('sub'))).toBe('is a folder');
    server.close();
  },
);

test('what the operator named may be a link, as Kubernetes mounts a ConfigMap, to a regular file', async () => {
  await mkdir(join(root, '..2026'));
  await writeFile(join(root, '..2026', 'shipmate.yaml'), 'apps: {}');
  await symlink('..2026', join(root, '..data'));
  await symlink('..data/shipmate.yaml', join(root, 'shipmate.yaml'));
  expect(given('shipmate.yaml')).toBe('apps: {}');
  for (const device of ['/dev/zero', '/dev/null', '/dev/urandom']) {
    await symlink(device, join(root, 'device'));
    expect(
      said(() => given('device')),
      device,
    ).toBe('is no regular file');
    expect(
      said(() => closeSync(openGiven(join(root, 'device')))),
      device,
    ).toBe('is no regular file');
    await rm(join(root, 'device'));
  }
});

test('a file that says less of its size than it has is bounded all the same', () => {
  expect(said(() => readGiven('/proc/cpuinfo', 10))).toBe('is larger than 0 KiB');
  expect(readGiven('/proc/self/comm', 100).length).toBeGreaterThan(0);
});

test('what is not there is told from what may not be read', () => {
  const thrownBy = (path: string) => {
    try {
      inside(path);
    } catch (thrown) {
      return thrown;
    }
  };
  expect(['nothing', 'nowhere/at/all', 'plain/below'].map((path) => isMissing(thrownBy(path)))).toEqual([
    true,
    true,
    true,
  ]);
  expect(isMissing(thrownBy('sub'))).toBe(false);
});
