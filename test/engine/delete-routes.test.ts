import { beforeEach, expect, test } from 'vitest';
import { type FakeWorld, fakeWorld } from '../fakes/fake-clients.ts';
import { createDesk, type Desk, stock } from '../support/desk.ts';
import { type TestEngine, testEngine, testSettings } from '../support/engine.ts';
import { redisForFile } from '../support/redis.ts';

/** What was made for an app's traffic goes with the app, and what somebody else made does not. */

const redis = redisForFile();
let world: FakeWorld;
let engine: TestEngine;
let desk: Desk;

beforeEach(async () => {
  world = fakeWorld();
  stock(world);
  engine = await testEngine(redis().url, world.clients, { settings: () => testSettings });
  await engine.redis.flushall();
  desk = createDesk(engine);
  await desk.done('deploy', { app: 'web', env: 'staging', tag: 'v1', ports: [8080] });
  return async () => {
    await desk.leases.stop();
    engine.close();
  };
});

const kinds = ['VirtualService', 'DestinationRule'];
const left = () => [...world.objects.keys()].filter((key) => kinds.some((kind) => key.startsWith(kind)));
const others = (name: string, hosts: string[], labels = {}) =>
  world.objects.set(`VirtualService staging/${name}`, {
    apiVersion: 'networking.istio.io/v1',
    kind: 'VirtualService',
    metadata: { name, namespace: 'staging', labels },
    spec: { hosts, http: [{ route: [{ destination: { host: 'web' } }] }] },
  });

test('routes and rules of the app’s own Service go with all=yes, and stay without', async () => {
  const set = { service: 'web', env: 'staging', timeout: '3s', circuitBreaker: { consecutiveErrors: 5 } };
  expect((await desk.done('traffic-set', set)).state).toBe('finished');
  expect(left()).toHaveLength(2);
  const ours = { 'app.kubernetes.io/managed-by': 'shipmate' };
  others('by-hand', ['web']);
  others('of-two', ['web', 'shop.example.com'], ours);
  const kept = await desk.done('workload-delete', { app: 'web', env: 'staging' });
  expect(kept.plan?.summary).toContain('would then lead nowhere (all=yes deletes that too)');
  expect(left()).toHaveLength(4);
  await desk.done('deploy', { app: 'web', env: 'staging', tag: 'v1', ports: [8080] });
  const gone = await desk.done('workload-delete', { app: 'web', env: 'staging', all: true });
  expect(gone, JSON.stringify(gone.fault)).toMatchObject({ state: 'finished' });
  expect(left().sort()).toEqual(['VirtualService staging/by-hand', 'VirtualService staging/of-two']);
  expect(world.objects.has('Service staging/web')).toBe(false);
});
