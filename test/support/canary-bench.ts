import { beforeAll, beforeEach, expect } from 'vitest';
import type { z } from 'zod';
import { isObject } from '../../src/core/json.ts';
import type { Sample } from '../../src/core/measuring.ts';
import type { Run } from '../../src/core/run.ts';
import { Settings } from '../../src/core/settings.ts';
import type { SteerWish } from '../../src/core/steer.ts';
import { steer } from '../../src/engine/steer.ts';
import { fakeWorld } from '../fakes/fake-clients.ts';
import { createDesk, type Desk, stock } from './desk.ts';
import { ben, type TestEngine, testEngine } from './engine.ts';
import { redisForFile } from './redis.ts';
import { service, virtualService, watchedCluster } from './watched-cluster.ts';

type Served = { requests: number; failures: number };
/** What both versions served at a share; of the shares so far, the last one is the present one. */
export type Counts = (share: number) => { canary: Served; stable: Served };

export const allWell: Counts = () => ({
  canary: { requests: 4_000, failures: 0 },
  stable: { requests: 4_000, failures: 0 },
});

/** A Prometheus that answers the judge's own query with these counts; with nothing at all where there are none. */
function answered(promql: string, counts: Counts | undefined): Sample[] {
  const at = Date.now();
  const sample = (part: string, value: number, labels = {}): Sample => ({
    labels: { shipmate_part: part, ...labels },
    value,
    at,
  });
  if (!counts) return [];
  const shares = new Set([...promql.matchAll(/"phase (\d+)"/g)].map(([, n]) => Number(n)));
  const phases = [...shares].flatMap((n) =>
    Object.entries(counts(n)).flatMap(([arm, { requests, failures }]) => {
      const destination_workload = arm === 'canary' ? 'web-canary' : 'web';
      return [
        sample(`phase ${n}`, requests - failures, { destination_workload, response_code: '200' }),
        sample(`phase ${n}`, failures, { destination_workload, response_code: '500' }),
      ];
    }),
  );
  return [sample('now', at / 1_000), sample('newest', at / 1_000), ...phases];
}

/** `web` at v1 with four pods and its Service, in a cluster that watches what a canary does to it; `routed` by a VirtualService. */
export async function freshShop(engine: TestEngine, { routed = true } = {}) {
  await engine.redis.flushall();
  const world = fakeWorld();
  stock(world);
  const cluster = watchedCluster(world);
  Object.assign(engine.clients, { ...world.clients, kube: () => cluster.kube });
  world.objects.set('Service staging/web', service);
  const desk = createDesk(engine);
  const first = { app: 'web', env: 'staging', tag: 'v1', replicas: 4, strategy: 'rolling' };
  await desk.lap(await desk.ask('deploy', first, ben));
  if (routed) world.objects.set('VirtualService staging/web', virtualService);
  cluster.broken.length = 0;
  return { world, cluster, desk };
}

type App = z.input<typeof Settings>['apps'][string];

/** `web` at v1 with four pods, behind a VirtualService, in a cluster that watches what a canary does to it; anew for each test. */
export function canaryBench({
  rollout = {},
  judged = false,
}: {
  rollout?: NonNullable<App['rollout']>;
  judged?: boolean;
}) {
  const redis = redisForFile();
  const state: {
    engine?: TestEngine;
    desk?: Desk;
    world?: ReturnType<typeof fakeWorld>;
    cluster?: ReturnType<typeof watchedCluster>;
  } = {};
  const there = <Part>(part: Part | undefined): Part => part ?? expect.unreachable();
  const bench = {
    get engine() {
      return there(state.engine);
    },
    get desk() {
      return there(state.desk);
    },
    get world() {
      return there(state.world);
    },
    get cluster() {
      return there(state.cluster);
    },
    counts: allWell as Counts | undefined,
    /** Each weight that the canary was given, and of which image its pods were then. */
    given: [] as { weight: number; stable: number; image: string }[],
    /** A canary that goes on only when somebody says so, at its first share. */
    canaryAt: async (weight: number, ...more: number[]): Promise<string> => {
      const steps = [weight, ...more].map((each) => ({ weight: each, manual: true }));
      const id = await bench.desk.ask('deploy', { app: 'web', env: 'staging', tag: 'v2', strategy: 'canary', steps });
      // One that is judged keeps its worker.
      const lap = bench.desk.lap(id);
      if (!judged) await lap;
      const reached = async () => (await bench.desk.run(id)).steps[`weight ${weight}`]?.memo;
      await expect.poll(reached, { timeout: 10_000 }).toBeDefined();
      expect(bench.cluster.weights().canary).toBe(weight);
      return id;
    },
    say: async (id: string, wish: SteerWish) => {
      await steer(bench.engine, await bench.desk.run(id), ben, wish);
    },
    over: async (id: string): Promise<Run> => (await bench.desk.settle([id], 30_000))[0] ?? expect.unreachable(),
    /** Changes `spec` of a Deployment or another object, as somebody else would. */
    change: (key: string, spec: object) => {
      const live = there(bench.world.objects.get(key));
      bench.world.objects.set(key, { ...live, spec: { ...(isObject(live.spec) ? live.spec : {}), ...spec } });
    },
  };
  const settings = Settings.parse({
    apps: {
      web: {
        image: '127.0.0.1:5000/web',
        rollout: { drain: '1ms', reach: '1ms', ...rollout },
        ...(judged && { analysis: 'quick' }),
      },
    },
    analyses: { quick: { scrapeInterval: '100ms', unknownLimit: '3s', metrics: [{ kind: 'success-rate' }] } },
    environments: { staging: { namespace: 'staging', rolloutTimeoutSeconds: 10 } },
    policy: [{ name: 'free' }],
  });
  beforeAll(async () => {
    state.engine = await testEngine(redis().url, fakeWorld().clients, { settings: () => settings });
    return () => bench.engine.close();
  });
  beforeEach(async () => {
    Object.assign(state, await freshShop(bench.engine));
    const { cluster } = bench;
    const { merge } = cluster.kube;
    cluster.kube.merge = async (ref, ...rest) => {
      const after = await merge(ref, ...rest);
      const { canary: weight, stable } = cluster.weights();
      const pods = cluster.get('staging/web-canary');
      if (ref.kind === 'VirtualService')
        bench.given.push({ weight, stable, image: /web:v\d/.exec(JSON.stringify(pods ?? {}))?.[0] ?? '' });
      return after;
    };
    const metrics = { configured: judged, query: async (promql: string) => answered(promql, bench.counts) };
    Object.assign(bench.engine.clients, { metrics });
    bench.given.length = 0;
    bench.counts = allWell;
    return () => bench.desk.leases.stop();
  });
  return bench;
}
