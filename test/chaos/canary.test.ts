import fc from 'fast-check';
import { beforeAll, beforeEach, expect, test } from 'vitest';
import { fault } from '../../src/core/errors.ts';
import { at, isObject, type Json, type JsonObject } from '../../src/core/json.ts';
import type { Kube } from '../../src/core/kube.ts';
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

/**
 * A canary in a cluster that breaks, with people who say different things at once and workers that are killed: whatever the
 * interleaving, it ends all new or all stable, and on the way no request could have gone to where nobody answers.
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

const objectsIn = (value: Json | undefined) => (Array.isArray(value) ? value.filter(isObject) : []);
const imageOf = (object: JsonObject | undefined) => at(object, 'spec', 'template', 'spec', 'containers', 0, 'image');

const route = { destination: { host: 'web' } };
const virtualService: JsonObject = {
  apiVersion: 'networking.istio.io/v1',
  kind: 'VirtualService',
  metadata: { name: 'web', namespace: 'staging', resourceVersion: '1' },
  spec: { hosts: ['web'], http: [{ name: 'all', route: [route] }] },
};
const service: JsonObject = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'web', namespace: 'staging' },
  spec: { selector: { 'app.kubernetes.io/name': 'web' }, ports: [{ port: 80 }] },
};

/** A cluster that answers as a real one would as far as a canary goes, and that watches what is done to it. */
function watched(world: ReturnType<typeof fakeWorld>) {
  const get = (key: string) => world.objects.get(key);
  const weights = () => {
    const [first] = objectsIn(at(get('VirtualService staging/web'), 'spec', 'http'));
    const routes = objectsIn(first?.route);
    const of = (host: string) => routes.find((each) => at(each, 'destination', 'host') === host);
    const canary = Number(of('web-canary')?.weight ?? 0);
    return { canary, stable: Number(of('web')?.weight ?? 100 - canary) };
  };
  const sizeOf = (key: string) => (get(key) ? Number(at(get(key), 'spec', 'replicas') ?? 1) : 0);
  const broken: string[] = [];
  let troubled = { calls: 0, done: false };
  const check = (what: string) => {
    const { canary, stable } = weights();
    if (canary + stable !== 100 || canary < 0 || stable < 0) broken.push(`${what}: weights ${stable} and ${canary}`);
    if (canary > 0 && sizeOf('staging/web-canary') < Math.ceil((4 * canary) / 100))
      broken.push(`${what}: ${canary} % to ${sizeOf('staging/web-canary')} pods`);
    if (canary > 0 && !get('Service staging/web-canary')) broken.push(`${what}: ${canary} % to no Service`);
    if (stable > 0 && sizeOf('staging/web') < 4) broken.push(`${what}: ${stable} % to ${sizeOf('staging/web')} pods`);
  };
  const unreachable = () => fault('CLUSTER_UNREACHABLE', { cluster: 'default', problem: 'ECONNRESET' });
  const through = async <Result>(what: string, act: () => Promise<Result>): Promise<Result> => {
    const { calls, done } = troubled;
    if (calls > 0) troubled = { calls: calls - 1, done };
    if (calls > 0 && !done) throw unreachable();
    const result = await act();
    check(what);
    if (calls > 0) throw unreachable();
    return result;
  };
  const { kube } = world;
  const outdated = () => fault('CHANGED_MEANWHILE', { problem: 'the object has been modified' });
  const real: Kube = {
    ...kube,
    read: (ref, signal) =>
      through(`read ${ref.kind}/${ref.name}`, async () => {
        const object = await kube.read(ref, signal);
        const ready = ref.kind === 'Deployment' &&
          object && { status: { readyReplicas: at(object, 'spec', 'replicas') ?? 1 } };
        return object && { ...object, ...ready };
      }),
    apply: (manifest, ...rest) => through(`apply ${manifest.kind}`, () => kube.apply(manifest, ...rest)),
    remove: (ref, ...rest) => through(`remove ${ref.kind}/${ref.name}`, () => kube.remove(ref, ...rest)),
    merge: (ref, patch, ...rest) =>
      through(`merge ${ref.kind}/${ref.name}`, async () => {
        const version = at(patch, 'metadata', 'resourceVersion');
        const live = get(`${ref.kind} ${ref.namespace}/${ref.name}`);
        if (version !== undefined && version !== at(live, 'metadata', 'resourceVersion')) throw outdated();
        const after = await kube.merge(ref, patch, ...rest);
        bump(`${ref.kind} ${ref.namespace}/${ref.name}`);
        return after;
      }),
  };
  const bump = (key: string) => {
    const object = get(key);
    const metadata = isObject(object?.metadata) ? object.metadata : {};
    if (object && metadata.resourceVersion !== undefined)
      world.objects.set(key, {
        ...object,
        metadata: { ...metadata, resourceVersion: String(Number(metadata.resourceVersion) + 1) },
      });
  };
  return {
    kube: real,
    broken,
    weights,
    get,
    trouble: (calls: number, done: boolean) => {
      troubled = { calls, done };
    },
    edit: (what: 'weight' | 'stable') => {
      if (what === 'stable') {
        const live = get('staging/web');
        const containers = [{ name: 'web', image: '127.0.0.1:5000/web:theirs' }];
        if (live)
          world.objects.set('staging/web', {
            ...live,
            spec: {
              ...(isObject(live.spec) ? live.spec : {}),
              template: { metadata: { labels: { 'app.kubernetes.io/name': 'web' } }, spec: { containers } },
            },
          });
        return;
      }
      const key = 'VirtualService staging/web';
      const { canary } = weights();
      if (canary === 0) return;
      const live = get(key);
      const http = [
        {
          name: 'all',
          route: [
            { ...route, weight: 100 - 1 },
            { destination: { host: 'web-canary' }, weight: 1 },
          ],
        },
      ];
      if (live) world.objects.set(key, { ...live, spec: { ...(isObject(live.spec) ? live.spec : {}), http } });
      bump(key);
    },
  };
}

async function live(events: History) {
  await engine.redis.flushall();
  const world = fakeWorld();
  stock(world);
  const cluster = watched(world);
  Object.assign(engine.clients, { ...world.clients, kube: () => cluster.kube });
  world.objects.set('Service staging/web', service);
  const desk = createDesk(engine, 'prepares');
  const first = await desk.ask('deploy', { app: 'web', env: 'staging', tag: 'v1', replicas: 4 }, ben);
  await desk.lap(first);
  await desk.leases.stop();
  world.objects.set('VirtualService staging/web', virtualService);
  cluster.broken.length = 0;
  const id = await desk.ask('deploy', {
    app: 'web',
    env: 'staging',
    tag: 'v2',
    strategy: 'canary',
    weights: [25, 50],
    bake: '1ms',
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
}

test('undisturbed it ends all new, and whoever kills, steers, edits or breaks, it ends all new or all stable', {
  timeout: 600_000,
}, async () => {
  checkEnd(await live([]));
  const runs = Number(process.env.CANARY_RUNS ?? 40);
  await fc.assert(
    fc.asyncProperty(history, async (events) => checkEnd(await live(events))),
    { numRuns: runs, seed: 20261125, endOnFailure: true },
  );
});
