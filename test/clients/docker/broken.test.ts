import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { createRegistry } from '../../../src/clients/registry/registry.ts';
import { bed } from '../../support/bed.ts';
import { buildFrom, contextOf, dockerAt } from '../../support/builds.ts';
import { startDaemon } from '../../support/dockerd.ts';
import { processesWith, runs } from '../../support/processes.ts';
import { account, startOwnRegistry, startRegistryProxy } from '../../support/registries.ts';

/** What breaks in the middle of a build or push: a clear sentence, nothing left over, and the next try goes on. */

const run = promisify(execFile);
const { signal } = new AbortController();
const shell = (text: string) => `RUN ["/bin/busybox", "sh", "-c", ${JSON.stringify(text)}]`;
const docker = dockerAt({ host: bed.dockerHost, buildx: bed.buildx });
const ownFolders = async () =>
  (await readdir(tmpdir())).filter((name) => /^shipmate-(buildx|context)-/.test(name)).sort();

/** Layers that the registry cannot have yet. */
async function largeContext(layers: number, megabytes: number): Promise<string> {
  const names = Array.from({ length: layers }, (_, n) => `part${n}`);
  const folder = await contextOf({ Dockerfile: `FROM scratch\n${names.map((name) => `COPY ${name} /\n`).join('')}` });
  for (const name of names) await writeFile(join(folder, name), randomBytes(megabytes * 1_048_576));
  return folder;
}

test('a registry that is killed in mid-push keeps what it has: the next push sends the rest, and what it says is what was built', {
  timeout: 120_000,
}, async () => {
  const own = await startOwnRegistry();
  onTestFinished(() => own.end());
  const proxy = await startRegistryProxy(own.host);
  onTestFinished(() => proxy.end());
  const image = `${proxy.host}/resumed:v1`;
  const [layers, megabytes] = [8, 6];
  const source = { kind: 'folder' as const, folder: await largeContext(layers, megabytes) };
  const whole = await buildFrom(docker, source, { image }, () => {}, signal);
  // The daemon itself is patient with a registry for longer than a test is.
  const stop = new AbortController();
  let killing: Promise<void> | undefined;
  const broken = docker.pushBuilt(
    whole,
    ({ text }) => {
      if (/: Pushed$/.test(text)) killing ??= own.kill().then(() => stop.abort(new Error('enough')));
    },
    stop.signal,
  );
  await expect(broken).rejects.toThrow();
  await killing;
  await own.start();
  proxy.seen.length = 0;
  const { digest } = await docker.pushBuilt(whole, () => {}, signal);
  const registry = createRegistry();
  expect(await registry.resolve(image, 'resumed', signal)).toBe(digest);
  const sent = proxy.seen.reduce((sum, { bytes }) => sum + bytes, 0);
  expect(sent, 'what was there is not sent again').toBeLessThan((layers - 0.5) * megabytes * 1_048_576);
  const found = (await registry.manifest(image, signal))?.body.layers ?? [];
  expect(found).toHaveLength(layers);
  // What is not what its digest says fails when it is read.
  for (const layer of found) {
    let bytes = 0;
    for await (const part of await registry.readBlob(`${own.host}/resumed`, layer.digest, signal)) bytes += part.length;
    expect(bytes).toBe(layer.size);
  }
});

test('a push with no login, or an old one, says so; with the right one it goes', async () => {
  const own = await startOwnRegistry({ login: true });
  onTestFinished(() => own.end());
  const image = `${own.host}/mine:v1`;
  const source = { kind: 'folder' as const, folder: await contextOf({ Dockerfile: 'FROM scratch\nCOPY . /\n' }) };
  const at = (logins: { host: string; username: string; password: string }[]) =>
    dockerAt({ host: bed.dockerHost, buildx: bed.buildx, logins: () => logins });
  const whole = await buildFrom(docker, source, { image }, () => {}, signal);
  for (const logins of [[], [{ host: own.host, ...account, password: 'of-last-year' }]])
    await expect(at(logins).pushBuilt(whole, () => {}, signal)).rejects.toMatchObject({
      code: 'REGISTRY_FORBIDDEN',
      message: expect.not.stringContaining('of-last-year'),
    });
  const { digest } = await at([{ host: own.host, ...account }]).pushBuilt(whole, () => {}, signal);
  expect(digest).toMatch(/^sha256:/);
});

test('a daemon that is killed in mid-build: Shipmate leaves nothing behind, says so, and builds once it is there again', {
  timeout: 120_000,
}, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'shipmate-broken-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  let daemon = await startDaemon(folder);
  onTestFinished(() => daemon.end());
  const mark = `sleep 51${process.pid}`;
  const source = {
    kind: 'folder' as const,
    folder: await contextOf({
      Dockerfile: `FROM ${bed.busybox}\n${shell(`exec /bin/busybox ${mark}`)}\n`,
      Quick: `FROM ${bed.busybox}\n${shell('echo fine')}\n`,
    }),
  };
  const image = `${bed.registryHost}/killed-${process.pid}:v1`;
  const before = await ownFolders();
  const at = () => dockerAt({ host: `unix://${daemon.socket}`, buildx: bed.buildx });
  const killed = buildFrom(at(), source, { image }, () => {}, signal).catch((thrown: unknown) => thrown);
  await expect.poll(() => runs(mark), { timeout: 30_000 }).toBe(true);
  daemon.process.kill('SIGKILL');
  expect(await killed).toMatchObject({ code: 'DOCKER_UNREACHABLE', retry: 'later' });
  expect(await ownFolders()).toEqual(before);
  expect(await runs(`--tag=${image}`), 'buildx has ended').toBe(false);
  expect(await createRegistry().tags(image.replace(/:v1$/, ''), signal)).toEqual([]);
  // A daemon that is killed, and not its machine, leaves running what a RUN had started: nobody is there to end it.
  for (const pid of await processesWith(mark)) process.kill(pid, 'SIGKILL');
  await expect.poll(() => runs(mark), { timeout: 10_000 }).toBe(false);
  await daemon.end();
  daemon = await startDaemon(folder);
  await buildFrom(at(), source, { image, dockerfile: 'Quick' }, () => {}, signal);
});

test('with the daemon’s disk full a build fails with that reason, and works with room again', {
  timeout: 120_000,
}, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'shipmate-full-'));
  await run('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', folder]);
  const daemon = await startDaemon(folder, [], folder);
  onTestFinished(async () => {
    await daemon.end();
    await run('umount', ['-l', folder]);
    await rm(folder, { recursive: true, force: true });
  });
  const full = dockerAt({ host: `unix://${daemon.socket}`, buildx: bed.buildx });
  const source = { kind: 'folder' as const, folder: await largeContext(2, 16) };
  const image = `${bed.registryHost}/full-${process.pid}:v1`;
  await expect(buildFrom(full, source, { image }, () => {}, signal)).rejects.toMatchObject({
    code: 'BUILD_FAILED',
    message: expect.stringContaining('no space left on device'),
  });
  await run('mount', ['-o', 'remount,size=500m', folder]);
  await buildFrom(full, source, { image }, () => {}, signal);
  expect((await full.image(image, signal))?.id).toMatch(/^sha256:/);
});
