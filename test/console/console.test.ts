import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { createServer, request } from 'node:http';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Console, startConsole } from '../../sandbox/console/start-console.ts';
import { type Bed, ship, startHttpBed } from '../testbed-slack/bolt-app.ts';
import { startBrowser } from './chromium.ts';
import { listen } from './deploy-app.ts';
import { wholeKit } from './whole-kit.ts';

const artifacts = new URL('../../artifacts/', import.meta.url).pathname;

let bed: Bed;
let desk: Console;
let browser: Browser;
let page: Page;
const problems: Error[] = [];
beforeAll(async () => {
  bed = await startHttpBed();
  listen(bed.app);
  desk = await startConsole(bed.slack, {
    commands: [
      { command: '/ship', description: 'Ship software', usage_hint: 'deploy | help' },
      { command: '/deploy', description: 'Roll out an image', usage_hint: '<app> to <env>' },
    ],
    suggestions: ['/deploy web'],
  });
  browser = await startBrowser();
  await mkdir(artifacts, { recursive: true });
});
afterAll(async () => {
  await browser?.close();
  await desk?.close();
  await bed?.stop();
});
beforeEach(async () => {
  await page?.close();
  page = await browser.newPage({ viewport: { width: 1360, height: 860 } });
  page.setDefaultTimeout(8_000);
  page.on('pageerror', (problem) => problems.push(problem));
  await page.goto(desk.url);
});
afterEach(() => {
  expect(problems.splice(0)).toEqual([]);
});

const composer = () => page.getByRole('combobox', { name: 'Message #ship' });
const become = (name: string) => page.getByRole('radio', { name: new RegExp(name) }).click();
const button = (name: string) => page.getByRole('button', { name, exact: true });
const inDialog = (name: string) => page.getByRole('dialog').getByRole('button', { name });
const shows = (text: string) => page.getByText(text).last().waitFor();

describe('the journey', () => {
  test('ask, be refused one’s own approval, another approves, and the message is edited in place', async () => {
    await composer().fill('/deploy web');
    await composer().press('Enter');
    await button('Approve').click();
    await shows('v1 → v2');
    await inDialog('Approve').click();
    await shows('You asked for this yourself.');
    await shows('Only visible to you');

    await become('Ben');
    expect(await page.getByText('You asked for this yourself.').count()).toBe(0);
    await button('Approve').click();
    await inDialog('Approve').click();
    await page.getByRole('img', { name: 'done' }).nth(1).waitFor();
    expect(await button('Approve').count()).toBe(0);
    expect(await page.getByText('(edited)').count()).toBe(1);
    await page.getByRole('button', { name: '1 reply' }).click();
    await page.getByRole('complementary', { name: 'Thread' }).getByText('12:00:01 applied').waitFor();
    await page.screenshot({ path: `${artifacts}console.png` });
    await page.keyboard.press('Escape');
    await expect.poll(() => page.getByRole('complementary', { name: 'Thread' }).count()).toBe(0);
  });

  test('a form says what is wrong and keeps what was typed', async () => {
    await composer().fill('/deploy ');
    await composer().press('Enter');
    const form = page.getByRole('dialog', { name: 'Scale' });
    await form.getByLabel('App').selectOption('web');
    await form.getByLabel('Replicas').fill('-1');
    await form.getByRole('button', { name: 'Scale it' }).click();
    await shows('At least 0.');
    expect(await form.getByLabel('App').inputValue()).toBe('web');
    await form.getByLabel('Replicas').fill('3');
    await form.getByRole('button', { name: 'Scale it' }).click();
    await shows('Scaled web to 3');
    expect(await page.getByRole('dialog').count()).toBe(0);
  });

  test('Escape closes a form', async () => {
    await composer().fill('/deploy ');
    await composer().press('Enter');
    await page.getByRole('dialog', { name: 'Scale' }).waitFor();
    await page.keyboard.press('Escape');
    await expect.poll(() => page.getByRole('dialog').count()).toBe(0);
    expect(bed.slack.space.views.size).toBe(0);
  });
});

describe('writing', () => {
  test('commands, people and channels complete with the keys', async () => {
    await composer().pressSequentially('/');
    await expect.poll(() => page.getByRole('option').count()).toBe(2);
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Tab');
    await expect.poll(() => composer().inputValue()).toBe('/deploy ');
    await shows('<app> to <env>');
    await composer().fill('');
    await composer().pressSequentially('ask @be');
    await page.keyboard.press('Enter');
    await composer().pressSequentially('in #al');
    await page.keyboard.press('Tab');
    await expect.poll(() => composer().inputValue()).toBe('ask @ben in #alerts ');
    await page.keyboard.press('Enter');
    await page.getByRole('log').getByText('@Ben Okafor').waitFor();
    await page.getByRole('button', { name: '#alerts' }).click();
    await page.getByRole('heading', { name: 'alerts' }).first().waitFor();
  });

  test('what was sent comes back with the arrow keys', async () => {
    await composer().fill('/deploy wep');
    await composer().press('Enter');
    await shows('Did you mean');
    await composer().press('ArrowUp');
    await expect.poll(() => composer().inputValue()).toBe('/deploy wep');
    await composer().press('ArrowDown');
    await expect.poll(() => composer().inputValue()).toBe('');
  });

  test('a suggestion is a click away', async () => {
    await page.goto(desk.url);
    await page.getByRole('button', { name: '/deploy web', exact: true }).click();
    await expect.poll(() => composer().inputValue()).toBe('/deploy web');
  });

  test('commands are refused in threads, as in Slack', async () => {
    const { slack, app } = bed;
    await app.client.chat.postMessage({ channel: ship, text: 'a root' });
    await slack.waitFor('the root', ({ text }) => text === 'a root');
    await page.locator('article', { hasText: 'a root' }).getByRole('button', { name: 'Reply in thread' }).click();
    const reply = page.getByRole('combobox', { name: 'Reply…' });
    await reply.fill('/deploy web');
    await reply.press('Escape');
    await reply.press('Enter');
    await shows('/deploy does not work in threads');
    await reply.fill('fine by me');
    await reply.press('Enter');
    await page.getByRole('button', { name: '1 reply' }).last().waitFor();
  });
});

describe('attaching files', () => {
  const yaml = { name: 'web.yaml', mimeType: 'application/yaml', buffer: Buffer.from('kind: ConfigMap # für alle\n') };

  test('files go with a mention: the app is told of them and can fetch them, and people see them', async () => {
    await page.locator('input[type=file]').setInputFiles([yaml, { ...yaml, name: 'other.yaml' }]);
    await page.getByRole('button', { name: 'Remove other.yaml' }).click();
    expect(await page.getByRole('list', { name: 'Attached files' }).getByRole('listitem').count()).toBe(1);
    await composer().fill('@shipmate apply in staging');
    await composer().press('Enter');
    const said = await bed.slack.waitFor('it is said', ({ text }) => text.includes('apply in staging'));
    expect(said).toMatchObject({
      user: 'U0ANA',
      text: '<@U0SHIPMATE> apply in staging',
      files: [{ name: 'web.yaml' }],
    });
    expect(Buffer.from(said.files?.[0]?.attached?.bytes ?? []).equals(yaml.buffer)).toBe(true);
    const shown = page.locator('article', { hasText: 'apply in staging' });
    await shown.getByText('web.yaml').click();
    await shown.getByText('kind: ConfigMap # für alle').waitFor();
    expect(await page.getByRole('list', { name: 'Attached files' }).count()).toBe(0);
  });

  test('a file can be dropped, and goes without a word', async () => {
    const data = await page.evaluateHandle(`(() => {
      const dropped = new DataTransfer();
      dropped.items.add(new File(['dropped here'], 'notes.txt', { type: 'text/plain' }));
      return dropped;
    })()`);
    await composer().dispatchEvent('drop', { dataTransfer: data });
    await page.getByRole('button', { name: 'Remove notes.txt' }).waitFor();
    await page.getByRole('button', { name: 'Send' }).click();
    await page.locator('article').getByText('notes.txt').waitFor();
  });

  test('a slash command takes none, as in Slack, and says so', async () => {
    await page.locator('input[type=file]').setInputFiles([yaml]);
    await composer().fill('/deploy web');
    await composer().press('Enter');
    await shows('Slack gives /deploy no files. Mention @shipmate instead.');
    expect(await composer().inputValue()).toBe('/deploy web');
    await page.getByRole('button', { name: 'Remove web.yaml' }).waitFor();
  });

  test('too many or too much is said before it is sent', async () => {
    const large = { ...yaml, buffer: Buffer.alloc(5 * 1_048_576 + 1) };
    await page.locator('input[type=file]').setInputFiles([large]);
    await shows('At most 10 files, of 5 MiB together.');
    expect(await page.getByRole('list', { name: 'Attached files' }).count()).toBe(0);
  });
});

describe('what is seen', () => {
  test('a channel with something new is bold, and counts the mentions', async () => {
    await bed.app.client.chat.postMessage({ channel: 'C0ALERTS', text: 'look, <@U0ANA>' });
    await page.getByRole('img', { name: '1 mentions' }).waitFor();
    await page.getByRole('button', { name: /^alerts/ }).click();
    await page.getByRole('log').getByText('@Ana Lima').waitFor();
    expect(await page.getByRole('img', { name: '1 mentions' }).count()).toBe(0);
  });

  test('foreign text does nothing', async () => {
    const text = '<img src=x onerror=alert(1)> &lt;b&gt; <javascript:alert(1)|click> *bold*';
    await bed.app.client.chat.postMessage({ channel: ship, text });
    const message = page.locator('article', { hasText: 'bold' }).last();
    await message.waitFor();
    expect(await message.locator('img').count()).toBe(0);
    expect(await message.locator('a').count()).toBe(0);
    expect(await message.locator('.words').innerHTML()).toContain('&lt;b&gt;');
  });

  test('a click that the app does not take is said beside the button', async () => {
    await composer().fill('/deploy web');
    await composer().press('Enter');
    const fresh = page.getByRole('button', { name: 'Approve', exact: true }).last();
    await fresh.waitFor();
    const { url } = bed.slack.signed({});
    bed.slack.setTarget('http://127.0.0.1:9/');
    await fresh.click();
    await inDialog('Approve').click();
    await shows('The app could not be reached.');
    bed.slack.setTarget(url);
  });

  test('every block of the kit is drawn, and nothing reaches out of the machine', async () => {
    const elsewhere: string[] = [];
    page.on('request', (request) => {
      if (!request.url().startsWith(desk.origin)) elsewhere.push(request.url());
    });
    await page.reload();
    await bed.app.client.chat.postMessage({ channel: 'C0GENERAL', text: 'the kit', blocks: wholeKit });
    await page.getByRole('button', { name: /^general/ }).click();
    await page.getByText('The whole kit').waitFor();
    expect(await page.getByText('isn’t drawn here').count()).toBe(0);
    // Text is drawn before its font has come.
    const fonts = "document.fonts.check('15px Lato') && document.fonts.check('15px Twemoji')";
    await expect.poll(() => page.evaluate(fonts), { timeout: 8_000 }).toBe(true);
    expect(elsewhere).toEqual([]);
    await page.setViewportSize({ width: 1360, height: 1360 });
    await page.screenshot({ path: `${artifacts}console-blocks.png` });
  });
});

describe('who has not the token, or comes from elsewhere,', () => {
  const deed = JSON.stringify({ as: 'U0ANA', kind: 'say', channel: ship, text: 'forged' });
  const json = { 'content-type': 'application/json' };
  const bearer = () => ({ authorization: `Bearer ${desk.token}` });

  /** As a program sends it: fetch lets nobody choose the host. */
  const send = (path: string, headers: Record<string, string>, method = 'POST') =>
    new Promise<number>((resolve, reject) => {
      const sent = request(
        `${desk.origin}${path}`,
        { method, headers: { 'content-length': '0', ...headers } },
        (answer) => {
          answer.destroy();
          resolve(answer.statusCode ?? 0);
        },
      );
      sent.on('error', reject).end(method === 'POST' ? deed : undefined);
    });
  const post = (headers: Record<string, string>) =>
    send('/do', { ...json, 'content-length': String(Buffer.byteLength(deed)), ...headers });

  test('acts not, and sees nothing', async () => {
    expect(await post({})).toBe(401);
    expect(await post({ authorization: 'Bearer ' })).toBe(401);
    expect(await post({ authorization: `Bearer ${desk.token.slice(0, -1)}` })).toBe(401);
    for (const path of ['/events?as=U0ANA', '/events?token=', '/files/F1', `/events?as=U0BEN&token=${desk.token}x`])
      expect(await send(path, {}, 'GET'), path).toBe(401);
    expect(await post(bearer())).toBe(200);
    expect(await send(`/events?token=${desk.token}`, {}, 'GET')).toBe(200);
  });

  test('does neither with the token by another name for this machine, nor from another page', async () => {
    const { port } = new URL(desk.origin);
    for (const host of [
      'evil.example',
      `evil.example:${port}`,
      '127.0.0.1',
      '127.0.0.1:1',
      `127.0.0.1.evil.example:${port}`,
    ])
      expect(await post({ ...bearer(), host }), host).toBe(403);
    for (const origin of ['null', 'http://evil.example', 'http://127.0.0.1:1', `https://127.0.0.1:${port}`])
      expect(await post({ ...bearer(), origin }), origin).toBe(403);
    expect(await post({ ...bearer(), host: `localhost:${port}`, origin: `http://localhost:${port}` })).toBe(200);
  });

  test('gets the page, which holds nothing, and in no frame', async () => {
    const stranger = await browser.newPage();
    await stranger.goto(`${desk.origin}/`);
    await stranger.getByText('Open this page by the whole address').waitFor();
    const outer = createServer((_request, response) =>
      response.writeHead(200, { 'content-type': 'text/html' }).end(`<iframe src="${desk.url}"></iframe>`),
    ).listen(0, '127.0.0.1');
    await once(outer, 'listening');
    const address = outer.address();
    const refused = stranger.waitForEvent('console', (message) =>
      /frame-ancestors|X-Frame-Options/i.test(message.text()),
    );
    await stranger.goto(`http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/`);
    await refused;
    expect(stranger.frames().some((frame) => frame.url().startsWith(desk.origin))).toBe(false);
    await stranger.close();
    outer.close();
  });
});

test('where the console keeps no Shipmate running, it shows none and kills none', async () => {
  await composer().waitFor();
  expect(await page.getByRole('region', { name: 'Shipmate' }).count()).toBe(0);
  expect(await page.getByRole('button', { name: /kill/i }).count()).toBe(0);
  const refused = await fetch(`${desk.origin}/do`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${desk.token}` },
    body: JSON.stringify({ as: 'U0ANA', kind: 'kill-shipmate' }),
  });
  expect(refused.status).toBe(500);
  expect(await refused.json()).toEqual({ problem: 'This console keeps no Shipmate running, so it kills none.' });
});

test('the token leaves the address, and a second window needs none', async () => {
  const context = await browser.newContext();
  const first = await context.newPage();
  await first.goto(desk.url);
  await first.getByRole('combobox', { name: 'Message #ship' }).waitFor();
  await expect.poll(() => first.url()).not.toContain(desk.token);
  const second = await context.newPage();
  await second.goto(`${desk.origin}/?as=U0BEN`);
  await second.getByRole('combobox', { name: 'Message #ship' }).waitFor();
  await context.close();
});
