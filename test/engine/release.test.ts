import { beforeEach, describe, expect, test } from 'vitest';
import { ClusterSettings } from '../../src/core/cluster-settings.ts';
import { fault } from '../../src/core/errors.ts';
import { AppBuild } from '../../src/core/image-settings.ts';
import { Rule, type Settings } from '../../src/core/settings.ts';
import { advance } from '../../src/engine/advance.ts';
import { turnsOf } from '../../src/engine/order.ts';
import { stop } from '../../src/engine/stop.ts';
import { keys } from '../../src/store/keys.ts';
import { type FakeWorld, fakeWorld } from '../fakes/fake-clients.ts';
import { createDesk, type Desk, stock } from '../support/desk.ts';
import { ana, ben, type TestEngine, testEngine, testSettings } from '../support/engine.ts';
import { redisForFile } from '../support/redis.ts';

const redis = redisForFile();
let world: FakeWorld;
let engine: TestEngine;
let desk: Desk;
let terms: Settings;

const settings: Settings = {
  ...testSettings,
  apps: { ...testSettings.apps, api: { ...testSettings.apps.web, image: '127.0.0.1:5000/api' } },
};

beforeEach(async () => {
  world = fakeWorld();
  terms = settings;
  stock(world);
  for (const n of [1, 2, 3]) world.digests.set(`127.0.0.1:5000/api:v${n}`, `sha256:${String(n + 5).repeat(64)}`);
  engine = await testEngine(redis().url, world.clients, {
    settings: () => terms,
    // As the queue does: whoever is woken gets a lap.
    wake: async (id) => void setTimeout(() => void advance(engine, desk.leases, id).catch(() => {}), 20),
  });
  await engine.redis.flushall();
  desk = createDesk(engine);
  for (const app of ['web', 'api']) await desk.done('deploy', { app, env: 'staging', tag: 'v1' });
  world.applied.length = 0;
  return async () => {
    await desk.leases.stop();
    engine.close();
  };
});

const release = (apps: string[], env = 'staging') => desk.ask('release', { apps, env });
const production = () => settings.environments.production ?? expect.unreachable();
const partsOf = async (id: string) =>
  await Promise.all(Object.values((await desk.run(id)).parts ?? {}).map((part) => desk.run(part)));

describe('several apps as one release', () => {
  test('are one change where the number of changes is limited', async () => {
    const staging = settings.environments.staging ?? expect.unreachable();
    const limited = { ...staging, rateLimit: { changes: 1, minutes: 60 } };
    await engine.redis.del(keys.rate('staging'));
    terms = { ...settings, environments: { ...settings.environments, staging: limited } };
    const first = await release(['web@v2', 'api@v2']);
    expect((await desk.settle([first], 20_000))[0]).toMatchObject({ state: 'finished' });
    const second = await release(['web@v3']);
    expect((await desk.settle([second], 20_000))[0]?.fault).toMatchObject({ code: 'TOO_MANY_CHANGES' });
  });

  test('go wave by wave, each as a deploy of its own in the history of its place', async () => {
    const id = await release(['web@v2', 'api@v2']);
    const [run] = await desk.settle([id], 20_000);
    expect(run).toMatchObject({ state: 'finished', report: { kind: 'released', differs: [] } });
    expect(run?.checklist).toEqual(['wave 1', 'wave 2', 'verify']);
    const parts = await partsOf(id);
    expect(parts.map(({ operation, state, place }) => [operation, state, place?.app])).toEqual([
      ['deploy', 'finished', 'web'],
      ['deploy', 'finished', 'api'],
    ]);
    for (const [index, app] of ['web', 'api'].entries())
      expect((await engine.clients.order.history(`${app}@staging`, 1))[0]?.id).toBe(parts[index]?.id);
    // Several turns are let go of behind the record of the end.
    await expect.poll(() => engine.clients.order.lines()).toEqual([]);
  });

  test('with commas between they go at the same time; what is like that already is left alone', async () => {
    const id = await release(['web@v1,api@v2']);
    const [run] = await desk.settle([id], 20_000);
    expect(run?.plan?.parts?.map(({ app, wave }) => [app, wave])).toEqual([['api', 1]]);
    expect(run?.plan?.warnings).toEqual(['web is like that already.']);
    expect(run?.state).toBe('finished');
  });

  test('one approval is of all of it: the parts ask nobody', async () => {
    const id = await release(['web@v2', 'api@v2'], 'production');
    expect(await desk.lap(id)).toMatchObject({ state: 'awaiting' });
    await desk.approve(id, ben);
    const [run] = await desk.settle([id], 20_000);
    expect(run?.state).toBe('finished');
    expect((await partsOf(id)).map(({ state, decisions }) => [state, decisions.length])).toEqual([
      ['finished', 0],
      ['finished', 0],
    ]);
  });

  test('a part whose plan is not any more what was approved is not done', async () => {
    const id = await release(['web@v2', 'api@v2'], 'production');
    await desk.lap(id);
    await desk.approve(id, ben);
    await desk.lap(id);
    // The tag is moved while the first wave is under way.
    world.digests.set('127.0.0.1:5000/api:v2', `sha256:${'9'.repeat(64)}`);
    const [run] = await desk.settle([id], 20_000);
    expect(run).toMatchObject({ state: 'failed', report: { kind: 'taken-back', app: 'api' } });
    expect(run?.report).toMatchObject({ why: expect.stringContaining('not any more what run') });
  });

  test('a new app that was refused never came to be, and is not said to stay', async () => {
    world.objects.delete('staging/api');
    const { apply } = world.kube;
    world.kube.apply = async (manifest, ...rest) => {
      if (JSON.stringify(manifest).includes('/api'))
        throw fault('CLUSTER_REFUSED', { cluster: 'c', problem: 'no quota' });
      return await apply(manifest, ...rest);
    };
    const [run] = await desk.settle([await release(['web@v2', 'api@v2'])], 20_000);
    expect(run).toMatchObject({ state: 'failed', report: { kind: 'taken-back', app: 'api', stays: [] } });
    expect(Object.keys(run?.parts ?? {})).toEqual(['web', 'api', 'back web']);
  });

  test('an app that nobody knows, one that comes twice, and one without a version change nothing', async () => {
    await expect(release(['nope@v1'])).rejects.toThrow(/nope/);
    await expect(release(['web@v1', 'web@v2'])).rejects.toThrow(/web comes twice/);
    expect(await desk.done('release', { apps: ['web'], env: 'staging' })).toMatchObject({
      state: 'failed',
      fault: { message: expect.stringContaining('which version of web') },
    });
    expect(world.applied).toEqual([]);
  });

  test('what is built for it asks whoever must approve builds: the release was approved by nobody yet', async () => {
    terms = {
      ...settings,
      apps: {
        ...settings.apps,
        web: { image: '127.0.0.1:5000/web', build: AppBuild.parse({ git: 'https://x.example/web.git' }) },
      },
      policy: [
        Rule.parse({ name: 'builds', operations: ['build'], approvals: 1, approvers: ['engineers'] }),
        Rule.parse({ name: 'scans', operations: ['scan', 'sign'] }),
        ...settings.policy,
      ],
    };
    const id = await desk.ask('release', { apps: ['web'], env: 'staging', from: 'main' });
    void desk.settle([id], 8_000).catch(() => {});
    await expect.poll(async () => (await partsOf(id))[0]?.state, { timeout: 5_000 }).toBe('awaiting');
    const [build] = await partsOf(id);
    expect([build?.operation, (await desk.run(id)).state]).toEqual(['build', 'requested']);
    await desk.approve(build?.id ?? '', ben);
    await expect.poll(async () => (await partsOf(id))[0]?.state, { timeout: 5_000 }).toBe('finished');
    await expect.poll(async () => (await desk.run(id)).state, { timeout: 10_000 }).toBe('finished');
    expect((await partsOf(id)).map(({ operation }) => operation)).toEqual(['build', 'scan', 'deploy']);
  });

  test('others wait until all of it is over', async () => {
    const goOn = world.hold();
    const id = await release(['web@v2', 'api@v2']);
    void advance(engine, desk.leases, id);
    await expect.poll(async () => (await desk.run(id)).state).toBe('running');
    const other = await desk.deploy('staging', 'v3', ben);
    expect(await desk.lap(other)).toMatchObject({ state: 'queued' });
    goOn();
    const [run, later] = await desk.settle([id, other], 20_000);
    expect(run?.updatedAt).toBeLessThanOrEqual(later?.startedAt ?? 0);
  });

  test('stopped, it takes all back', async () => {
    world.rolloutMs = 2_000;
    const id = await release(['web@v2', 'api@v2']);
    void advance(engine, desk.leases, id);
    await expect.poll(async () => (await partsOf(id))[0]?.startedAt, { timeout: 5_000 }).toBeDefined();
    await stop(engine, id, { actor: ana, reason: 'not today' });
    const [run] = await desk.settle([id], 30_000);
    expect(run?.report).toMatchObject({ kind: 'taken-back', aborted: true });
    expect(Object.keys(run?.parts ?? {})).toEqual(['web', 'back web']);
  });
});

describe('turns', () => {
  test('of releases that change each other’s places are taken by one at a time: neither waits for the other for ever', async () => {
    terms = {
      ...settings,
      environments: { ...settings.environments, alias: { ...production(), cluster: 'other' } },
      clusters: { ...settings.clusters, other: ClusterSettings.parse({}) },
      policy: [Rule.parse({ name: 'all is free' })],
    };
    const both = [await release(['web@v2', 'api@v2'], 'production'), await release(['api@v3', 'web@v3'], 'alias')];
    const ended = await desk.settle(both, 20_000);
    expect(ended.map(({ state }) => state)).toEqual(['finished', 'finished']);
    const turns = ['api@alias', 'api@production', 'web@alias', 'web@production'];
    for (const run of ended) expect(turnsOf(run).sort()).toEqual(turns);
    await expect.poll(() => engine.clients.order.lines()).toEqual([]);
  });

  test('are given back where the question is asked anew, before it is planned again', async () => {
    const turns = ['api@production', 'web@production'].map(keys.turn);
    const held = async () => await Promise.all(turns.map((turn) => engine.redis.get(turn)));
    const id = await release(['web@v2', 'api@v2'], 'production');
    await expect.poll(async () => (await desk.run(id)).state).toBe('awaiting');
    world.digests.set('127.0.0.1:5000/web:v2', `sha256:${'e'.repeat(64)}`);
    const seen: unknown[] = [];
    // Whoever asked is looked at again as it is planned again.
    engine.membership = async () => {
      seen.push(await held());
      return { kind: 'member' };
    };
    const { store } = engine;
    const taken: unknown[] = [];
    engine.store = {
      ...store,
      takeTurn: async (...args) => {
        const before = await store.takeTurn(...args);
        taken.push(await held());
        return before;
      },
    };
    await desk.approve(id, ben);
    await expect.poll(async () => (await desk.run(id)).replanned).toBe(true);
    expect(taken).toContainEqual([id, id]);
    expect([...new Set(seen.flat())]).toEqual([null]);
  });
});
