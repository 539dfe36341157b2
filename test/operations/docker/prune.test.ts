import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bed } from '../../support/bed.ts';
import { type Daemon, startDaemon } from '../../support/dockerd.ts';
import { type RealDesk, realDesk } from '../../support/real-desk.ts';

/** On a daemon of its own: pruning the bed's would take away what other tests have there. */

const image = bed.busybox;
let dir: string;
let daemon: Daemon;
let desk: RealDesk;

const docker = async (...args: string[]): Promise<string> =>
  (await promisify(execFile)('docker', ['--host', `unix://${daemon.socket}`, ...args])).stdout.trim();
const says = (...args: string[]) => docker(...args).catch((thrown: unknown) => String(thrown));

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'shipmate-prune-'));
  daemon = await startDaemon(dir, [`--insecure-registry=${bed.registryHost}`]);
  desk = await realDesk({ dockerHosts: { build: { address: `unix://${daemon.socket}` } } });
  await docker('pull', image);
});
afterAll(async () => {
  await desk.end();
  await daemon.end();
  await rm(dir, { recursive: true });
});

test('prune shows what goes and deletes just that: what came since stays', { timeout: 60_000 }, async () => {
  const volume = 'idle';
  await docker('volume', 'create', volume);
  const usage = await desk.done('docker-usage', {});
  expect(usage.report).toMatchObject({
    kind: 'table',
    rows: [
      ['Images', ...Array(5).fill(expect.any(String))],
      ['Containers', ...Array(5).fill(expect.any(String))],
      ['Volumes', ...Array(4).fill(expect.any(String)), '/ship docker prune volumes on build'],
      expect.arrayContaining(['Build cache']),
    ],
  });
  await docker('create', '--name', 'stopped', image, 'true');
  const run = await desk.done('docker-prune', { what: 'volumes' });
  expect(run).toMatchObject({ state: 'finished', plan: { summary: expect.stringContaining('frees about') } });
  expect(run.plan?.changes).toContainEqual({ path: `volume/${volume}`, from: '0 B', to: 'deleted' });
  expect(await says('volume', 'inspect', volume)).toContain('no such volume');
  expect(await docker('ps', '-aq', '--filter', `name=${'stopped'}`)).not.toBe('');
  const containers = await desk.done('docker-prune', { what: 'containers' });
  expect(containers.plan?.changes.map(({ path }) => path)).toContain(`container/${'stopped'}`);
  expect(await docker('ps', '-aq', '--filter', `name=${'stopped'}`)).toBe('');
  expect(await desk.done('docker-prune', { what: 'volumes' })).toMatchObject({ report: { kind: 'unchanged' } });
});

test('a plan that was approved and holds no more is asked anew', { timeout: 60_000 }, async () => {
  await docker('volume', 'create', 'one');
  const first = await desk.done('docker-prune', { what: 'volumes' });
  await docker('volume', 'create', 'one');
  await docker('volume', 'create', 'two');
  const second = await desk.done('docker-prune', { what: 'volumes' });
  expect(second.plan?.digest).not.toBe(first.plan?.digest);
});

test('build cache and images are counted and cleared; an image that a container uses stays', {
  timeout: 60_000,
}, async () => {
  await writeFile(join(dir, 'Dockerfile'), `FROM ${image}\nRUN ["/bin/busybox", "true"]\nLABEL a=b\n`);
  await docker('build', '-q', '-t', 'made:v1', dir);
  await docker('tag', 'made:v1', 'made:v2');
  await docker('create', '--name', 'user', image, 'true');
  expect(await desk.done('docker-prune', { what: 'cache' })).toMatchObject({ state: 'finished' });
  const run = await desk.done('docker-prune', { what: 'all-images' });
  expect(run).toMatchObject({ state: 'finished' });
  const gone = run.plan?.changes.map(({ path }) => path) ?? [];
  expect(gone).toEqual(expect.arrayContaining(['image/made:v1', 'image/made:v2']));
  expect(gone).not.toContain(`image/${image}`);
  expect(await docker('images', '--format', '{{.Repository}}:{{.Tag}}')).toBe(image);
  expect(await desk.done('docker-prune', { what: 'cache' })).toMatchObject({ report: { kind: 'unchanged' } });
});
