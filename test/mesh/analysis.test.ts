import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Run } from '../../src/core/run.ts';
import { bed } from '../support/bed.ts';
import { hostOf, mesh, openShop } from '../support/mesh.ts';
import { promQuery } from '../support/prometheus.ts';
import { type RealDesk, realDesk } from '../support/real-desk.ts';
import { dropped, startTraffic, type Traffic } from '../support/traffic.ts';

/** Canaries judged by what the real Envoy counts and the real Prometheus says. */

let desk: RealDesk;
let traffic: Traffic;

beforeAll(async () => {
  const metrics = [{ kind: 'success-rate' as const }, { kind: 'latency' as const }];
  const quick = { source: 'envoy' as const, scrapeInterval: '1s', unknownLimit: '6s', queryTimeout: '2s' };
  desk = await realDesk({
    apps: { shop: { image: `${bed.registryHost}/shop`, analysis: 'quick', rollout: { drain: '4s' } } },
    analyses: { quick: { ...quick, metrics } },
    prometheus: mesh.prometheusUrl,
  });
  await openShop(desk.namespaces.staging);
  traffic = startTraffic(mesh.gatewayUrl, { perSecond: 200, headers: { host: hostOf(desk.namespaces.staging) } });
});
afterAll(async () => {
  await traffic.stop();
  await desk.end();
});

async function deployed(tag: string, more: Record<string, unknown>): Promise<Run> {
  const id = await desk.ask('deploy', { app: 'shop', env: 'staging', tag, strategy: 'canary', ...more });
  return (await desk.settle([id], 100_000))[0] ?? expect.unreachable();
}

/** How many requests Envoy has sent to a Service so far, as Prometheus has it. */
async function sentTo(service: string): Promise<number> {
  const cluster = `outbound[|]80[|][|]${service}[.]${desk.namespaces.staging}[.].*`;
  const found = await promQuery(mesh.prometheusUrl, `sum(envoy_cluster_upstream_rq{envoy_cluster_name=~"${cluster}"})`);
  return found[0]?.value ?? 0;
}

test('in an experiment it is compared with fresh pods of the old version, which get as much of the traffic', async () => {
  const steps = [
    { weight: 20, baseline: true, bake: '60s' },
    { weight: 50, bake: '5s' },
  ];
  const id = await desk.ask('deploy', { app: 'shop', env: 'staging', tag: 'v4', strategy: 'canary', steps });
  const all = () => Promise.all(['shop', 'shop-canary', 'shop-baseline'].map(sentTo));
  const before = await all();
  const working = desk.settle([id], 100_000);
  const since = async () => (await all()).map((count, n) => count - (before[n] ?? 0));
  await expect.poll(async () => (await since())[2], { timeout: 60_000 }).toBeGreaterThan(100);
  const [stable = 0, canary = 0, baseline = 0] = await since();
  console.log(`experiment: ${canary} requests to the canary, ${baseline} to the baseline, ${stable} to stable`);
  expect(Math.abs(canary - baseline)).toBeLessThan(4 * Math.sqrt(canary + baseline));
  expect(stable).toBeGreaterThan(2 * baseline);
  const [run] = await working;
  expect(run).toMatchObject({ state: 'failed', report: { kind: 'rolled-back', reason: 'regression' } });
  if (run?.report?.kind === 'rolled-back')
    expect(run.report.detail).toMatch(/^success rate \d\d(\.\d+)? % against (100|99\.\d+) % after/);
  expect(dropped(traffic.shots)).toEqual([]);
});

test('a version that fails 7 % of its requests is rolled back by itself, and says why in one line', async () => {
  const asked = Date.now();
  const run = await deployed('v4', { weights: [20, 50], bake: '60s' });
  expect(run).toMatchObject({ state: 'failed', report: { kind: 'rolled-back', reason: 'regression' } });
  if (run.report?.kind !== 'rolled-back') return;
  console.log(run.report.detail);
  expect(run.report.detail).toMatch(
    /^success rate \d\d(\.\d+)? % against (100|99\.\d+) % after \d+ requests \(p [<=] 0\.0\d\d\)/,
  );
  const first = traffic.shots.find(({ at, status }) => at >= asked && status === 500);
  const last = traffic.shots.findLast(({ version }) => version === 'v4');
  console.log(`detected and back ${(last?.at ?? 0) - (first?.at ?? 0)} ms after the first bad answer`);
  expect(dropped(traffic.shots)).toEqual([]);
});

test('a slow version is rolled back by its latency', async () => {
  const run = await deployed('v5', { weights: [30], bake: '60s' });
  expect(run).toMatchObject({ state: 'failed', report: { kind: 'rolled-back', reason: 'regression' } });
  if (run.report?.kind === 'rolled-back')
    expect(run.report.detail).toMatch(/^p95 latency \d+ ms against [\d.]+ ms after/);
});

test('a version that is as good passes: nothing but a pass opens the way to all traffic', async () => {
  const run = await deployed('v2', { weights: [50], bake: '5s' });
  expect(run).toMatchObject({ state: 'finished', report: { kind: 'promoted' } });
  if (run.report?.kind === 'promoted') console.log(run.report.said);
  expect(dropped(traffic.shots)).toEqual([]);
});

test('with Prometheus frozen nothing is known: it holds, and is rolled back when the limit is over', async () => {
  const id = await desk.ask('deploy', {
    app: 'shop',
    env: 'staging',
    tag: 'v1',
    strategy: 'canary',
    weights: [50],
    bake: '1s',
  });
  process.kill(mesh.pids.prometheus, 'SIGSTOP');
  try {
    const [run] = await desk.settle([id], 60_000);
    expect(run).toMatchObject({ state: 'failed', report: { kind: 'rolled-back', reason: 'unknown' } });
    if (run?.report?.kind === 'rolled-back') expect(run.report.detail).toMatch(/Prometheus has not answered for \d+ s/);
  } finally {
    process.kill(mesh.pids.prometheus, 'SIGCONT');
    await sleep(500);
  }
});
