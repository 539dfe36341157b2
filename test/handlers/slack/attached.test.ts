import { createServer, type Server } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createSlackSurface } from '../../../handlers/slack/app.ts';
import { createAttached } from '../../../handlers/slack/attached.ts';
import { createSlackClient } from '../../../handlers/slack/client.ts';
import { createSlackPeople } from '../../../handlers/slack/people.ts';
import { type FakeSlack, startFakeSlack } from '../../../testbed/slack/fake-slack.ts';
import { attach, type NewFile } from '../../../testbed/slack/shared-files.ts';
import { fakeWorld } from '../../fakes/fake-clients.ts';
import { type TestEngine, testEngine } from '../../support/engine.ts';
import { redisForFile } from '../../support/redis.ts';

const redis = redisForFile();
const [user, channel, token] = ['U0ANA', 'C0SHIP', 'xoxb-not-for-others'];
const greeting = 'kind: ConfigMap\napiVersion: v1\nmetadata: { name: greeting }\n';

let slack: FakeSlack;
let engine: TestEngine;
let bot: Server;
/** Another host, and what it was asked. */
let elsewhere: Server;
let asked: string[];
let logged: string[];

async function listening(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
}

beforeEach(async () => {
  [asked, logged] = [[], []];
  const secret = { signingSecret: 'not a real secret' };
  slack = await startFakeSlack({ ...secret, botToken: token });
  engine = await testEngine(redis().url, fakeWorld().clients);
  const note = (fields: unknown, text?: string) => void logged.push(`${text} ${JSON.stringify(fields)}`);
  const log = { info: note, warn: note, error: note };
  const { client, installed, members } = createSlackPeople({ token, apiUrl: slack.apiUrl }, Date.now);
  const deps = { engine, members, log };
  const surface = await createSlackSurface(deps, { ...secret, token, apiUrl: slack.apiUrl, client, installed });
  bot = createServer(surface.listener);
  slack.setTarget(`${await listening(bot)}/slack/events`);
  elsewhere = createServer((request, response) => {
    asked.push(`${request.url} ${request.headers.authorization}`);
    response.writeHead(200, { 'content-type': 'text/plain' }).end(greeting);
  });
});
afterEach(async () => {
  for (const server of [bot, elsewhere]) {
    server.closeAllConnections();
    server.close();
  }
  engine.close();
  await slack.close();
});

const say = (words: string, files: NewFile[], times = 1) => slack.say(user, channel, words, { files, times });
const file = (change: Partial<NewFile> = {}): NewFile => ({ name: 'web.yaml', content: greeting, ...change });

/** The input of the one run that was asked for. */
async function input(): Promise<unknown> {
  await expect.poll(() => engine.woken.length, { timeout: 5_000 }).toBe(1);
  return (await engine.store.read(engine.woken[0] ?? ''))?.input;
}

/** What only the person is told; that nothing was started, and that neither token nor address went anywhere. */
async function refusal(): Promise<string> {
  const { text } = await slack.waitFor('a refusal', ({ onlyFor }) => onlyFor === user, 5_000);
  expect(engine.woken).toEqual([]);
  expect(asked).toEqual([]);
  expect(`${text}${logged.join('')}`).not.toMatch(/files-pri|xoxb|https?:/);
  return text;
}

describe('files that are attached to a mention', () => {
  test('one is the manifest of apply, without its byte order mark', async () => {
    await say('@shipmate apply in staging', [file({ content: `\ufeff${greeting}` })]);
    expect(await input()).toEqual({ env: 'staging', manifest: greeting });
    expect(logged).toEqual([]);
  });

  test('several are several documents, in their order', async () => {
    await say('@shipmate apply in staging', [file({ content: 'a: 1' }), file({ name: 'b.yaml', content: 'b: 2\n' })]);
    expect(await input()).toEqual({
      env: 'staging',
      manifest: '--- # file: web.yaml\na: 1\n--- # file: b.yaml\nb: 2\n',
    });
  });

  test('each is a key of config set, beside the values of the line', async () => {
    const page = file({ name: 'index.html', content: '<!doctype html>', mimetype: 'text/html' });
    await say('@shipmate config set app-config LOG=debug in staging', [
      file({ name: 'app.ini', content: 'a=ü' }),
      page,
    ]);
    expect(await input()).toEqual({
      name: 'app-config',
      env: 'staging',
      values: ['LOG=debug'],
      files: { 'app.ini': 'a=ü', 'index.html': '<!doctype html>' },
    });
  });

  test('a mention that Slack delivers three times starts one run', async () => {
    await say('@shipmate apply in staging', [file()], 3);
    await input();
    await sleep(200);
    expect(engine.woken).toHaveLength(1);
    expect(slack.ephemerals(user)).toEqual([]);
  });

  test('from another workspace its address is asked for', async () => {
    await say('@shipmate apply in staging', [file({ shared: true })]);
    expect(await input()).toMatchObject({ manifest: greeting });
    expect(slack.calls.map(({ method }) => method)).toContain('files.info');
  });

  test('a redirect within Slack’s own host is followed', async () => {
    const { id } = attach(slack.space, file({ content: 'moved: 1' }));
    await say('@shipmate apply in staging', [file({ redirect: `/files-pri/T0-${id}/web.yaml` })]);
    expect(await input()).toMatchObject({ manifest: 'moved: 1' });
  });
});

describe('what is not read, and nothing is started', () => {
  test('more than 1 MiB, by what Slack says of it', async () => {
    await say('@shipmate apply in staging', [file({ content: 'x'.repeat(1_048_577) })]);
    expect(await refusal()).toContain('“web.yaml” is too large: all files together may have 1 MiB');
  });
  test('more than 1 MiB, whatever Slack says of it', async () => {
    await say('@shipmate apply in staging', [file({ content: 'x'.repeat(5_000_000), size: 10 })]);
    expect(await refusal()).toContain('is too large');
  });
  test('two files of more than 1 MiB together', async () => {
    await say('@shipmate apply in staging', [
      file({ content: 'x'.repeat(600_000) }),
      file({ name: 'b.yaml', content: 'x'.repeat(600_000) }),
    ]);
    expect(await refusal()).toContain('“b.yaml” is too large');
  });
  test.each([
    ['a NUL', Buffer.from('a\0b')],
    ['bytes that are no UTF-8', Buffer.from([0x61, 0xff, 0xfe])],
  ])('%s', async (_, content) => {
    await say('@shipmate apply in staging', [file({ content })]);
    expect(await refusal()).toContain('is not text in UTF-8');
  });
  test('a file of another host', async () => {
    await say('@shipmate apply in staging', [file({ url: `${await listening(elsewhere)}/web.yaml` })]);
    expect(await refusal()).toContain('is not kept by Slack itself');
  });
  test('a file that Slack redirects to another host: the token does not go there', async () => {
    await say('@shipmate apply in staging', [file({ redirect: `${await listening(elsewhere)}/web.yaml` })]);
    expect(await refusal()).toContain('was not given out by Slack');
  });
  test('a file that Slack redirects to itself without end', async () => {
    await say('@shipmate apply in staging', [file({ redirect: '?again' })]);
    expect(await refusal()).toContain('was not given out by Slack');
  });
  test('a page to sign in, where the scope is missing', async () => {
    slack.fault('files-pri', { times: 1, error: 'missing_scope' });
    await say('@shipmate apply in staging', [file()]);
    expect(await refusal()).toContain('with the scope files:read');
  });
  test('the same page instead of an HTML file', async () => {
    slack.fault('files-pri', { times: 1, error: 'missing_scope' });
    await say('@shipmate config set app-config in staging', [file({ name: 'index.html', mimetype: 'text/html' })]);
    expect(await refusal()).toContain('with the scope files:read');
  });
  test.each([
    ['missing_scope', 'with the scope files:read'],
    ['file_not_found', 'is not given out by Slack (file_not_found)'],
  ])('a file of another workspace, where Slack says %s', async (error, words) => {
    slack.fault('files.info', { times: 1, error });
    await say('@shipmate apply in staging', [file({ shared: true })]);
    expect(await refusal()).toContain(words);
  });
  test('a file while Slack is unwell', async () => {
    slack.fault('files-pri', { times: 1, status: 503 });
    await say('@shipmate apply in staging', [file()]);
    expect(await refusal()).toContain('Slack answered 503. Nothing was started. Ask again in a minute.');
  });
  test('a file with an operation that takes none, or with a word about a run', async () => {
    await say('@shipmate scale web to 2 in staging', [file()]);
    expect(await refusal()).toContain('“scale” takes no attached file; config set, apply, diff do.');
    await say('@shipmate undo abc23456', [file()]);
    await slack.waitFor('undo is refused', ({ text }) => text.includes('“undo” takes no attached file'));
  });
  test('a Secret’s values: the channel would have them', async () => {
    await say('@shipmate secret set app-secrets in staging', [file()]);
    expect(await refusal()).toContain('“secret set” takes no attached file');
  });
  test('a file and the same field in words', async () => {
    await say('@shipmate apply in staging manifest=x', [file()]);
    expect(await refusal()).toContain('Give manifest=… or attach a file, not both.');
  });
  test('a name that no key can have, and a name that comes twice', async () => {
    await say('@shipmate config set app-config in staging', [file({ name: 'my page.html' })]);
    expect(await refusal()).toContain('my page.html');
    await say('@shipmate config set app-config in staging', [file(), file()]);
    await slack.waitFor('twice', ({ text }) => text.includes('Two attached files have the name “web.yaml”.'));
  });
  test('a guest’s file is not even fetched', async () => {
    await slack.say('U0GUS', channel, '@shipmate apply in staging', { files: [file({ shared: true })] });
    await slack.waitFor('a refusal', ({ onlyFor, text }) => onlyFor === 'U0GUS' && text.includes('a guest'));
    expect(slack.calls.map(({ method }) => method)).not.toContain('files.info');
  });
});

test('somebody else’s token gets a page to sign in, and that is no manifest', async () => {
  const client = createSlackClient({ token, apiUrl: slack.apiUrl });
  const attached = createAttached({ client, token: 'xoxb-another', apiUrl: slack.apiUrl });
  const { id } = attach(slack.space, file());
  const url_private = `${new URL(slack.apiUrl).origin}/files-pri/T0-${id}/web.yaml`;
  await expect(attached([{ id, url_private }], AbortSignal.timeout(2_000))).rejects.toMatchObject({
    hint: expect.stringContaining('files:read'),
  });
});

test('a file that Slack is slow with is given up in time', async () => {
  const client = createSlackClient({ token, apiUrl: slack.apiUrl });
  const attached = createAttached({ client, token, apiUrl: slack.apiUrl });
  const origin = new URL(slack.apiUrl).origin;
  slack.fault('files-pri', { times: 1, hangMs: 2_000 });
  const began = Date.now();
  const reading = attached(
    [{ id: 'F1', name: 'a', url_private: `${origin}/files-pri/T-F1/a` }],
    AbortSignal.timeout(100),
  );
  await expect(reading).rejects.toMatchObject({
    code: 'ATTACHED_FILE',
    message: expect.stringContaining('took too long'),
  });
  expect(Date.now() - began).toBeLessThan(1_500);
});

test.each([
  ['https://files.slack.com.evil.example/files-pri/T-F1/a', undefined],
  ['http://files.slack.com/files-pri/T-F1/a', undefined],
  ['https://slack.com/files-pri/T-F1/a', undefined],
  ['https://files.slack.com/files-pri/T-F1/a', 'https://slack-gov.com/api/'],
])('the token is not sent to %s', async (url_private, apiUrl) => {
  const attached = createAttached({ client: createSlackClient({ token }), token, apiUrl });
  await expect(attached([{ id: 'F1', url_private }], AbortSignal.timeout(100))).rejects.toMatchObject({
    message: expect.stringContaining('is read from nowhere else'),
  });
});
