import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ShipmateProcess } from '../../testbed/shipmate.ts';
import { kubectl } from '../support/kubectl.ts';
import { hostOf, mesh, openShop, shopRoute } from '../support/mesh.ts';
import { dropped, startTraffic, type Traffic } from '../support/traffic.ts';
import { ana, ship, startVoyage, type Voyage } from '../support/voyage.ts';

/** All of it at once: real processes that are killed, a real mesh, and a load that counts every lost request. */

let voyage: Voyage;
let redis: Redis;
let traffic: Traffic;
let workers: ShipmateProcess[];

beforeAll(async () => {
  voyage = await startVoyage();
  redis = new Redis(voyage.redis.url);
  await openShop(voyage.namespaces.staging);
  await voyage.start('bot');
  workers = await Promise.all([voyage.start('worker'), voyage.start('worker')]);
  traffic = startTraffic(mesh.gatewayUrl, { perSecond: 300, headers: { host: hostOf(voyage.namespaces.staging) } });
});
afterAll(async () => {
  redis.disconnect();
  await traffic.stop();
  await voyage.end();
});

/** The run that is under way, and the process that holds it. */
async function holder(id: string): Promise<ShipmateProcess | undefined> {
  const owner = await redis.hget(`{shipmate}:v1:run:${id}`, 'owner');
  return workers.find(({ pid }) => owner?.split('/')[1] === String(pid));
}

async function newestRun(): Promise<string> {
  const [id] = await redis.zrevrange('{shipmate}:v1:recent', 0, 0);
  return id ?? expect.unreachable();
}

const stateOf = async (id: string) =>
  JSON.parse((await redis.hget(`{shipmate}:v1:run:${id}`, 'record')) ?? '{}') as {
    state: string;
    report?: { kind: string };
  };

/** Kills whoever holds the run, now and again, until it is over; another process takes the killed one's place, and a person what is set aside. */
async function killUntilOver(id: string, everyMs: number): Promise<number> {
  let kills = 0;
  for (const end = Date.now() + 120_000; Date.now() < end; ) {
    await sleep(everyMs);
    const { state } = await stateOf(id);
    if (['finished', 'failed', 'cancelled'].includes(state)) return kills;
    // Two workers were lost before it got any further: a person says that it was not the run's fault.
    if (state === 'set-aside') await voyage.slack.command(ana, ship, `/ship resume ${id}`);
    const held = await holder(id);
    if (!held) continue;
    await held.kill('SIGKILL');
    kills += 1;
    workers = [...workers.filter((each) => each !== held), await voyage.start('worker')];
  }
  throw new Error('the run is not over after two minutes');
}

const routes = async () =>
  JSON.parse(await kubectl(['get', 'virtualservice', 'shop', '-n', voyage.namespaces.staging, '-o', 'json'])).spec.http;

test('workers are killed again and again; a canary is promoted, one is aborted, one breaks: no request is lost', {
  timeout: 400_000,
}, async () => {
  const { slack } = voyage;
  const deploys = () => slack.messages(ship).filter(({ thread, text }) => !thread && text.startsWith('Deploy shop'));
  await slack.command(ana, ship, '/deploy shop:v2 staging strategy=canary weights=10,50 bake=6s');
  await expect.poll(() => deploys().length, { timeout: 20_000 }).toBe(1);
  const first = await newestRun();
  const kills = await killUntilOver(first, 3_500);
  expect(await stateOf(first)).toMatchObject({ state: 'finished', report: { kind: 'promoted' } });

  await slack.command(ana, ship, '/deploy shop:v1 staging strategy=canary weights=40 bake=10m');
  await expect.poll(() => deploys().length, { timeout: 20_000 }).toBe(2);
  const second = await newestRun();
  await expect.poll(async () => JSON.stringify(await routes()), { timeout: 40_000 }).toContain('40');
  await slack.command(ana, ship, '/canary abort shop in staging');
  const more = await killUntilOver(second, 500);
  expect(await stateOf(second)).toMatchObject({
    state: 'cancelled',
    report: { kind: 'rolled-back', reason: 'aborted' },
  });
  expect(await routes()).toEqual(shopRoute('any').spec.http);

  await slack.command(ana, ship, '/deploy shop:v3 staging strategy=blue-green keep=3s');
  await expect.poll(() => deploys().length, { timeout: 20_000 }).toBe(3);
  const third = await newestRun();
  await killUntilOver(third, 4_000);
  expect(await stateOf(third)).toMatchObject({ state: 'failed', report: { kind: 'rolled-back', reason: 'broken' } });

  while (traffic.shots.length < 20_500) await sleep(500);
  expect(kills).toBeGreaterThanOrEqual(3);
  console.log(`${kills + more} kills, ${traffic.shots.length} requests, ${dropped(traffic.shots).length} lost`);
  expect(dropped(traffic.shots)).toEqual([]);
  expect(deploys()).toHaveLength(3);
});
