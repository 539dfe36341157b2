import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { bed } from '../support/bed.ts';
import { envoyEndpoints } from '../support/envoy-endpoints.ts';
import { freshNamespace, kubectl } from '../support/kubectl.ts';
import { applyAll, mesh } from '../support/mesh.ts';
import { promQuery } from '../support/prometheus.ts';
import { type SplitShop, splitShop } from '../support/split-shop.ts';
import { dropped, farFrom, type Shot, shareOf, startTraffic, type Traffic } from '../support/traffic.ts';

/** The test bed's own mesh: that the shares, the counts and the times which other tests rely on are true. */

const versions = ['v1', 'v4', 'v5'];
let shop: SplitShop;
let traffic: Traffic;

beforeAll(async () => {
  const namespace = await freshNamespace('shares');
  shop = splitShop({ namespace, registry: bed.registryHost, port: mesh.gatewayPort, versions });
  await applyAll([...shop.objects, shop.route({ v1: 50, v4: 50 })]);
  const healthy = async (version: string) =>
    (await envoyEndpoints(mesh.gatewayAdmin, shop.cluster(version))).some((endpoint) => endpoint.healthy);
  const patient = { timeout: 60_000, interval: 200 };
  await vi.waitUntil(async () => !(await Promise.all(versions.map(healthy))).includes(false), patient);
  traffic = startTraffic(mesh.gatewayUrl, { perSecond: 200, headers: { host: shop.host } });
  await vi.waitUntil(() => traffic.shots.some(({ version }) => version !== ''), patient);
});
afterAll(async () => {
  await traffic.stop();
  await kubectl(['delete', 'namespace', shop.namespace, '--wait=false']);
});

async function next(ms: number): Promise<Shot[]> {
  const from = Date.now();
  await sleep(ms);
  const until = Date.now();
  await sleep(500);
  return traffic.within(from, until);
}

test('each version has its share of the requests, within chance', async () => {
  const half = await next(4_000);
  expect(half.length).toBeGreaterThan(600);
  expect(farFrom(half, 'v4', 0.5)).toBe(false);
  await applyAll([shop.route({ v1: 90, v4: 10 })]);
  await sleep(1_000);
  const tenth = await next(5_000);
  expect(farFrom(tenth, 'v4', 0.1)).toBe(false);
  // The measure is sharp enough to tell one from the other.
  expect(farFrom(tenth, 'v4', 0.2)).toBe(true);
});

test('a change is felt by all requests, and stays', async () => {
  const asked = Date.now();
  await applyAll([shop.route({ v1: 100, v4: 0 })]);
  const recent = async () => shareOf(await next(1_000), 'v4');
  await expect.poll(recent, { timeout: 20_000 }).toBe(0);
  const last = traffic.shots.findLast(({ version }) => version === 'v4');
  console.log(
    `A new share: ${(last?.at ?? 0) - asked} ms from the start of kubectl to the last request on the old one`,
  );
  const after = await next(2_000);
  expect(after.length).toBeGreaterThan(200);
  expect(shareOf(after, 'v1')).toBe(1);
});

test('Prometheus counts what the versions answered, by cluster, code and class, and how long they took', async () => {
  await applyAll([shop.route({ v1: 40, v4: 40, v5: 20 })]);
  await expect
    .poll(() => traffic.shots.filter(({ version }) => version === 'v5').length, { timeout: 30_000 })
    .toBeGreaterThan(200);
  const shots = await traffic.stop();
  expect(dropped(shots.slice(shots.findIndex(({ version }) => version !== '')))).toEqual([]);
  const mine = `envoy_cluster_name=~"outbound[|]80[|]v.[|]shop[.]${shop.namespace}[.].*",proxy="gw"`;
  const ask = (query: string) => promQuery(mesh.prometheusUrl, query);
  const by = async (query: string, label: string) =>
    Object.fromEntries((await ask(query)).map(({ labels, value }) => [labels[label], value]));
  const seen = (like: (shot: Shot) => boolean) => shots.filter(like).length;
  const totals = versions.map((version) => [shop.cluster(version), seen((shot) => shot.version === version)]);
  await expect
    .poll(() => by(`sum by (envoy_cluster_name) (envoy_cluster_upstream_rq{${mine}})`, 'envoy_cluster_name'), {
      timeout: 5_000,
    })
    .toEqual(Object.fromEntries(totals));
  const codes = { 200: seen(({ status }) => status === 200), 500: seen(({ status }) => status === 500) };
  expect(codes[500]).toBeGreaterThan(10);
  expect(await by(`sum by (envoy_response_code) (envoy_cluster_upstream_rq{${mine}})`, 'envoy_response_code')).toEqual(
    codes,
  );
  const classes = `sum by (envoy_response_code_class) (envoy_cluster_upstream_rq_xx{${mine}})`;
  expect(await by(classes, 'envoy_response_code_class')).toEqual({ 2: codes[200], 5: codes[500] });
  // Of all that was counted: a rate of the last seconds is none once the traffic has stopped for as long.
  const counted = `envoy_cluster_upstream_rq_time_bucket{${mine}}`;
  const median = await by(
    `histogram_quantile(0.5, sum by (le, envoy_cluster_name) (${counted}))`,
    'envoy_cluster_name',
  );
  // Milliseconds, of buckets from 50 to 100 and below. The slow version takes 80 of them.
  expect(median[shop.cluster('v5')]).toBeGreaterThan(50);
  expect(median[shop.cluster('v1')]).toBeLessThan(50);
});

test('the weights of an HTTPRoute are kept by Envoy in the same way', async () => {
  const { namespace } = shop;
  const host = `route-${shop.host}`;
  const services = ['v1', 'v5'].map((version) => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: `shop-${version}`, namespace },
    spec: { selector: { app: 'shop', version }, ports: [{ name: 'http', port: 80, targetPort: 8080 }] },
  }));
  const route = (v1: number, v5: number) => ({
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: { name: 'shop', namespace },
    spec: {
      parentRefs: [{ name: 'gw', namespace: 'istio-system' }],
      hostnames: [host],
      rules: [
        {
          backendRefs: [
            { name: 'shop-v1', port: 80, weight: v1 },
            { name: 'shop-v5', port: 80, weight: v5 },
          ],
        },
      ],
    },
  });
  await applyAll([...services, route(70, 30)]);
  const load = startTraffic(mesh.gatewayUrl, { perSecond: 200, headers: { host } });
  await expect.poll(() => load.shots.some(({ status }) => status === 200), { timeout: 15_000 }).toBe(true);
  await sleep(1_000);
  const from = Date.now();
  await sleep(4_000);
  const changed = Date.now();
  expect(farFrom(load.within(from, changed - 500), 'v5', 0.3)).toBe(false);
  await applyAll([route(95, 5)]);
  await sleep(6_000);
  await load.stop();
  const after = load.within(changed + 2_000, Date.now());
  expect(farFrom(after, 'v5', 0.05)).toBe(false);
  expect(farFrom(after, 'v5', 0.3)).toBe(true);
  expect(dropped(load.within(from, Date.now()))).toEqual([]);
});
