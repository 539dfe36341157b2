import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createRunQueue } from '../../jobs/queue.ts';
import { createWorker } from '../../jobs/worker.ts';
import { runAnnotation } from '../../src/core/lost-run.ts';
import { createLeases } from '../../src/engine/leases.ts';
import { request } from '../../src/engine/request.ts';
import { checkRedis } from '../../src/store/check-redis.ts';
import { type Connection, connectStore, connectWorker } from '../../src/store/connection.ts';
import { keys, queuePrefix } from '../../src/store/keys.ts';
import { createNoticeStore } from '../../src/store/notices.ts';
import { reseal } from '../../src/store/reseal.ts';
import { createSeal } from '../../src/store/seal.ts';
import { tethered } from '../../testbed/tether.ts';
import { type FakeWorld, fakeWorld } from '../fakes/fake-clients.ts';
import { createDesk, stock } from '../support/desk.ts';
import { ana, quiet, testEngine } from '../support/engine.ts';
import { freePort, redisForFile } from '../support/redis.ts';

let children: ChildProcess[];
let folder: string;
beforeEach(async () => {
  children = [];
  folder = await mkdtemp(join(tmpdir(), 'shipmate-redis-kinds-'));
});
afterEach(async () => {
  for (const child of children) child.kill('SIGKILL');
  // A killed Redis may leave a child that writes its append-only file anew for another moment.
  await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
});

async function launch(args: string[]): Promise<{ port: number; direct: Redis; child: ChildProcess }> {
  const port = await freePort();
  const own = ['--port', `${port}`, '--bind', '127.0.0.1', '--dir', folder, '--save', ''];
  const child = spawn(...tethered('redis-server', [...args, ...own]), { stdio: 'ignore' });
  children.push(child);
  const direct = new Redis({ port, host: '127.0.0.1', retryStrategy: () => 20, maxRetriesPerRequest: null });
  direct.on('error', () => {});
  await direct.ping();
  return { port, direct, child };
}

/** One run through request, queue, worker and store, all over the same address. */
async function wholeRun(url: string): Promise<void> {
  const world = fakeWorld();
  stock(world);
  const engine = await testEngine(url, world.clients);
  const connections: Connection[] = [connectStore(url), connectWorker(url)];
  for (const connection of connections) connection.on('error', () => {});
  await Promise.all(connections.map((each) => (each.status === 'ready' ? undefined : once(each, 'ready'))));
  const [producer, consumer] = connections;
  if (!producer || !consumer) return expect.unreachable();
  const queue = createRunQueue(producer, queuePrefix);
  engine.wake = queue.wake;
  const leases = createLeases(engine.store, 'kinds', quiet);
  const worker = createWorker(consumer, { engine, leases, prefix: queuePrefix, log: quiet });
  const seen: string[] = [];
  const unwatch = await createNoticeStore(engine.redis).watch(({ id }) => seen.push(id));
  const { id } = await request(engine, {
    actor: ana,
    operation: 'deploy',
    input: { app: 'web', env: 'staging', tag: 'v1' },
    origin: { surface: 'rest' },
  });
  await expect.poll(async () => (await engine.store.read(id))?.state, { timeout: 10_000 }).toBe('finished');
  expect(seen).toContain(id);
  while ((await engine.audit.seal()) > 0);
  expect((await engine.audit.head()).seq).toBeGreaterThan(4);
  await reseal(engine.redis, createSeal([Buffer.alloc(32, 7)], Date.now() + 60_000), quiet);
  expect(await engine.redis.hget(keys.run(id), 'record')).toMatch(/^sealed:/);
  await unwatch();
  await worker.close();
  await queue.close();
  engine.close();
  for (const connection of connections) connection.disconnect();
}

test('a whole run on a Redis Cluster', { timeout: 60_000 }, async () => {
  const { port, direct } = await launch(['--cluster-enabled', 'yes', '--cluster-announce-ip', '127.0.0.1']);
  await direct.call('CLUSTER', 'ADDSLOTSRANGE', '0', '16383');
  await expect
    .poll(async () => String(await direct.call('CLUSTER', 'INFO')), { timeout: 10_000 })
    .toContain('cluster_state:ok');
  direct.disconnect();
  await wholeRun(`redis-cluster://127.0.0.1:${port}`);
});

test('a whole run behind a Sentinel, and another after a failover', { timeout: 90_000 }, async () => {
  const master = await launch(['--appendonly', 'no']);
  const replica = await launch(['--replicaof', '127.0.0.1', `${master.port}`]);
  const conf = join(folder, 'sentinel.conf');
  await writeFile(
    conf,
    `sentinel monitor ship 127.0.0.1 ${master.port} 1\nsentinel down-after-milliseconds ship 1000\nsentinel failover-timeout ship 3000\n`,
  );
  const sentinelPort = await freePort();
  children.push(
    spawn(...tethered('redis-server', [conf, '--sentinel', '--port', `${sentinelPort}`, '--bind', '127.0.0.1']), {
      stdio: 'ignore',
    }),
  );
  const url = `redis-sentinel://127.0.0.1:${sentinelPort}/ship`;
  await expect.poll(() => replica.direct.info('replication'), { timeout: 20_000 }).toContain('master_link_status:up');
  // The Sentinel learns of the replica by asking the master, every ten seconds.
  const sentinel = new Redis({
    port: sentinelPort,
    host: '127.0.0.1',
    retryStrategy: () => 50,
    maxRetriesPerRequest: null,
  });
  sentinel.on('error', () => {});
  await expect
    .poll(async () => JSON.stringify(await sentinel.call('SENTINEL', 'replicas', 'ship')), { timeout: 20_000 })
    .toContain(`${replica.port}`);
  await wholeRun(url);
  master.child.kill('SIGKILL');
  await expect
    .poll(async () => JSON.stringify(await sentinel.call('SENTINEL', 'get-master-addr-by-name', 'ship')), {
      timeout: 30_000,
      interval: 200,
    })
    .toContain(`${replica.port}`);
  await expect.poll(() => replica.direct.info('replication'), { timeout: 20_000 }).toContain('role:master');
  await wholeRun(url);
  for (const each of [master.direct, replica.direct, sentinel]) each.disconnect();
});

/** Marks the object as the API server does after an apply: with the run, and when that was. */
function markApplied(world: FakeWorld, run: string): void {
  const object = world.objects.get('staging/web') ?? expect.fail('nothing is deployed');
  const managedFields = [{ manager: 'shipmate', operation: 'Apply', time: new Date().toISOString() }];
  const metadata = { name: 'web', namespace: 'staging', managedFields, annotations: { [runAnnotation]: run } };
  world.objects.set('staging/web', { ...object, metadata });
}

/** A Shipmate over one Redis, its errors, and what its status says of web in staging. */
async function shipmateOn(port: number, world: FakeWorld) {
  const errors: object[] = [];
  const log = { ...quiet, error: (fields: object) => void errors.push(fields) };
  const engine = await testEngine(`redis://127.0.0.1:${port}`, world.clients, { log });
  const desk = createDesk(engine);
  return {
    errors,
    deploy: async (tag: string) => {
      const run = await desk.done('deploy', { app: 'web', env: 'staging', tag });
      expect(run.state).toBe('finished');
      markApplied(world, run.id);
      return run.id;
    },
    status: async () => {
      const { report } = await desk.done('status', { app: 'web', env: 'staging' });
      return report?.kind === 'status' ? report.apps[0] : undefined;
    },
    close: async () => {
      await desk.leases.stop();
      engine.close();
    },
  };
}

test('a replica that lagged behind is promoted: the run that it never heard of is missed, and said', {
  timeout: 60_000,
}, async () => {
  const master = await launch(['--appendonly', 'no']);
  const replica = await launch(['--replicaof', '127.0.0.1', `${master.port}`]);
  await expect.poll(() => replica.direct.info('replication'), { timeout: 20_000 }).toContain('master_link_status:up');
  const world = fakeWorld();
  stock(world);
  const before = await shipmateOn(master.port, world);
  await before.deploy('v1');
  expect(await master.direct.wait(1, 10_000)).toBe(1);
  // From here on the replica hears nothing: it stands still, and nothing waits for it in its connection either.
  replica.child.kill('SIGSTOP');
  await master.direct.call('CLIENT', 'KILL', 'TYPE', 'replica');
  const lost = await before.deploy('v2');
  expect(await before.status()).not.toHaveProperty('lostRun');
  expect(before.errors).toEqual([]);
  await before.close();
  master.child.kill('SIGKILL');
  replica.child.kill('SIGCONT');
  await replica.direct.replicaof('NO', 'ONE');

  const after = await shipmateOn(replica.port, world);
  expect(await after.status()).toMatchObject({ image: 'web:v2', lostRun: lost });
  expect(after.errors).toMatchObject([{ lost: [lost] }]);
  await after.deploy('v3');
  expect(await after.status()).not.toHaveProperty('lostRun');
  await after.close();
  for (const each of [master.direct, replica.direct]) each.disconnect();
});

describe('how Redis is set up', () => {
  test('is looked at, and said with what mends it', async () => {
    const { port, direct } = await launch(['--maxmemory-policy', 'allkeys-lru', '--appendonly', 'no']);
    const redis = connectStore(`redis://127.0.0.1:${port}`);
    await once(redis, 'ready');
    expect(await checkRedis(redis)).toMatchObject([
      { mend: 'CONFIG SET maxmemory-policy noeviction', problem: expect.stringContaining('allkeys-lru') },
      { mend: 'CONFIG SET appendonly yes', problem: expect.stringContaining('loses every run') },
    ]);
    await direct.config('SET', 'maxmemory-policy', 'noeviction');
    await direct.config('SET', 'appendonly', 'yes');
    expect(await checkRedis(redis)).toEqual([]);
    await direct.acl('SETUSER', 'default', '-config');
    expect(await checkRedis(redis)).toMatchObject([{ problem: expect.stringContaining('does not say') }]);
    redis.disconnect();
    direct.disconnect();
  });
});

describe('a full Redis', () => {
  const redis = redisForFile();
  test('takes nothing new, and says so; what is under way ends, and can be stopped', { timeout: 30_000 }, async () => {
    const world = fakeWorld();
    stock(world);
    const engine = await testEngine(redis().url, world.clients);
    const desk = createDesk(engine);
    world.rolloutMs = 1_500;
    const waiting = await desk.deploy('production');
    await desk.lap(waiting);
    const going = await desk.deploy('staging');
    const working = desk.lap(going);
    await expect.poll(async () => (await desk.run(going)).steps.settle?.state).toBe('started');
    await engine.redis.config('SET', 'maxmemory', '1mb');
    await expect(desk.deploy('staging', 'v2')).rejects.toMatchObject({ code: 'STORE_FULL', retry: 'later' });
    expect(await working).toMatchObject({ state: 'finished' });
    const abort = { actor: ana, at: Date.now(), wish: { kind: 'abort' as const } };
    expect(await engine.store.steer(await desk.run(waiting), abort, 'abort')).toBe('ok');
    expect(await engine.store.steers(waiting)).toMatchObject([{ n: 1, wish: { kind: 'abort' } }]);
    expect(await engine.store.cancel(await desk.run(waiting), { actor: ana, at: Date.now() })).toBe('ok');
    expect(await desk.lap(waiting)).toMatchObject({ state: 'cancelled' });
    while ((await engine.audit.seal()) > 0);
    await engine.redis.config('SET', 'maxmemory', '0');
    world.rolloutMs = 0;
    expect(await desk.lap(await desk.deploy('staging', 'v2'))).toMatchObject({ state: 'finished' });
    await sleep(10);
    await desk.leases.stop();
    engine.close();
  });
});
