import { once } from 'node:events';
import { Redis } from 'ioredis';
import { createRunQueue } from '../jobs/queue.ts';
import { startSweeper } from '../jobs/sweeper.ts';
import { createWorker } from '../jobs/worker.ts';
import { createRedact } from '../src/core/redact.ts';
import { Settings } from '../src/core/settings.ts';
import type { Engine } from '../src/engine/engine.ts';
import { createLeases } from '../src/engine/leases.ts';
import { catalogue } from '../src/operations/catalogue.ts';
import { connectStore, connectWorker } from '../src/store/connection.ts';
import { queuePrefix } from '../src/store/keys.ts';
import { createStores } from '../src/store/stores.ts';
import { fakeWorld } from '../test/fakes/fake-clients.ts';

const silent = { info: () => {}, warn: () => {}, error: () => {} };

export type EngineGround = {
  engine: Engine;
  redis: Redis;
  worker(): Promise<() => Promise<void>>;
  stop(): Promise<void>;
};

/** An engine over a real Redis and a cluster in memory, in this process: what is measured is Shipmate itself. */
export async function engineGround(url: string, apps: readonly string[]): Promise<EngineGround> {
  const world = fakeWorld();
  world.digests.set('127.0.0.1:5000/web:v1', `sha256:${'1'.repeat(64)}`);
  const settings = Settings.parse({
    apps: Object.fromEntries(apps.map((app) => [app, { image: '127.0.0.1:5000/web' }])),
    environments: { staging: { namespace: 'staging' }, production: { namespace: 'production' } },
    people: { ana: { subject: 'ana' }, ben: { subject: 'ben' } },
    policy: [{ name: 'production', environments: ['production'], approvals: 1 }, { name: 'anything goes' }],
  });
  const [store, producer, consumer] = [connectStore(url), connectStore(url), connectWorker(url)];
  const redis = new Redis(url);
  await Promise.all([store, producer, consumer].map((each) => once(each, 'ready')));
  const queue = createRunQueue(producer, queuePrefix);
  const { store: runs, audit, remembered } = createStores(store);
  let ids = 0;
  const engine: Engine = {
    catalogue,
    settings: () => settings,
    store: runs,
    audit,
    delegations: remembered.delegations,
    clients: { ...world.clients, ...remembered },
    membership: async () => ({ kind: 'member' }),
    wake: queue.wake,
    redact: createRedact([]),
    now: Date.now,
    newId: () => `bench${process.pid}x${ids++}`,
    log: silent,
  };
  // Through the engine's store, so that a benchmark can listen in.
  const leases = createLeases({ ...runs, lease: (...args) => engine.store.lease(...args) }, 'bench', silent);
  const stops: (() => Promise<void>)[] = [];
  return {
    engine,
    redis,
    worker: async () => {
      const worker = createWorker(consumer, { engine, leases, prefix: queuePrefix, log: silent });
      const sweeper = startSweeper({ store: runs, wake: queue.wake, log: silent });
      const stop = async () => {
        await sweeper.stop();
        await worker.close();
      };
      stops.push(stop);
      return stop;
    },
    stop: async () => {
      for (const stop of stops) await stop();
      await queue.close();
      for (const each of [store, producer, consumer, redis]) each.disconnect();
    },
  };
}
