import { mkdir } from 'node:fs/promises';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { commandsOf } from '../../handlers/slack/manifest.ts';
import { type Console, startConsole } from '../../sandbox/console/start-console.ts';
import { catalogue } from '../../src/operations/catalogue.ts';
import { startBrowser } from '../console/chromium.ts';
import { startVoyage, type Voyage } from '../support/voyage.ts';

const artifacts = new URL('../../artifacts/', import.meta.url).pathname;

let voyage: Voyage;
let desk: Console;
let browser: Browser;
beforeAll(async () => {
  [voyage, browser] = await Promise.all([startVoyage(), startBrowser(), mkdir(artifacts, { recursive: true })]);
  [desk] = await Promise.all([startConsole(voyage.slack, { commands: commandsOf(catalogue) }), voyage.start('all')]);
});
afterAll(async () => {
  await browser?.close();
  await desk?.close();
  await voyage?.end();
});

test('Shipmate, as one sees it: ask as Ana, approve as Ben, and see real pods become ready', {
  timeout: 90_000,
}, async () => {
  const page = await browser.newPage({ viewport: { width: 1360, height: 900 } });
  await page.goto(desk.url);
  const composer = page.getByRole('combobox', { name: 'Message #ship' });
  await composer.fill('/deploy web:v1 production');
  await composer.press('Enter');
  const card = page.locator('article', { has: page.getByRole('heading', { name: 'Deploy web to production' }) });
  const approve = card.getByRole('button', { name: 'Approve' });
  const sure = page.getByRole('dialog').getByRole('button', { name: 'Approve' });
  await approve.click();
  await sure.click();
  await page.getByText('You asked for this yourself').waitFor();
  await page.screenshot({ path: `${artifacts}voyage-asked.png` });

  await page.getByRole('radio', { name: /Ben/ }).click();
  await approve.click();
  await sure.click();
  await card.getByText('Done').first().waitFor({ timeout: 60_000 });
  expect(await card.count()).toBe(1);
  expect(await approve.count()).toBe(0);
  expect(await card.getByRole('img', { name: 'done' }).count()).toBe(2);
  await card.getByText('Approved by').waitFor();
  await card.getByRole('button', { name: /repl/ }).click();
  await page.getByRole('complementary', { name: 'Thread' }).waitFor();
  await page.screenshot({ path: `${artifacts}voyage-done.png` });
});
