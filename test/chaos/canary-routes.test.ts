import { beforeAll, beforeEach, expect, test } from 'vitest';
import { at, type JsonObject } from '../../src/core/json.ts';
import { Settings } from '../../src/core/settings.ts';
import { steer } from '../../src/engine/steer.ts';
import { fakeWorld } from '../fakes/fake-clients.ts';
import { freshShop } from '../support/canary-bench.ts';
import type { Desk } from '../support/desk.ts';
import { ben, type TestEngine, testEngine } from '../support/engine.ts';
import { redisForFile } from '../support/redis.ts';
import { virtualService } from '../support/watched-cluster.ts';

/** Routes of other kinds, and routes that are somebody else's too. */

const redis = redisForFile();
let engine: TestEngine;
let desk: Desk;
let world: ReturnType<typeof fakeWorld>;

const settings = Settings.parse({
  apps: { web: { image: '127.0.0.1:5000/web', rollout: { drain: '1ms', reach: '1ms' } } },
  environments: { staging: { namespace: 'staging', rolloutTimeoutSeconds: 10 } },
  policy: [{ name: 'free' }],
});

beforeAll(async () => {
  engine = await testEngine(redis().url, fakeWorld().clients, { settings: () => settings });
  return () => engine.close();
});
beforeEach(async () => {
  ({ world, desk } = await freshShop(engine, { routed: false }));
  return () => desk.leases.stop();
});

const key = 'VirtualService staging/web';
const routed = (spec: JsonObject, metadata: JsonObject = {}) => {
  const own = { name: 'web', namespace: 'staging', resourceVersion: '1', ...metadata };
  world.objects.set(key, { ...virtualService, metadata: own, spec: { hosts: ['web'], ...spec } });
};
const ask = (steps: JsonObject[]) =>
  desk.ask('deploy', { app: 'web', env: 'staging', tag: 'v2', strategy: 'canary', steps });

const to = [{ destination: { host: 'web', port: { number: 5432 } } }];
const connections = {
  tcp: [{ match: [{ port: 5432 }], route: to }],
  tls: [{ match: [{ sniHosts: ['db'] }], route: to }],
};

test('routes of connections are divided by their weights, and are as they were afterwards', async () => {
  routed(connections);
  const id = await ask([{ weight: 25, manual: true }]);
  await desk.lap(id);
  const divided = [
    { ...to[0], weight: 75 },
    { destination: { host: 'web-canary', port: { number: 5432 } }, weight: 25 },
  ];
  for (const kind of ['tcp', 'tls']) expect(at(world.objects.get(key), 'spec', kind, 0, 'route')).toEqual(divided);
  await steer(engine, await desk.run(id), ben, { kind: 'abort' });
  await desk.settle([id], 25_000);
  expect(world.objects.get(key)?.spec).toEqual({ hosts: ['web'], ...connections });
});

test('what has no headers is not chosen by one', async () => {
  routed(connections);
  const refused = await desk.lap(
    await ask([{ weight: 0, match: { header: 'x-preview', value: 'yes' }, manual: true }]),
  );
  expect(refused.fault).toMatchObject({ code: 'CANARY_IMPOSSIBLE', message: expect.stringContaining('no headers') });
});

const owned = { labels: { 'argocd.argoproj.io/instance': 'shop' } };
const application = (automated: JsonObject, ignoreDifferences: JsonObject[] = []): JsonObject => ({
  apiVersion: 'argoproj.io/v1alpha1',
  kind: 'Application',
  metadata: { name: 'shop', namespace: 'argocd' },
  spec: { syncPolicy: { automated }, ignoreDifferences },
});

test('where Argo CD would put back each share at once it is refused, with what to let it ignore; then it is let through', async () => {
  routed({ http: at(virtualService, 'spec', 'http') ?? [] }, owned);
  world.objects.set('Application argocd/shop', application({ selfHeal: true }));
  const refused = await desk.lap(await ask([{ weight: 25, manual: true }]));
  const ignore = '{group: networking.istio.io, kind: VirtualService, name: web, jsonPointers: [/spec/http]}';
  expect(refused.fault).toMatchObject({ code: 'ROUTE_KEPT_BY_GIT', hint: expect.stringContaining(ignore) });
  const rule = { group: 'networking.istio.io', kind: 'VirtualService', name: 'web', jsonPointers: ['/spec/http'] };
  world.objects.set('Application argocd/shop', application({ selfHeal: true }, [rule]));
  const id = await ask([{ weight: 25, manual: true }]);
  await desk.lap(id);
  const { plan, fault } = await desk.run(id);
  expect(fault).toBeUndefined();
  expect(plan?.warnings).toBeUndefined();
});

test('where it would put them back at its next sync, the plan says so', async () => {
  routed({ http: at(virtualService, 'spec', 'http') ?? [] }, owned);
  world.objects.set('Application argocd/shop', application({}));
  const id = await ask([{ weight: 25, manual: true }]);
  await desk.lap(id);
  const warning = expect.stringMatching(/^VirtualService\/web belongs to the Argo CD application shop: its next sync/);
  expect((await desk.run(id)).plan?.warnings).toEqual([warning]);
});

const request = [{ destination: { host: 'web' } }];

test.each([
  ['requests', { http: [{ name: 'all', route: request }] }, 'http'],
  ['connections', connections, 'tcp'],
])(
  'in an experiment the new version and fresh pods of the old one get as many %s each, and stable the rest',
  async (_of, spec, kind) => {
    routed(spec);
    const before = world.objects.get(key);
    const id = await ask([
      { weight: 20, baseline: true, manual: true },
      { weight: 50, manual: true },
    ]);
    await desk.lap(id);
    const shares = () => {
      const route = at(world.objects.get(key), 'spec', kind, 0, 'route');
      return (Array.isArray(route) ? route : []).map((each) => [at(each, 'destination', 'host'), at(each, 'weight')]);
    };
    expect(shares()).toEqual([
      ['web', 60],
      ['web-canary', 20],
      ['web-baseline', 20],
    ]);
    expect(at(world.objects.get('staging/web-baseline'), 'spec', 'replicas')).toBe(
      at(world.objects.get('staging/web-canary'), 'spec', 'replicas'),
    );
    await steer(engine, await desk.run(id), ben, { kind: 'promote', full: false });
    await desk.lap(id);
    expect(shares()).toEqual([
      ['web', 50],
      ['web-canary', 50],
    ]);
    expect(world.objects.has('staging/web-baseline')).toBe(false);
    await steer(engine, await desk.run(id), ben, { kind: 'abort' });
    await desk.settle([id], 25_000);
    expect(at(world.objects.get(key), 'spec')).toEqual(at(before, 'spec'));
  },
);

test('who aborts an experiment has all of the traffic on stable by one write, and no baseline is left', async () => {
  routed({ http: [{ name: 'all', route: request }] });
  const id = await ask([{ weight: 20, baseline: true, manual: true }]);
  await desk.lap(id);
  await steer(engine, await desk.run(id), ben, { kind: 'abort' });
  const [run] = await desk.settle([id], 25_000);
  expect(run).toMatchObject({ report: { kind: 'rolled-back', reason: 'aborted' } });
  expect(at(world.objects.get(key), 'spec', 'http', 0, 'route')).toEqual(request);
  expect([...world.objects.keys()].filter((name) => /baseline|canary/.test(name))).toEqual([]);
});

test('an experiment in which stable would have less than nothing is refused', async () => {
  await expect(ask([{ weight: 60, baseline: true }])).rejects.toThrow('at most 50 %');
});
