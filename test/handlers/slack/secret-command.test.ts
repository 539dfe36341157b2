import { createServer } from 'node:http';
import { expect, onTestFinished, test } from 'vitest';
import { createSlackSurface } from '../../../handlers/slack/app.ts';
import { createSlackPeople } from '../../../handlers/slack/people.ts';
import { createSeal } from '../../../src/store/seal.ts';
import { startFakeSlack } from '../../../testbed/slack/fake-slack.ts';
import { fakeWorld } from '../../fakes/fake-clients.ts';
import { quiet, testEngine } from '../../support/engine.ts';
import { redisForFile } from '../../support/redis.ts';

const redis = redisForFile();
const [user, channel, token, signingSecret] = ['U0ANA', 'C0SHIP', 'xoxb-1', 'not a real secret'];

/** A bot in front of the fake Slack, with what it stores sealed. */
async function start() {
  const slack = await startFakeSlack({ signingSecret, botToken: token });
  const engine = await testEngine(redis().url, fakeWorld().clients, { seal: createSeal([Buffer.alloc(32, 7)]) });
  const { client, installed, members } = createSlackPeople({ token, apiUrl: slack.apiUrl }, Date.now);
  const deps = { engine, members, log: quiet };
  const surface = await createSlackSurface(deps, { signingSecret, token, apiUrl: slack.apiUrl, client, installed });
  const bot = createServer(surface.listener);
  await new Promise<void>((resolve) => bot.listen(0, '127.0.0.1', resolve));
  const address = bot.address();
  slack.setTarget(`http://127.0.0.1:${address && typeof address === 'object' ? address.port : 0}/slack/events`);
  onTestFinished(async () => {
    bot.closeAllConnections();
    bot.close();
    engine.close();
    await slack.close();
  });
  return { slack, engine };
}

test('Slack never shows the channel a command that holds secret values; any other change it does', async () => {
  const { slack, engine } = await start();
  await slack.command(user, channel, '/ship secret set app-secrets PASSWORD=planted-value in staging');
  await slack.waitFor('an answer', ({ onlyFor }) => onlyFor === user, 5_000);
  await expect.poll(() => engine.woken.length, { timeout: 5_000 }).toBe(1);
  expect(JSON.stringify(slack.messages(channel))).not.toContain('planted-value');

  await slack.command(user, channel, '/ship config set app-config LEVEL=shown-value in staging');
  await slack.waitFor('the command itself', ({ text }) => text.includes('shown-value'), 5_000);
});
