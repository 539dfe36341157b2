import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { at, type JsonObject } from '../../src/core/json.ts';
import { advance } from '../../src/engine/advance.ts';
import { createLeases } from '../../src/engine/leases.ts';
import { bed } from '../support/bed.ts';
import { quiet } from '../support/engine.ts';
import { envoyCluster, envoyCount, envoyRoutes, everyObject } from '../support/envoy.ts';
import { kubectl } from '../support/kubectl.ts';
import { applyAll, hostOf, mesh, openShop, shopDeployment, shopService } from '../support/mesh.ts';
import { type RealDesk, realDesk } from '../support/real-desk.ts';
import { type Shot, startTraffic } from '../support/traffic.ts';

/** What is set for a Service's traffic, read back from Envoy itself, and seen in requests. */

let desk: RealDesk;
let ns = '';
beforeAll(async () => {
  desk = await realDesk({ apps: { shop: { image: `${bed.registryHost}/shop` } } });
  ns = desk.namespaces.staging;
  await openShop(ns);
  const other = shopService(ns);
  await applyAll([{ ...other, metadata: { name: 'next', namespace: ns } }]);
});
afterAll(() => desk.end());

const set = async (operation: string, input: object) => {
  const run = await desk.done(operation, { service: 'shop', env: 'staging', ...input });
  expect(run, JSON.stringify(run.fault)).toMatchObject({ state: 'finished' });
  return run;
};
const routes = () => envoyRoutes(mesh.gatewayAdmin, hostOf(ns));
const action = async () => (await routes()).at(-1)?.route;
const cluster = () => envoyCluster(mesh.gatewayAdmin, `outbound|80||shop.${ns}.svc.cluster.local`);
/** Requests that Envoy itself delayed so far. */
const delayed = () => envoyCount(mesh.gatewayAdmin, 'fault.delays_injected');
const soon = { timeout: 10_000, interval: 100 };

/** So many requests, as fast as the gateway answers them; `headers` besides the host. */
async function shots(seconds: number, headers: Record<string, string> = {}, perSecond = 50): Promise<Shot[]> {
  const load = startTraffic(mesh.gatewayUrl, { perSecond, headers: { host: hostOf(ns), ...headers } });
  await sleep(seconds * 1_000);
  return await load.stop();
}
const failed = (all: readonly Shot[]) => all.filter(({ status }) => status !== 200);

test('timeout and retries reach the proxy', async () => {
  await set('timeout', { timeout: '3s' });
  await set('retries', { attempts: 4, perTry: '700ms', on: '5xx,reset' });
  await expect.poll(action, soon).toMatchObject({
    timeout: '3s',
    retry_policy: { num_retries: 4, per_try_timeout: '0.700s', retry_on: '5xx,reset' },
  });
  await set('retries', { attempts: 0 });
  await expect.poll(async () => Object.keys((await action()) ?? {}), soon).not.toContain('retry_policy');
  await set('retries', { attempts: 'off' });
  await set('timeout', { timeout: 'off' });
  await expect.poll(action, soon).toMatchObject({ timeout: '0s', retry_policy: { num_retries: 2 } });
});

test('balancing, circuit breaking and pools reach the proxy', async () => {
  const body = {
    circuitBreaker: { consecutiveErrors: 5, interval: '30s', baseEjectionTime: '45s', maxEjectionPercent: 60 },
    connectionPool: { maxConnections: 77, maxPendingRequests: 11, maxRequests: 99, maxRequestsPerConnection: 13 },
    loadBalancer: 'random',
  };
  await set('traffic-set', body);
  await expect.poll(cluster, soon).toMatchObject({
    lb_policy: 'RANDOM',
    outlier_detection: { consecutive_5xx: 5, interval: '30s', base_ejection_time: '45s', max_ejection_percent: 60 },
    circuit_breakers: {
      thresholds: [expect.objectContaining({ max_connections: 77, max_pending_requests: 11, max_requests: 99 })],
    },
  });
  const options = everyObject(await cluster(), (each) => each.max_requests_per_connection !== undefined);
  expect(options).toMatchObject([{ max_requests_per_connection: 13 }]);
  await set('balance', { policy: 'consistent-hash', header: 'x-user' });
  await expect.poll(cluster, soon).toMatchObject({ lb_policy: 'RING_HASH' });
  await expect.poll(action, soon).toMatchObject({ hash_policy: [{ header: { header_name: 'x-user' } }] });
  await set('balance', { policy: 'consistent-hash', cookie: 'session', ttl: '1h' });
  await expect.poll(action, soon).toMatchObject({ hash_policy: [{ cookie: { name: 'session', ttl: '3600s' } }] });
  await set('balance', { policy: 'round-robin' });
  await expect.poll(async () => (await cluster())?.lb_policy ?? 'ROUND_ROBIN', soon).toBe('ROUND_ROBIN');
  for (const operation of ['balance', 'breaker'])
    await set(operation, operation === 'balance' ? { policy: 'off' } : { errors: 'off' });
  await set('traffic-set', { connectionPool: null });
  await expect.poll(async () => (await cluster())?.outlier_detection, soon).toBeUndefined();
});

test('a mirror gets copies: it reaches the proxy, and the other Service is asked', async () => {
  await set('mirror', { to: 'next', percent: 50 });
  await expect.poll(action, soon).toMatchObject({
    request_mirror_policies: [
      {
        cluster: `outbound|80||next.${ns}.svc.cluster.local`,
        runtime_fraction: { default_value: { numerator: 500_000, denominator: 'MILLION' } },
      },
    ],
  });
  const all = await shots(2);
  const { body } = await fetch(`${mesh.gatewayAdmin}/clusters`).then(async (answer) => ({ body: await answer.text() }));
  const copies = [...body.matchAll(new RegExp(`^outbound\\|80\\|\\|next\\.${ns}.*::rq_total::(\\d+)$`, 'gm'))].reduce(
    (sum, [, count]) => sum + Number(count),
    0,
  );
  expect(failed(all)).toEqual([]);
  expect(copies / all.length).toBeGreaterThan(0.25);
  expect(copies / all.length).toBeLessThan(0.75);
  await set('mirror', { to: 'off' });
  await expect.poll(async () => (await action()) ?? {}, soon).not.toHaveProperty('request_mirror_policies');
});

test('faults: those with the header fail, the others do not; and it ends by itself, after its worker was killed', async () => {
  const test = { 'x-test': 'yes' };
  const input = { service: 'shop', env: 'staging', abort: 503, header: 'x-test', value: 'yes', for: '12s' };
  const id = await desk.ask('fault', input);
  const killed = createLeases({ ...desk.engine.store, release: async () => {} }, 'killed', quiet);
  await advance(desk.engine, killed, id);
  await killed.stop();
  const inProxy = async () =>
    everyObject(await routes(), (each) => at(each, 'abort', 'http_status') === 503) satisfies JsonObject[];
  await expect.poll(inProxy, soon).toMatchObject([{ abort: { percentage: { numerator: 1_000_000 } } }]);
  await sleep(300);
  const [hit, spared] = await Promise.all([shots(1.5, test), shots(1.5)]);
  expect(hit.filter(({ status }) => status !== 503)).toEqual([]);
  expect(failed(spared)).toEqual([]);
  const [over] = await desk.settle([id], 40_000);
  expect(over).toMatchObject({ state: 'finished', report: { note: 'Taken away again after 12 s.' } });
  await expect.poll(inProxy, soon).toEqual([]);
  await sleep(300);
  expect(failed(await shots(1, test))).toEqual([]);
});

test('a delay for some is felt by some, and taken away by hand', async () => {
  const id = await desk.ask('fault', { service: 'shop', env: 'staging', delay: '400ms', percent: 30, for: '1h' });
  await desk.lap(id);
  await expect
    .poll(async () => everyObject(await routes(), (each) => each.fixed_delay !== undefined), soon)
    .toMatchObject([{ fixed_delay: '0.400s', percentage: { numerator: 300_000 } }]);
  await sleep(300);
  const before = await delayed();
  const all = await shots(4);
  const hit = (await delayed()) - before;
  expect(Math.abs(hit / all.length - 0.3)).toBeLessThan(4 * Math.sqrt((0.3 * 0.7) / all.length));
  // Envoy's timers go by a clock that ticks every 4 ms: of 400 ms some take 397.
  expect(all.filter(({ ms }) => ms >= 390).length).toBeGreaterThanOrEqual(hit);
  await set('fault-off', {});
  await expect.poll(async () => JSON.stringify(await routes()), soon).not.toContain('fixed_delay');
  expect((await desk.run(id)).state).toBe('running');
});

test('retries make failures of the app go unseen; circuit breaking takes the pod that fails out', async () => {
  const bad = shopDeployment(ns, 'v1', 1);
  const [container] = bad.spec.template.spec.containers;
  const failing = { ...container, env: [{ name: 'FAILS', value: '1' }] };
  const labels = { app: 'shop', failing: 'yes' };
  const template = { metadata: { labels }, spec: { containers: [failing] } };
  await applyAll([
    {
      ...bad,
      metadata: { name: 'failing', namespace: ns },
      spec: { replicas: 1, selector: { matchLabels: labels }, template },
    },
  ]);
  const share = async () => {
    const all = await shots(2);
    return failed(all).length / all.length;
  };
  await expect.poll(share, { timeout: 40_000 }).toBeGreaterThan(0.1);

  await set('retries', { attempts: 10, on: '5xx' });
  await expect.poll(action, soon).toMatchObject({ retry_policy: { num_retries: 10 } });
  await sleep(300);
  expect(await share(), 'ten tries at three pods of which one fails').toBeLessThan(0.01);
  await set('retries', { attempts: 0 });
  await expect.poll(share, soon).toBeGreaterThan(0.1);

  await set('breaker', { errors: 3, interval: '1s', eject: '60s', max: 50 });
  await expect.poll(async () => (await cluster())?.outlier_detection, soon).toMatchObject({ consecutive_5xx: 3 });
  await shots(2);
  expect(await share(), 'it is out').toBe(0);
  await kubectl(['delete', 'deployment', 'failing', '-n', ns]);
  await set('breaker', { errors: 'off' });
});

test('a pool that is full answers at once instead of letting requests wait', async () => {
  const version = async (tag: string) => {
    await kubectl(['set', 'image', 'deployment/shop', `shop=${bed.registryHost}/shop:${tag}`, '-n', ns]);
    await kubectl(['rollout', 'status', 'deployment/shop', '-n', ns, '--timeout=60s']);
  };
  await version('v5'); // each answer takes 80 ms: one connection to each of two pods is 25 a second at most
  const full = async () => {
    const all = await shots(2, {}, 100);
    return all.filter(({ status }) => status === 503).length / all.length;
  };
  await expect.poll(full, { timeout: 30_000 }).toBe(0);
  await set('retries', { attempts: 0 });
  await set('pool', { connections: 1, pending: 1 });
  await expect
    .poll(async () => JSON.stringify((await cluster())?.circuit_breakers), soon)
    .toContain('"max_connections":1');
  await sleep(500);
  expect(await full()).toBeGreaterThan(0.1);
  await set('pool', { connections: 'off', pending: 'off' });
  await expect
    .poll(async () => JSON.stringify((await cluster())?.circuit_breakers), soon)
    .not.toContain('"max_connections":1}');
  await expect.poll(full, { timeout: 20_000 }).toBe(0);
  await version('v1');
});

test('faults come and go while a canary has its share, settings wait for it, and all end as they should', async () => {
  const deploy = { app: 'shop', env: 'staging', tag: 'v2', strategy: 'canary', weights: [50], bake: '9s' };
  const id = await desk.ask('deploy', deploy);
  const deployed = desk.settle([id], 90_000);
  const shares = async () =>
    everyObject(await routes(), (each) => Array.isArray(each.clusters)).map(({ clusters }) =>
      at(clusters, 0, 'weight'),
    );
  await expect.poll(shares, { timeout: 40_000, interval: 100 }).toEqual([50]);
  // One change of an app at a time: whatever changes its routes waits for the canary. A fault alone goes beside it.
  const timeout = await desk.ask('timeout', { service: 'shop', env: 'staging', timeout: '4s' });
  expect(await desk.lap(timeout)).toMatchObject({ state: 'queued' });
  const fault = await desk.ask('fault', { service: 'shop', env: 'staging', delay: '1ms', for: '1h' });
  expect(await desk.lap(fault)).toMatchObject({ state: 'running' });
  expect(await shares(), 'the share stays').toEqual([50]);
  expect(await deployed).toMatchObject([{ state: 'finished', report: { kind: 'promoted' } }]);
  expect(await desk.lap(timeout)).toMatchObject({ state: 'finished' });
  await set('fault-off', {});
  const args = ['get', 'virtualservice', 'shop', '-n', ns, '-o', 'json'];
  expect(JSON.parse(await kubectl(args)).spec.http).toEqual([
    expect.objectContaining({ name: 'all', timeout: '4s', route: [{ destination: { host: 'shop' } }] }),
  ]);
});
