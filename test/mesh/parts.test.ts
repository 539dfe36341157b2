import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { request } from 'undici';
import { beforeAll, expect, test, vi } from 'vitest';
import { type Mesh, startMesh } from '../../testbed/mesh/mesh.ts';
import { startTestbed, type Testbed } from '../../testbed/testbed.ts';
import { envoyEndpoints } from '../support/envoy-endpoints.ts';
import { envoyRefusals } from '../support/envoy-refusals.ts';
import { everyFeature } from '../support/every-feature.ts';
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

test('the gateway listens on loopback, and nowhere else', async () => {
  const port = mesh.gateway.port.toString(16).toUpperCase().padStart(4, '0');
  const sockets = await Promise.all(['tcp', 'tcp6'].map((name) => readFile(`/proc/net/${name}`, 'utf8')));
  const listening = sockets.join('').matchAll(/^ *\d+: ([0-9A-F]+):([0-9A-F]{4}) \S+ 0A /gm);
  const here = [...listening].filter(([, , found]) => found === port).map(([, address]) => address);
  // 127.0.0.1, its bytes the other way round.
  expect(new Set(here)).toEqual(new Set(['0100007F']));
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

test('one more proxy has Gateways of its own, is counted apart, and takes all that Istio tells it', async () => {
  const port = await bed.port();
  const [gateway, proxyNamespace, host] = ['second', 'istio-system', 'second.test'];
  const labels = { istio: gateway };
  const proxy = await mesh.proxy({ name: gateway, type: 'router', ip: '127.0.0.1', namespace: proxyNamespace, labels });
  await apply(everyFeature({ namespace: shop.namespace, host, port, gateway, proxyNamespace }));
  const url = `http://127.0.0.1:${port}`;
  const ask = async (path: string, headers: Record<string, string> = {}) => {
    const answer = await request(`${url}${path}`, { headers: { host, ...headers } });
    await answer.body.dump();
    return answer;
  };
  const status = async (path: string, headers?: Record<string, string>) => (await ask(path, headers)).statusCode;
  await expect.poll(() => status('/').catch(String), { timeout: 15_000 }).toBe(200);
  expect((await ask('/')).headers).toMatchObject({ 'x-mesh': 'yes' });
  const soon = { timeout: 10_000 };
  await expect.poll(() => status('/admin'), soon).toBe(403);
  await expect.poll(() => status('/private'), soon).toBe(403);
  await expect.poll(() => status('/', { authorization: 'Bearer a.b.c' }), soon).toBe(401);
  await expect.poll(() => status('/', { 'x-fault': 'yes' }), soon).toBe(418);
  const logged = () => readFile(join(bed.dir, 'logs', 'envoy-second.log'), 'utf8');
  await expect.poll(logged, { timeout: 15_000 }).toContain('"GET /private HTTP/1.1" 403');
  expect(await envoyRefusals(proxy.admin)).toEqual([]);
  expect(await envoyRefusals(mesh.gateway.admin)).toEqual([]);
  const query = 'sum(envoy_cluster_upstream_rq{envoy_cluster_name=~".*shop.*",proxy="second"})';
  const count = async () => (await promQuery(mesh.prometheus.url, query))[0]?.value ?? 0;
  await expect.poll(count, { timeout: 15_000 }).toBeGreaterThan(0);
});
