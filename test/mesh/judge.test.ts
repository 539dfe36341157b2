import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createPrometheus } from '../../src/clients/prometheus/prometheus.ts';
import { createHooks } from '../../src/clients/web-hook/web-hook.ts';
import { judge } from '../../src/core/analysis/judge.ts';
import { sentenceOf } from '../../src/core/analysis/sentence.ts';
import { AnalysisTemplate } from '../../src/core/analysis/template.ts';
import { measure } from '../../src/operations/delivery/analysis.ts';
import { freshNamespace, kubectl } from '../support/kubectl.ts';
import { applyAll, hostOf, mesh, openShop, shopDeployment, shopRoute, shopService } from '../support/mesh.ts';
import { startTraffic, type Traffic } from '../support/traffic.ts';

/** What the judge learns from a real Prometheus of a real Envoy, against what was sent. */

const on = { metrics: createPrometheus(mesh.prometheusUrl), hooks: createHooks() };
const template = AnalysisTemplate.parse({
  source: 'envoy',
  scrapeInterval: '1s',
  metrics: [
    { kind: 'success-rate' },
    { kind: 'latency' },
    { kind: 'promql', name: 'targets', query: 'sum(up)', min: 1 },
  ],
});

let namespace: string;
let traffic: Traffic;

/** A second version beside the first, with its own Service, and a share of the traffic. */
async function openCanary(tag: string): Promise<void> {
  const [deployment, service, route] = [
    shopDeployment(namespace, tag, 1),
    shopService(namespace),
    shopRoute(namespace),
  ];
  const labels = { app: 'shop-canary' };
  const metadata = { name: 'shop-canary', namespace };
  const { template: pods } = deployment.spec;
  await applyAll([
    {
      ...deployment,
      metadata,
      spec: { ...deployment.spec, selector: { matchLabels: labels }, template: { ...pods, metadata: { labels } } },
    },
    { ...service, metadata, spec: { ...service.spec, selector: labels } },
  ]);
  await kubectl(['rollout', 'status', 'deployment/shop-canary', '-n', namespace, '--timeout=60s']);
  const both = [
    { destination: { host: 'shop' }, weight: 60 },
    { destination: { host: 'shop-canary' }, weight: 40 },
  ];
  await applyAll([{ ...route, spec: { ...route.spec, http: [{ name: 'all', route: both }] } }]);
}

beforeAll(async () => {
  namespace = await freshNamespace('analysis');
  await openShop(namespace);
  traffic = startTraffic(mesh.gatewayUrl, { perSecond: 100, headers: { host: hostOf(namespace) } });
});
afterAll(async () => {
  await traffic.stop();
  await kubectl(['delete', 'namespace', namespace, '--wait=false']);
});

const look = (since: number, now: number) =>
  measure(
    on,
    template,
    { app: 'shop', namespace, stable: 'shop', canary: 'shop-canary', service: 'shop', ports: [80] },
    [{ since, until: now }],
    now,
    AbortSignal.timeout(10_000),
  );

test('a version that fails 7 % of its requests fails, with counts that are those of the requests sent', async () => {
  await openCanary('v4');
  await sleep(2_000);
  const since = Date.now();
  for (;;) {
    await sleep(1_000);
    const now = Date.now();
    const evidence = await look(since, now);
    expect(evidence.unknown).toEqual([]);
    const judged = judge(template, evidence, now);
    if (judged.kind !== 'fail' && now - since < 60_000) continue;
    const shots = traffic.within(since, now);
    const failed = shots.filter(({ status }) => status === 500);
    const [phase] = evidence.phases;
    const [canary, stable] = [phase?.canary, phase?.stable];
    expect(sentenceOf(judged)).toMatch(/^success rate \d\d(\.\d)? % against 100 % after \d+ requests \(p/);
    // Two scrapes of what was sent may be missing, and nothing is there that was not sent.
    const all = (canary?.requests ?? 0) + (stable?.requests ?? 0);
    expect(all).toBeLessThanOrEqual(shots.length);
    expect(all).toBeGreaterThan(shots.length - 350);
    expect(canary?.failures).toBeLessThanOrEqual(failed.length);
    expect(canary?.failures).toBeGreaterThanOrEqual(failed.length - 25);
    expect(stable?.failures).toBe(0);
    for (const count of [canary?.requests, canary?.failures, stable?.requests])
      expect(Number.isInteger(count)).toBe(true);
    return;
  }
});

test('a version that is as good is not failed, and it is said how much more is needed', async () => {
  await openCanary('v2');
  await sleep(3_000);
  const since = Date.now();
  await sleep(8_000);
  const now = Date.now();
  const judged = judge(template, await look(since, now), now);
  expect(judged.metrics.map(({ metric, kind }) => [metric, kind])).toEqual([
    ['success rate', 'unsure'],
    ['p95 latency', expect.stringMatching(/^(unsure|pass)$/)],
    ['targets', 'pass'],
  ]);
  expect(sentenceOf(judged)).toMatch(/^success rate: about \d+ more requests \(\d+ s\)/);
});
