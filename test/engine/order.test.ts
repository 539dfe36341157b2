import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { advance } from '../../src/engine/advance.ts';
import { answer } from '../../src/engine/answer.ts';
import { createLeases } from '../../src/engine/leases.ts';
import { type FakeWorld, fakeWorld } from '../fakes/fake-clients.ts';
import { createDesk, type Desk, stock } from '../support/desk.ts';
import { ana, ben, quiet, type TestEngine, testEngine } from '../support/engine.ts';
import { redisForFile } from '../support/redis.ts';

const redis = redisForFile();
let world: FakeWorld;
let engine: TestEngine;
let desk: Desk;

beforeEach(async () => {
  world = fakeWorld();
  stock(world);
  engine = await testEngine(redis().url, world.clients);
  await engine.redis.flushall();
  desk = createDesk(engine);
  return async () => {
    await desk.leases.stop();
    engine.close();
  };
});

describe('one run at a time for an app in an environment', () => {
  test('the second waits, sees the first, and goes when the first is over, planned anew', async () => {
    const goOn = world.hold();
    const first = await desk.deploy('staging', 'v1');
    const working = desk.lap(first);
    await expect.poll(async () => (await desk.run(first)).state).toBe('running');
    const second = await desk.deploy('staging', 'v2', ben);
    expect(await desk.lap(second)).toMatchObject({ state: 'queued' });
    expect(await engine.clients.order.line('web@staging')).toMatchObject({ holder: first, waiting: [second] });
    expect(world.applied.map(({ run }) => run)).toEqual([first]);
    goOn();
    await working;
    const [, end] = await desk.settle([first, second]);
    expect(end).toMatchObject({ state: 'finished', plan: { summary: 'web:v1 → web:v2' } });
    expect(world.applied.map(({ run }) => run)).toEqual([first, second]);
    expect(await engine.clients.order.lines()).toEqual([]);
  });

  test('another app or environment does not wait', async () => {
    const goOn = world.hold();
    const first = await desk.deploy('staging');
    const working = desk.lap(first);
    await expect.poll(async () => (await desk.run(first)).state).toBe('running');
    const other = await desk.deploy('production');
    expect(await desk.lap(other)).toMatchObject({ state: 'awaiting' });
    goOn();
    await working;
  });

  test('a plan that awaits approval keeps nobody waiting; approved, it gets in line', async () => {
    const slow = await desk.deploy('production', 'v1', ana);
    expect(await desk.lap(slow)).toMatchObject({ state: 'awaiting' });
    const quick = await desk.deploy('production', 'v2', ana);
    await desk.lap(quick);
    await desk.approve(quick, ben);
    expect(await desk.lap(quick)).toMatchObject({ state: 'finished' });
    await desk.approve(slow, ben);
    // What was approved was a change from nothing; now it would be one from v2.
    expect(await desk.lap(slow)).toMatchObject({ state: 'awaiting', replanned: true });
    expect(world.applied).toHaveLength(1);
  });

  test('the one that waits can be stopped, and the next moves up', async () => {
    const goOn = world.hold();
    const ids = [
      await desk.deploy('staging', 'v1'),
      await desk.deploy('staging', 'v2'),
      await desk.deploy('staging', 'v3'),
    ];
    const working = desk.lap(ids[0] ?? '');
    await expect.poll(async () => (await desk.run(ids[0] ?? '')).state).toBe('running');
    for (const id of ids.slice(1)) await desk.lap(id);
    expect((await engine.clients.order.line('web@staging')).waiting).toEqual(ids.slice(1));
    await engine.store.cancel(await desk.run(ids[1] ?? ''), { actor: ana, at: Date.now() });
    goOn();
    await working;
    const runs = await desk.settle(ids);
    expect(runs.map(({ state }) => state)).toEqual(['finished', 'cancelled', 'finished']);
  });

  test('a rollback goes before all others who wait', async () => {
    await desk.done('deploy', { app: 'web', env: 'staging', tag: 'v1' });
    await desk.done('deploy', { app: 'web', env: 'staging', tag: 'v2' });
    const goOn = world.hold();
    const first = await desk.deploy('staging', 'v3');
    const working = desk.lap(first);
    await expect.poll(async () => (await desk.run(first)).state).toBe('running');
    const second = await desk.deploy('staging', 'v4');
    await desk.lap(second);
    const back = await desk.ask('rollback', { app: 'web', env: 'staging' });
    await desk.lap(back);
    expect((await engine.clients.order.line('web@staging')).waiting).toEqual([back, second]);
    goOn();
    await working;
    await desk.settle([first, second, back]);
    expect(world.applied.slice(-3).map(({ run }) => run)).toEqual([first, back, second]);
  });

  test('the turn of a run whose worker was killed stays its own, and passes on when it ends elsewhere', async () => {
    const first = await desk.deploy('staging', 'v1');
    expect(await engine.store.takeTurn(first, 'web@staging', false)).toEqual([]);
    const second = await desk.deploy('staging', 'v2');
    expect(await desk.lap(second)).toMatchObject({ state: 'queued' });
    const other = createLeases(engine.store, 'another', quiet);
    await advance(engine, other, first);
    await desk.settle([first, second]);
    await other.stop();
    expect(world.applied.map(({ run }) => run)).toEqual([first, second]);
  });

  test('a turn whose run is gone from the store is free', async () => {
    await engine.store.takeTurn('gone', 'web@staging', false);
    expect(await desk.lap(await desk.deploy('staging'))).toMatchObject({ state: 'finished' });
  });

  test('however many are asked for at once: never two under way, all in order', async () => {
    let under = 0;
    let most = 0;
    const kube = world.clients.kube('default');
    const counting: typeof kube = {
      ...kube,
      apply: async (...args) => {
        under += 1;
        most = Math.max(most, under);
        return await kube.apply(...args);
      },
      follow: async (...args) => await kube.follow(...args).finally(() => (under -= 1)),
    };
    engine.clients.kube = () => counting;
    world.rolloutMs = 5;
    const tags = fc.array(fc.constantFrom('v1', 'v2', 'v3', 'v4'), { minLength: 2, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(tags, async (wanted) => {
        const ids = await Promise.all(wanted.map((tag) => desk.deploy('staging', tag)));
        await desk.settle(ids);
        expect(await engine.clients.order.lines()).toEqual([]);
      }),
      { numRuns: 15 },
    );
    expect(most).toBe(1);
  });
});

describe('locks', () => {
  const locked = () => desk.done('lock', { app: 'web', env: 'staging', reason: 'migrating' }, ben);

  test('keep others out, with owner and reason; the owner goes on', async () => {
    expect(await locked()).toMatchObject({ state: 'finished', report: { kind: 'locked' } });
    const refused = await desk.lap(await desk.deploy('staging'));
    expect(refused).toMatchObject({
      state: 'denied',
      fault: { code: 'LOCKED', message: expect.stringContaining('migrating') },
    });
    expect(await desk.lap(await desk.deploy('staging', 'v1', ben))).toMatchObject({ state: 'finished' });
  });

  test('hold for what waited in line already', async () => {
    const goOn = world.hold();
    const first = await desk.deploy('staging', 'v1');
    const working = desk.lap(first);
    await expect.poll(async () => (await desk.run(first)).state).toBe('running');
    const second = await desk.deploy('staging', 'v2');
    await desk.lap(second);
    await locked();
    goOn();
    await working;
    const [, end] = await desk.settle([first, second]);
    expect(end).toMatchObject({ state: 'denied', fault: { code: 'LOCKED' } });
    expect(world.applied).toHaveLength(1);
  });

  test('hold for what was approved before they were set', async () => {
    const id = await desk.deploy('production');
    await desk.lap(id);
    await desk.approve(id, ben);
    await desk.done('stop', { reason: 'the network is down' }, ben);
    expect(await desk.lap(id)).toMatchObject({ state: 'denied', fault: { code: 'LOCKED' } });
    expect(world.applied).toHaveLength(0);
    expect(await desk.lap(await desk.deploy('staging', 'v1', ben))).toMatchObject({ state: 'denied' });
    await desk.done('resume', {}, ana);
    expect(await desk.lap(await desk.deploy('staging'))).toMatchObject({ state: 'finished' });
  });

  test('end by themselves', async () => {
    await desk.done('lock', { app: 'web', env: 'staging', reason: 'migrating', for: 60_000 }, ben);
    engine.now = () => Date.now() + 61_000;
    expect(await desk.lap(await desk.deploy('staging'))).toMatchObject({ state: 'finished' });
    expect(await desk.done('unlock', { app: 'web', env: 'staging' })).toMatchObject({ fault: { code: 'NOT_LOCKED' } });
    const mine = await desk.done('lock', { app: 'web', env: 'staging', reason: 'my turn' });
    expect(mine).toMatchObject({ state: 'finished', report: { kind: 'locked' } });
  });

  test('of somebody else are not taken over, but can be lifted', async () => {
    await locked();
    expect(await desk.done('lock', { app: 'web', env: 'staging', reason: 'mine now' })).toMatchObject({
      fault: { code: 'ALREADY_LOCKED' },
    });
    expect(await desk.done('unlock', { app: 'web', env: 'staging' })).toMatchObject({ state: 'finished' });
    expect(await desk.done('unlock', { app: 'web', env: 'staging' })).toMatchObject({ fault: { code: 'NOT_LOCKED' } });
  });
});

describe('the deploy train', () => {
  test('whoever joined is called, goes first, and hands over', async () => {
    const mine = await desk.ask('join', { app: 'web', env: 'staging' });
    const theirs = await desk.ask('join', { app: 'web', env: 'staging' }, ben);
    expect(await desk.lap(mine)).toMatchObject({ state: 'running', steps: { claim: { state: 'waiting' } } });
    expect(await desk.lap(theirs)).toMatchObject({ state: 'queued' });
    await expect(answer(engine, mine, ben, 'I’m on it')).rejects.toMatchObject({ code: 'NOT_YOURS_TO_ANSWER' });
    await answer(engine, mine, ana, 'I’m on it');
    expect(await desk.lap(mine)).toMatchObject({ steps: { turn: { state: 'waiting' } } });
    expect(await desk.lap(await desk.deploy('staging', 'v1', ana))).toMatchObject({ state: 'finished' });
    expect(await desk.lap(await desk.deploy('staging', 'v2', ben))).toMatchObject({ state: 'queued' });
    await answer(engine, mine, ana, 'Done');
    expect(await desk.lap(mine)).toMatchObject({ state: 'finished', report: { kind: 'turn', end: 'done' } });
    await sleep(10);
    expect(await desk.lap(theirs)).toMatchObject({ state: 'running', steps: { claim: { state: 'waiting' } } });
  });

  test('of what one asks for in one’s own turn, one goes at a time, in order', async () => {
    const mine = await desk.ask('join', { app: 'web', env: 'staging' });
    await desk.lap(mine);
    await answer(engine, mine, ana, 'I’m on it');
    const goOn = world.hold();
    const first = await desk.deploy('staging', 'v1', ana);
    const working = desk.lap(first);
    await expect.poll(async () => (await desk.run(first)).state).toBe('running');
    const second = await desk.deploy('staging', 'v2', ana);
    const third = await desk.deploy('staging', 'v3', ana);
    expect(await desk.lap(second)).toMatchObject({ state: 'queued' });
    expect(await desk.lap(third)).toMatchObject({ state: 'queued' });
    goOn();
    expect(await working).toMatchObject({ state: 'finished' });
    // Far sooner than a run in line looks by itself: the end of the one before wakes it.
    const ends = await desk.settle([second, third], 3_000);
    expect(ends.map(({ state }) => state)).toEqual(['finished', 'finished']);
    expect(world.applied.map(({ run }) => run)).toEqual([first, second, third]);
    expect(await desk.run(mine)).toMatchObject({ state: 'running' });
  });

  test('whoever does not claim the turn in time is passed over', async () => {
    const mine = await desk.ask('join', { app: 'web', env: 'staging' });
    await desk.lap(mine);
    engine.now = () => Date.now() + 11 * 60_000;
    expect(await desk.lap(mine)).toMatchObject({ state: 'finished', report: { kind: 'turn', end: 'unclaimed' } });
  });
});
