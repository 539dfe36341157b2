import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Run } from '../../src/core/run.ts';
import { bed } from '../support/bed.ts';
import { kubectl } from '../support/kubectl.ts';
import { hostOf, mesh, openShop, shopRoute } from '../support/mesh.ts';
import { type RealDesk, realDesk } from '../support/real-desk.ts';
import { dropped, shareOf, startTraffic, type Traffic } from '../support/traffic.ts';

/** Canaries of plain Deployments on the real mesh, with what Envoy really does measured by a load. */

let desk: RealDesk;
let traffic: Traffic;

beforeAll(async () => {
  desk = await realDesk({ apps: { shop: { image: `${bed.registryHost}/shop`, rollout: { drain: '4s' } } } });
  await openShop(desk.namespaces.staging);
  traffic = startTraffic(mesh.gatewayUrl, { perSecond: 100, headers: { host: hostOf(desk.namespaces.staging) } });
});
afterAll(async () => {
  await traffic.stop();
  await desk.end();
});

const seen = async (what: string, ...path: string[]) =>
  await kubectl(['get', what, '-n', desk.namespaces.staging, '-o', path[0] ?? 'name', '--ignore-not-found']);

const routes = async () => JSON.parse(await seen('virtualservice/shop', 'json')).spec.http;

/** Works on the run as worker and sweeper do, until it is over. */
const finished = async (id: string, ms = 90_000): Promise<Run> =>
  (await desk.settle([id], ms))[0] ?? expect.unreachable();

test('a canary goes through its shares, and is promoted; Envoy divides the traffic so, and no request is lost', async () => {
  const id = await desk.ask('deploy', {
    app: 'shop',
    env: 'staging',
    tag: 'v2',
    strategy: 'canary',
    weights: [20, 50],
    bake: '5s',
  });
  const run = await finished(id);
  expect(run).toMatchObject({ state: 'finished', report: { kind: 'promoted', strategy: 'canary', ready: 2 } });
  if (run.report?.kind !== 'promoted') return;
  for (const { weight, since, until } of run.report.stages) {
    const shots = traffic.within(since, until);
    // The last share is over as soon as it is reached.
    if (weight === 100 && shots.length === 0) continue;
    const spread = 4 * Math.sqrt(((weight / 100) * (1 - weight / 100)) / shots.length);
    expect(Math.abs(shareOf(shots, 'v2') - weight / 100), `${weight} %`).toBeLessThanOrEqual(spread);
  }
  await sleep(500);
  expect(shareOf(traffic.within(Date.now() - 400, Date.now()), 'v2')).toBe(1);
  expect(dropped(traffic.shots)).toEqual([]);
  expect(await seen('deployment,service,destinationrule')).toBe('deployment.apps/shop\nservice/shop\n');
  expect(await routes()).toEqual(shopRoute('any').spec.http);
});

/** Works on a run until something holds, without waiting for its end. */
async function until(id: string, holds: (run: Run) => boolean, ms = 40_000): Promise<Run> {
  const work = desk.settle([id], ms).catch(() => {});
  for (const end = Date.now() + ms; ; ) {
    const run = await desk.run(id);
    if (holds(run)) return run;
    if (Date.now() > end) throw new Error(`never so: ${JSON.stringify(run.steps)}`);
    await Promise.race([sleep(50), work]);
  }
}

const baking = (weight: number) => (run: Run) => run.steps[`weight ${weight}`]?.memo !== undefined;
const generation = async () => JSON.parse(await seen('deployment/shop', 'json')).metadata.generation;

test('an abort sends all traffic to stable by one write; stable was never touched', async () => {
  const before = await generation();
  const input = { app: 'shop', env: 'staging', tag: 'v1', strategy: 'canary', weights: [30, 60], bake: '10m' };
  const id = await desk.ask('deploy', input);
  await until(id, baking(30));
  await sleep(3_000);
  const asked = Date.now();
  const abort = await desk.done('canary-abort', { app: 'shop', env: 'staging', reason: 'looks odd' });
  expect(abort).toMatchObject({ state: 'finished', report: { kind: 'steered', run: id } });
  const run = await finished(id);
  expect(run).toMatchObject({
    state: 'cancelled',
    report: { kind: 'rolled-back', reason: 'aborted', detail: 'looks odd' },
  });
  const last = traffic.shots.findLast(({ version }) => version === 'v1');
  const tookMs = (last?.at ?? 0) - asked;
  console.log(`abort: ${tookMs} ms to the last request that the canary answered`);
  expect(tookMs, 'long before the bake is over').toBeLessThan(30_000);
  expect(await generation()).toBe(before);
  expect(await routes()).toEqual(shopRoute('any').spec.http);
  expect(await seen('deployment,service')).toBe('deployment.apps/shop\nservice/shop\n');
  expect(dropped(traffic.shots)).toEqual([]);
});

test('a canary is paused, given another share, and promoted by people', async () => {
  const input = { app: 'shop', env: 'staging', tag: 'v1', strategy: 'canary', weights: [10, 50], bake: '3s' };
  const id = await desk.ask('deploy', input);
  await until(id, baking(10));
  await desk.done('canary-pause', { app: 'shop', env: 'staging' });
  await until(id, (run) => run.steps['weight 10']?.note?.includes('paused') === true);
  await sleep(5_000);
  expect((await desk.run(id)).steps['weight 50']).toBeUndefined();
  await desk.done('canary-weight', { app: 'shop', env: 'staging', weight: 40 });
  await until(id, baking(40));
  const from = Date.now() + 2_000;
  await sleep(6_000);
  expect(Math.abs(shareOf(traffic.within(from, Date.now()), 'v1') - 0.4)).toBeLessThan(0.1);
  // It is still held, whatever share it has.
  expect((await desk.run(id)).steps['weight 50']).toBeUndefined();
  await desk.done('canary-resume', { app: 'shop', env: 'staging' });
  await until(id, (run) => run.steps['weight 40']?.note?.includes('left') === true);
  await desk.done('canary-promote', { app: 'shop', env: 'staging', full: true });
  const run = await finished(id);
  expect(run).toMatchObject({ state: 'finished', report: { kind: 'promoted' } });
  expect(run.checklist).toEqual([
    'prepare',
    'weight 10',
    'weight 40',
    'weight 50',
    'weight 100',
    'promote',
    'return',
    'remove',
  ]);
  expect(dropped(traffic.shots)).toEqual([]);
});

test('a version whose pods do not start gets no traffic at all', async () => {
  const before = await generation();
  const input = { app: 'shop', env: 'staging', tag: 'v3', strategy: 'canary', weights: [50], bake: '3s' };
  const run = await finished(await desk.ask('deploy', input));
  expect(run).toMatchObject({ state: 'failed', report: { kind: 'rolled-back', reason: 'broken', stages: [] } });
  expect(await generation()).toBe(before);
  expect(await seen('deployment,service')).toBe('deployment.apps/shop\nservice/shop\n');
  expect(dropped(traffic.shots)).toEqual([]);
});

test('what somebody else changes meanwhile is not fought over: all goes back to stable', async () => {
  const input = { app: 'shop', env: 'staging', tag: 'v2', strategy: 'canary', weights: [30], bake: '10m' };
  const id = await desk.ask('deploy', input);
  await until(id, baking(30));
  const patch =
    '[{"op":"replace","path":"/spec/http/0/route/0/weight","value":20},{"op":"replace","path":"/spec/http/0/route/1/weight","value":80}]';
  await kubectl(['patch', 'virtualservice', 'shop', '-n', desk.namespaces.staging, '--type=json', '-p', patch]);
  const run = await finished(id);
  expect(run).toMatchObject({
    state: 'failed',
    report: { kind: 'rolled-back', reason: 'fault', detail: 'somebody else gave it 80 % of the traffic meanwhile' },
  });
  expect(await routes()).toEqual(shopRoute('any').spec.http);
  expect(dropped(traffic.shots)).toEqual([]);
});
