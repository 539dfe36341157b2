import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Settings } from '../../../src/core/settings.ts';
import { redisForFile } from '../../support/redis.ts';
import { api, deployment, type RestBed, restBed, restSettings, tokenOf } from './rest-bed.ts';

/** What ends the waiting before the run does. */

const redis = redisForFile();
let bed: RestBed;
let origin: string;
let settings: Settings;
/** How often the store was asked for a run. */
let looks: number;

beforeEach(async () => {
  settings = restSettings;
  looks = 0;
  bed = await restBed(redis().url, {}, { settings: () => settings });
  const { read } = bed.engine.store;
  bed.engine.store.read = (id) => read(id).finally(() => looks++);
  origin = await bed.app.listen({ port: 0, host: '127.0.0.1' });
  await bed.engine.redis.flushall();
});
afterEach(async () => bed.close());

const mostAtOnce = (atOnce: number) => {
  settings = { ...restSettings, reads: { ...restSettings.reads, atOnce } };
};
const staging = { ...deployment, namespace: 'staging' };

/** Asks over a socket, waiting. */
async function ask(who: string, path: string, body?: object, signal?: AbortSignal, wait = 30): Promise<Response> {
  const headers = {
    authorization: `Bearer ${await tokenOf(`${who}@example.com`)}`,
    prefer: `wait=${wait}`,
    ...(body && { 'content-type': 'application/json' }),
  };
  const method = body ? 'POST' : 'GET';
  return await fetch(`${origin}${api}/${path}`, { method, headers, body: body && JSON.stringify(body), signal });
}
async function begun(count = 1): Promise<string> {
  await expect.poll(() => bed.engine.woken.length).toBe(count);
  return bed.engine.woken.at(-1) ?? '';
}
/** Once it is held it is looked at again and again. */
const isWatched = async () => {
  const before = looks;
  await expect.poll(() => looks, { timeout: 5_000 }).toBeGreaterThan(before + 1);
};

describe('a client that goes away', () => {
  test('is not looked after any longer, its place is free, and its run goes on', async () => {
    mostAtOnce(1);
    const gone = new AbortController();
    const asked = ask('ana', 'deployments', staging, gone.signal).catch((thrown: unknown) => thrown);
    const id = await begun();
    await isWatched();
    gone.abort();
    expect(await asked).toMatchObject({ name: 'AbortError' });
    await sleep(300);
    const before = looks;
    await sleep(1_500);
    expect(looks).toBe(before);
    const again = ask('ana', `runs/${id}`);
    await isWatched();
    await bed.work(id);
    const answer = await again;
    expect([answer.status, answer.headers.get('preference-applied')]).toEqual([200, 'wait=30']);
  });

  test('before its run is stored is not waited with at all', async () => {
    mostAtOnce(1);
    const { letIn } = bed.engine.store;
    const create = bed.engine.store.create;
    const held = Promise.withResolvers<void>();
    bed.engine.store = {
      ...bed.engine.store,
      letIn,
      create: async (...given) => {
        await held.promise;
        return await create(...given);
      },
    };
    const gone = new AbortController();
    const asked = ask('ana', 'deployments', staging, gone.signal).catch((thrown: unknown) => thrown);
    await sleep(200);
    gone.abort();
    await asked;
    await sleep(200);
    held.resolve();
    const id = await begun();
    await sleep(100);
    const before = looks;
    await sleep(1_300);
    expect(looks).toBe(before);
    expect(await bed.engine.store.read(id)).toMatchObject({ state: 'requested' });
  });
});

describe('with the store away', () => {
  test('for a while, the end is told all the same', async () => {
    const asked = ask('ana', 'deployments', staging);
    const id = await begun();
    await isWatched();
    await redis().kill();
    await sleep(1_500);
    await redis().start();
    const back = () =>
      bed.engine.store.ping().then(
        () => true,
        () => false,
      );
    await expect.poll(back, { timeout: 5_000 }).toBe(true);
    await bed.work(id);
    const answer = await asked;
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({ data: { run: id, state: 'finished' } });
  });

  test('to the end of the waiting, who asked gets the link', async () => {
    const asked = ask('ana', 'deployments', staging, undefined, 2);
    const id = await begun();
    await redis().kill();
    const answer = await asked;
    await redis().start();
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([202, '2']);
    expect(await answer.json()).toMatchObject({ data: { run: id, state: 'requested' } });
  });
});

test('of a flood of requests so many are held, the others are answered at once; another person has places of their own', async () => {
  mostAtOnce(3);
  const { body } = await bed.send('ana', 'POST', 'deployments', staging);
  const path = `runs/${body.data.run}`;
  const answers: string[] = [];
  const flood = Array.from({ length: 40 }, async () => {
    const answer = await ask('ana', path);
    answers.push(`${answer.status} ${answer.headers.get('preference-applied')}`);
  });
  await expect.poll(() => answers.length, { timeout: 10_000 }).toBe(37);
  expect(new Set(answers)).toEqual(new Set(['202 null']));
  const other = ask('ben', path);
  await isWatched();
  await bed.work(body.data.run);
  await Promise.all(flood);
  expect(answers.slice(37)).toEqual(['200 wait=30', '200 wait=30', '200 wait=30']);
  expect((await other).headers.get('preference-applied')).toBe('wait=30');
});

test('a server that closes answers those who wait with where to ask again', async () => {
  const asked = ask('ana', 'deployments', staging);
  const id = await begun();
  await isWatched();
  const began = performance.now();
  const [answer] = await Promise.all([asked, bed.app.close()]);
  expect(performance.now() - began).toBeLessThan(3_000);
  expect([answer.status, answer.headers.get('retry-after')]).toEqual([202, '2']);
  expect(await answer.json()).toMatchObject({ data: { run: id, state: 'requested' } });
});
