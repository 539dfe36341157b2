import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, expect, test, vi } from 'vitest';
import { type Mesh, startMesh } from '../../testbed/mesh/mesh.ts';
import { startTestbed, type Testbed } from '../../testbed/testbed.ts';
import { envoyEndpoints } from '../support/envoy-endpoints.ts';
import { promQuery } from '../support/prometheus.ts';
import { type SplitShop, splitShop } from '../support/split-shop.ts';
import { dropped, startTraffic, type Traffic } from '../support/traffic.ts';

/** Parts of a mesh that die and come back. A mesh of its own: the others' must not suffer for it. */

let bed: Testbed;
let mesh: Mesh;
let shop: SplitShop;

const apply = (objects: readonly object[]) =>
  bed.kubernetes.kubectl(['apply', '-f', '-'], objects.map((object) => JSON.stringify(object)).join('\n---\n'));
const load = (): Traffic => startTraffic(mesh.gateway.url, { perSecond: 100, headers: { host: shop.host } });
const reached = (traffic: Traffic, version: string) =>
  expect.poll(() => traffic.shots.at(-1)?.version, { timeout: 10_000, interval: 50 }).toBe(version);
const patient = { timeout: 60_000, interval: 200 };

beforeAll(async () => {
  bed = await startTestbed({ log: console.log });
  const began = Date.now();
  mesh = await startMesh(bed, console.log);
  console.log(`A mesh beside a bed that runs: ${Date.now() - began} ms`);
  const namespace = 'sea';
  shop = splitShop({ namespace, registry: bed.registry.host, port: mesh.gateway.port, versions: ['v1', 'v2'] });
  await bed.kubernetes.kubectl(['create', 'namespace', namespace]);
  await Promise.all(['v1', 'v2'].map((tag) => mesh.pushShop(tag)));
  await apply([...shop.objects, shop.route({ v1: 100, v2: 0 })]);
  const healthy = async (version: string) =>
    (await envoyEndpoints(mesh.gateway.admin, shop.cluster(version))).some((endpoint) => endpoint.healthy);
  await vi.waitUntil(async () => (await healthy('v1')) && (await healthy('v2')), patient);
  const answers = async () => {
    const traffic = load();
    await sleep(200);
    return (await traffic.stop()).some(({ version }) => version === 'v1');
  };
  await vi.waitUntil(answers, patient);
  return () => bed.stop();
});

test('without istiod requests go on as before; when it is back they go as was said meanwhile', async () => {
  const traffic = load();
  await mesh.istiod.kill();
  const killed = Date.now();
  await apply([shop.route({ v1: 0, v2: 100 })]);
  await sleep(2_000);
  expect(traffic.within(killed, Date.now()).filter(({ version }) => version === 'v2')).toEqual([]);
  const began = Date.now();
  await mesh.istiod.start();
  await reached(traffic, 'v2');
  console.log(`istiod back: ${Date.now() - began} ms from its start to the newest share`);
  await apply([shop.route({ v1: 100, v2: 0 })]);
  await reached(traffic, 'v1');
  expect(dropped(await traffic.stop())).toEqual([]);
});

test('an istiod that answers nothing holds the shares as they are, and nothing is lost', async () => {
  const traffic = load();
  mesh.istiod.pause();
  await apply([shop.route({ v1: 0, v2: 100 })]);
  await sleep(2_000);
  expect(traffic.shots.filter(({ version }) => version === 'v2')).toEqual([]);
  mesh.istiod.resume();
  await reached(traffic, 'v2');
  await apply([shop.route({ v1: 100, v2: 0 })]);
  await reached(traffic, 'v1');
  expect(dropped(await traffic.stop())).toEqual([]);
});

test('Prometheus killed and started again has kept what it had, and goes on counting', async () => {
  const query = `sum(envoy_cluster_upstream_rq{envoy_cluster_name="${shop.cluster('v1')}"})`;
  const count = async (at?: number) => (await promQuery(mesh.prometheus.url, query, at))[0]?.value ?? 0;
  await expect.poll(() => count(), { timeout: 10_000 }).toBeGreaterThan(100);
  const then = Date.now();
  const before = await count(then);
  await mesh.prometheus.kill();
  await expect(count()).rejects.toThrow();
  await mesh.prometheus.start();
  expect(await count(then)).toBe(before);
  const traffic = load();
  await expect.poll(() => count(), { timeout: 10_000 }).toBeGreaterThan(before);
  await traffic.stop();
});

test('an Envoy killed and started again gets all of its configuration back', async () => {
  await mesh.gateway.kill();
  const traffic = load();
  await sleep(300);
  expect(traffic.shots.every(({ status }) => status === 0)).toBe(true);
  await mesh.gateway.start();
  await reached(traffic, 'v1');
  await traffic.stop();
});

test('one more proxy has Gateways of its own, and is counted apart', async () => {
  const port = await bed.port();
  const second = { type: 'router', ip: '127.0.0.1', namespace: 'istio-system', labels: { istio: 'second' } } as const;
  await mesh.proxy({ ...second, name: 'second' });
  const host = 'second.test';
  const make = (kind: string, spec: object) => ({
    apiVersion: 'networking.istio.io/v1',
    kind,
    metadata: { name: 'second', namespace: shop.namespace },
    spec,
  });
  await apply([
    make('Gateway', {
      selector: { istio: 'second' },
      servers: [{ port: { number: port, name: 'http', protocol: 'HTTP' }, hosts: [host] }],
    }),
    make('VirtualService', {
      hosts: [host],
      gateways: ['second'],
      http: [{ route: [{ destination: { host: 'shop', subset: 'v2' } }] }],
    }),
  ]);
  const traffic = startTraffic(`http://127.0.0.1:${port}`, { perSecond: 50, headers: { host } });
  await reached(traffic, 'v2');
  const answered = (await traffic.stop()).filter(({ version }) => version === 'v2').length;
  const query = `sum(envoy_cluster_upstream_rq{envoy_cluster_name="${shop.cluster('v2')}",proxy="second"})`;
  await expect
    .poll(async () => (await promQuery(mesh.prometheus.url, query))[0]?.value, { timeout: 15_000 })
    .toBe(answered);
});
