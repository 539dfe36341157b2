import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ShipmateProcess } from '../../testbed/shipmate.ts';
import type { Message } from '../../testbed/slack/workspace.ts';
import { kubectl } from '../support/kubectl.ts';
import { ana, ship, startVoyage, type Voyage } from '../support/voyage.ts';

let voyage: Voyage;
let redis: Redis;
let workers: ShipmateProcess[];

beforeAll(async () => {
  voyage = await startVoyage();
  await voyage.start('bot');
  workers = await Promise.all([voyage.start('worker'), voyage.start('worker')]);
  redis = new Redis(voyage.redis.url);
});
afterAll(async () => {
  redis.disconnect();
  await voyage.end();
});

const deployMessage = ({ text, thread }: Message) => !thread && text.startsWith('Deploy web to staging');
const runIdOf = (message: Message) => /run `(\w+)`/.exec(JSON.stringify(message.blocks))?.[1] ?? '';

test('a worker killed in the middle of a rollout is followed by another within 5 s; the same message goes on', {
  timeout: 90_000,
}, async () => {
  const { slack, namespaces } = voyage;
  await slack.command(ana, ship, '/deploy web:v1 staging replicas=2');
  const begun = await slack.waitFor(
    'the rollout is under way',
    (message) => deployMessage(message) && JSON.stringify(message.blocks).includes('of 2 ready'),
    20_000,
  );
  const key = `{shipmate}:v1:run:${runIdOf(begun)}`;
  const [owner, epoch] = await redis.hmget(key, 'owner', 'epoch');
  const holder = workers.find(({ pid }) => owner?.split('/')[1] === String(pid));
  expect(holder).toBeDefined();
  await holder?.kill('SIGKILL');
  const killed = Date.now();
  await expect.poll(() => redis.hget(key, 'epoch'), { timeout: 10_000, interval: 20 }).toBe(String(Number(epoch) + 1));
  expect(Date.now() - killed).toBeLessThan(5_000);

  const done = await slack.waitFor(
    'it is done',
    (message) => deployMessage(message) && message.text.includes('2 of 2 pods ready'),
    40_000,
  );
  expect(done.ts).toBe(begun.ts);
  expect(slack.messages(ship).filter(deployMessage)).toHaveLength(1);
  const generation = await kubectl([
    '-n',
    namespaces.staging,
    'get',
    'deployment',
    'web',
    '-o',
    'jsonpath={.metadata.generation}',
  ]);
  expect(generation).toBe('1');
  const thread = slack.thread(done).filter(({ blocks }) => JSON.stringify(blocks).includes('applied to'));
  expect(thread).toHaveLength(1);
});

test('a worker that is asked to stop hands its run over at once', { timeout: 90_000 }, async () => {
  const { slack } = voyage;
  const fresh = await voyage.start('worker');
  const old = workers.filter(({ pid }) => pid !== fresh.pid);
  await slack.command(ana, ship, '/deploy web:v2 staging');
  const begun = await slack.waitFor(
    'the rollout is under way',
    ({ text, blocks }) => text.includes('web:v1 → web:v2') && JSON.stringify(blocks).includes('ready'),
    20_000,
  );
  const key = `{shipmate}:v1:run:${runIdOf(begun)}`;
  const owner = await redis.hget(key, 'owner');
  const holder = [...old, fresh].find(({ pid }) => owner?.split('/')[1] === String(pid));
  const asked = Date.now();
  await holder?.kill('SIGTERM');
  expect(Date.now() - asked).toBeLessThan(3_000);
  await slack.waitFor(
    'it is done',
    ({ text }) => text.includes('web:v1 → web:v2') && text.includes('2 of 2 pods ready'),
    40_000,
  );
});

test('a worker frozen for a minute finds that it no longer owns the run, and changes nothing', {
  timeout: 150_000,
}, async () => {
  const own = await startVoyage();
  const store = new Redis(own.redis.url);
  try {
    await own.start('bot');
    const pair = await Promise.all([own.start('worker'), own.start('worker')]);
    await own.slack.command(ana, ship, '/deploy web:v1 staging');
    const underWay = (message: Message) => deployMessage(message) && message.text.includes('under way');
    const begun = await own.slack.waitFor('the rollout is under way', underWay, 20_000);
    const key = `{shipmate}:v1:run:${runIdOf(begun)}`;
    const owner = await store.hget(key, 'owner');
    const holder = pair.find(({ pid }) => owner?.split('/')[1] === String(pid)) ?? expect.fail('nobody holds the run');
    process.kill(holder.pid, 'SIGSTOP');
    await own.slack.waitFor(
      'another one ends it',
      (message) => deployMessage(message) && message.text.includes('done'),
      40_000,
    );
    const whole = async () => [
      await store.hmget(key, 'record', 'version'),
      (await store.xrange(`{shipmate}:v1:events:${runIdOf(begun)}`, '-', '+')).length,
    ];
    const ended = await whole();
    await sleep(60_000);
    process.kill(holder.pid, 'SIGCONT');
    await sleep(5_000);
    expect(await whole()).toEqual(ended);
    const generation = await kubectl([
      '-n',
      own.namespaces.staging,
      'get',
      'deployment',
      'web',
      '-o',
      'jsonpath={.metadata.generation}',
    ]);
    expect(generation).toBe('1');
    await own.slack.command(ana, ship, '/deploy web:v2 staging');
    await own.slack.waitFor('it works on', ({ text }) => text.includes('web:v1 → web:v2 – 1 of 1'), 40_000);
  } finally {
    store.disconnect();
    await own.end();
  }
});
