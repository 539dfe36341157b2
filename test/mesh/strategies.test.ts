import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { bed } from '../support/bed.ts';
import { kubectl } from '../support/kubectl.ts';
import {
  applyAll,
  hostOf,
  mesh,
  openShop,
  shopDeployment,
  shopGateway,
  shopRoute,
  shopService,
} from '../support/mesh.ts';
import { type RealDesk, realDesk } from '../support/real-desk.ts';
import { dropped, farFrom, shareOf, startTraffic } from '../support/traffic.ts';

let desk: RealDesk;
const namespace = () => desk.namespaces.staging;

beforeAll(async () => {
  desk = await realDesk({ apps: { shop: { image: `${bed.registryHost}/shop`, rollout: { drain: '4s' } } } });
});
afterAll(() => desk.end());
beforeEach(async () => {
  await kubectl([
    'delete',
    'deployment,service,virtualservice,gateways.networking.istio.io,gateways.gateway.networking.k8s.io,httproute,hpa',
    '--all',
    '-n',
    namespace(),
  ]);
});

const seen = async (what: string, format = 'name') =>
  await kubectl(['get', what, '-n', namespace(), '-o', format, '--ignore-not-found']);
const load = () => startTraffic(mesh.gatewayUrl, { perSecond: 100, headers: { host: hostOf(namespace()) } });

async function deployed(input: Record<string, unknown>) {
  const id = await desk.ask('deploy', { app: 'shop', env: 'staging', tag: 'v2', ...input });
  return (await desk.settle([id], 90_000))[0] ?? expect.unreachable();
}

test('blue-green: green at full size, one switch, blue kept for a time, and then replaced', async () => {
  await openShop(namespace());
  const traffic = load();
  const run = await deployed({ strategy: 'blue-green', keep: '4s' });
  const shots = await traffic.stop();
  expect(run).toMatchObject({ state: 'finished', report: { kind: 'promoted', strategy: 'blue-green' } });
  const [, after] = run.report?.kind === 'promoted' ? run.report.stages : [];
  expect(after?.weight).toBe(100);
  const kept = shots.filter(({ at }) => after && at >= after.since && at < after.until);
  expect(kept.length).toBeGreaterThan(50);
  expect(shareOf(kept, 'v2')).toBe(1);
  expect(dropped(shots)).toEqual([]);
  expect(await seen('deployment,service')).toBe('deployment.apps/shop\nservice/shop\n');
});

test('an HTTPRoute of the Gateway API is divided in the same way; Envoy keeps to it, and no request is lost', async () => {
  await applyAll([
    shopDeployment(namespace(), 'v1'),
    shopService(namespace()),
    {
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'HTTPRoute',
      metadata: { name: 'shop', namespace: namespace() },
      spec: {
        parentRefs: [{ name: 'gw', namespace: 'istio-system' }],
        hostnames: [hostOf(namespace())],
        rules: [{ backendRefs: [{ name: 'shop', port: 80 }] }],
      },
    },
  ]);
  await kubectl(['rollout', 'status', 'deployment/shop', '-n', namespace(), '--timeout=60s']);
  const traffic = load();
  await expect.poll(() => traffic.shots.at(-1)?.status, { timeout: 20_000 }).toBe(200);
  const from = Date.now();
  const id = await desk.ask('deploy', {
    app: 'shop',
    env: 'staging',
    tag: 'v2',
    strategy: 'canary',
    weights: [25],
    bake: '6s',
  });
  const working = desk.settle([id], 90_000);
  const refs = async () =>
    JSON.parse(await seen('httproute/shop', 'json')).spec.rules[0].backendRefs.map(
      (each: { name: string; weight: number }) => [each.name, each.weight],
    );
  await expect.poll(refs, { timeout: 40_000 }).toEqual([
    ['shop', 75],
    ['shop-canary', 25],
  ]);
  const [run] = await working;
  expect(run).toMatchObject({ state: 'finished', report: { kind: 'promoted' } });
  expect(await refs()).toEqual([['shop', 1]]);
  await traffic.stop();
  const [quarter] = run?.report?.kind === 'promoted' ? run.report.stages : [];
  // It is for Envoy to hear of it first.
  const divided = traffic.within((quarter?.since ?? 0) + 1_500, quarter?.until ?? 0);
  expect(divided.length).toBeGreaterThan(200);
  expect(farFrom(divided, 'v2', 0.25)).toBe(false);
  expect(dropped(traffic.within(from, Date.now()))).toEqual([]);
});

test('without a mesh the numbers of pods are the shares, at most half', async () => {
  await applyAll([shopDeployment(namespace(), 'v1', 4), shopService(namespace())]);
  await kubectl(['rollout', 'status', 'deployment/shop', '-n', namespace(), '--timeout=60s']);
  const id = await desk.ask('deploy', {
    app: 'shop',
    env: 'staging',
    tag: 'v2',
    strategy: 'canary',
    weights: [20, 50],
    bake: '2s',
  });
  const working = desk.settle([id], 90_000);
  const sizes = async () =>
    JSON.parse(await seen('deployment', 'json')).items.map(
      (each: { spec: { replicas: number } }) => each.spec.replicas,
    );
  await expect.poll(sizes, { timeout: 40_000 }).toEqual([4, 1]);
  await expect.poll(sizes, { timeout: 40_000 }).toEqual([4, 4]);
  const [run] = await working;
  expect(run).toMatchObject({ state: 'finished', report: { kind: 'promoted', ready: 4 } });
  expect(await seen('deployment')).toBe('deployment.apps/shop\n');
});

test('requests with a header go to the canary whatever its share; the routes of the team stay as they were', async () => {
  await openShop(namespace());
  const route = shopRoute(namespace());
  const special = {
    name: 'special',
    match: [{ uri: { prefix: '/admin' } }],
    timeout: '3s',
    route: [{ destination: { host: 'shop' }, headers: { request: { set: { 'x-team': 'a' } } } }],
  };
  await applyAll([
    { ...route, spec: { ...route.spec, http: [special, ...route.spec.http] } },
    shopGateway(namespace()),
  ]);
  const match = { header: 'x-preview', value: 'yes' };
  const id = await desk.ask('deploy', {
    app: 'shop',
    env: 'staging',
    tag: 'v2',
    strategy: 'canary',
    steps: [{ weight: 0, match, bake: '6s' }],
  });
  const working = desk.settle([id], 90_000);
  await expect.poll(() => seen('virtualservice/shop', 'json'), { timeout: 40_000 }).toContain('x-preview');
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  const preview = startTraffic(mesh.gatewayUrl, {
    perSecond: 50,
    headers: { host: hostOf(namespace()), 'x-preview': 'yes' },
  });
  const others = load();
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  expect(shareOf(await preview.stop(), 'v2')).toBe(1);
  expect(shareOf(await others.stop(), 'v2')).toBe(0);
  const [run] = await working;
  expect(run).toMatchObject({ state: 'finished', report: { kind: 'promoted' } });
  expect(JSON.parse(await seen('virtualservice/shop', 'json')).spec.http).toEqual([special, ...route.spec.http]);
});
