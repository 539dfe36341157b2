import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Run } from '../../src/core/run.ts';
import { advance } from '../../src/engine/advance.ts';
import { bed } from '../support/bed.ts';
import { ana } from '../support/engine.ts';
import { kubectl } from '../support/kubectl.ts';
import { hostOf, mesh, openShop, shopRoute } from '../support/mesh.ts';
import { type RealDesk, realDesk } from '../support/real-desk.ts';
import { dropped, shareOf, startTraffic, type Traffic } from '../support/traffic.ts';

/** Canaries of plain Deployments on the real mesh, with what Envoy really does measured by a load. */

let desk: RealDesk;
let traffic: Traffic;

beforeAll(async () => {
  desk = await realDesk({ apps: { shop: { image: `${bed.registryHost}/shop`, rollout: { drain: '2s' } } } });
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
    const spread = 4 * Math.sqrt(((weight / 100) * (1 - weight / 100)) / shots.length);
    expect(Math.abs(shareOf(shots, 'v2') - weight / 100), `${weight} %`).toBeLessThanOrEqual(spread);
  }
  await sleep(500);
  expect(shareOf(traffic.within(Date.now() - 400, Date.now()), 'v2')).toBe(1);
  expect(dropped(traffic.shots)).toEqual([]);
  expect(await seen('deployment,service,destinationrule')).toBe('deployment.apps/shop\nservice/shop\n');
  expect(await routes()).toEqual(shopRoute('any').spec.http);
});
