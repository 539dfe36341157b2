import { beforeEach, describe, expect, test } from 'vitest';
import { fault } from '../../src/core/errors.ts';
import type { Membership } from '../../src/core/ports.ts';
import { request } from '../../src/engine/request.ts';
import { stop } from '../../src/engine/stop.ts';
import { type FakeWorld, fakeWorld } from '../fakes/fake-clients.ts';
import { createDesk, type Desk, stock } from '../support/desk.ts';
import { ana, ben, slack, type TestEngine, testEngine } from '../support/engine.ts';
import { redisForFile } from '../support/redis.ts';

/** Slack is away when a worker asks it who somebody is: what the run comes to. */

const redis = redisForFile();
const second = 1_000;
const minute = 60 * second;
let world: FakeWorld;
let engine: TestEngine;
let desk: Desk;
let passed: number;
let away: boolean;
let asked: number;
let answer: Awaited<ReturnType<Membership>>;

beforeEach(async () => {
  [passed, away, asked, answer] = [0, false, 0, { kind: 'member' }];
  world = fakeWorld();
  stock(world);
  engine = await testEngine(redis().url, world.clients, {
    now: () => Date.now() + passed,
    membership: async ({ kind }) => {
      if (kind !== 'slack') return { kind: 'member' };
      asked += 1;
      if (away) throw fault('IDENTITY_UNKNOWN', {});
      return answer;
    },
  });
  await engine.redis.flushall();
  desk = createDesk(engine);
  return async () => {
    await desk.leases.stop();
    engine.close();
  };
});

const token = (name: string) => ({ kind: 'token' as const, subject: `${name}@example.com` });

/** Approved, and not begun when Slack goes away. */
async function approvedRun(): Promise<string> {
  const id = await desk.deploy('production');
  expect((await desk.lap(id)).state).toBe('awaiting');
  await desk.approve(id, ben);
  away = true;
  return id;
}

/** A lap, as the sweeper would bring it once it is time. @returns how long it waited for that */
async function nextLap(id: string): Promise<number> {
  const { wakeAt = 0 } = await desk.run(id);
  const ms = wakeAt - engine.now();
  passed += Math.max(0, ms);
  await desk.lap(id);
  return Math.round(ms / second);
}

const notes = async (id: string) =>
  (await engine.store.events(id, '', 100))
    .map(({ event }) => event)
    .filter(({ kind, step }) => kind === 'note' && step === undefined)
    .map(({ text }) => text);

describe('an approved run', () => {
  test('waits for Slack, tried again later and later, goes on when it answers, and is done once', async () => {
    const id = await approvedRun();
    expect(await desk.lap(id)).toMatchObject({ state: 'running', unidentified: { actor: ana, tries: 1 } });
    expect((await desk.run(id)).startedAt).toBeUndefined();
    const waits = [await nextLap(id), await nextLap(id), await nextLap(id), await nextLap(id)];
    expect(waits).toEqual([5, 10, 20, 40]);
    expect(await nextLap(id)).toBe(60);
    expect(await nextLap(id)).toBe(60);
    expect(world.applied).toEqual([]);
    away = false;
    await nextLap(id);
    const run = await desk.run(id);
    expect(run).toMatchObject({ state: 'finished', decisions: [{ actor: ben }] });
    expect(run.unidentified).toBeUndefined();
    expect(await desk.lap(id)).toEqual(run);
    expect(world.applied).toHaveLength(1);
    expect(await notes(id)).toEqual(['waits for Slack to say who ana is', 'Slack has said who they are']);
  });

  test('is due when it is to be tried again, and before that nobody looks at it', async () => {
    const id = await approvedRun();
    const { wakeAt } = await desk.lap(id);
    expect(Number(await engine.redis.zscore('{shipmate}:v1:due', id))).toBe(wakeAt);
    expect(await engine.store.due(50, 1)).not.toContain(id);
  });

  test('counts no worker as lost, however often it is tried', async () => {
    const id = await approvedRun();
    await desk.lap(id);
    for (let n = 0; n < 5; n++) await nextLap(id);
    expect(await engine.store.lease(id, 'next', second)).toMatchObject({ lost: 0, run: { state: 'running' } });
  });

  test('is stopped by whoever may', async () => {
    const id = await approvedRun();
    await desk.lap(id);
    await stop(engine, id, { actor: ben });
    expect(await engine.store.due(50, 1)).toContain(id);
    expect(await desk.lap(id)).toMatchObject({ state: 'cancelled' });
    expect(world.applied).toEqual([]);
  });

  test('expires with its approval', async () => {
    const id = await approvedRun();
    await desk.lap(id);
    const { expiresAt = 0 } = await desk.run(id);
    passed = expiresAt - Date.now() - 10 * second;
    await desk.lap(id);
    expect(await desk.run(id)).toMatchObject({ state: 'running', wakeAt: expiresAt });
    away = false;
    expect(await nextLap(id)).toBeLessThanOrEqual(10);
    expect(await desk.run(id)).toMatchObject({ state: 'expired' });
    expect(world.applied).toEqual([]);
  });

  test('that got its turn after its approval would have lapsed waits as long again', async () => {
    const id = await approvedRun();
    passed = 61 * minute;
    expect(await desk.lap(id)).toMatchObject({ state: 'running', unidentified: { tries: 1 } });
    passed += 59 * minute;
    expect((await desk.lap(id)).state).toBe('running');
    passed += minute;
    expect((await desk.lap(id)).state).toBe('expired');
  });

  test('ends where Slack says that the person is none of us', async () => {
    const id = await approvedRun();
    await desk.lap(id);
    [away, answer] = [false, { kind: 'other', other: 'a former member' }];
    await nextLap(id);
    expect(await desk.run(id)).toMatchObject({ state: 'denied', fault: { code: 'NO_LONGER_MEMBER' } });
    expect(world.applied).toEqual([]);
  });

  test('keeps no turn meanwhile, and its plan is compared with what has been changed since', async () => {
    const id = await approvedRun();
    await desk.lap(id);
    const other = await desk.deploy('production', 'v2', token('ana'));
    await desk.lap(other);
    await desk.approve(other, token('ben'));
    expect(await desk.lap(other)).toMatchObject({ state: 'finished' });
    away = false;
    await nextLap(id);
    expect(await desk.run(id)).toMatchObject({ state: 'awaiting', replanned: true });
    expect(world.applied).toHaveLength(1);
  });

  test('reads nothing of the cluster while it is tried again', async () => {
    const id = await approvedRun();
    await desk.lap(id);
    let read = 0;
    const { kube } = engine.clients;
    engine.clients.kube = (...args) => {
      read += 1;
      return kube(...args);
    };
    const before = asked;
    await nextLap(id);
    expect([read, asked - before]).toEqual([0, 1]);
  });
});

describe('a run that nobody has to approve', () => {
  test('waits before it is planned, and is planned and done when Slack answers', async () => {
    const id = await desk.deploy('staging');
    away = true;
    expect(await desk.lap(id)).toMatchObject({ state: 'requested', unidentified: { actor: ana } });
    expect((await desk.run(id)).plan).toBeUndefined();
    passed += minute;
    expect((await desk.lap(id)).state).toBe('requested');
    away = false;
    await nextLap(id);
    expect(await desk.run(id)).toMatchObject({ state: 'finished' });
    expect(world.applied).toHaveLength(1);
  });

  test('that had its turn already is planned anew', async () => {
    const first = await desk.deploy('staging', 'v1');
    const second = await desk.deploy('staging', 'v2');
    const { store } = engine;
    // Slack goes away between its plan and its turn.
    engine.store = {
      ...store,
      takeTurn: async (...args) => {
        away = true;
        return await store.takeTurn(...args);
      },
    };
    expect(await desk.lap(second)).toMatchObject({ state: 'requested', unidentified: { tries: 1 } });
    engine.store = store;
    away = false;
    expect((await desk.lap(first)).state).toBe('finished');
    await nextLap(second);
    expect(await desk.run(second)).toMatchObject({ state: 'finished' });
    expect(world.applied).toHaveLength(2);
  });

  test('is given up after a day', async () => {
    const id = await desk.deploy('staging');
    away = true;
    await desk.lap(id);
    passed = 24 * 60 * minute - minute;
    expect((await desk.lap(id)).state).toBe('requested');
    passed += minute;
    expect(await desk.lap(id)).toMatchObject({ state: 'failed', fault: { code: 'IDENTITY_UNKNOWN' } });
  });
});

test('what is asked for over REST does not wait for Slack', async () => {
  away = true;
  const actor = token('ben');
  const input = { app: 'web', env: 'staging', tag: 'v1' };
  const { id } = await request(engine, { actor, operation: 'deploy', input, origin: { surface: 'rest' } });
  expect((await desk.lap(id)).state).toBe('finished');
  expect(asked).toBe(0);
});

test('another fault than that Slack does not say ends the run', async () => {
  const id = await desk.deploy('staging', 'v1', slack('UCEM'));
  engine.membership = async () => {
    throw fault('INTERNAL', { problem: 'broken', run: id });
  };
  expect(await desk.lap(id)).toMatchObject({ state: 'failed', fault: { code: 'INTERNAL' } });
});
