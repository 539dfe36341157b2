import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { fault } from '../../src/core/errors.ts';
import { defineOperation, type Operation } from '../../src/core/operation.ts';
import { advance } from '../../src/engine/advance.ts';
import { answer } from '../../src/engine/answer.ts';
import { createLeases } from '../../src/engine/leases.ts';
import { stop } from '../../src/engine/stop.ts';
import { undo } from '../../src/engine/undo.ts';
import { catalogue } from '../../src/operations/catalogue.ts';
import { type FakeWorld, fakeWorld } from '../fakes/fake-clients.ts';
import { createDesk, type Desk, stock } from '../support/desk.ts';
import { ana, ben, quiet, slack, type TestEngine, testEngine } from '../support/engine.ts';
import { redisForFile } from '../support/redis.ts';

const redis = redisForFile();
let world: FakeWorld;
let engine: TestEngine;
let desk: Desk;
let did: string[];
let behave: (signal: AbortSignal) => Promise<void>;

/** Does something, waits a while, asks a person, does something. */
const patient: Operation = defineOperation({
  name: 'patient',
  summary: 'For this test',
  effect: 'change',
  input: z.strictObject({ ms: z.number().default(60_000) }),
  usage: '[ms=<ms>]',
  examples: [''],
  needs: [],
  steps: ['first', 'bake', 'promote', 'last'],
  limits: { run: 3_600_000, steps: { first: 300 } },
  target: () => ({ app: 'web', env: 'staging' }),
  plan: async () => ({ summary: 'a wait', changes: [], takesOver: [] }),
  run: async (run, { ms }) => {
    await run.step('first', async ({ signal }) => {
      await behave(signal);
      did.push('first');
    });
    await run.wait('bake', ms);
    const word = await run.waitFor('promote', { of: 'requester', choices: ['go', 'back'], ms: 600_000 });
    await run.step('last', async () => void did.push(`last ${word}`));
    return { kind: 'unchanged' };
  },
});

beforeEach(async () => {
  did = [];
  behave = async () => {};
  world = fakeWorld();
  stock(world);
  engine = await testEngine(redis().url, world.clients, { catalogue: new Map([...catalogue, ['patient', patient]]) });
  await engine.redis.flushall();
  desk = createDesk(engine);
  return async () => {
    await desk.leases.stop();
    engine.close();
  };
});

const due = async (id: string) => Number(await engine.redis.zscore('{shipmate}:v1:due', id));

describe('a run that waits', () => {
  test('holds no worker, is due when its time has come, and remembers what it did', async () => {
    const id = await desk.ask('patient', {});
    expect(await desk.lap(id)).toMatchObject({ state: 'running', steps: { bake: { state: 'waiting' } } });
    expect(await engine.redis.hget(`{shipmate}:v1:run:${id}`, 'leaseUntil')).toBeNull();
    expect(await due(id)).toBeGreaterThan(Date.now() + 50_000);
    await desk.lap(id);
    expect(await due(id)).toBeGreaterThan(Date.now() + 50_000);
    engine.now = () => Date.now() + 61_000;
    expect(await desk.lap(id)).toMatchObject({ steps: { bake: { state: 'done' }, promote: { state: 'waiting' } } });
    await answer(engine, id, ana, 'go');
    expect(await createDesk(engine, 'another worker').lap(id)).toMatchObject({ state: 'finished' });
    expect(did).toEqual(['first', 'last go']);
  });

  test('goes on by itself where nobody answers', async () => {
    const id = await desk.ask('patient', { ms: 1 });
    await desk.lap(id);
    engine.now = () => Date.now() + 601_000;
    expect(await desk.lap(id)).toMatchObject({ state: 'finished' });
    expect(did).toEqual(['first', 'last undefined']);
  });

  test('takes one answer, of those there are, from whom it asks', async () => {
    const id = await desk.ask('patient', { ms: 1 });
    await desk.lap(id);
    await expect(answer(engine, id, ana, 'sideways')).rejects.toMatchObject({ code: 'NOTHING_ASKED' });
    await expect(answer(engine, id, ben, 'go')).rejects.toMatchObject({ code: 'NOT_YOURS_TO_ANSWER' });
    const words = await Promise.allSettled(['go', 'back', 'go', 'back'].map((word) => answer(engine, id, ana, word)));
    expect(words.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    await desk.lap(id);
    expect(did).toHaveLength(2);
  });
});

describe('stopping', () => {
  test('a run that waits is over at once', async () => {
    const id = await desk.ask('patient', {});
    await desk.lap(id);
    await stop(engine, id, { actor: ana, reason: 'changed my mind' });
    expect(await due(id)).toBeLessThanOrEqual(Date.now() + 5);
    expect(await desk.lap(id)).toMatchObject({ state: 'cancelled', cancelled: { reason: 'changed my mind' } });
    await expect(stop(engine, id, { actor: ana })).rejects.toMatchObject({ code: 'ALREADY_OVER' });
  });

  test('a run under way is stopped in the worker that has it, within its second', async () => {
    world.rolloutMs = 60_000;
    const id = await desk.deploy('staging');
    const working = desk.lap(id);
    await expect.poll(async () => (await desk.run(id)).steps.settle?.state).toBe('started');
    const began = Date.now();
    await stop(engine, id, { actor: ben });
    expect(await working).toMatchObject({ state: 'cancelled', cancelled: { actor: ben } });
    expect(Date.now() - began).toBeLessThan(2_500);
    expect(await engine.clients.order.lines()).toEqual([]);
  });

  test.each([
    ['before it is parked', 'patient', {}],
    ['before it awaits approval', 'deploy', { app: 'web', env: 'production', tag: 'v1' }],
  ])('asked for in the middle of a lap, %s, is not forgotten', async (_when, operation, input) => {
    behave = () => sleep(150);
    const kube = world.clients.kube('default');
    engine.clients.kube = () => ({ ...kube, preview: async (...args) => sleep(150).then(() => kube.preview(...args)) });
    const id = await desk.ask(operation, input);
    const working = desk.lap(id);
    await sleep(80);
    await stop(engine, id, { actor: ana });
    // Too soon for the worker to hear of it with its lease: the lap ends where the run waits.
    expect((await working).state).toBe(operation === 'patient' ? 'running' : 'awaiting');
    expect(await due(id)).toBeLessThanOrEqual(Date.now());
    expect(await desk.settle([id], 3_000)).toMatchObject([{ state: 'cancelled' }]);
  });

  test('reaches a run whose worker died meanwhile', async () => {
    const id = await desk.deploy('staging');
    await engine.store.lease(id, 'dead', 300);
    await stop(engine, id, { actor: ana });
    await sleep(350);
    expect(await desk.lap(id)).toMatchObject({ state: 'cancelled' });
    expect(world.applied).toHaveLength(0);
  });

  test('is for those who may ask for the same', async () => {
    const id = await desk.deploy('production');
    await desk.lap(id);
    await expect(stop(engine, id, { actor: slack('UXXX') })).rejects.toMatchObject({ code: 'NOT_YOURS_TO_STOP' });
    await expect(stop(engine, 'nonsense', { actor: ana })).rejects.toMatchObject({ code: 'UNKNOWN_RUN' });
    expect((await desk.run(id)).state).toBe('awaiting');
  });

  test('and finishing at once end in one of the two, never in both', async () => {
    world.rolloutMs = 20;
    for (let n = 0; n < 20; n++) {
      const id = await desk.deploy('staging', `v${1 + (n % 5)}`);
      const working = desk.lap(id);
      await sleep(n * 3);
      await stop(engine, id, { actor: ana }).catch(() => {});
      await working;
      const [end] = await desk.settle([id]);
      const events = (await engine.store.events(id, '', 100)).filter(({ event }) => event.kind === 'state');
      expect(events.slice(1).map(({ event }) => event.text.split(':')[0])).toEqual([end?.state]);
    }
  });
});

describe('time limits and faults', () => {
  test('a step that takes too long is stopped and says so', async () => {
    behave = (signal) => sleep(10_000, undefined, { signal });
    const run = await desk.lap(await desk.ask('patient', {}));
    expect(run).toMatchObject({
      state: 'timed-out',
      fault: { code: 'STEP_TIMED_OUT' },
      steps: { first: { state: 'failed' } },
    });
  });

  test('what may pass is tried again, what will not is not', async () => {
    let tries = 0;
    behave = async () => {
      tries += 1;
      if (tries < 2) throw fault('CLUSTER_UNREACHABLE', { cluster: 'default', problem: '503' });
    };
    const slow = defineOperation({
      ...patient,
      run: async (run) => {
        await run.step('first', async ({ signal }) => behave(signal));
        return { kind: 'unchanged' };
      },
      limits: {},
      usage: '',
    } as const);
    engine.catalogue = new Map([['patient', slow]]);
    expect(await desk.lap(await desk.ask('patient', {}))).toMatchObject({ state: 'finished' });
    expect(tries).toBe(2);
    behave = async () => {
      tries += 1;
      throw fault('CLUSTER_REFUSED', { cluster: 'default', problem: 'forbidden' });
    };
    expect(await desk.lap(await desk.ask('patient', {}))).toMatchObject({ state: 'failed' });
    expect(tries).toBe(3);
  });

  test('a poison run fails by itself and holds up nobody', async () => {
    const poison = defineOperation({
      ...patient,
      plan: async () => {
        throw new TypeError('boom');
      },
      usage: '',
    });
    engine.catalogue = new Map([...catalogue, ['patient', poison]]);
    const ids = [await desk.ask('patient', {}), await desk.deploy('staging')];
    const [bad, good] = await desk.settle(ids);
    expect(bad).toMatchObject({ state: 'failed', fault: { code: 'INTERNAL' } });
    expect(good).toMatchObject({ state: 'finished' });
  });

  test('a run whose operation is gone after an upgrade fails with that reason', async () => {
    const id = await desk.ask('patient', {});
    await desk.lap(id);
    engine.catalogue = catalogue;
    const old = createLeases(engine.store, 'upgraded', quiet);
    await advance(engine, old, id);
    await old.stop();
    expect(await desk.run(id)).toMatchObject({ state: 'failed', fault: { code: 'OPERATION_GONE' } });
  });

  test('a clock that jumps back does not bring a wait to an end early, nor keep it waiting for ever', async () => {
    const id = await desk.ask('patient', {});
    await desk.lap(id);
    engine.now = () => Date.now() - 600_000;
    expect(await desk.lap(id)).toMatchObject({ state: 'running', steps: { bake: { state: 'waiting' } } });
    engine.now = () => Date.now() + 61_000;
    expect(await desk.lap(id)).toMatchObject({ steps: { bake: { state: 'done' } } });
  });
});

describe('undo', () => {
  test('asks for the way back as a request like any other', async () => {
    await desk.done('deploy', { app: 'web', env: 'staging', tag: 'v1' });
    const second = await desk.done('deploy', { app: 'web', env: 'staging', tag: 'v2' });
    const back = await undo(engine, second.id, { actor: ana, origin: { surface: 'rest' } });
    expect(await desk.lap(back.id)).toMatchObject({
      state: 'finished',
      operation: 'deploy',
      plan: { summary: 'web:v2 → web:v1' },
    });
    expect(world.applied.at(-1)?.image).toBe(world.applied[0]?.image);
  });

  test('needs approval where the policy says so, and is not offered where there is no way back', async () => {
    const ask = { actor: ana, origin: { surface: 'rest' as const } };
    const first = await desk.deploy('production');
    await desk.lap(first);
    await desk.approve(first, ben);
    await desk.lap(first);
    await expect(undo(engine, first, ask)).rejects.toMatchObject({ code: 'NOTHING_TO_UNDO' });
    const second = await desk.deploy('production', 'v2');
    await desk.lap(second);
    await desk.approve(second, ben);
    await desk.lap(second);
    const back = await undo(engine, second, ask);
    expect(await desk.lap(back.id)).toMatchObject({ state: 'awaiting' });
  });

  test('a rollback goes to the last revision that was healthy, past one that failed', async () => {
    const place = { app: 'web', env: 'staging' };
    await desk.done('deploy', { ...place, tag: 'v1' });
    const trouble = { code: 'crash-loop' as const, detail: 'exit code 1', logs: [] };
    world.ends.push({ kind: 'failed', replicas: 1, updated: 1, ready: 0, trouble });
    expect(await desk.done('deploy', { ...place, tag: 'v2' })).toMatchObject({ state: 'failed' });
    world.ends.push({ kind: 'failed', replicas: 1, updated: 1, ready: 0, trouble });
    await desk.done('deploy', { ...place, tag: 'v3' });
    const back = await desk.done('rollback', place);
    expect(back).toMatchObject({ state: 'finished', plan: { summary: 'back from web:v3 to web:v1 (revision 1)' } });
    const history = await desk.done('history', { app: 'web' });
    expect(history.report).toMatchObject({ kind: 'table', rows: { length: 4 } });
  });
});
