import { createServer } from 'node:http';
import { onTestFinished } from 'vitest';
import { createSlackSurface } from '../../handlers/slack/app.ts';
import { runMessage } from '../../handlers/slack/blocks/run-message.ts';
import { createSlackPeople } from '../../handlers/slack/people.ts';
import { Settings } from '../../src/core/settings.ts';
import { advance } from '../../src/engine/advance.ts';
import { createLeases } from '../../src/engine/leases.ts';
import { startFakeSlack } from '../../testbed/slack/fake-slack.ts';
import type { Message } from '../../testbed/slack/workspace.ts';
import { fakeWorld } from '../fakes/fake-clients.ts';
import { quiet, testEngine } from './engine.ts';

const [token, signingSecret] = ['xoxb-1', 'not a real secret'];
const later = 5 * 60_000 + 1;

/** Anybody at all may ask and approve: what keeps outsiders away is that they are none of us. */
const settings = Settings.parse({
  apps: { web: { image: '127.0.0.1:5000/web' } },
  environments: { staging: { namespace: 'staging' }, production: { namespace: 'production' } },
  people: { ana: { slack: 'U0ANA' }, eve: { slack: 'U0EVE' }, org: { slack: 'U0ORG' } },
  roles: { engineers: ['ana', 'eve', 'org'] },
  policy: [
    { name: 'staging is free', environments: ['staging'] },
    { name: 'production needs another', environments: ['production'], approvals: 1, approvers: ['everyone'] },
    { name: 'anybody may do the rest' },
  ],
});

/** A bot in front of a fake Slack, and a worker that looks again at who asked and approved, each with its own memory. */
export async function startSlackBot(redisUrl: string, { grid = false } = {}) {
  const slack = await startFakeSlack({ signingSecret, botToken: token, grid });
  const world = fakeWorld();
  world.digests.set('127.0.0.1:5000/web:v1', `sha256:${'1'.repeat(64)}`);
  let passed = 0;
  const now = () => Date.now() + passed;
  const ofBot = createSlackPeople({ token, apiUrl: slack.apiUrl }, now);
  const ofWorker = createSlackPeople({ token, apiUrl: slack.apiUrl }, now);
  const engine = await testEngine(redisUrl, world.clients, {
    settings: () => settings,
    membership: ofWorker.members.membership,
  });
  await engine.redis.flushall();
  const { client, installed, members } = ofBot;
  const deps = { engine, members, log: quiet };
  const surface = await createSlackSurface(deps, { signingSecret, token, apiUrl: slack.apiUrl, client, installed });
  await surface.start();
  const bot = createServer(surface.listener);
  await new Promise<void>((resolve) => bot.listen(0, '127.0.0.1', resolve));
  const address = bot.address();
  slack.setTarget(`http://127.0.0.1:${address && typeof address === 'object' ? address.port : 0}/slack/events`);
  const leases = createLeases(engine.store, 'worker-1', quiet);
  onTestFinished(async () => {
    await surface.stop();
    await leases.stop();
    bot.closeAllConnections();
    bot.close();
    engine.close();
    await slack.close();
  });
  const runs = () => engine.store.recent(20);
  const work = async (id: string) => {
    await advance(engine, leases, id);
    return await engine.store.read(id);
  };
  return {
    slack,
    world,
    engine,
    client,
    runs,
    work,
    /** More than five minutes pass, for what is remembered of people. */
    wait: () => {
      passed += later;
    },
    /** What only this person is told. */
    told: (user: string) => slack.ephemerals(user).map(({ text }) => text),
    /** A deploy to production that awaits approval, and its message in a channel. */
    awaiting: async (channel: string): Promise<{ id: string; card: Message }> => {
      await slack.command('U0ANA', channel, '/deploy web:v1 production');
      const [run] = await runs();
      const planned = await work(run?.id ?? '');
      if (planned?.state !== 'awaiting') throw new Error(`the run is ${planned?.state}: ${planned?.fault?.message}`);
      const { ts } = await client.chat.postMessage({ channel, ...runMessage(planned, settings) });
      return { id: planned.id, card: await slack.waitFor('the card', (message) => message.ts === ts) };
    },
  };
}
