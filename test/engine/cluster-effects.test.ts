import { beforeEach, expect, test } from 'vitest';
import { guardsOf, isSameCluster } from '../../src/core/effects/sites.ts';
import { type Settings, Settings as SettingsSchema } from '../../src/core/settings.ts';
import { type FakeWorld, fakeWorld } from '../fakes/fake-clients.ts';
import { furnish } from '../fakes/small-cluster.ts';
import { createDesk, type Desk, stock } from '../support/desk.ts';
import { type TestEngine, testEngine, testSettings } from '../support/engine.ts';
import { redisForFile } from '../support/redis.ts';

/** What lives in the cluster itself, or in no environment's namespace, is judged by whoever shares the cluster. */

const redis = redisForFile();
let world: FakeWorld;
let engine: TestEngine;
let desk: Desk;
let settings: Settings;
const given = (change: object = {}): void => {
  settings = SettingsSchema.parse({
    ...testSettings,
    manifests: { clusterScopedIn: ['staging'] },
    ...change,
  });
};
beforeEach(async () => {
  world = fakeWorld();
  stock(world);
  furnish(world);
  given();
  engine = await testEngine(redis().url, world.clients, { settings: () => settings });
  await engine.redis.flushall();
  desk = createDesk(engine);
  return async () => {
    await desk.leases.stop();
    engine.close();
  };
});

const storage = { apiVersion: 'storage.k8s.io/v1', kind: 'StorageClass', metadata: { name: 's' }, provisioner: 'x' };
const reaching: [string, Record<string, unknown>][] = [
  ['namespace-delete', { name: 'old-preview', again: 'old-preview', env: 'staging' }],
  ['namespace-create', { name: 'another', env: 'staging' }],
  ['drain', { node: 'node-1', env: 'staging', force: true }],
  ['cordon', { node: 'node-1', env: 'staging' }],
  ['uncordon', { node: 'node-2', env: 'staging' }],
  ['nodepool-limit', { pool: 'default', cpu: '20', env: 'staging' }],
  ['apply', { env: 'staging', manifest: JSON.stringify(storage) }],
];

test.each(reaching)('%s in staging takes what production takes, which shares the cluster', async (operation, input) => {
  expect(await desk.done(operation, input)).toMatchObject({
    state: 'awaiting',
    verdict: { rule: 'production needs another engineer' },
  });
});

test.each(reaching)('%s in staging is refused while production is frozen', async (operation, input) => {
  const weekly = { days: ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] };
  given({ freezes: [{ name: 'all week', environments: ['production'], weekly }] });
  expect(await desk.done(operation, input)).toMatchObject({ fault: { code: 'FROZEN' } });
});

test.each(reaching)(
  '%s is staging’s to judge where production is on another cluster, or another is named',
  async (operation, input) => {
    const production = { namespace: 'production', cluster: 'east' };
    given({ environments: { ...testSettings.environments, production }, clusters: { east: { context: 'east' } } });
    expect((await desk.done(operation, input)).verdict?.kind).toBe('allow');
  },
);

test('the environment that is named for it judges what is in the cluster, and no other', async () => {
  given({ clusters: { default: { guardedBy: 'staging' } } });
  expect((await desk.done('cordon', { node: 'node-1', env: 'staging' })).state).toBe('finished');
  given({ clusters: { default: { guardedBy: 'production' } } });
  expect((await desk.done('uncordon', { node: 'node-1', env: 'staging' })).state).toBe('awaiting');
});

test('another environment of the same namespace judges what is changed there, also where no app is concerned', async () => {
  given({
    environments: { ...testSettings.environments, loose: { namespace: 'production' } },
    policy: [{ name: 'production', environments: ['production'], approvals: 1 }, { name: 'the rest is free' }],
  });
  expect(await desk.done('config-set', { name: 'free', env: 'loose', values: ['A=1'] })).toMatchObject({
    state: 'awaiting',
    verdict: { rule: 'production' },
  });
  expect(await desk.done('config-set', { name: 'free', env: 'staging', values: ['A=1'] })).toMatchObject({
    state: 'finished',
  });
});

test('names of clusters are told apart by where they lead', () => {
  const clusters = SettingsSchema.shape.clusters.parse({
    east: { context: 'east' },
    alias: { context: 'east' },
    west: { kubeconfig: './west' },
    guarded: { guardedBy: 'staging' },
  });
  const known = { ...testSettings, clusters };
  const same = (a: string, b: string) => isSameCluster(known, a, b);
  expect([same('east', 'alias'), same('east', 'west'), same('default', 'east'), same('guarded', 'default')]).toEqual([
    true,
    false,
    false,
    false,
  ]);
  expect(guardsOf(known, 'guarded')).toEqual(['staging']);
  expect(guardsOf(known, 'default')).toEqual(['staging', 'production']);
});
