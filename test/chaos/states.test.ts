import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import type { RunStore } from '../../src/core/ports.ts';
import { isOver, type RunState } from '../../src/core/run.ts';
import { advance } from '../../src/engine/advance.ts';
import { answer } from '../../src/engine/answer.ts';
import { decide } from '../../src/engine/decide.ts';
import { createLeases, type Leases } from '../../src/engine/leases.ts';
import { resume } from '../../src/engine/resume.ts';
import { stop } from '../../src/engine/stop.ts';
import { type FakeWorld, fakeWorld } from '../fakes/fake-clients.ts';
import { createDesk, type Desk, stock } from '../support/desk.ts';
import { ana, ben, quiet, type TestEngine, testEngine } from '../support/engine.ts';
import { redisForFile } from '../support/redis.ts';

/** The transitions of docs/runs.md, and that no sequence of events makes any other. */

const redis = redisForFile();
const next: Record<RunState, readonly RunState[]> = {
  requested: ['awaiting', 'queued', 'running', 'set-aside', 'finished', 'failed', 'denied', 'cancelled', 'timed-out'],
  awaiting: ['awaiting', 'running', 'set-aside', 'rejected', 'expired', 'cancelled'],
  queued: ['queued', 'awaiting', 'running', 'set-aside', 'finished', 'failed', 'denied', 'cancelled'],
  running: ['running', 'requested', 'queued', 'set-aside', 'finished', 'failed', 'timed-out', 'denied', 'cancelled'],
  'set-aside': ['requested', 'awaiting', 'queued', 'running', 'cancelled'],
  finished: [],
  failed: [],
  'timed-out': [],
  rejected: [],
  denied: [],
  expired: [],
  cancelled: [],
};

let base: TestEngine;
let world: FakeWorld;
let workers: Leases[];
let desk: Desk;
let seen: { from: RunState; to: RunState; id: string }[];
let late = 0;

beforeAll(async () => {
  world = fakeWorld();
  base = await testEngine(redis().url, world.clients, { now: () => Date.now() + late });
  const states = new Map<string, RunState>();
  const { store } = base;
  const watched: RunStore = {
    ...store,
    create: async (commit, key) => {
      states.set(commit.run.id, commit.run.state);
      return await store.create(commit, key);
    },
    commit: async (commit, epoch) => {
      const done = await store.commit(commit, epoch);
      const { id, state } = commit.run;
      if (done === 'ok') seen.push({ from: states.get(id) ?? 'requested', to: state, id });
      if (done === 'ok') states.set(id, state);
      return done;
    },
  };
  base.store = watched;
  workers = ['a', 'b'].map((owner) => createLeases(watched, owner, quiet));
  desk = createDesk(base);
  return async () => {
    for (const leases of [...workers, desk.leases]) await leases.stop();
    base.close();
  };
});

type Deed =
  | 'lap'
  | 'other lap'
  | 'both laps'
  | 'approve'
  | 'reject'
  | 'stop'
  | 'answer'
  | 'hour'
  | 'retag'
  | 'lock'
  | 'unlock'
  | 'lost worker'
  | 'resume';
const deeds: Deed[] = [
  'lap',
  'other lap',
  'both laps',
  'approve',
  'reject',
  'stop',
  'answer',
  'hour',
  'retag',
  'lock',
  'unlock',
  'lost worker',
  'resume',
];
const weights: Partial<Record<Deed, number>> = { lap: 5, approve: 3, 'both laps': 3, 'lost worker': 4 };
const deed = fc.oneof(...deeds.map((name) => ({ weight: weights[name] ?? 1, arbitrary: fc.constant(name) })));

async function act(name: Deed, ids: readonly string[], pick: number): Promise<void> {
  const id = ids[pick % ids.length] ?? '';
  const lap = async (index: number) => {
    const leases = workers[index];
    if (leases) await advance(base, leases, id);
  };
  const { plan } = await desk.run(id);
  const ballot = { actor: ben, digest: plan?.digest ?? '' };
  switch (name) {
    case 'lap':
      return await lap(0);
    case 'other lap':
      return await lap(1);
    case 'both laps':
      return void (await Promise.all([lap(0), lap(1)]));
    case 'approve':
    case 'reject':
      return void (await decide(base, id, { ...ballot, kind: name }));
    case 'stop':
      return void (await stop(base, id, { actor: ana }).catch(() => {}));
    case 'answer':
      return void (await answer(base, id, ben, 'Pass').catch(() => {}));
    case 'hour':
      late += 61 * 60_000;
      return;
    case 'retag':
      world.digests.set('127.0.0.1:5000/web:v1', `sha256:${String(pick % 10).repeat(64)}`);
      return;
    case 'lock':
      return await base.clients.locks.put({ scope: 'web@production', owner: ben, reason: 'test', at: 1 });
    case 'unlock':
      return await base.clients.locks.remove('web@production');
    case 'lost worker':
      await base.store.lease(id, 'killed', 1);
      return void (await sleep(2));
    case 'resume':
      return void (await resume(base, id, ana).catch(() => {}));
    default:
      return name satisfies never;
  }
}

test('no sequence of events makes a transition that is not written down', { timeout: 120_000 }, async () => {
  const asks = fc.array(fc.constantFrom('deploy production', 'deploy staging', 'join staging'), {
    minLength: 1,
    maxLength: 3,
  });
  const script = fc.array(fc.tuple(deed, fc.nat({ max: 8 })), { minLength: 3, maxLength: 14 });
  const reached = new Set<RunState>();
  await fc.assert(
    fc.asyncProperty(asks, script, async (wanted, events) => {
      await base.redis.flushall();
      world.objects.clear();
      stock(world);
      seen = [];
      late = 0;
      const ids: string[] = [];
      for (const [index, ask] of wanted.entries()) {
        const [operation = '', env = ''] = ask.split(' ');
        const input = operation === 'join' ? { app: 'web', env } : { app: 'web', env, tag: `v${1 + (index % 3)}` };
        ids.push(await desk.ask(operation, input, operation === 'join' ? ben : ana));
      }
      for (const [name, pick] of events) {
        const before = new Map(await Promise.all(ids.map(async (id) => [id, await desk.run(id)] as const)));
        await act(name, ids, pick);
        for (const [id, was] of before) if (isOver(was.state)) expect(await desk.run(id)).toEqual(was);
      }
      for (const { from, to } of seen) expect(next[from], `${from} -> ${to}`).toContain(to);
      for (const { to } of seen) reached.add(to);
      // Whoever has the turn is open, and the line holds nobody who is over.
      for (const { holder, waiting } of await base.clients.order.lines())
        for (const id of [holder, ...waiting]) if (id) expect(isOver((await desk.run(id)).state)).toBe(false);
    }),
    { numRuns: 300 },
  );
  for (const state of [
    'awaiting',
    'queued',
    'running',
    'set-aside',
    'finished',
    'rejected',
    'denied',
    'expired',
    'cancelled',
  ] as const)
    expect(reached, `the events never led to ${state}`).toContain(state);
});
