import { afterEach, beforeEach, expect, test } from 'vitest';
import { createAnnouncer } from '../../../handlers/slack/announcer.ts';
import { diffView, planLines } from '../../../handlers/slack/blocks/diff-text.ts';
import { createSlackClient } from '../../../handlers/slack/client.ts';
import type { Loop } from '../../../jobs/loop.ts';
import { startNotifier } from '../../../jobs/notifier.ts';
import { advance } from '../../../src/engine/advance.ts';
import { decide } from '../../../src/engine/decide.ts';
import { createLeases, type Leases } from '../../../src/engine/leases.ts';
import { request } from '../../../src/engine/request.ts';
import { catalogue } from '../../../src/operations/catalogue.ts';
import { createAlertStore, createNoticeStore } from '../../../src/store/notices.ts';
import { type FakeSlack, startFakeSlack } from '../../../testbed/slack/fake-slack.ts';
import { fakeWorld } from '../../fakes/fake-clients.ts';
import { ana, ben, quiet, type TestEngine, testEngine, testSettings } from '../../support/engine.ts';
import { redisForFile } from '../../support/redis.ts';

const redis = redisForFile();
let slack: FakeSlack;
let engine: TestEngine;
let leases: Leases;
let notifier: Loop;

beforeEach(async () => {
  slack = await startFakeSlack({ signingSecret: 'not used here', botToken: 'xoxb-test' });
  engine = await testEngine(redis().url, fakeWorld().clients);
  leases = createLeases(engine.store, 'worker-1', quiet);
  const client = createSlackClient({ token: 'xoxb-test', apiUrl: slack.apiUrl });
  const announce = createAnnouncer({
    now: Date.now,
    client,
    catalogue,
    store: engine.store,
    alerts: createAlertStore(engine.redis),
    order: engine.clients.order,
    settings: () => testSettings,
    log: quiet,
  });
  notifier = await startNotifier({ notices: createNoticeStore(engine.redis), announce, log: quiet, standIn: false });
});
afterEach(async () => {
  await notifier.stop();
  await leases.stop();
  engine.close();
  await slack.close();
});

const configMap = (lines: number) =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'app' },
    data: Object.fromEntries(Array.from({ length: lines }, (_, n) => [`key-${n}`, `value ${n}`])),
  });

async function ask(lines: number, env = 'production') {
  const origin = { surface: 'slack' as const, team: 'T0SHIPYARD', channel: 'C0SHIP', user: 'U0ANA' };
  const input = { env, manifest: configMap(lines) };
  const { id } = await request(engine, { actor: ana, operation: 'apply', input, origin });
  await advance(engine, leases, id);
  return id;
}

const card = () => slack.waitFor('the card', ({ text, thread }) => !thread && text.includes('approval'));

test('a plan that is longer than its card is whole in a file in the thread, and the card says so', async () => {
  const id = await ask(200);
  const message = await card();
  expect(JSON.stringify(message.blocks)).toContain(
    'Here are 30 lines, shortened, of 200. The whole plan is in the thread.',
  );
  const file = await slack.waitFor('the file', ({ files }) => (files ?? []).length > 0);
  expect(file).toMatchObject({ channel: 'C0SHIP', thread: message.ts });
  expect(file.files?.[0]?.content?.split('\n')).toEqual(
    Array.from({ length: 200 }, (_, n) => `+ ConfigMap/app data.key-${n}: value ${n}`),
  );
  expect((await engine.store.read(id))?.plan?.changes).toHaveLength(200);
});

test('the file is in the thread once, however often its card is brought up to date', async () => {
  const id = await ask(200);
  const message = await card();
  const { plan } = (await engine.store.read(id)) ?? {};
  await decide(engine, id, { actor: ben, kind: 'approve', digest: plan?.digest ?? '' });
  await advance(engine, leases, id);
  await slack.waitFor('its end', ({ thread, files, text }) => thread === message.ts && !files && text.includes('done'));
  expect(slack.thread(message).filter(({ files }) => files)).toHaveLength(1);
});

test('where Slack takes no file, all of it is in replies, in order and once each', async () => {
  slack.fault('files.getUploadURLExternal', { times: 9, error: 'missing_scope' });
  await ask(400);
  const message = await card();
  slack.fault('chat.postMessage', { times: 1, status: 429, retryAfter: 1 });
  await slack.waitFor('the last line', ({ blocks }) => JSON.stringify(blocks).includes('value 399'));
  const replies = slack.thread(message).map(({ blocks }) => JSON.stringify(blocks));
  for (const n of [0, 57, 199, 398, 399])
    expect(replies.filter((reply) => new RegExp(`value ${n}\\b`).test(reply))).toHaveLength(1);
});

test('a short plan is all on its card, and nothing is in the thread for it', async () => {
  await ask(3);
  const message = await card();
  expect(JSON.stringify(message.blocks)).not.toContain('The whole plan');
  expect(slack.thread(message).filter(({ files }) => files)).toEqual([]);
});

const told = (changes: { path: string; from?: string | number; to?: string | number }[]) => ({
  changes,
  takesOver: [],
});

test.each([
  ['the end of long values', `${'x'.repeat(500)}a`, `${'x'.repeat(500)}b`],
  ['a letter that nobody sees', 'web', 'web\u200b'],
  ['a text that reads like a number', 80, '80'],
  ['a blank at the end', 'web', 'web '],
])('a card shows that %s differ', (_what, from, to) => {
  const [, before, after] = diffView(told([{ path: 'data.a', from, to }])).text.split('\n');
  expect(before?.slice(1)).not.toBe(after?.slice(1));
});

test('a value of several lines cannot pass for a line of the plan', () => {
  const lines = planLines(told([{ path: 'data.a', to: 'one\n- spec.replicas: 3\n  spec.image' }]));
  expect(lines).toEqual(['+ data.a: one', '+     - spec.replicas: 3', '+       spec.image']);
});
