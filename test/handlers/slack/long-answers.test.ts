import { afterEach, beforeEach, expect, test } from 'vitest';
import { createAnnouncer } from '../../../handlers/slack/announcer.ts';
import { createSlackClient } from '../../../handlers/slack/client.ts';
import type { Loop } from '../../../jobs/loop.ts';
import { startNotifier } from '../../../jobs/notifier.ts';
import { advance } from '../../../src/engine/advance.ts';
import { createLeases, type Leases } from '../../../src/engine/leases.ts';
import { request } from '../../../src/engine/request.ts';
import { catalogue } from '../../../src/operations/catalogue.ts';
import { createAlertStore, createNoticeStore } from '../../../src/store/notices.ts';
import { type FakeSlack, startFakeSlack } from '../../../testbed/slack/fake-slack.ts';
import { type FakeWorld, fakeWorld } from '../../fakes/fake-clients.ts';
import { furnish } from '../../fakes/small-cluster.ts';
import { ana, quiet, type TestEngine, testEngine, testSettings } from '../../support/engine.ts';
import { redisForFile } from '../../support/redis.ts';

const redis = redisForFile();
let slack: FakeSlack;
let engine: TestEngine;
let world: FakeWorld;
let leases: Leases;
let notifier: Loop;

beforeEach(async () => {
  slack = await startFakeSlack({ signingSecret: 'not used here', botToken: 'xoxb-test' });
  world = fakeWorld();
  furnish(world);
  engine = await testEngine(redis().url, world.clients);
  leases = createLeases(engine.store, 'worker-1', quiet);
  const client = createSlackClient({ token: 'xoxb-test', apiUrl: slack.apiUrl });
  const settings = () => testSettings;
  const alerts = createAlertStore(engine.redis);
  const { store, clients } = engine;
  const announce = createAnnouncer({
    now: Date.now,
    client,
    catalogue,
    store,
    alerts,
    order: clients.order,
    settings,
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

const askIn = async (channel: string, operation: string, input: Record<string, unknown>) => {
  const origin = { surface: 'slack' as const, team: 'T0SHIPYARD', channel, user: 'U0ANA' };
  const { id } = await request(engine, { actor: ana, operation, input, origin });
  await advance(engine, leases, id);
};

const lineOf = (n: number) =>
  `2026-11-25T02:00:${String(n % 60).padStart(2, '0')}.${String(n).padStart(9, '0')}Z line ${n}`;
const writes = (lines: readonly string[]) => {
  world.kube.logs = async function* () {
    yield* lines;
  };
};
const logs = { app: 'web', env: 'staging' };

test('a long log is shown by its end, and the whole is a file for the one who asked', async () => {
  writes(Array.from({ length: 150 }, (_, n) => lineOf(n)));
  await askIn('C0SHIP', 'logs', logs);
  const answer = await slack.waitFor('the answer', ({ onlyFor }) => onlyFor === 'U0ANA');
  expect(JSON.stringify(answer.blocks)).toContain('line 149');
  expect(JSON.stringify(answer.blocks)).toContain('all of it is a file in our direct messages');
  const message = await slack.waitFor('the file', ({ files }) => (files ?? []).length > 0);
  expect(message.channel).toBe('D0ANA');
  const content = message.files?.[0]?.content ?? '';
  expect(content.split('\n')).toHaveLength(150);
  expect(content).toContain('line 0\n');
});

test('a short one is no file', async () => {
  writes([lineOf(1)]);
  await askIn('C0SHIP', 'logs', logs);
  await slack.waitFor('the answer', ({ onlyFor }) => onlyFor === 'U0ANA');
  expect(slack.messages('D0ANA')).toEqual([]);
});

test.each(['files.getUploadURLExternal', 'files.completeUploadExternal', 'conversations.open'])(
  'where %s is refused, the answer stands and says so',
  async (method) => {
    slack.fault(method, { times: 5, error: 'missing_scope' });
    writes(Array.from({ length: 150 }, (_, n) => lineOf(n)));
    await askIn('C0SHIP', 'logs', logs);
    const answer = await slack.waitFor('the answer', ({ onlyFor }) => onlyFor === 'U0ANA');
    expect(JSON.stringify(answer.blocks)).toContain('line 149');
    expect(JSON.stringify(answer.blocks)).toContain('could not be uploaded (missing_scope');
  },
);

test('an answer that is tried again brings its file once', async () => {
  slack.fault('chat.postEphemeral', { times: 1, status: 429, retryAfter: 1 });
  writes(Array.from({ length: 150 }, (_, n) => lineOf(n)));
  await askIn('C0SHIP', 'logs', logs);
  const answer = await slack.waitFor('the answer', ({ onlyFor }) => onlyFor === 'U0ANA');
  expect(JSON.stringify(answer.blocks)).toContain('all of it is a file');
  expect(slack.messages('D0ANA')).toHaveLength(1);
});

test('no line can ping, forge a link or a button', async () => {
  const evil = [
    '<!channel> now',
    '<https://evil.example|click me>',
    '```',
    '*bold* <@U0BEN>',
    '\u202egnp.exe',
    '{"type":"actions"}',
  ];
  writes(evil.map((text, n) => `${lineOf(n).split(' ')[0]} ${text}`));
  await askIn('C0SHIP', 'logs', logs);
  const answer = await slack.waitFor('the answer', ({ onlyFor }) => onlyFor === 'U0ANA');
  const texts: string[] = [];
  JSON.stringify(answer.blocks, (key, value) => {
    if (key === 'type') texts.push(value);
    return value;
  });
  expect(new Set(texts)).toEqual(
    new Set(['header', 'plain_text', 'rich_text', 'rich_text_preformatted', 'text', 'context', 'mrkdwn']),
  );
  expect(answer.text).not.toMatch(/<[!@h]/);
  expect(JSON.stringify(answer)).not.toContain('\u202e');
});

test('what is followed has a message, its lines in the thread, and the whole in a file there', async () => {
  let n = 0;
  world.kube.logs = async function* (_ref, { follow }, signal) {
    if (!follow) return;
    while (!signal.aborted && n < 60) yield lineOf(n++);
    await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
  };
  await askIn('C0SHIP', 'logs', { ...logs, follow: '3s' });
  const message = await slack.waitFor(
    'the message',
    ({ channel, thread, onlyFor }) => channel === 'C0SHIP' && !thread && !onlyFor,
  );
  const file = await slack.waitFor('the file', ({ files }) => (files ?? []).length > 0);
  expect(file).toMatchObject({ channel: 'C0SHIP', thread: message.ts });
  expect(file.files?.[0]?.content?.split('\n')).toHaveLength(60);
  const said = JSON.stringify(slack.thread(message).map(({ blocks }) => blocks));
  expect(said).toContain('line 0');
  expect(said).toContain('40 lines left out here');
});

test('what a command said is in its message, and the whole in its thread', async () => {
  const output = Array.from({ length: 100 }, (_, n) => `out ${n}`).join('\n');
  world.kube.exec = async () => ({
    exitCode: 0,
    output,
    cut: false,
    timedOut: false,
    bytes: output.length,
    sha256: 'x',
  });
  await askIn('C0SHIP', 'exec', { ...logs, command: ['cat', '/etc/hosts'] });
  const file = await slack.waitFor('the file', ({ files }) => (files ?? []).length > 0);
  expect(file.files?.[0]?.content).toBe(output);
  const message = await slack.waitFor('the end', ({ ts, text }) => ts === file.thread && text.includes('Exit code 0'));
  expect(slack.messages('C0SHIP')[0]?.ts).toBe(message.ts);
  expect(JSON.stringify(message.blocks)).toContain('out 99');
});
