import { expect, onTestFinished, test } from 'vitest';
import type { ReadAttached } from '../../../handlers/slack/attached.ts';
import { createMentions, type Mention } from '../../../handlers/slack/mentions.ts';
import { createSlackPeople } from '../../../handlers/slack/people.ts';
import { keys } from '../../../src/store/keys.ts';
import { createSeal } from '../../../src/store/seal.ts';
import { startFakeSlack } from '../../../testbed/slack/fake-slack.ts';
import { fakeWorld } from '../../fakes/fake-clients.ts';
import { quiet, testEngine } from '../../support/engine.ts';
import { redisForFile } from '../../support/redis.ts';

const redis = redisForFile();
const [user, channel, token] = ['U0ANA', 'C0SHIP', 'xoxb-1'];
const manifest = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: planted-name}\n';
const reads: ReadAttached = async () => [{ name: 'web.yaml', text: manifest }];
/** As the files are fetched when the process is killed. */
const dies: ReadAttached = () => new Promise(() => {});

async function start() {
  const slack = await startFakeSlack({ signingSecret: 'x', botToken: token });
  const engine = await testEngine(redis().url, fakeWorld().clients, { seal: createSeal([Buffer.alloc(32, 7)]) });
  await engine.redis.flushall();
  const { client, members } = createSlackPeople({ token, apiUrl: slack.apiUrl }, Date.now);
  const deps = { engine, members, log: quiet };
  onTestFinished(async () => {
    engine.close();
    await slack.close();
  });
  const bot = (readAttached: ReadAttached) => createMentions({ deps, client, readAttached });
  const askedFor = async () => (await engine.store.recent(10)).map(({ operation }) => operation);
  return { slack, engine, bot, askedFor };
}

const mention = (key: string, more: Partial<Mention> = {}): Mention => ({
  key,
  at: Date.now(),
  team: 'T0SHIPYARD',
  channel,
  user,
  text: 'apply in staging',
  files: [{ id: 'F1', name: 'web.yaml' }],
  ...more,
});

test('a mention whose bot was killed while it fetched the files is taken up by another, once', async () => {
  const { engine, bot, askedFor } = await start();
  void bot(dies).take(mention('event:1'));
  await expect.poll(() => engine.redis.hlen(keys.inbox)).toBe(1);
  expect(JSON.stringify(await engine.redis.hgetall(keys.inbox)), 'it is sealed').not.toContain('apply in staging');
  const other = bot(reads);
  await other.again();
  expect(await askedFor(), 'the first bot may still be at it').toEqual([]);

  await engine.redis.zadd(keys.inboxDue, 0, 'event:1');
  await Promise.all([other.again(), bot(reads).again()]);
  expect(await askedFor()).toEqual(['apply']);
  expect(await engine.redis.hlen(keys.inbox)).toBe(0);
  await other.take(mention('event:1'));
  expect(await askedFor(), 'Slack may deliver it again').toEqual(['apply']);
});

test('what goes well, or is refused, leaves nothing behind', async () => {
  const { slack, engine, bot, askedFor } = await start();
  await bot(reads).take(mention('event:2'));
  expect(await askedFor()).toEqual(['apply']);
  await bot(async () => {
    throw new Error('Slack is away');
  }).take(mention('event:3'));
  await slack.waitFor('it is told', ({ onlyFor }) => onlyFor === user, 5_000);
  expect(await engine.redis.hlen(keys.inbox)).toBe(0);
  expect(await engine.redis.zcard(keys.inboxDue)).toBe(0);
});

test('what nobody got through with for ten minutes is let go', async () => {
  const { engine, bot, askedFor } = await start();
  void bot(dies).take(mention('event:4', { at: Date.now() - 11 * 60_000 }));
  await expect.poll(() => engine.redis.hlen(keys.inbox)).toBe(1);
  await engine.redis.zadd(keys.inboxDue, 0, 'event:4');
  await bot(reads).again();
  expect(await askedFor()).toEqual([]);
  expect(await engine.redis.hlen(keys.inbox)).toBe(0);
});
