import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Run } from '../../src/core/run.ts';
import { bed } from '../support/bed.ts';
import { kubectl } from '../support/kubectl.ts';
import { hostOf, mesh, openShop, shopRoute } from '../support/mesh.ts';
import { type RealDesk, realDesk } from '../support/real-desk.ts';
import { dropped, startTraffic, type Traffic } from '../support/traffic.ts';

/** Jobs in the real cluster that judge a new version beside stable, under a load that counts every lost request. */

let desk: RealDesk;
let traffic: Traffic;

const sh = (script: string) => ({ image: bed.busybox, command: ['/bin/busybox', 'sh', '-c', script] });
// Pods of the bed have no way to Services, so it says what it was told and asks nobody.
const asks = sh('case "$CANARY_ADDRESS $STABLE_SERVICE" in "shop-canary.$NAMESPACE.svc:80 shop") ;; *) exit 1 ;; esac');
const settings = { image: `${bed.registryHost}/shop`, workload: 'shop', rollout: { drain: '4s' } };
const green = (smokeTest: object) => ({ ...settings, rollout: { ...settings.rollout, keep: '1s', smokeTest } });

beforeAll(async () => {
  desk = await realDesk({
    apps: {
      shop: { ...settings, analysis: 'asks' },
      strict: { ...settings, analysis: 'strict' },
      lost: green({ http: [{ path: '/healthz' }, { path: '/', status: 418 }] }),
      refused: green({ http: [{ path: '/healthz' }], job: sh('echo no order could be made; exit 1') }),
      trial: { ...settings, analysis: 'told' },
      green: green({ http: [{ path: '/healthz' }, { path: '/', contains: 'v1' }], job: asks }),
    },
    analyses: {
      asks: { metrics: [{ kind: 'job', name: 'checkout', ...asks }] },
      // In the experiment it is told of the baseline, and later of stable.
      told: {
        metrics: [
          {
            kind: 'job',
            name: 'told',
            ...sh('sleep 3; case $STABLE_SERVICE in shop|shop-baseline) ;; *) exit 1 ;; esac'),
          },
        ],
      },
      strict: { metrics: [{ kind: 'job', name: 'checkout', ...sh('echo starting; echo the cart is empty; exit 3') }] },
    },
  });
  await openShop(desk.namespaces.staging);
  traffic = startTraffic(mesh.gatewayUrl, { perSecond: 100, headers: { host: hostOf(desk.namespaces.staging) } });
});
afterAll(async () => {
  await traffic.stop();
  await desk.end();
});

const seen = async (what: string, format = 'name') =>
  await kubectl(['get', what, '-n', desk.namespaces.staging, '-o', format, '--ignore-not-found']);
const routes = async () => JSON.parse(await seen('virtualservice/shop', 'json')).spec.http;
const stable = async () => JSON.parse(await seen('deployment/shop', 'json')).spec.template.spec.containers[0].image;

async function deployed(input: Record<string, unknown>): Promise<Run> {
  const id = await desk.ask('deploy', { env: 'staging', tag: 'v2', ...input });
  return (await desk.settle([id], 110_000))[0] ?? expect.unreachable();
}

const canary = { strategy: 'canary', weights: [20], bake: '2s' };

test('a Job whose last words are no takes the canary back, and is cleared away with it', async () => {
  const before = await stable();
  const run = await deployed({ app: 'strict', ...canary });
  expect(run).toMatchObject({
    state: 'failed',
    report: { kind: 'rolled-back', reason: 'regression', detail: 'checkout says no: the cart is empty' },
  });
  expect(await stable()).toBe(before);
  expect(await routes()).toEqual(shopRoute('any').spec.http);
  await expect.poll(() => seen('job'), { timeout: 30_000 }).toBe('');
  expect(dropped(traffic.shots)).toEqual([]);
});

test('a Job that ends well lets it through, once for each share', async () => {
  const run = await deployed({ app: 'shop', ...canary });
  expect(run).toMatchObject({ state: 'finished', report: { kind: 'promoted', said: 'checkout' } });
  expect(await stable()).toContain('/shop:v2@sha256');
  await expect.poll(() => seen('job'), { timeout: 30_000 }).toBe('');
  expect(dropped(traffic.shots)).toEqual([]);
});

test.each([
  ['lost', 'smoke test: GET / answered 200 and not 418'],
  ['refused', 'smoke test: no order could be made'],
])(
  'green that fails its smoke test (%s) is removed; blue never lost a request, nor was it touched',
  async (app, detail) => {
    const before = await seen('deployment/shop', 'jsonpath={.metadata.generation}');
    const run = await deployed({ app, tag: 'v1', strategy: 'blue-green' });
    expect(run).toMatchObject({ state: 'failed', report: { kind: 'rolled-back', detail, stages: [] } });
    expect(await seen('deployment/shop', 'jsonpath={.metadata.generation}')).toBe(before);
    expect(await seen('deployment,service')).toBe('deployment.apps/shop\nservice/shop\n');
    expect(await routes()).toEqual(shopRoute('any').spec.http);
    expect(dropped(traffic.shots)).toEqual([]);
  },
);

test('green that passes its smoke test gets the traffic', async () => {
  const run = await deployed({ app: 'green', tag: 'v1', strategy: 'blue-green' });
  expect(run).toMatchObject({ state: 'finished', report: { kind: 'promoted', strategy: 'blue-green' } });
  expect(run.steps.smoke?.note).toMatch(/^smoke test passed: GET \/healthz, GET \/, Job of /);
  expect(dropped(traffic.shots)).toEqual([]);
});

test('an experiment: the new version beside a fresh pod of the old one, judged by a Job; what it stood beside is gone before the first share', async () => {
  const steps = [
    { weight: 0, bake: '1s', baseline: true },
    { weight: 20, bake: '1s' },
  ];
  const id = await desk.ask('deploy', { app: 'trial', env: 'staging', tag: 'v2', strategy: 'canary', steps });
  const working = desk.settle([id], 110_000);
  const pods = async () =>
    await seen(
      'pod',
      'jsonpath={range .items[*]}{.metadata.name} {.spec.containers[0].image} {.status.containerStatuses[0].ready}{"\\n"}{end}',
    );
  await expect.poll(pods, { timeout: 60_000, interval: 200 }).toMatch(/^shop-baseline-\S+ \S+\/shop:v1\S* true$/m);
  expect(await pods()).toMatch(/^shop-canary-\S+ \S+\/shop:v2/m);
  expect(await routes()).toEqual(shopRoute('any').spec.http);
  const shared = async () => JSON.stringify(await routes());
  await expect.poll(shared, { timeout: 60_000, interval: 100 }).toContain('shop-canary');
  expect(await seen('deployment,service')).not.toContain('baseline');
  const [run] = await working;
  expect(run).toMatchObject({ state: 'finished', report: { kind: 'promoted' } });
  expect(dropped(traffic.shots)).toEqual([]);
});
