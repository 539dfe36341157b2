import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { createRegistry } from '../../../src/clients/registry/registry.ts';
import { Settings } from '../../../src/core/settings.ts';
import { bed } from '../../support/bed.ts';
import { docker } from '../../support/docker-cli.ts';
import { ben } from '../../support/engine.ts';
import { type GitServer, startGitServer } from '../../support/git-server.ts';
import { type RealDesk, realDesk } from '../../support/real-desk.ts';

const { signal } = new AbortController();
const registry = createRegistry();
const own = `builds-${process.pid}`;
const repository = (name: string) => `${bed.registryHost}/${own}/${name}`;
const shell = (text: string) => `RUN ["/bin/busybox", "sh", "-c", ${JSON.stringify(text)}]`;
const login = { username: 'ship', password: 'p4ssword-of-git' };
let git: GitServer;
let desk: RealDesk;
let folder: string;

beforeAll(async () => {
  git = await startGitServer();
  folder = join(bed.dir, `folder-${process.pid}`);
  await mkdir(join(folder, 'site'), { recursive: true });
  await writeFile(
    join(folder, 'site', 'Dockerfile'),
    `FROM ${bed.busybox}\nARG VERSION=none\nLABEL version=$VERSION\nCOPY . /site/\n`,
  );
  const app = (name: string, build: object) => ({
    image: repository(name),
    build: { git: `${git.origin}/${name}.git`, ...build },
  });
  desk = await realDesk({
    gitLogin: (host) => (git.origin.endsWith(host) ? login : undefined),
    apps: {
      shop: app('shop', { args: { VERSION: '{tag}' } }),
      broken: app('broken', {}),
      lengthy: app('lengthy', {}),
      inner: app('inner', { context: 'services/web', cache: true }),
      folder: {
        image: repository('folder'),
        build: { context: join(folder, 'site'), secrets: { npm: { env: 'TEST_NPM_TOKEN' } } },
      },
      none: { image: repository('none') },
      away: { image: '127.0.0.1:1/away', build: { context: join(folder, 'site') } },
    },
    builds: {
      network: 'none',
      folders: [folder],
      gitHosts: [git.origin],
      repositories: [repository('free')],
      contextMegabytes: 2,
      minutes: 0.2,
    },
  });
});
afterAll(async () => {
  await desk.end();
  await git.stop();
});

const labelsOf = async (image: string) => JSON.parse(await docker('image', 'inspect', image))[0].Config.Labels;

test('/build shop from main: the commit is in plan and labels, and what was built of the same is not built again', {
  timeout: 60_000,
}, async () => {
  const first = await git.commit('shop', 'main', {
    Dockerfile: `FROM ${bed.busybox}\nARG VERSION\nCOPY . /app/\n`,
    'a.txt': 'one',
  });
  const run = await desk.done('build', { app: 'shop', tag: 'v1', ref: 'main' });
  expect(run).toMatchObject({
    state: 'finished',
    plan: {
      summary: `shop:v1 from main (${first.slice(0, 12)})`,
      build: { context: { id: first } },
      changes: expect.arrayContaining([{ path: 'args.VERSION', to: 'v1' }]),
    },
    report: { kind: 'built', log: expect.stringContaining('COPY . /app/') },
  });
  const image = `${repository('shop')}:v1`;
  expect(await registry.resolve(image, 'shop', signal)).toBe(run.report?.kind === 'built' && run.report.digest);
  expect(await labelsOf(image)).toMatchObject({
    'org.opencontainers.image.revision': first,
    'org.opencontainers.image.source': `${git.origin}/shop.git`,
    'org.opencontainers.image.created': expect.stringMatching(/^20\d\d-/),
  });
  expect(await desk.done('build', { app: 'shop', tag: 'v1', ref: 'main' })).toMatchObject({
    report: { kind: 'unchanged' },
  });
  await git.commit('shop', 'next', { 'a.txt': 'two' });
  const exact = await desk.done('build', { app: 'shop', tag: 'v1', ref: first });
  expect(exact, 'the commit itself is the same').toMatchObject({ report: { kind: 'unchanged' } });
  const fresh = await desk.done('build', { app: 'shop', tag: 'v1', ref: first, fresh: true });
  expect(fresh).toMatchObject({ state: 'finished', report: { kind: 'built' } });
});

test('where nobody names a tag it is made of the commit, and another tag of the same is put and not built', {
  timeout: 60_000,
}, async () => {
  const files = {
    'services/web/Dockerfile': `FROM ${bed.busybox}\nCOPY . /app/\n`,
    'services/web/x': 'x',
    'other/y': 'y',
  };
  const commit = await git.commit('inner', 'main', files);
  const run = await desk.done('build', { app: 'inner' });
  expect(run).toMatchObject({ state: 'finished', report: { tag: commit.slice(0, 12) } });
  const image = `${repository('inner')}:${commit.slice(0, 12)}`;
  expect(await docker('run', '--rm', '--network', 'none', image, 'ls', '/app')).toBe('Dockerfile\nx');
  const again = await desk.done('build', { app: 'inner', tag: 'v7' });
  expect(again).toMatchObject({ state: 'finished', report: { kind: 'built', reused: true } });
  expect(await registry.resolve(`${repository('inner')}:v7`, 'inner', signal)).toBe(
    await registry.resolve(image, 'inner', signal),
  );
  expect(await registry.tags(repository('inner'), signal)).toContain('shipmate-cache');
});

test('an approval is of the commit: where the branch has moved, it is asked anew', { timeout: 60_000 }, async () => {
  const settings = desk.engine.settings();
  const rule = Settings.shape.policy.parse([
    { name: 'two', operations: ['build'], who: ['engineers'], approvals: 1, approvers: ['engineers'] },
  ]);
  settings.policy.unshift(...rule);
  onTestFinished(() => void settings.policy.shift());
  await git.commit('shop', 'moving', { Dockerfile: `FROM ${bed.busybox}\nCOPY . /app/\n`, 'm.txt': 'one' });
  const id = await desk.ask('build', { app: 'shop', tag: 'v5', ref: 'moving' });
  expect((await desk.lap(id)).state).toBe('awaiting');
  const moved = await git.commit('shop', 'moving', { 'm.txt': 'two' });
  await desk.approve(id, ben);
  const asked = await desk.lap(id);
  expect(asked).toMatchObject({ state: 'awaiting', replanned: true, plan: { build: { context: { id: moved } } } });
  expect(await registry.manifest(`${repository('shop')}:v5`, signal)).toBeUndefined();
});

test('a build that fails names the line, keeps the whole log, and pushes nothing', { timeout: 60_000 }, async () => {
  await git.commit('broken', 'main', { Dockerfile: `FROM ${bed.busybox}\n\n${shell('echo here it comes; exit 7')}\n` });
  const run = await desk.done('build', { app: 'broken', tag: 'v1' });
  expect(run).toMatchObject({
    state: 'failed',
    report: {
      kind: 'build-failed',
      problem: expect.stringMatching(/Dockerfile:3, RUN .*exit code: 7/),
      log: expect.stringContaining('here it comes'),
    },
  });
  expect(await registry.tags(repository('broken'), signal)).toEqual([]);
});

test('a build that takes too long is stopped, and says so', { timeout: 60_000 }, async () => {
  await git.commit('lengthy', 'main', {
    Dockerfile: `FROM ${bed.busybox}\n${shell('echo begun; exec /bin/busybox sleep 60')}\n`,
  });
  const run = await desk.done('build', { app: 'lengthy', tag: 'v1' });
  expect(run).toMatchObject({
    state: 'failed',
    report: {
      kind: 'build-failed',
      problem: expect.stringContaining('longer than 0.2 minutes'),
      log: expect.stringContaining('begun'),
    },
  });
});

test('POST /docker/build: a folder that is allowed, with its arguments; and what is not is refused', {
  timeout: 60_000,
}, async () => {
  const tag = `${repository('free')}/site:v1.0.0`;
  const run = await desk.done('docker-build', { context: 'site', tag, args: { VERSION: '1.0.0' } });
  expect(run).toMatchObject({ state: 'finished', report: { kind: 'built', image: tag } });
  expect(await labelsOf(tag)).toMatchObject({ version: '1.0.0' });
  // What has no registry in its name is in the first place that is allowed; never on Docker Hub by accident.
  expect(
    await desk.done('docker-build', { context: 'site', tag: 'site:v1.0.0', args: { VERSION: '1.0.0' } }),
  ).toMatchObject({
    report: { kind: 'unchanged' },
  });
  await symlink('/etc', join(folder, 'etc')).catch(() => {});
  const refused: [Record<string, unknown>, string, string][] = [
    [{ context: '/etc' }, 'CONTEXT_REFUSED', 'no folder that may be built from'],
    [{ context: '../..' }, 'CONTEXT_REFUSED', 'no folder that may be built from'],
    [{ context: 'etc' }, 'CONTEXT_REFUSED', 'no folder that may be built from'],
    [{ dockerfile: '../../../etc/passwd' }, 'CONTEXT_REFUSED', 'lies outside'],
    [{ dockerfile: 'Nofile' }, 'CONTEXT_REFUSED', 'there is no Nofile'],
    [{ context: 'http://169.254.169.254/latest.git' }, 'GIT_FAILED', 'is not allowed'],
    [{ context: 'https://127.0.0.1/x.git' }, 'GIT_FAILED', 'is not allowed'],
    [{ context: 'https://user:pass@github.com/x.git' }, 'GIT_FAILED', 'holds credentials'],
    [{ context: 'file:///etc' }, 'BAD_INPUT', 'is no context'],
    [{ context: 'https://github.com/x.git#--upload-pack=touch' }, 'GIT_FAILED', ''],
    [{ tag: `${bed.registryHost}/foreign:v1` }, 'NOT_PUSHABLE', 'may not be pushed'],
    [{ tag: 'docker.io/library/site:v1' }, 'NOT_PUSHABLE', 'may not be pushed'],
    [{ tag: `${tag}@sha256:${'a'.repeat(64)}` }, 'BAD_INPUT', 'name a tag'],
    [{ tag: 'Not An Image' }, 'BAD_INPUT', ''],
    [{ tag: 'UPPER:v1' }, 'IMAGE_MALFORMED', 'not an image reference'],
    [{ args: { BUILDKIT_SYNTAX: 'evil:1' } }, 'BAD_INPUT', 'frontend'],
    [{ platforms: ['linux/amd64', 'linux/arm64'] }, 'BAD_INPUT', 'builds.builder'],
  ];
  for (const [change, code, words] of refused) {
    const ended = await desk
      .done('docker-build', { context: 'site', tag, ...change })
      .catch((thrown: unknown) => ({ fault: thrown }));
    expect(ended, JSON.stringify(change)).toMatchObject({ fault: { code, message: expect.stringContaining(words) } });
  }
  await expect(desk.ask('docker-build', { context: '--help', tag })).rejects.toMatchObject({ code: 'BAD_INPUT' });
  await expect(desk.ask('docker-build', { context: 'site', tag: '--push' })).rejects.toMatchObject({
    code: 'BAD_INPUT',
  });
  await expect(desk.ask('docker-build', { context: 'site', tag, target: '--x' })).rejects.toMatchObject({
    code: 'BAD_INPUT',
  });
  await expect(desk.ask('build', { app: 'shop', ref: '--upload-pack=x' })).rejects.toMatchObject({ code: 'BAD_INPUT' });
});

test('a context that is too large is refused before anything is built', async () => {
  await mkdir(join(folder, 'large'), { recursive: true });
  await writeFile(join(folder, 'large', 'Dockerfile'), 'FROM scratch\nCOPY . /\n');
  await writeFile(join(folder, 'large', 'big'), Buffer.alloc(3_000_000));
  expect(await desk.done('docker-build', { context: 'large', tag: 'large:v1' })).toMatchObject({
    state: 'failed',
    fault: { code: 'CONTEXT_REFUSED', message: expect.stringContaining('more than 2 MiB') },
  });
  await git.commit('shop', 'huge', { Dockerfile: 'FROM scratch\nCOPY . /\n', big: 'x'.repeat(3_000_000) });
  expect(await desk.done('build', { app: 'shop', tag: 'huge', ref: 'huge' })).toMatchObject({
    fault: { code: 'GIT_FAILED', message: expect.stringContaining('more than 2 MiB') },
  });
});

test('a secret of a build is a reference: its value is in no plan, step, event or image', {
  timeout: 60_000,
}, async () => {
  const value = 'npm-t0ken-that-nobody-sees';
  process.env.TEST_NPM_TOKEN = value;
  onTestFinished(() => void delete process.env.TEST_NPM_TOKEN);
  const file = `FROM ${bed.busybox}\nRUN --mount=type=secret,id=npm ["/bin/busybox", "cat", "/run/secrets/npm"]\n`;
  await writeFile(join(folder, 'site', 'Secretly'), file);
  const settings = desk.engine.settings().apps.folder;
  if (!settings?.build) throw new Error('no build');
  settings.build.dockerfile = 'Secretly';
  const run = await desk.done('build', { app: 'folder', tag: 's1' });
  expect(run).toMatchObject({
    state: 'finished',
    plan: { changes: expect.arrayContaining([{ path: 'secrets.npm', to: 'given to the build alone' }]) },
  });
  const events = await desk.engine.store.events(run.id, '0', 1_000);
  expect(JSON.stringify(run)).toContain('[redacted]');
  for (const all of [
    JSON.stringify(run),
    JSON.stringify(events),
    await docker('history', '--no-trunc', `${repository('folder')}:s1`),
  ])
    expect(all).not.toContain(value);
  delete process.env.TEST_NPM_TOKEN;
  expect(await desk.done('build', { app: 'folder', tag: 's2', fresh: true })).toMatchObject({
    fault: { code: 'BAD_INPUT', message: expect.stringContaining('TEST_NPM_TOKEN') },
  });
});

test('what cannot be built says why: no build, no ref of a folder, a registry that is away', {
  timeout: 90_000,
}, async () => {
  expect(await desk.done('build', { app: 'none', tag: 'v1' })).toMatchObject({ fault: { code: 'NO_BUILD' } });
  expect(await desk.done('build', { app: 'folder', tag: 'v1', ref: 'main' })).toMatchObject({
    fault: { code: 'BAD_INPUT', message: expect.stringContaining('no “main” of it') },
  });
  expect(await desk.done('build', { app: 'shop', tag: 'v1', ref: 'nowhere' })).toMatchObject({
    fault: { code: 'GIT_FAILED' },
  });
  expect(await desk.done('build', { app: 'away', tag: 'v1' })).toMatchObject({
    fault: { code: 'REGISTRY_UNREACHABLE' },
  });
});

test('POST /docker/push: an image of the daemon, and one that it does not have', { timeout: 60_000 }, async () => {
  const tag = `${repository('free')}/pushed:v1`;
  await docker('tag', bed.busybox, tag);
  expect(await desk.done('docker-push', { tag })).toMatchObject({
    state: 'finished',
    report: { kind: 'built', image: tag },
  });
  expect(await registry.manifest(tag, signal)).toBeDefined();
  expect(await desk.done('docker-push', { tag: `${repository('free')}/nothing:v1` })).toMatchObject({
    fault: { code: 'NO_SUCH_OBJECT' },
  });
  expect(await desk.done('docker-push', { tag: `${bed.registryHost}/foreign:v1` })).toMatchObject({
    fault: { code: 'NOT_PUSHABLE' },
  });
});
