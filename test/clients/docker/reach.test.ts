import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDockerHosts } from '../../../src/clients/docker/docker-host.ts';
import { sshArguments } from '../../../src/clients/docker/reach.ts';
import { DockerHostSettings } from '../../../src/core/host-settings.ts';
import { at } from '../../../src/core/json.ts';
import { bed } from '../../support/bed.ts';
import { type Authority, type Daemon, makeAuthority, startDaemon } from '../../support/dockerd.ts';

const { signal } = new AbortController();
let dir: string;
let daemon: Daemon;
let port: number;
let trusted: Authority;
let foreign: Authority;
let files: Record<'client' | 'stranger', { cert: string; key: string }>;

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return address !== null && typeof address !== 'string' ? address.port : 0;
}

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'shipmate-tls-'));
  [trusted, foreign] = await Promise.all([makeAuthority(dir, 'trusted'), makeAuthority(dir, 'foreign')]);
  const server = await trusted.cert('daemon', 'server');
  files = { client: await trusted.cert('shipmate', 'client'), stranger: await foreign.cert('stranger', 'client') };
  port = await freePort();
  const tls = ['--tlsverify', `--tlscacert=${trusted.ca}`, `--tlscert=${server.cert}`, `--tlskey=${server.key}`];
  daemon = await startDaemon(dir, [`--host=tcp://127.0.0.1:${port}`, ...tls]);
}, 60_000);
afterAll(async () => {
  await daemon.end();
  await rm(dir, { recursive: true });
});

const hostAt = (settings: Record<string, unknown>) =>
  createDockerHosts(() => ({ far: DockerHostSettings.parse(settings) }))('far');
const overTls = (tls: Record<string, unknown>) => hostAt({ address: `tcp://127.0.0.1:${port}`, tls });
const versionOf = async (settings: Record<string, unknown>) =>
  at(await hostAt(settings).read(['version'], {}, signal), 'ApiVersion');

test('a real daemon is reached over TLS by who has its certificate, and by nobody else', async () => {
  expect(at(await overTls({ ca: trusted.ca, ...files.client }).read(['version'], {}, signal), 'ApiVersion')).toMatch(
    /^1\./,
  );
  await expect(overTls({ ca: trusted.ca, ...files.stranger }).read(['version'], {}, signal)).rejects.toMatchObject({
    code: 'DOCKER_HOST_UNREACHABLE',
    retry: 'later',
  });
});

test('a daemon with a certificate of a stranger is not spoken to', async () => {
  await expect(overTls({ ca: foreign.ca, ...files.client }).read(['version'], {}, signal)).rejects.toMatchObject({
    code: 'DOCKER_HOST_UNREACHABLE',
    message: expect.stringContaining('does not trust'),
  });
});

test('missing certificates are named', async () => {
  await expect(
    overTls({ ca: '/none.pem', cert: '/none.pem', key: '/none.pem' }).read(['version'], {}, signal),
  ).rejects.toMatchObject({
    message: expect.stringContaining('/none.pem'),
  });
});

/** Stands in for `ssh`: checks its arguments and connects to the daemon's socket, as dial-stdio does on the other side. */
async function withSsh<Result>(script: string, act: () => Promise<Result>): Promise<Result> {
  const bin = await mkdtemp(join(tmpdir(), 'shipmate-ssh-'));
  await writeFile(join(bin, 'ssh'), `#!/bin/sh\nprintf '%s\\n' "$@" > ${bin}/args\n${script}\n`);
  await chmod(join(bin, 'ssh'), 0o755);
  const before = process.env.PATH;
  process.env.PATH = `${bin}:${before}`;
  try {
    return await act();
  } finally {
    process.env.PATH = before;
    await rm(bin, { recursive: true });
  }
}

test('over ssh the daemon is asked through `docker system dial-stdio`, each call with its own connection', async () => {
  const dial = `exec docker --host unix://${daemon.socket} system dial-stdio`;
  await withSsh(dial, async () => {
    const versions = await Promise.all([1, 2, 3].map(() => versionOf({ address: 'ssh://ci@build.example.com:2222' })));
    expect(versions).toEqual(Array(3).fill(expect.stringMatching(/^1\./)));
    const host = hostAt({ address: 'ssh://build.example.com' });
    const made = await host.send(
      { method: 'POST', path: ['volumes', 'create'], body: { Name: 'over-ssh' } },
      { conflict: false },
      signal,
    );
    expect(made.status).toBe(201);
    expect(await host.read(['volumes', 'over-ssh'], {}, signal)).toMatchObject({ Name: 'over-ssh' });
  });
});

test('what ssh complains of is told', async () => {
  const refuse =
    'echo "Warning: something" >&2; echo "ci@build.example.com: Permission denied (publickey)." >&2; exit 255';
  await withSsh(refuse, async () => {
    await expect(versionOf({ address: 'ssh://ci@build.example.com' })).rejects.toMatchObject({
      code: 'DOCKER_HOST_UNREACHABLE',
      message: expect.stringContaining('Permission denied (publickey)'),
    });
  });
});

test('a machine without ssh says so', async () => {
  const before = process.env.PATH;
  process.env.PATH = '/nowhere';
  await expect(
    versionOf({ address: 'ssh://build.example.com' }).finally(() => (process.env.PATH = before)),
  ).rejects.toMatchObject({
    code: 'DOCKER_HOST_UNREACHABLE',
  });
});

test('ssh never asks, never trusts a new host, and takes nothing of an address for an option', () => {
  const args = sshArguments({ address: 'ssh://ci@build.example.com:2222', ssh: { key: '/k', knownHosts: '/h' } });
  expect(args).toEqual(expect.arrayContaining(['BatchMode=yes', 'StrictHostKeyChecking=yes', 'UserKnownHostsFile=/h']));
  expect(args.slice(-3)).toEqual(['--', 'build.example.com', 'docker system dial-stdio']);
  for (const address of [
    'ssh://-oProxyCommand=x',
    'ssh://-l@host',
    'ssh://ho st',
    'ssh://host/path',
    'http://h',
    'unix://x',
    'tcp://10.0.0.1:2375',
  ])
    expect(DockerHostSettings.safeParse({ address }).success, address).toBe(false);
  for (const address of ['unix:///run/docker.sock', 'tcp://127.0.0.1:2375', 'ssh://ci@host'])
    expect(DockerHostSettings.safeParse({ address }).success, address).toBe(true);
});

test('the bed’s daemon is reached over its socket', async () => {
  expect(await versionOf({ address: bed.dockerHost })).toBe('1.41');
  expect(await readFile('/proc/self/comm', 'utf8')).not.toBe('');
});
