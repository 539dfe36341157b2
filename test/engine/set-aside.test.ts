import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { defineOperation, type Operation } from '../../src/core/operation.ts';
import type { RunStore } from '../../src/core/ports.ts';
import { advance } from '../../src/engine/advance.ts';
import { createLeases } from '../../src/engine/leases.ts';
import { resume } from '../../src/engine/resume.ts';
import { wakingRuns } from '../../src/engine/steer.ts';
import { stop } from '../../src/engine/stop.ts';
import { catalogue } from '../../src/operations/catalogue.ts';
import { type FakeWorld, fakeWorld } from '../fakes/fake-clients.ts';
import { createDesk, type Desk, stock } from '../support/desk.ts';
import { ana, ben, quiet, slack, type TestEngine, testEngine } from '../support/engine.ts';
import { redisForFile } from '../support/redis.ts';

/** Workers that are lost: what a run that was under way in them comes to. With real processes: test/e2e/set-aside.test.ts. */

const redis = redisForFile();
let world: FakeWorld;
let engine: TestEngine;
let desk: Desk;
let did: string[];
let between: (step: string) => Promise<void>;

const steps = ['first', 'second', 'third'] as const;
const slow: Operation = defineOperation({
  name: 'slow',
  summary: 'For this test',
  effect: 'change',
  input: z.strictObject({ app: z.string().default('web') }),
  usage: '[app=<app>]',
  examples: [''],
  needs: [],
  steps,
  limits: { steps: { second: 60_000 } },
  target: ({ app }) => ({ app, env: 'staging' }),
  plan: async () => ({ summary: 'three steps', changes: [{ path: 'a', to: 'b' }], takesOver: [] }),
  run: async (run) => {
    for (const name of steps)
      await run.step(name, async () => {
        await between(name);
        did.push(name);
      });
    return { kind: 'unchanged' };
  },
});

/** It has shifted something, so it must not be left like that: to stop it is to tell it to back out, as with a canary. */
const shift: Operation = defineOperation({
  name: 'shift',
  summary: 'For this test',
  effect: 'change',
  input: z.strictObject({}),
  usage: '',
  examples: [''],
  needs: [],
  steps: ['weight'],
  steered: () => true,
  target: () => ({ app: 'web', env: 'staging' }),
  plan: async () => ({ summary: 'a share', changes: [{ path: 'weight', to: 50 }], takesOver: [] }),
  run: async (run) => {
    await run.step('weight', async (step) => {
      const said = await step.steers();
      await between('weight');
      did.push(said.map(({ wish }) => wish.kind).join(' '));
    });
    return { kind: 'unchanged' };
  },
});

beforeEach(async () => {
  did = [];
  between = async () => {};
  world = fakeWorld();
  stock(world);
  engine = await testEngine(redis().url, world.clients, {
    catalogue: new Map([...catalogue, ['slow', slow], ['shift', shift]]),
  });
  await engine.redis.flushall();
  desk = createDesk(engine);
  return async () => {
    await desk.leases.stop();
    engine.close();
  };
});

/** A worker that takes the run and is never heard of again. */
async function lose(id: string, count = 1): Promise<void> {
  for (let n = 0; n < count; n++) {
    await engine.store.lease(id, `killed ${n}`, 1);
    await sleep(5);
  }
}

class Killed extends Error {}

/** A worker that dies in a step: from then on it writes nothing, lets nothing go, and keeps no lease. */
async function dieIn(id: string, step: string): Promise<void> {
  let dead = false;
  const alive = <Result>(act: () => Promise<Result>): Promise<Result> => {
    if (dead) throw new Killed();
    return act();
  };
  const { store } = engine;
  const mortal: RunStore = {
    ...store,
    lease: (runId, owner, _ms, options) => alive(() => store.lease(runId, owner, 400, options)),
    commit: (...args) => alive(() => store.commit(...args)),
    renew: (held) => alive(() => store.renew(held, 400)),
    release: (...args) => alive(() => store.release(...args)),
    acquit: (...args) => alive(() => store.acquit(...args)),
  };
  const before = between;
  between = async (name) => {
    if (name !== step) return;
    dead = true;
    throw new Killed();
  };
  const leases = createLeases(mortal, `dies in ${step}`, quiet);
  await advance({ ...engine, store: mortal }, leases, id).catch(() => {});
  between = before;
  await leases.stop();
  await sleep(450);
}

describe('a run that was under way in two workers that were lost', () => {
  test('is set aside, and nothing takes it up but a person', async () => {
    const id = await desk.ask('slow', {});
    await lose(id, 2);
    expect(await desk.lap(id)).toMatchObject({ state: 'set-aside', setAside: { from: 'requested', workers: 2 } });
    expect(did).toEqual([]);
    await sleep(50);
    expect(await engine.store.due(50, 1)).not.toContain(id);
    expect(await desk.lap(id)).toMatchObject({ state: 'set-aside' });
    expect(await resume(engine, id, ana)).toMatchObject({ state: 'requested', setAside: { resumed: { actor: ana } } });
    expect(await desk.lap(id)).toMatchObject({ state: 'finished' });
    expect(did).toEqual([...steps]);
  });

  test('goes on where it was, and the time for which it was set aside counts for no limit', async () => {
    const id = await desk.ask('slow', {});
    await dieIn(id, 'second');
    await dieIn(id, 'second');
    expect(await desk.lap(id)).toMatchObject({ state: 'set-aside', setAside: { from: 'running' } });
    engine.now = () => Date.now() + 3_600_000;
    await resume(engine, id, ana);
    expect(await desk.lap(id)).toMatchObject({ state: 'finished' });
    expect(did).toEqual([...steps]);
  });

  test('is set aside again where it ends two more', async () => {
    const id = await desk.ask('slow', {});
    await lose(id, 2);
    await desk.lap(id);
    await resume(engine, id, ana);
    await dieIn(id, 'first');
    await dieIn(id, 'first');
    expect(await desk.lap(id)).toMatchObject({ state: 'set-aside' });
    const told = (await engine.store.events(id, '', 100)).map(({ event }) => event.text);
    expect(told.filter((text) => text.startsWith('set aside: 2 workers'))).toHaveLength(2);
  });

  test('may be cancelled instead, and gives its turn to the next', async () => {
    const id = await desk.ask('slow', {});
    await dieIn(id, 'first');
    await dieIn(id, 'first');
    expect((await desk.lap(id)).state).toBe('set-aside');
    const next = await desk.ask('slow', {}, ben);
    expect((await desk.lap(next)).state).toBe('queued');
    const waits = await desk.done('queue', {});
    expect(JSON.stringify(waits.report)).toContain(`set aside: /ship resume ${id}`);
    const other = await desk.deploy('production');
    expect((await desk.lap(other)).state).toBe('awaiting');
    await stop(engine, id, { actor: ben });
    expect(await desk.lap(id)).toMatchObject({ state: 'cancelled' });
    expect((await desk.settle([next]))[0]).toMatchObject({ state: 'finished' });
  });

  test.each([
    ['stop', (id: string) => stop(engine, id, { actor: ben })],
    [
      'a word to it',
      async (id: string) => {
        const said = { at: Date.now(), actor: ben, wish: { kind: 'abort' as const } };
        await wakingRuns(engine.store, engine.wake).steer(await desk.run(id), said, 'abort', 'once');
      },
    ],
  ])('backs out of what it has shifted when a person says so: %s', async (_way, say) => {
    const id = await desk.ask('shift', {});
    await dieIn(id, 'weight');
    await dieIn(id, 'weight');
    expect((await desk.lap(id)).state).toBe('set-aside');
    await say(id);
    expect(await desk.run(id)).toMatchObject({ state: 'running', setAside: { resumed: { actor: ben } } });
    expect(engine.woken).toContain(id);
    expect((await desk.lap(id)).state).toBe('finished');
    expect(did).toEqual(['abort']);
  });

  test('is taken up only by those who may stop it; another’s word is refused and audited', async () => {
    const id = await desk.ask('slow', {});
    await expect(resume(engine, id, ana)).rejects.toMatchObject({ code: 'NOT_SET_ASIDE' });
    const guarded = await desk.deploy('production');
    await lose(guarded, 2);
    expect((await desk.lap(guarded)).state).toBe('set-aside');
    await expect(resume(engine, guarded, slack('UXXX'))).rejects.toMatchObject({ code: 'NOT_YOURS_TO_RESUME' });
    expect((await desk.run(guarded)).state).toBe('set-aside');
    await resume(engine, guarded, ben);
    expect((await desk.lap(guarded)).state).toBe('awaiting');
    const words = await Promise.allSettled([resume(engine, guarded, ben), resume(engine, guarded, ana)]);
    expect(words.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  });
});

describe('no worker was lost', () => {
  test('that died while another step was done: what got further starts anew', async () => {
    const id = await desk.ask('slow', {});
    await dieIn(id, 'first');
    await dieIn(id, 'second');
    await dieIn(id, 'third');
    expect(await desk.lap(id)).toMatchObject({ state: 'finished' });
    expect(did).toEqual([...steps]);
  });

  test('that died while people were called to approve: what is approved since starts anew', async () => {
    const id = await desk.deploy('production');
    expect((await desk.lap(id)).state).toBe('awaiting');
    await lose(id);
    expect((await desk.lap(id)).state).toBe('awaiting');
    await desk.approve(id, ben);
    await lose(id);
    expect(await desk.lap(id)).toMatchObject({ state: 'finished' });
  });

  test('that hands its runs over: any number of restarts are no harm', async () => {
    const id = await desk.ask('slow', {});
    for (let n = 0; n < 5; n++) {
      const leases = createLeases(engine.store, `restarted ${n}`, quiet);
      let begun: () => void = () => {};
      const reached = new Promise<void>((resolve) => {
        begun = resolve;
      });
      between = async (name) => {
        if (name !== 'second') return;
        begun();
        await sleep(20_000, undefined, { signal: AbortSignal.timeout(100) });
      };
      const working = advance(engine, leases, id).catch(() => {});
      await reached;
      await leases.stop();
      await working;
    }
    between = async () => {};
    expect(await desk.lap(id)).toMatchObject({ state: 'finished' });
  });

  test('that is heard of again: it was only slow, or cut off from Redis', async () => {
    const id = await desk.ask('slow', {});
    const taken = async (owner: string) => {
      const lease = await engine.store.lease(id, owner, 1);
      if (!lease || lease === 'suspect') return expect.fail('not taken');
      await sleep(5);
      return lease;
    };
    let before = await taken('slow 0');
    for (let n = 1; n <= 6; n++) {
      const next = await taken(`slow ${n}`);
      // The one just before it has not been heard of yet; all others have.
      expect(next.lost).toBe(1);
      if (n % 2 === 0) await engine.store.renew([{ id, epoch: before.epoch }], 1);
      else await engine.store.release(id, before.epoch);
      before = next;
    }
    expect(await desk.lap(id)).toMatchObject({ state: 'finished' });
  });
});

test('with the store away as a lap ends, its worker lets go later and does not count as lost', async () => {
  const { store } = engine;
  let away = true;
  const flaky: RunStore = {
    ...store,
    release: async (...args) => {
      if (away) throw new Error('away');
      await store.release(...args);
    },
  };
  const leases = createLeases(flaky, 'cut off', quiet);
  const id = await desk.ask('slow', {});
  await advance({ ...engine, store: { ...flaky, commit: async () => 'fenced' } }, leases, id);
  expect(await engine.redis.hget(`{shipmate}:v1:run:${id}`, 'leaseUntil')).not.toBeNull();
  away = false;
  await expect.poll(() => engine.redis.hget(`{shipmate}:v1:run:${id}`, 'leaseUntil'), { timeout: 5_000 }).toBeNull();
  await leases.stop();
  expect(await store.lease(id, 'next', 1_000)).toMatchObject({ lost: 0 });
});

test.each([
  ['get further meanwhile', false],
  ['are in the same step in both', true],
])(
  'of many runs of a worker that was lost, the one that ends the next worker too is found, and the others, which %s, go on',
  {
    timeout: 30_000,
  },
  async (_what, isStuck) => {
    const apps = Array.from({ length: 6 }, (_, n) => `web${n}`);
    const settings = engine.settings();
    const more = Object.fromEntries(apps.map((app) => [app, { image: '127.0.0.1:5000/web' }]));
    engine.settings = () => ({ ...settings, apps: { ...settings.apps, ...more } });
    const ids = await Promise.all(apps.map((app) => desk.ask('slow', { app })));
    const poison = ids[3] ?? '';
    for (const id of ids) await (isStuck && id !== poison ? dieIn(id, 'first') : lose(id));
    let dead = false;
    const { store } = engine;
    const lostWith: string[] = [];
    const mortal: RunStore = {
      ...store,
      lease: async (id, owner, _ms, options) => {
        if (dead) throw new Killed();
        const held = await store.lease(id, owner, 400, options);
        if (held && held !== 'suspect') lostWith.push(id);
        if (id === poison && held !== 'suspect') dead = true;
        return held;
      },
      commit: async (...args) => (dead ? expect.fail('dead') : await store.commit(...args)),
      renew: async (held) => (dead ? { lost: [], cancelled: [], steered: [] } : await store.renew(held, 400)),
      release: async (...args) => (dead ? undefined : await store.release(...args)),
      acquit: async (...args) => (dead ? undefined : await store.acquit(...args)),
    };
    between = () => sleep(dead || isStuck ? 60_000 : 50, undefined, { ref: false });
    const first = createLeases(mortal, 'second to die', quiet);
    // The one that kills comes last: those before it have been tried, and are still under way.
    const order = [...ids.filter((id) => id !== poison), poison];
    for (const id of order) void advance({ ...engine, store: mortal }, first, id).catch(() => {});
    await expect.poll(() => dead, { timeout: 10_000 }).toBe(true);
    await sleep(500);
    between = async () => {};
    const last = createLeases(store, 'lives', quiet);
    await Promise.all(ids.map((id) => advance(engine, last, id)));
    const states = await Promise.all(ids.map(async (id) => (await desk.run(id)).state));
    expect(states.filter((state) => state === 'set-aside')).toHaveLength(1);
    expect((await desk.run(poison)).state).toBe('set-aside');
    expect(lostWith.at(-1)).toBe(poison);
    await last.stop();
  },
);
