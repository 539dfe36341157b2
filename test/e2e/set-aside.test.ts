import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ShipmateProcess } from '../../testbed/shipmate.ts';
import type { Message } from '../../testbed/slack/workspace.ts';
import { bed } from '../support/bed.ts';
import { kubectl } from '../support/kubectl.ts';
import { ana, ben, ship, startVoyage, type Voyage } from '../support/voyage.ts';

/** Row 25 of the faults, with processes that really end: what ends two workers is set aside, and all else goes on. */

const poison = fileURLToPath(new URL('../support/poison.mjs', import.meta.url));
const condition = 'test.shipmate.dev/let-through';

let voyage: Voyage;
let redis: Redis;
let workers: ShipmateProcess[];

beforeAll(async () => {
  voyage = await startVoyage();
  await voyage.start('bot');
  workers = await Promise.all([startWorker(), startWorker(), startWorker()]);
  redis = new Redis(voyage.redis.url);
  // Its pods are not ready before the test says so: a rollout that is under way for as long as it is wanted.
  const labels = { app: 'web' };
  const containers = [{ name: 'web', image: `${bed.registryHost}/web:v1` }];
  const spec = {
    replicas: 1,
    selector: { matchLabels: labels },
    template: { metadata: { labels }, spec: { containers, readinessGates: [{ conditionType: condition }] } },
  };
  const web = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web' }, spec };
  await kubectl(['-n', voyage.namespaces.staging, 'apply', '-f', '-'], JSON.stringify(web));
});
afterAll(async () => {
  redis.disconnect();
  await voyage.end();
});

const startWorker = () => voyage.start('worker', { NODE_OPTIONS: `--import=${poison}` });
const isGone = async ({ pid }: ShipmateProcess) => {
  try {
    process.kill(pid, 0);
    return false;
  } catch {
    return true;
  }
};
const alive = async () => {
  const gone = await Promise.all(workers.map(isGone));
  return workers.filter((_, index) => !gone[index]);
};
const runIdOf = (message: Message) => /run `(\w+)`/.exec(JSON.stringify(message.blocks))?.[1] ?? '';
const says = (message: Message, text: string) => JSON.stringify(message.blocks).includes(text);
const ownerOf = async (run: string) => (await redis.hget(`{shipmate}:v1:run:${run}`, 'owner'))?.split('/')[1];

async function letThrough(): Promise<void> {
  const space = ['-n', voyage.namespaces.staging];
  const patch = JSON.stringify({ status: { conditions: [{ type: condition, status: 'True' }] } });
  const names = (await kubectl([...space, 'get', 'pods', '-l', 'app=web', '-o', 'name'])).trim().split('\n');
  for (const name of names)
    await kubectl([...space, 'patch', name, '--subresource=status', '-p', patch]).catch(() => {});
}

/** Kills, as the kernel does, whoever has the run. */
async function killHolder(run: string): Promise<void> {
  const holder = async () => {
    const pid = await ownerOf(run);
    return (await alive()).find((each) => String(each.pid) === pid);
  };
  await expect.poll(holder, { timeout: 20_000, interval: 20 }).toBeDefined();
  await (await holder())?.kill('SIGKILL');
}

test('a read that ends two workers is set aside before the third, its asker and the channel are told, and a deploy that was under way in both goes on', {
  timeout: 120_000,
}, async () => {
  const { slack } = voyage;
  await slack.command(ana, ship, '/deploy web:v2 staging');
  const begun = await slack.waitFor('it is under way', (each) => says(each, 'of 1 ready'), 30_000);
  const deploy = runIdOf(begun);
  const logged = () => kubectl(['-n', voyage.namespaces.staging, 'logs', '-l', 'app=web']).catch(() => '');
  await expect.poll(logged, { timeout: 60_000, interval: 200 }).not.toBe('');
  await slack.command(ben, ship, '/ship logs deployment/web in staging grep=/(?:a?){9999999}/');
  const toBen = ({ onlyFor, blocks }: Message) =>
    onlyFor === ben && JSON.stringify(blocks).includes('Write a simpler one');
  await slack.waitFor('a pattern that breaks the engine of patterns is said to be wrong', toBen, 30_000);
  expect(await alive()).toHaveLength(3);

  await slack.command(ben, ship, '/ship logs deployment/web in staging grep=poison-pill');
  const told = await slack.waitFor(
    'it is set aside',
    ({ text, channel, onlyFor }) =>
      channel === ship && !onlyFor && text.startsWith('Logs of') && text.includes('set aside'),
    60_000,
  );
  expect(await alive()).toHaveLength(1);
  expect(says(told, `<@${ben}>`)).toBe(true);
  expect(says(told, `/ship resume ${runIdOf(told)} takes it up`)).toBe(true);

  await letThrough();
  const done = await slack.waitFor('it is done', ({ text }) => text.includes('1 of 1 pods ready'), 60_000);
  expect(done.ts).toBe(begun.ts);
  expect(JSON.parse((await redis.hget(`{shipmate}:v1:run:${deploy}`, 'record')) ?? '{}')).not.toHaveProperty(
    'setAside',
  );
  expect(await alive()).toHaveLength(1);

  await slack.command(ben, ship, `/ship cancel ${runIdOf(told)}`);
  await slack.waitFor('it is given up', ({ ts, text }) => ts === told.ts && text.includes('stopped'), 20_000);
});

test('a deploy whose two workers were killed is set aside with its turn; whoever waits is told, and a person takes it up again', {
  timeout: 150_000,
}, async () => {
  const { slack } = voyage;
  workers.push(...(await Promise.all([startWorker(), startWorker()])));
  // Both versions are good: only what the test says keeps a rollout from its end.
  await slack.command(ana, ship, '/deploy web:v1 staging');
  const isIt = ({ text, thread }: Message) => !thread && text.includes('web:v2 → web:v1');
  const begun = await slack.waitFor('it is under way', (each) => isIt(each) && says(each, 'ready'), 30_000);
  const run = runIdOf(begun);
  await slack.command(ben, ship, '/deploy web:v2 staging');
  // Slack knows no way to post exactly once: who is killed before it could keep where its message is leaves a second one.
  const kept = () => redis.hget(`{shipmate}:v1:run:${run}`, 'shown');
  await expect.poll(kept, { timeout: 10_000, interval: 20 }).not.toBeNull();
  await killHolder(run);
  await killHolder(run);
  const isAside = (each: Message) => each.ts === begun.ts && each.text.includes('set aside');
  const aside = await slack.waitFor('it is set aside', isAside, 30_000);
  await slack.waitFor(
    'its requester is called, and the channel sees it',
    ({ thread, broadcast, text }) =>
      thread === begun.ts && broadcast === true && text.includes(`<@${ana}>`) && text.includes('was set aside'),
    20_000,
  );
  const waits = await slack.waitFor(
    'whoever waits behind it is told',
    (each) => !isIt(each) && says(each, `in line behind run \`${run}\`, which was set aside`),
    20_000,
  );
  // Nobody looks at it by themselves any more.
  expect(await redis.zscore('{shipmate}:v1:due', run)).toBeNull();

  await slack.click(ana, aside, 'Take up again');
  await slack.waitFor('it goes on', (each) => each.ts === begun.ts && each.text.includes('under way'), 20_000);
  const isDone = ({ text }: Message) => text.includes('done') && text.includes('1 of 1 pods ready');
  const both = [begun, waits].map(({ ts, text }) =>
    slack.waitFor(`done: ${text}`, (each) => each.ts === ts && isDone(each), 60_000),
  );
  const pass = setInterval(() => void letThrough().catch(() => {}), 500);
  await Promise.all(both).finally(() => clearInterval(pass));
});
