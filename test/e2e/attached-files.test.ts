import { afterAll, beforeAll, expect, test } from 'vitest';
import { kubectl } from '../support/kubectl.ts';
import { ana, ben, ship, startVoyage, type Voyage } from '../support/voyage.ts';

let voyage: Voyage;
beforeAll(async () => {
  voyage = await startVoyage();
  await voyage.start('all');
});
afterAll(async () => voyage.end());

const there = (state: RegExp) => (message: { text: string; onlyFor?: string; thread?: string }) =>
  !message.onlyFor && !message.thread && state.test(message.text);
const held = (namespace: string, name: string, key: string) =>
  kubectl(['-n', namespace, 'get', 'configmap', name, '-o', `jsonpath={.data.${key}}`]).catch(() => 'none');
const configMap = (name: string, value: string) =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: ${name} }\ndata: { hello: ${value} }\n`;

test('snippets attached to a mention are applied after their plan was shown and approved', {
  timeout: 60_000,
}, async () => {
  const { slack, namespaces } = voyage;
  const files = [
    { name: 'a.yaml', content: configMap('first', 'world') },
    { name: 'b.yaml', content: configMap('second', 'moon') },
  ];
  await slack.say(ana, ship, '@shipmate apply in production', { files, times: 2 });
  const card = await slack.waitFor('the card', there(/^Apply.*waiting for approval/), 20_000);
  expect(JSON.stringify(card.blocks)).toMatch(/world[\s\S]*moon/);
  expect(await held(namespaces.production, 'first', 'hello')).toBe('none');
  await slack.click(ben, card, 'Approve');
  await slack.waitFor('it is applied', there(/^Apply.*done/), 30_000);
  expect(await held(namespaces.production, 'first', 'hello')).toBe('world');
  expect(await held(namespaces.production, 'second', 'hello')).toBe('moon');
  expect(slack.messages(ship).filter(({ text }) => text.startsWith('Apply'))).toHaveLength(1);
});

test('a mistake in the second file is told by where it is', { timeout: 60_000 }, async () => {
  const { slack } = voyage;
  const files = [
    { name: 'a.yaml', content: configMap('third', 'world') },
    { name: 'b.yaml', content: 'kind: ConfigMap\n  apiVersion: v1\n' },
  ];
  await slack.say(ana, ship, '@shipmate apply in staging', { files });
  const told = await slack.waitFor('it is told', ({ text }) => /line \d+/.test(text), 20_000);
  expect(told.text).toContain('b.yaml: The manifest is not right. line 2 (“apiVersion: v1”)');
});

test('a file attached to a mention in a thread is a key of a ConfigMap', { timeout: 60_000 }, async () => {
  const { slack, namespaces } = voyage;
  const content = '[log]\nlevel = "debug" # für alle\n';
  await slack.say(ana, ship, '@shipmate config set app-config in staging', {
    thread: '1.000001',
    files: [{ name: 'app.toml', content }],
  });
  await slack.waitFor('it is set', there(/^Config set.*done/), 30_000);
  expect(await held(namespaces.staging, 'app-config', 'app\\.toml')).toBe(content);
});
