import { afterEach, beforeEach, expect, test } from 'vitest';
import { createAnnouncer } from '../../../handlers/slack/announcer.ts';
import { threadReply } from '../../../handlers/slack/blocks/thread-reply.ts';
import { createSlackClient } from '../../../handlers/slack/client.ts';
import { threadNews } from '../../../handlers/slack/thread-news.ts';
import type { Loop } from '../../../jobs/loop.ts';
import { startNotifier } from '../../../jobs/notifier.ts';
import type { Announcer } from '../../../src/core/notices.ts';
import type { Shown } from '../../../src/core/shown.ts';
import { advance } from '../../../src/engine/advance.ts';
import { createLeases, type Leases } from '../../../src/engine/leases.ts';
import { request } from '../../../src/engine/request.ts';
import { catalogue } from '../../../src/operations/catalogue.ts';
import { createAlertStore, createNoticeStore } from '../../../src/store/notices.ts';
import { type FakeSlack, startFakeSlack } from '../../../testbed/slack/fake-slack.ts';
import { fakeWorld } from '../../fakes/fake-clients.ts';
import { ana, quiet, type TestEngine, testEngine, testSettings } from '../../support/engine.ts';
import { redisForFile } from '../../support/redis.ts';

const redis = redisForFile();
let slack: FakeSlack;
let engine: TestEngine;
let leases: Leases;
let notifier: Loop;
let announce: Announcer;
let deps: Parameters<typeof createAnnouncer>[0];

beforeEach(async () => {
  slack = await startFakeSlack({ signingSecret: 'not used here', botToken: 'xoxb-test' });
  const world = fakeWorld();
  world.digests.set('127.0.0.1:5000/web:v1', `sha256:${'1'.repeat(64)}`);
  engine = await testEngine(redis().url, world.clients);
  leases = createLeases(engine.store, 'worker-1', quiet);
  const client = createSlackClient({ token: 'xoxb-test', apiUrl: slack.apiUrl });
  const settings = () => testSettings;
  const alerts = createAlertStore(engine.redis);
  const { store, clients } = engine;
  deps = {
    now: Date.now,
    client,
    catalogue,
    store,
    alerts,
    order: clients.order,
    settings,
    log: quiet,
  };
  announce = createAnnouncer(deps);
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
const deploy = { app: 'web', env: 'staging', tag: 'v1' };

async function endedRun() {
  await askIn('C0SHIP', 'deploy', deploy);
  await slack.waitFor('it is done', ({ text, thread }) => !thread && text.includes('Deploy web to staging: done'));
  const [run] = await engine.store.recent(1);
  if (!run) throw new Error('no run');
  return run;
}

test('a thread that Slack does not take in time costs nothing but time: the message is there once', async () => {
  slack.fault('chat.postMessage', { times: 1 }); // the message itself goes through
  slack.fault('chat.postMessage', { times: 1, status: 429, retryAfter: 1 });
  await askIn('C0SHIP', 'deploy', deploy);
  const message = await slack.waitFor(
    'it is done',
    ({ text, thread }) => !thread && text.includes('Deploy web to staging: done'),
  );
  await slack.waitFor('its thread', ({ thread }) => thread === message.ts);
  expect(slack.messages('C0SHIP')).toHaveLength(1);
  expect(slack.thread(message)).toHaveLength(1);
});

test('what Slack has is kept before Slack is asked for more: a worker killed between the two is followed without a second message', async () => {
  await notifier.stop();
  await askIn('C0SHIP', 'deploy', deploy);
  const [run] = await engine.store.recent(1);
  const before = slack.calls.length;
  const posted = () => slack.calls.slice(before).filter(({ method }) => method === 'chat.postMessage').length;
  const kept: number[] = [];
  const announced = await announce({ kind: 'run', id: run?.id ?? '' }, undefined, async ({ ts }) => {
    if (slack.messages('C0SHIP').some((message) => message.ts === ts)) kept.push(posted());
  });
  expect([announced.kind, posted(), kept]).toEqual(['shown', 2, [1, 2]]);
});

test('the end is told once, however often Slack puts off the file that comes with it', async () => {
  await notifier.stop();
  await askIn('C0SHIP', 'deploy', deploy);
  const [run] = await engine.store.recent(1);
  if (!run) throw new Error('no run');
  const long = { kind: 'text' as const, title: 'All of it', text: 'a line\n'.repeat(2_000) };
  const store = { ...engine.store, read: async () => ({ ...run, report: long }) };
  const told = createAnnouncer({ ...deps, store });
  slack.fault('files.getUploadURLExternal', { times: 2, status: 429, retryAfter: 1 });
  let shown: Shown | undefined;
  const keep = async (next: Shown) => {
    shown = next;
  };
  for (const kind of ['later', 'later', 'shown', 'shown']) {
    const announced = await told({ kind: 'run', id: run.id }, shown, keep);
    expect(announced.kind).toBe(kind);
    if (announced.kind !== 'nothing') shown = announced.shown ?? shown;
  }
  const message = slack.messages('C0SHIP').find(({ ts }) => ts === shown?.ts);
  if (!message) throw new Error('no message');
  await slack.waitFor('the file', ({ thread, files }) => thread === message.ts && (files ?? []).length > 0);
  const thread = slack.thread(message);
  expect(thread.filter(({ text }) => text.includes('<@UANA>') || text.includes('<@U0ANA>'))).toHaveLength(1);
  expect(thread.filter(({ files }) => files)).toHaveLength(1);
});

test('a question from where Shipmate cannot post is answered in person', async () => {
  await askIn('C0PRIVATE', 'status', { app: 'web' });
  const answer = await slack.waitFor('the answer', ({ text }) => text.includes('What runs where'));
  expect(answer.channel).toBe('D0ANA');
});

test('an explanation comes with its buttons, for the one who asked', async () => {
  await askIn('C0SHIP', 'why', { what: 'web', env: 'staging' });
  const answer = await slack.waitFor('the answer', ({ text }) => text.includes('web in staging:'));
  expect(answer).toMatchObject({ channel: 'C0SHIP', onlyFor: 'U0ANA' });
  const shown = JSON.stringify(answer.blocks);
  expect(shown).toContain('kubectl create namespace staging');
  expect(shown).toContain('Look again');
});

test('an answer to a question is for the one who asked', async () => {
  await askIn('C0SHIP', 'status', { app: 'web' });
  const answer = await slack.waitFor('the answer', ({ text }) => text.includes('What runs where'));
  expect(answer).toMatchObject({ channel: 'C0SHIP', onlyFor: 'U0ANA' });
});

test('a run that ends while its message is written is told to its end, with the call to the one who asked', async () => {
  const before = { ...(await endedRun()), state: 'running' as const };
  const { run, events } = await threadNews(engine.store, before, '');
  expect(run.state).toBe('finished');
  expect(
    threadReply(
      run,
      events.map(({ event }) => event),
      testSettings,
    )?.text,
  ).toContain('Deploy web to staging');
});

test('one whose end is not among the events yet has them read again', async () => {
  const done = await endedRun();
  const all = await engine.store.events(done.id, '', 100);
  let reads = 0;
  const store = {
    read: engine.store.read,
    events: async () => (reads++ === 0 ? all.slice(0, 1) : all),
  };
  const { events } = await threadNews(store, { ...done, state: 'running' }, '');
  expect(events.at(-1)?.event.kind).toBe('state');
  expect(events).toHaveLength(all.length);
});
