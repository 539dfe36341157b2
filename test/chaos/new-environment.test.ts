import { beforeEach, describe, expect, test } from 'vitest';
import { fault } from '../../src/core/errors.ts';
import { at, type JsonObject } from '../../src/core/json.ts';
import type { Kube } from '../../src/core/kube.ts';
import type { RunStore } from '../../src/core/ports.ts';
import { type Settings, Settings as SettingsSchema } from '../../src/core/settings.ts';
import { advance } from '../../src/engine/advance.ts';
import { createLeases } from '../../src/engine/leases.ts';
import { type FakeWorld, fakeWorld } from '../fakes/fake-clients.ts';
import { createDesk, type Desk } from '../support/desk.ts';
import { quiet, type TestEngine, testEngine, testSettings } from '../support/engine.ts';
import { redisForFile } from '../support/redis.ts';

/** An environment that its first deploy makes, stopped after each of its writes: it ends whole, as if nothing had happened. */

const redis = redisForFile();
const repository = '127.0.0.1:5000/team';
const settings: Settings = SettingsSchema.parse({
  ...testSettings,
  apps: { '*': { image: `${repository}/{app}` } },
  environments: { 'preview-*': { namespace: '{env}' } },
  namespaceTemplate: { quota: { pods: '10' }, limits: { max: { memory: '1Gi' } }, networkPolicy: 'deny-ingress' },
  policy: [{ name: 'free' }],
});
const env = 'preview-7';
const whole = [
  'Namespace/preview-7',
  'NetworkPolicy/default-deny-ingress',
  'ResourceQuota/default',
  'LimitRange/default',
  'Service/hello',
  'Deployment/hello',
];
let world: FakeWorld;
let engine: TestEngine;
let desk: Desk;

beforeEach(async () => {
  world = fakeWorld();
  for (const app of ['hello', 'cart']) world.digests.set(`${repository}/${app}:v1`, `sha256:${'1'.repeat(64)}`);
  engine = await testEngine(redis().url, world.clients, { settings: () => settings });
  await engine.redis.flushall();
  desk = createDesk(engine);
  return async () => {
    await desk.leases.stop();
    engine.close();
  };
});

const deploy = (app = 'hello') => desk.done('deploy', { app, env, tag: 'v1', ports: [80] });

const nameOf = (object: JsonObject) => `${object.kind}/${at(object, 'metadata', 'name')}`;
/** What is there, each as it is but for the run that made it. */
const there = () =>
  Object.fromEntries(
    [...world.objects.values()].map((object) => [
      nameOf(object),
      JSON.parse(
        JSON.stringify(object, (key, part) =>
          key === 'shipmate.dev/run' || (key === 'annotations' && Object.keys(part).length === 1) ? undefined : part,
        ),
      ),
    ]),
  );

/** Lets something happen before and after the n-th write to the cluster, and tells how many there were. */
function atWrite(n: number, { before = () => {}, after = () => {} }: { before?: () => void; after?: () => void }) {
  const { apply, create } = world.kube;
  let writes = 0;
  const around =
    <Rest extends unknown[]>(
      write: (...args: [JsonObject, ...Rest]) => Promise<JsonObject>,
      isDry: (args: Rest) => boolean,
    ) =>
    async (...[manifest, ...rest]: [JsonObject, ...Rest]) => {
      if (isDry(rest)) return await write(manifest, ...rest);
      writes += 1;
      if (writes === n) before();
      const done = await write(manifest, ...rest);
      if (writes === n) after();
      return done;
    };
  world.kube.apply = around(apply, () => false);
  world.kube.create = around<Parameters<Kube['create']> extends [unknown, ...infer Rest] ? Rest : never>(
    create,
    ([options]) => options.dryRun === true,
  );
  return () => {
    Object.assign(world.kube, { apply, create });
    return writes;
  };
}

class Killed extends Error {}
const refuses = () => {
  throw fault('CLUSTER_REFUSED', { cluster: 'default', problem: 'no' });
};

async function undisturbed() {
  expect(await deploy()).toMatchObject({ state: 'finished' });
  const found = there();
  expect(Object.keys(found)).toEqual(whole);
  world.objects.clear();
  await engine.redis.flushall();
  return found;
}

/** The deploy by a worker that is dead from the n-th write on, whether or not that one was heard of; and by the next one. */
async function killedAt(n: number): Promise<void> {
  let dead = false;
  const alive = () => {
    if (dead) throw new Killed();
  };
  const restore = atWrite(n, {
    after: () => {
      dead = true;
      throw new Killed();
    },
  });
  const store: RunStore = {
    ...engine.store,
    commit: async (...args) => {
      alive();
      return await engine.store.commit(...args);
    },
    renew: async () => ({ lost: [], cancelled: [], steered: [] }),
    release: async (...args) => (dead ? undefined : await engine.store.release(...args)),
  };
  const id = await desk.ask('deploy', { app: 'hello', env, tag: 'v1', ports: [80] });
  const leases = createLeases(store, 'dies', quiet);
  await advance({ ...engine, store }, leases, id).catch(() => {});
  await leases.stop();
  expect(restore()).toBe(n);
  expect((await desk.run(id)).state).toBe('running');
  await engine.redis.hdel(`{shipmate}:v1:run:${id}`, 'leaseUntil');
  expect(await desk.lap(id)).toMatchObject({ state: 'finished' });
}

describe.each(whole.map((name, index) => [name, index + 1] as const))('stopped at %s', (name, n) => {
  test('by the end of its worker, another goes on, and all is there', async () => {
    const wanted = await undisturbed();
    await killedAt(n);
    expect(there()).toEqual(wanted);
  });

  test('by a refusal, the same deploy again makes what is missing, the rest as it is', async () => {
    const wanted = await undisturbed();
    const restore = atWrite(n, { before: refuses });
    expect(await deploy()).toMatchObject({ state: 'failed' });
    restore();
    const before = Object.keys(there());
    expect(before).toEqual(whole.slice(0, n - 1));
    const again = await deploy();
    expect(again).toMatchObject({ state: 'finished' });
    expect(there()).toEqual(wanted);
    const lacking = whole.slice(n - 1, 4).join(', ');
    if (n > 1 && n <= 4)
      expect(again.plan?.warnings).toContainEqual(expect.stringContaining(`is made first (${lacking})`));
    expect(again.plan?.changes.some(({ path }) => path.startsWith(`${name} `) || path === name)).toBe(n < 6);
  });

  test('by a refusal, what is missing is made as safely: its worker may end at each write of it', async () => {
    const wanted = await undisturbed();
    for (let m = 1; m <= whole.length - n + 1; m++) {
      world.objects.clear();
      await engine.redis.flushall();
      const restore = atWrite(n, { before: refuses });
      expect(await deploy()).toMatchObject({ state: 'failed' });
      restore();
      await killedAt(m);
      expect(there()).toEqual(wanted);
    }
  });
});

describe('an environment that was half made', () => {
  const half = async (): Promise<void> => {
    const restore = atWrite(2, { before: refuses });
    expect(await deploy()).toMatchObject({ state: 'failed' });
    restore();
    expect(Object.keys(there())).toEqual(['Namespace/preview-7']);
  };

  test('is made whole by a deploy of what runs there already, too', async () => {
    expect(await deploy()).toMatchObject({ state: 'finished' });
    world.objects.delete('ResourceQuota preview-7/default');
    const again = await deploy();
    expect(again).toMatchObject({ state: 'finished', plan: { touches: [{ operations: ['namespace-create'] }] } });
    expect(again.plan?.changes.every(({ path }) => path.startsWith('ResourceQuota/default '))).toBe(true);
    expect(Object.keys(there())).toContain('ResourceQuota/default');
  });

  test('is made whole before a canary of what runs there', async () => {
    world.digests.set(`${repository}/hello:v2`, `sha256:${'2'.repeat(64)}`);
    expect(await deploy()).toMatchObject({ state: 'finished' });
    world.objects.delete('ResourceQuota preview-7/default');
    const first: string[] = [];
    atWrite(1, { after: () => first.push(...Object.keys(there())) });
    const asked = { app: 'hello', env, tag: 'v2', strategy: 'canary', steps: [{ weight: 25, manual: true }] };
    const run = await desk.done('deploy', asked);
    expect(run).toMatchObject({ plan: { rollout: { strategy: 'canary' } }, steps: { prepare: { state: 'done' } } });
    expect(first).toEqual(expect.arrayContaining(whole));
    expect(first).not.toContain('Deployment/hello-canary');
    expect(Object.keys(there())).toContain('Deployment/hello-canary');
  });

  test('keeps what is there, whatever it says', async () => {
    await half();
    const own: JsonObject = {
      apiVersion: 'v1',
      kind: 'ResourceQuota',
      metadata: { name: 'default', namespace: env },
      spec: { hard: { pods: '99' } },
    };
    world.objects.set('ResourceQuota preview-7/default', own);
    expect(await deploy()).toMatchObject({ state: 'finished' });
    expect(world.objects.get('ResourceQuota preview-7/default')).toEqual(own);
    expect(Object.keys(there())).toEqual(expect.arrayContaining(whole));
  });

  test('is made whole by nobody but who may make one', async () => {
    await half();
    const { policy } = settings;
    settings.policy = SettingsSchema.parse({
      ...settings,
      policy: [{ name: 'deploys', operations: ['deploy'] }],
    }).policy;
    const run = await deploy();
    settings.policy = policy;
    expect(run).toMatchObject({ fault: { message: expect.stringContaining('namespace-create') } });
    expect(Object.keys(there())).toEqual(['Namespace/preview-7']);
  });

  test('is not made whole by several apps at once, who are told what it lacks', async () => {
    await half();
    expect(await desk.done('release', { apps: ['hello@v1', 'cart@v1'], env })).toMatchObject({
      fault: {
        code: 'ENVIRONMENT_NEW',
        message: expect.stringContaining('it lacks NetworkPolicy/default-deny-ingress, ResourceQuota/default'),
      },
    });
  });

  test('that people made gets nothing of it', async () => {
    const namespace: JsonObject = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: env } };
    world.objects.set(`Namespace /${env}`, namespace);
    expect(await deploy()).toMatchObject({ state: 'finished' });
    expect(Object.keys(there())).toEqual(['Namespace/preview-7', 'Service/hello', 'Deployment/hello']);
    expect(world.objects.get(`Namespace /${env}`)).toEqual(namespace);
  });

  test('that was made by name bears the mark, and is made whole as well', async () => {
    const restore = atWrite(2, { before: refuses });
    expect(await desk.done('namespace-create', { name: env, env })).toMatchObject({ state: 'failed' });
    restore();
    expect(await deploy()).toMatchObject({ state: 'finished' });
    expect(Object.keys(there())).toEqual(whole);
  });
});
