import { beforeAll, beforeEach, expect, test } from 'vitest';
import { readInput } from '../../handlers/slack/grammar.ts';
import { AppBuild, BuildSettings } from '../../src/core/image-settings.ts';
import type { Operation } from '../../src/core/operation.ts';
import type { RunStore } from '../../src/core/ports.ts';
import { isOver, type Run } from '../../src/core/run.ts';
import { Rule } from '../../src/core/settings.ts';
import { advance } from '../../src/engine/advance.ts';
import { answer } from '../../src/engine/answer.ts';
import { createLeases } from '../../src/engine/leases.ts';
import { catalogue } from '../../src/operations/catalogue.ts';
import { createSeal } from '../../src/store/seal.ts';
import { type FakeWorld, fakeWorld } from '../fakes/fake-clients.ts';
import { furnish } from '../fakes/small-cluster.ts';
import { createDesk, type Desk, stock } from '../support/desk.ts';
import { ana, ben, quiet, type TestEngine, testEngine, testSettings } from '../support/engine.ts';
import { redisForFile } from '../support/redis.ts';

/**
 * Every operation of the catalogue, killed at every write that it makes, before and after the write: another worker goes
 * on, and all ends as if nothing had happened. An operation added later is covered without a new line here.
 */

const redis = redisForFile();
let engine: TestEngine;
/** By how much the engine's clock is ahead: nobody waits here for the time that a run is parked until. */
let aheadMs = 0;

beforeAll(async () => {
  const build = AppBuild.parse({ context: '/nowhere' });
  const builds = BuildSettings.parse({ folders: ['/src'], repositories: ['registry.example.com/'] });
  const policy = [...testSettings.policy, Rule.parse({ name: 'the rest is free' })];
  const settings = { ...testSettings, policy, builds, apps: { web: { image: '127.0.0.1:5000/web', build } } };
  const seal = createSeal([Buffer.alloc(32, 7)]);
  engine = await testEngine(redis().url, fakeWorld().clients, {
    settings: () => settings,
    seal,
    now: () => Date.now() + aheadMs,
  });
  return () => engine.close();
});
beforeEach(() => void engine.redis.flushall());

const restarted = 'kubectl.kubernetes.io/restartedAt';

class Killed extends Error {}
type Moment = { at: number; written: boolean };

/** The store of a process that dies at its n-th write: just before it, or just after, with the answer never heard. */
function dyingStore(store: RunStore, { at, written }: Moment): RunStore {
  let writes = 0;
  const alive = () => {
    if (writes >= at) throw new Killed();
  };
  return {
    ...store,
    commit: async (commit, epoch) => {
      alive();
      writes += 1;
      if (writes === at && !written) throw new Killed();
      const done = await store.commit(commit, epoch);
      if (writes === at) throw new Killed();
      return done;
    },
    takeTurn: async (...args) => {
      alive();
      return store.takeTurn(...args);
    },
    renew: async () => ({ lost: [], cancelled: [], steered: [] }),
    release: async (id, epoch) => (writes >= at ? undefined : store.release(id, epoch)),
  };
}

/** A canary that waits to be promoted, for those who have something to say to it. */
async function beginCanary(world: FakeWorld, desk: Desk): Promise<void> {
  const spec = { selector: { 'app.kubernetes.io/name': 'web' }, ports: [{ port: 80 }] };
  const metadata = { name: 'web', namespace: 'production' };
  world.objects.set('Service production/web', { apiVersion: 'v1', kind: 'Service', metadata, spec });
  const steps = [{ weight: 25, manual: true }];
  const id = await desk.ask('deploy', { app: 'web', env: 'production', tag: 'v2', strategy: 'canary', steps }, ben);
  await desk.lap(id);
  await desk.approve(id, ana);
  await desk.lap(id);
}

/** What every trial finds: two revisions in both environments, a lock of each kind to lift, a signature to verify. */
async function prepare(operation: Operation): Promise<FakeWorld> {
  await engine.redis.flushall();
  const world = fakeWorld({ signs: true });
  stock(world);
  furnish(world);
  Object.assign(engine.clients, world.clients);
  const desk = createDesk(engine, 'prepares');
  for (const env of ['staging', 'production'])
    for (const tag of ['v1', 'v3']) {
      const id = await desk.deploy(env, tag, ben);
      await desk.lap(id);
      if (env === 'production') await desk.approve(id, ana);
      await desk.lap(id);
    }
  for (const [undoes, scope] of [
    ['unlock', 'web@production'],
    ['resume', '*@*'],
  ])
    if (operation.name === undoes)
      await engine.clients.locks.put({ scope: scope ?? '', owner: ana, reason: 'test', at: 1 });
  if (operation.name.startsWith('canary-')) await beginCanary(world, desk);
  if (operation.name === 'verify') await desk.done('sign', { app: 'web', tag: 'v2' });
  await desk.leases.stop();
  world.applied.length = 0;
  return world;
}

/** Does for the run what people do while it is open, and takes it one lap further. */
async function oneLap(on: TestEngine, owner: string, id: string): Promise<void> {
  const run = await engine.store.read(id);
  const asked = Object.values(run?.steps ?? {}).find(({ state, asks }) => state === 'waiting' && asks);
  const parked = Object.values(run?.steps ?? {}).find(({ state, asks }) => state === 'waiting' && !asks);
  aheadMs += Math.max(0, (parked?.until ?? 0) - engine.now());
  const desk = createDesk(engine, 'people');
  await desk.leases.stop();
  if (run?.state === 'awaiting') await desk.approve(id, ben);
  if (run?.state === 'running' && asked) await answer(engine, id, ana, asked.asks?.choices[0] ?? '');
  const leases = createLeases(on.store, owner, quiet);
  await advance(on, leases, id).catch(() => {});
  for (const part of await partsOf(id)) await advance(on, leases, part).catch(() => {});
  await leases.stop();
}

/** The runs that are parts of it. */
const partsOf = async (id: string): Promise<string[]> => Object.values((await engine.store.read(id))?.parts ?? {});

/** An apply that is over, for what takes one back. */
async function applied(desk: Desk): Promise<string> {
  const manifest = JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'greeting' }, data: {} });
  const id = await desk.ask('apply', { env: 'staging', manifest });
  await desk.lap(id);
  return id;
}

type End = {
  run: Partial<Run>;
  objects: unknown;
  inHarbor: unknown;
  applied: number;
  executed: number;
  locks: unknown;
  delegations: unknown;
  writes: number;
};

async function trial(operation: Operation, input: Record<string, unknown>, moment: Moment | undefined): Promise<End> {
  const world = await prepare(operation);
  const desk = createDesk(engine, 'asks');
  await desk.leases.stop();
  const before = operation.name === 'apply-undo' ? await applied(desk) : undefined;
  const id = await desk.ask(operation.name, before === undefined ? input : { run: before, env: 'staging' });
  let writes = 0;
  const counting: RunStore = {
    ...engine.store,
    commit: async (...args) => {
      writes += 1;
      return await engine.store.commit(...args);
    },
  };
  let on: TestEngine = { ...engine, store: moment ? dyingStore(engine.store, moment) : counting };
  for (let laps = 0; laps < 12 && !isOver((await desk.run(id)).state); laps++) {
    await oneLap(on, `worker ${laps}`, id);
    // A process that is dead: its leases run out, and another one takes the runs up.
    for (const each of [id, ...(await partsOf(id))])
      if ((await engine.redis.hdel(`{shipmate}:v1:run:${each}`, 'leaseUntil')) > 0) on = engine;
  }
  const { state, report, plan, steps, decisions, fault, input: asked } = await desk.run(id);
  const done = Object.fromEntries(Object.entries(steps).map(([name, step]) => [name, step.state]));
  const timeless = (value: unknown) =>
    JSON.stringify(value, (key, part) =>
      [
        'at',
        'run',
        'until',
        'seconds',
        'startedAt',
        'start_time',
        'end_time',
        // A scan that is asked for twice is as good as one.
        'report_id',
        'rows',
        'note',
        'evidence',
        'shipmate.dev/run',
        restarted,
      ].includes(key)
        ? 0
        : part,
    )
      .replaceAll(id, 'RUN')
      .replaceAll(before ?? 'none', 'BEFORE');
  return {
    run: JSON.parse(
      timeless({
        state,
        report,
        fault,
        digest: operation.secret(asked) || before !== undefined ? plan !== undefined : plan?.digest,
        done,
        decided: decisions.length,
      }),
    ),
    objects: timeless([...world.objects, ...world.onHost(), ...[...world.digests].sort()]),
    inHarbor: timeless(world.harbor.state),
    applied: world.applied.length,
    executed: world.executed.length,
    locks: timeless(await engine.clients.locks.all()),
    delegations: timeless(await engine.clients.delegations.all()),
    writes,
  };
}

const inputs = [...catalogue.values()].map((operation) => {
  const example = operation.examples[0] ?? '';
  const runs = operation.fields.get('run')?.required ? { run: 'k7m2p9qa' } : readInput(operation, example);
  return [operation.name, operation, runs] as const;
});

test.each(inputs)('%s', { timeout: 60_000 }, async (_name, operation, input) => {
  const { writes, ...undisturbed } = await trial(operation, input, undefined);
  expect(writes).toBeGreaterThan(0);
  expect(undisturbed.run.state).toBe('finished');
  for (let at = 1; at <= writes; at++)
    for (const written of [false, true]) {
      const { writes: _others, ...end } = await trial(operation, input, { at, written });
      // What must not be done twice ends as not known where its worker died in the middle of it, and is done at most once.
      expect(end.executed).toBeLessThanOrEqual(1);
      if (operation.atMostOnce && end.run.fault?.code === 'NOT_KNOWN') continue;
      expect(end, `killed ${written ? 'after' : 'before'} write ${at} of ${writes}`).toEqual(undisturbed);
    }
});
