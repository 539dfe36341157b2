import { afterAll, beforeAll, expect, test } from 'vitest';
import { ana, type Bed, ship, startSocketBed } from './bolt-app.ts';

let bed: Bed;
beforeAll(async () => {
  bed = await startSocketBed();
  bed.app.command('/ping', async ({ ack }) => ack({ text: 'pong' }));
  bed.app.action('again', async ({ ack, respond }) => {
    await ack();
    await respond('clicked');
  });
});
afterAll(async () => bed.stop());

test('commands and clicks come as envelopes, and acknowledgements bear the answer', async () => {
  const { slack, app } = bed;
  const { status, body } = await slack.command(ana, ship, '/ping');
  expect(status).toBe(200);
  expect(body).toEqual({ text: 'pong' });
  const elements = [{ type: 'button' as const, action_id: 'again', text: { type: 'plain_text' as const, text: 'Go' } }];
  await app.client.chat.postMessage({ channel: ship, text: 'a button', blocks: [{ type: 'actions', elements }] });
  const message = await slack.waitFor('the button', ({ text }) => text === 'a button');
  await slack.click(ana, message, 'Go');
  await slack.waitFor('the reaction', ({ text, onlyFor }) => text === 'clicked' && onlyFor === ana);
});

test('an app that is told to go comes back', async () => {
  const { slack } = bed;
  const opened = () => slack.calls.filter(({ method }) => method === 'apps.connections.open').length;
  const before = opened();
  slack.disconnect('refresh_requested');
  await expect.poll(opened, { timeout: 10_000 }).toBe(before + 1);
  await expect.poll(async () => (await slack.command(ana, ship, '/ping')).status, { timeout: 10_000 }).toBe(200);
});
