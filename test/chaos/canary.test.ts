import fc from 'fast-check';
import { beforeAll, beforeEach, expect, test } from 'vitest';
import type { RunStore } from '../../src/core/ports.ts';
import { isOver, type Run } from '../../src/core/run.ts';
import { Settings } from '../../src/core/settings.ts';
import type { SteerWish } from '../../src/core/steer.ts';
import { advance } from '../../src/engine/advance.ts';
import { createLeases } from '../../src/engine/leases.ts';
import { steer } from '../../src/engine/steer.ts';
import { stop } from '../../src/engine/stop.ts';
import { fakeWorld } from '../fakes/fake-clients.ts';
import { createDesk, stock } from '../support/desk.ts';
import { ana, ben, quiet, type TestEngine, testEngine } from '../support/engine.ts';
import { redisForFile } from '../support/redis.ts';
import { guard, imageOf, service, virtualService, watchedCluster } from '../support/watched-cluster.ts';

/**
 * A canary in a cluster that breaks, with people who say different things at once and workers that are killed: whatever the
 * interleaving, it ends all new or all stable, and on the way no request could have gone to where nobody answers, nor a
 * pod of the canary been there without what guards stable's.
 */

const redis = redisForFile();
let engine: TestEngine;

const settings = Settings.parse({
  apps: { web: { image: '127.0.0.1:5000/web', rollout: { drain: '1ms', reach: '1ms' } } },
  environments: { staging: { namespace: 'staging', rolloutTimeoutSeconds: 30 } },
  policy: [{ name: 'free' }],
});

beforeAll(async () => {
  engine = await testEngine(redis().url, fakeWorld().clients, { settings: () => settings });
  return () => engine.close();
});
beforeEach(() => void engine.redis.flushall());

type Happening =
  | { kind: 'killed'; written: boolean }
  | { kind: 'steered'; wish: SteerWish }
  | { kind: 'stopped' }
  | { kind: 'api'; calls: number; done: boolean }
  | { kind: 'edited'; what: 'weight' | 'stable' };
/** Each happens just after (or, for a kill, around) that write to the store. */
type History = { at: number; what: Happening }[];

const wish: fc.Arbitrary<SteerWish> = fc.oneof(
  fc.record({ kind: fc.constant('promote' as const), full: fc.boolean() }),
  fc.constant({ kind: 'pause' as const }),
  fc.constant({ kind: 'resume' as const }),
  fc.constant({ kind: 'abort' as const }),
  fc.record({ kind: fc.constant('weight' as const), weight: fc.integer({ min: 0, max: 100 }) }),
);
const happening: fc.Arbitrary<Happening> = fc.oneof(
  fc.record({ kind: fc.constant('killed' as const), written: fc.boolean() }),
  fc.record({ kind: fc.constant('steered' as const), wish }),
  fc.constant({ kind: 'stopped' as const }),
  fc.record({ kind: fc.constant('api' as const), calls: fc.integer({ min: 1, max: 3 }), done: fc.boolean() }),
  fc.record({ kind: fc.constant('edited' as const), what: fc.constantFrom('weight' as const, 'stable' as const) }),
);
const history: fc.Arbitrary<History> = fc.array(fc.record({ at: fc.integer({ min: 1, max: 40 }), what: happening }), {
  maxLength: 5,
});

class Killed extends Error {}

/** The experiment that it begins with: at no share of the traffic, or at one. */
type Experiment = 0 | 25 | undefined;

async function live(events: History, experiment: Experiment) {
  await engine.redis.flushall();
  const world = fakeWorld();
  stock(world);
  const cluster = watchedCluster(world);
  Object.assign(engine.clients, { ...world.clients, kube: () => cluster.kube });
  world.objects.set('Service staging/web', service);
  const desk = createDesk(engine, 'prepares');
  const first = await desk.ask('deploy', { app: 'web', env: 'staging', tag: 'v1', replicas: 4 }, ben);
  await desk.lap(first);
  await desk.leases.stop();
  world.objects.set('VirtualService staging/web', virtualService);
  world.objects.set('AuthorizationPolicy staging/no-delete', guard);
  cluster.broken.length = 0;
  const id = await desk.ask('deploy', {
    app: 'web',
    env: 'staging',
    tag: 'v2',
    strategy: 'canary',
    steps: [
      ...(experiment === undefined ? [] : [{ weight: experiment, bake: '1ms', baseline: true }]),
      { weight: 25, bake: '1ms' },
      { weight: 50, bake: '1ms' },
    ],
  });
  let [writes, dead] = [0, false];
  let edited = false;
  const left = [...events];
  const meanwhile = async (run: Run) => {
    for (const event of left.filter(({ at }) => at === writes)) {
      left.splice(left.indexOf(event), 1);
      const { what } = event;
      if (what.kind === 'steered') await steer(engine, run, ben, what.wish).catch(() => {});
      if (what.kind === 'stopped' && run.state === 'running')
        await stop(engine, run.id, { actor: ana }).catch(() => {});
      if (what.kind === 'api') cluster.trouble(what.calls, what.done);
      if (what.kind === 'edited') {
        edited = true;
        cluster.edit(what.what);
      }
      if (what.kind === 'killed') dead = true;
    }
    if (dead) throw new Killed();
  };
  const store: RunStore = {
    ...engine.store,
    commit: async (commit, epoch) => {
      if (dead) throw new Killed();
      writes += 1;
      const kill = left.find(({ at, what }) => at === writes && what.kind === 'killed');
      if (kill?.what.kind === 'killed' && !kill.what.written) await meanwhile(commit.run);
      const done = await engine.store.commit(commit, epoch);
      await meanwhile(commit.run);
      return done;
    },
    release: async (...args) => (dead ? undefined : engine.store.release(...args)),
  };
  for (let laps = 0; laps < 40 && !isOver((await desk.run(id)).state); laps++) {
    dead = false;
    const leases = createLeases(store, `worker ${laps}`, quiet);
    const timeout = AbortSignal.timeout(20_000);
    await advance({ ...engine, store }, leases, id).catch(() => {});
    await leases.stop();
    await engine.redis.hdel(`{shipmate}:v1:run:${id}`, 'leaseUntil');
    const run = await desk.run(id);
    // Held by somebody's pause: somebody lets it go.
    if (run.state === 'running' && laps > 6) await steer(engine, run, ana, { kind: 'promote', full: true });
    timeout.throwIfAborted();
  }
  const run = await desk.run(id);
  return { run, cluster, edited };
}

function checkEnd({ run, cluster, edited }: Awaited<ReturnType<typeof live>>): void {
  const { get, weights, broken } = cluster;
  expect(broken).toEqual([]);
  expect(isOver(run.state), JSON.stringify(run.steps)).toBe(true);
  const image = String(imageOf(get('staging/web')));
  // One that was stopped before it had begun leaves all as it was.
  const isNew = run.report?.kind === 'promoted';
  // What somebody else put there once it had been promoted stays as they put it.
  if (isNew) expect(image).toMatch(edited ? /web:(v2|theirs)/ : /web:v2/);
  else expect(image).toMatch(edited ? /web:(v1|theirs)/ : /web:v1/);
  expect(weights()).toEqual({ canary: 0, stable: 100 });
  expect(get('staging/web-canary')).toBeUndefined();
  expect(get('Service staging/web-canary')).toBeUndefined();
  expect(get('AuthorizationPolicy staging/web-canary-no-delete')).toBeUndefined();
  expect(get('AuthorizationPolicy staging/no-delete')).toMatchObject(guard);
  expect(get('staging/web-baseline')).toBeUndefined();
  expect(get('Service staging/web-baseline')).toBeUndefined();
}

test('undisturbed it ends all new, and whoever kills, steers, edits or breaks, it ends all new or all stable', {
  timeout: 600_000,
}, async () => {
  const experiments = [undefined, 0, 25] as const;
  for (const experiment of experiments) checkEnd(await live([], experiment));
  const runs = Number(process.env.CANARY_RUNS ?? 40);
  await fc.assert(
    fc.asyncProperty(history, fc.constantFrom(...experiments), async (events, experiment) =>
      checkEnd(await live(events, experiment)),
    ),
    { numRuns: runs, seed: 20261125, endOnFailure: true },
  );
});
