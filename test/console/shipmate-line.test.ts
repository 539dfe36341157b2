import { mkdir } from 'node:fs/promises';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Console, startConsole } from '../../sandbox/console/start-console.ts';
import type { KeptAlive } from '../../sandbox/kept-alive.ts';
import { type FakeSlack, startFakeSlack } from '../../testbed/slack/fake-slack.ts';
import { type LittleShipmate, startLittle } from '../sandbox/little-shipmate.ts';
import { startBrowser } from './chromium.ts';

const artifacts = new URL('../../artifacts/', import.meta.url).pathname;
const phone = { width: 390, height: 844 };

let slack: FakeSlack;
let little: LittleShipmate;
let kept: KeptAlive;
let desk: Console;
let browser: Browser;
let page: Page;
beforeAll(async () => {
  // Its second start takes a while, so that its absence can be seen; of its third comes nothing, and it stays away.
  little = await startLittle('runs dawdles hangs');
  kept = await little.kept;
  slack = await startFakeSlack({ signingSecret: 'not a real secret', botToken: 'xoxb-fake' });
  slack.setTarget(kept.url);
  const commands = [{ command: '/ship', description: 'Ship software' }];
  desk = await startConsole(slack, { commands, shipmate: kept });
  browser = await startBrowser();
  await mkdir(artifacts, { recursive: true });
  page = await browser.newPage({ viewport: { width: 1360, height: 860 } });
  page.setDefaultTimeout(8_000);
  await page.goto(desk.url);
});
afterAll(async () => {
  await browser?.close();
  await desk?.close();
  await slack?.close();
  await little?.end();
});

const line = (on = page) => on.getByRole('region', { name: 'Shipmate' });
const news = (words: string, on = page) => line(on).getByRole('status').getByText(words, { exact: true }).waitFor();
const button = () => page.getByRole('button', { name: 'Kill Shipmate (kill -9)', exact: true });
const pidOf = () => {
  const state = kept.state();
  return state.kind === 'running' ? state.pid : expect.fail('Shipmate is away');
};
const kill = (headers: Record<string, string>) =>
  fetch(`${desk.origin}/do`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ kind: 'kill-shipmate', as: 'U0ANA' }),
  });

test('whoever has not the token, or comes from another page, kills nobody', async () => {
  const pid = pidOf();
  expect((await kill({})).status).toBe(401);
  expect((await kill({ authorization: `Bearer ${desk.token}x` })).status).toBe(401);
  const origin = 'http://evil.example';
  expect((await kill({ authorization: `Bearer ${desk.token}`, origin })).status).toBe(403);
  expect(kept.state()).toMatchObject({ kind: 'running', pid, restarts: 0 });
});

test('the button kills it with SIGKILL, it comes back, and every window sees both', async () => {
  const other = await browser.newPage();
  await other.goto(`${desk.url.replace('/#', '/?as=U0BEN#')}`);
  const first = pidOf();
  for (const window of [page, other]) await news('Shipmate is running', window);
  expect(await line().innerText()).toMatch(new RegExp(`pid ${first} · up \\d+ s(?!, restarted)`));
  await page.screenshot({ path: `${artifacts}console-shipmate-running.png` });

  await button().click();
  for (const window of [page, other]) await news('Shipmate is coming back', window);
  expect(await button().isDisabled()).toBe(true);
  for (const window of [page, other]) await line(window).getByText('restarted 1 time').waitFor();
  expect(pidOf()).not.toBe(first);
  await line()
    .getByText(new RegExp(`pid ${pidOf()} · up \\d+ s, restarted 1 time`))
    .waitFor();
  expect(await button().isEnabled()).toBe(true);
  expect(little.lines[0]).toContain('was killed (SIGKILL)');
  await other.close();
});

test('while it is away nothing kills it twice, and commands fail as Slack lets them fail', async () => {
  await button().click();
  await news('Shipmate is coming back');
  expect(await button().isDisabled()).toBe(true);
  expect(await (await kill({ authorization: `Bearer ${desk.token}` })).json()).toEqual({ status: 409, late: false });
  const composer = page.getByRole('combobox', { name: 'Message #ship' });
  await composer.fill('/ship status');
  await composer.press('Enter');
  await page.getByText('/ship failed with the error "dispatch_failed"').waitFor();
  await page.screenshot({ path: `${artifacts}console-shipmate-away.png` });
});

test('on a phone nothing of it is cut off', async () => {
  await page.setViewportSize(phone);
  const right = async (what: ReturnType<typeof line>) => {
    const box = await what.boundingBox();
    return box ? box.x + box.width : expect.fail('it is not drawn');
  };
  expect(await right(button())).toBeLessThanOrEqual(phone.width);
  expect(await right(page.getByRole('radio', { name: /Gus/ }))).toBeLessThanOrEqual(phone.width);
  expect(await right(line().getByText(/away for \d+ s/))).toBeLessThanOrEqual(phone.width);
  await page.screenshot({ path: `${artifacts}console-shipmate-phone.png` });
});
