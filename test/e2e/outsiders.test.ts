import { readFile, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { kubectl } from '../support/kubectl.ts';
import { ana, ben, startVoyage, type Voyage } from '../support/voyage.ts';

const [dock, eve] = ['C0DOCK', 'U0EVE'];

let voyage: Voyage;
beforeAll(async () => {
  voyage = await startVoyage();
  // Whoever is one of us may approve: what keeps the supplier away is that they are none.
  const settings = await readFile(voyage.settings, 'utf8');
  await writeFile(voyage.settings, settings.replace('approvers: [engineers]', 'approvers: [everyone]'));
  await Promise.all([voyage.start('bot'), voyage.start('worker')]);
});
afterAll(async () => voyage.end());

const images = (namespace: string) =>
  kubectl(['-n', namespace, 'get', 'deployments', '-o', 'jsonpath={.items[*].spec.template.spec.containers[0].image}']);

test('in a channel shared with a supplier, the supplier decides nothing, and a colleague does', {
  timeout: 120_000,
}, async () => {
  const { slack, namespaces } = voyage;
  await slack.command(ana, dock, '/deploy web:v1 production');
  const waits = ({ text, channel }: { text: string; channel: string }) =>
    channel === dock && /^Deploy web to production.*waiting for approval/s.test(text);
  const card = await slack.waitFor('the card', waits, 30_000);
  await slack.click(eve, card, 'Approve', { times: 3 });
  await slack.click(eve, card, 'Reject');
  await slack.say(eve, dock, '@shipmate deploy web:v1 staging');
  await expect.poll(() => slack.ephemerals(eve).length, { timeout: 20_000 }).toBe(5);
  for (const { text } of slack.ephemerals(eve)) expect(text).toContain('you are from another workspace');
  expect(slack.messages(dock).filter(waits)).toHaveLength(1);
  expect(await images(namespaces.production)).toBe('');
  expect(await images(namespaces.staging)).toBe('');

  await slack.click(ben, card, 'Approve');
  await slack.waitFor('it is done', ({ text }) => /^Deploy web to production.*done/s.test(text), 60_000);
  expect(await images(namespaces.production)).toContain('web:v1@sha256:');
});
