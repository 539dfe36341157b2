import { afterEach, beforeEach, expect, test } from 'vitest';
import { createAnnouncer } from '../../../handlers/slack/announcer.ts';
import { createSlackClient } from '../../../handlers/slack/client.ts';
import { createHand } from '../../../handlers/slack/hand.ts';
import type { Loop } from '../../../jobs/loop.ts';
import { startNotifier } from '../../../jobs/notifier.ts';
import { Settings } from '../../../src/core/settings.ts';
import { advance } from '../../../src/engine/advance.ts';
import { createLeases, type Leases } from '../../../src/engine/leases.ts';
import { request } from '../../../src/engine/request.ts';
import { catalogue } from '../../../src/operations/catalogue.ts';
import { createAlertStore, createNoticeStore } from '../../../src/store/notices.ts';
import { type FakeSlack, startFakeSlack } from '../../../testbed/slack/fake-slack.ts';
import { fakeWorld } from '../../fakes/fake-clients.ts';
import { ana, quiet, type TestEngine, testEngine } from '../../support/engine.ts';
import { redisForFile } from '../../support/redis.ts';

const redis = redisForFile();
let slack: FakeSlack;
let engine: TestEngine;
let leases: Leases;
let notifier: Loop;
let secrets: string[];

const settings = Settings.parse({
  channel: 'C0ALERTS',
  apps: { web: { image: 'harbor.example.com/team/web', channel: 'C0SHIP' } },
  environments: {},
  harbor: { url: 'https://harbor.example.com' },
  roles: { hooks: ['webhook:harbor'] },
  policy: [{ name: 'people' }, { name: 'hooks', operations: ['harbor-news'], who: ['hooks'] }],
});

beforeEach(async () => {
  slack = await startFakeSlack({ signingSecret: 'not used here', botToken: 'xoxb-test' });
  const world = fakeWorld();
  secrets = world.harbor.secrets;
  const client = createSlackClient({ token: 'xoxb-test', apiUrl: slack.apiUrl });
  const clients = { ...world.clients, hand: createHand(client) };
  engine = await testEngine(redis().url, clients, { settings: () => settings });
  leases = createLeases(engine.store, 'worker-1', quiet);
  const announce = createAnnouncer({
    now: Date.now,
    client,
    catalogue,
    store: engine.store,
    alerts: createAlertStore(engine.redis),
    order: engine.clients.order,
    settings: () => settings,
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

const fromHook = async (input: Record<string, unknown>) => {
  const origin = { surface: 'webhook' as const, source: 'harbor' };
  const actor = { kind: 'webhook' as const, source: 'harbor' };
  const { id } = await request(engine, { actor, operation: 'harbor-news', input: { aloud: true, ...input }, origin });
  await advance(engine, leases, id);
};

test('what a webhook brings is told in the app’s channel, or where Shipmate tells of itself', async () => {
  await fromHook({ repository: 'team/web', reference: 'v1', app: 'web' });
  await slack.waitFor(
    'the push',
    ({ text, channel }) => channel === 'C0SHIP' && text.includes('team/web:v1 is in Harbor'),
  );
  await fromHook({ repository: 'team/web', about: 'quota' });
  await slack.waitFor(
    'the quota',
    ({ text, channel }) => channel === 'C0ALERTS' && text.includes('6.0 GiB of 10.0 GiB'),
  );
});

test('a robot’s secret is seen by its asker alone, and the message that all see has none of it', async () => {
  const origin = { surface: 'slack' as const, team: 'T0SHIPYARD', channel: 'C0SHIP', user: 'U0ANA' };
  const input = { project: 'team', name: 'nightly' };
  const { id } = await request(engine, { actor: ana, operation: 'harbor-robot-create', input, origin });
  await advance(engine, leases, id);
  const [secret = 'none'] = secrets;
  const holds = (message: unknown) => JSON.stringify(message).includes(secret);
  const shown = await slack.waitFor('the secret', holds);
  expect(shown).toMatchObject({ channel: 'C0SHIP', onlyFor: 'U0ANA' });
  const told = await slack.waitFor('the message', ({ text }) => text.includes('done'));
  expect(holds(told)).toBe(false);
  expect(slack.thread(told).filter(holds)).toEqual([]);
});
