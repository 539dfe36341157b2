import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startAuditFile } from '../../jobs/audit-file.ts';
import { AuditRecord, verifyChain } from '../../src/core/audit.ts';
import { tethered } from '../../testbed/tether.ts';
import { fakeWorld } from '../fakes/fake-clients.ts';
import { createDesk, stock } from '../support/desk.ts';
import { quiet, testEngine } from '../support/engine.ts';
import { freePort, redisForFile } from '../support/redis.ts';

/** A small file system of the test's own, filled to the last byte and freed again. Mounting takes root, as the test bed does. */

const redis = redisForFile();
const run = promisify(execFile);
let folder: string;
let child: ChildProcess | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shipmate-full-'));
  await run('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', folder]);
});
afterEach(async () => {
  if (child) {
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
    child = undefined;
  }
  await run('umount', [folder]);
  await rm(folder, { recursive: true });
});

const fill = () => writeFile(join(folder, 'filler'), 'x'.repeat(300_000)).catch(() => {});
const free = () => rm(join(folder, 'filler'));

test('the audit file’s disk full: runs go on, and the file is whole once there is room', {
  timeout: 30_000,
}, async () => {
  const world = fakeWorld();
  stock(world);
  const engine = await testEngine(redis().url, world.clients);
  const desk = createDesk(engine);
  const path = join(folder, 'audit.jsonl');
  const warned: string[] = [];
  const log = { ...quiet, warn: (fields: object) => void warned.push(JSON.stringify(fields)) };
  await fill();
  const file = startAuditFile({ audit: engine.audit, path, log });
  expect(await desk.done('deploy', { app: 'web', env: 'staging', tag: 'v1' })).toMatchObject({ state: 'finished' });
  while ((await engine.audit.seal()) > 0);
  await expect.poll(() => warned.length, { timeout: 5_000 }).toBeGreaterThan(0);
  await free();
  const { seq, hash } = await engine.audit.head();
  const records = async () =>
    (await readFile(path, 'utf8'))
      .split('\n')
      .filter(Boolean)
      .map((line) => AuditRecord.parse(JSON.parse(line)));
  await expect.poll(async () => (await records()).length, { timeout: 5_000 }).toBe(seq);
  expect(verifyChain(await records(), { seq, hash }).faults).toEqual([]);
  await file.stop();
  await desk.leases.stop();
  engine.close();
});

test('Redis’ disk full: nothing is changed that could not be written down; with room again it goes on', {
  timeout: 60_000,
}, async () => {
  const port = await freePort();
  const args = [
    '--port',
    `${port}`,
    '--bind',
    '127.0.0.1',
    '--dir',
    folder,
    '--save',
    '',
    '--appendonly',
    'yes',
    '--appendfsync',
    'always',
  ];
  child = spawn(...tethered('redis-server', args), { stdio: 'ignore' });
  const world = fakeWorld();
  stock(world);
  await sleep(500);
  const engine = await testEngine(`redis://127.0.0.1:${port}`, world.clients);
  const desk = createDesk(engine);
  await fill();
  // The last page of the file takes some more; each that was acknowledged counts.
  const acknowledged: string[] = [];
  const refused = async () => {
    for (;;) acknowledged.push(await desk.deploy('staging', `v${1 + (acknowledged.length % 5)}`));
  };
  // With appendfsync always Redis ends itself where it can't write; with everysec it refuses. Either way nothing is acknowledged.
  await expect(refused()).rejects.toMatchObject({ code: 'STORE_DOWN' });
  await desk.lap(acknowledged[0] ?? '').catch(() => {});
  expect(world.applied).toEqual([]);
  await free();
  const again = child;
  if (again.exitCode === null && again.signalCode === null) again.kill('SIGKILL');
  await expect.poll(() => again.exitCode ?? again.signalCode).not.toBeNull();
  child = spawn(...tethered('redis-server', args), { stdio: 'ignore' });
  await expect
    .poll(
      () =>
        engine.store.ping().then(
          () => 'up',
          () => 'down',
        ),
      { timeout: 10_000 },
    )
    .toBe('up');
  const ends = await desk.settle(acknowledged, 30_000);
  expect(ends.map(({ state }) => state)).toEqual(acknowledged.map(() => 'finished'));
  await desk.leases.stop();
  engine.close();
});
