import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { WebSocketServer } from 'ws';
import { createRunChanges } from '../../handlers/http/run-changes.ts';
import { createDockerHosts } from '../../src/clients/docker/docker-host.ts';
import { git } from '../../src/clients/git/run.ts';
import { type Connection, createConnection } from '../../src/clients/kube/connection.ts';
import { execInPod } from '../../src/clients/kube/exec.ts';
import { createPrometheus } from '../../src/clients/prometheus/prometheus.ts';
import { createCaller } from '../../src/clients/registry/caller.ts';
import { createHooks } from '../../src/clients/web-hook/web-hook.ts';
import { either, within } from '../../src/core/within.ts';
import { followLogs } from '../../src/operations/pods/follow.ts';
import { fakeCluster } from '../fakes/fake-kube.ts';
import { collectFor } from '../support/garbage.ts';

const { signal } = new AbortController();
const ms = 200;
const unused = () => {
  throw new Error('not asked for here');
};
const plain = { who: ['everyone'], allow: { privileged: false, hostNetwork: false, mounts: [] } };
const log = { info: () => {}, warn: () => {}, error: () => {} };

let silent: Server;
let home: string;
let host: string;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'shipmate-silent-'));
  silent = createServer((socket) => socket.on('error', () => {}));
  await once(silent.listen(0, '127.0.0.1'), 'listening');
  const address = silent.address();
  host = `127.0.0.1:${address !== null && typeof address === 'object' ? address.port : 0}`;
});
afterAll(async () => {
  silent.close();
  await rm(home, { recursive: true });
});

const clients: Record<string, () => Promise<unknown>> = {
  'a registry': () =>
    createCaller({}).ask({ registry: host, repository: 'web' }, { path: 'manifests/v1', ms, method: 'HEAD' }, signal),
  Prometheus: () => createPrometheus(`http://${host}`).query('up', { timeoutMs: ms }, signal),
  'a web hook': () => createHooks().ask(`http://${host}/`, {}, { timeoutMs: ms, hosts: [`http://${host}`] }, signal),
  'a Docker host': () => {
    const hosts = createDockerHosts(() => ({ edge: { address: `tcp://${host}`, ...plain } }));
    return hosts('edge').send({ method: 'GET', path: ['info'], seconds: ms / 1_000 }, { conflict: false }, signal);
  },
  Git: () => git(['ls-remote', `http://${host}/web.git`], { home, limit: 1_000, ms, signal }),
};

test.each(Object.keys(clients))(
  '%s that never answers is given up in time, whatever garbage is collected',
  async (name) => {
    const began = performance.now();
    const end = clients[name]?.().then(
      () => 'an answer',
      () => (performance.now() - began < ms * 0.9 ? 'not even asked' : 'given up'),
    );
    await collectFor(ms * 4);
    expect(await Promise.race([end, sleep(1, 'still waiting')])).toBe('given up');
  },
);

test('logs are followed no longer than they should be where their time is over while the cluster is slow', async () => {
  const sources = async () => {
    await collectFor(ms * 2);
    return [];
  };
  const notes: string[] = [];
  const step = {
    signal,
    startedAt: Date.now(),
    note: (text: string) => void notes.push(text),
    log: () => {},
    record: () => {},
    memo: () => undefined,
    remember: async () => {},
    steers: async () => [],
    steeredPast: () => signal,
    rest: async () => {},
    parts: { ask: () => Promise.reject(new Error('no parts')), stop: async () => {} },
  };
  const filter = { of: async <Line>(lines: readonly Line[]) => [...lines], close: async () => {} };
  const { kube } = fakeCluster();
  const end = followLogs(kube, 'staging', sources, { ms, filter }, step, Date.now);
  expect(await Promise.race([end, sleep(ms * 10, 'still following')])).toMatchObject({ count: 0 });
  expect(notes).toEqual([]);
});

test('a command whose time is over before its connection is there is waited for no longer', async () => {
  const taken = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(taken, 'listening');
  const address = taken.address();
  const server = `http://127.0.0.1:${address !== null && typeof address === 'object' ? address.port : 0}`;
  const { KubeConfig } = await import('@kubernetes/client-node');
  const config = new KubeConfig();
  config.loadFromClusterAndUser({ name: 'edge', server, skipTLSVerify: true }, { name: 'shipmate' });
  const connection: Connection = {
    ...createConnection('edge', { access: () => unused(), send: async () => unused(), close: async () => {} }),
    library: async () => {
      await collectFor(ms * 2);
      return config;
    },
  };
  const ref = { apiVersion: 'v1', kind: 'Pod', namespace: 'staging', name: 'web-1' };
  const command = { container: 'web', command: ['sleep', '60'], limitBytes: 1_000, ms };
  const end = execInPod(connection, ref, command, signal);
  expect(await Promise.race([end, sleep(ms * 10, 'still waiting')])).toMatchObject({ timedOut: true });
  taken.close();
});

test('who is slow to take what changed is told no more of it once their right is over', async () => {
  const changes = createRunChanges({ watch: async () => async () => {} }, log);
  const turns: number[] = [];
  for await (const _turn of changes.of('run', within(either(signal, new AbortController().signal), ms))) {
    turns.push(turns.length);
    if (turns.length > 1) break;
    await collectFor(ms * 2);
  }
  expect(turns).toEqual([0]);
  await changes.close();
});
