import { mkdir } from 'node:fs/promises';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type Sandbox, startSandbox } from '../../sandbox/start-sandbox.ts';
import { startBrowser } from '../console/chromium.ts';

const artifacts = new URL('../../artifacts/', import.meta.url).pathname;
let sandbox: Sandbox;
/** What it would print; shown where a test fails. */
const said: string[] = [];
let browser: Browser;
let page: Page;

beforeAll(async () => {
  await mkdir(artifacts, { recursive: true });
  [sandbox, browser] = await Promise.all([startSandbox({ log: (line) => said.push(line) }), startBrowser()]);
  page = await browser.newPage({ viewport: { width: 1280, height: 1000 } });
  page.setDefaultTimeout(40_000);
  await page.goto(sandbox.url);
});
afterEach(({ task }) => {
  if (task.result?.state === 'fail') console.error(`The sandbox said:\n${said.join('\n')}`);
});
afterAll(async () => {
  await browser?.close();
  await sandbox?.stop();
});

const say = async (line: string) => {
  const composer = page.getByRole('combobox', { name: /Message/ });
  await composer.fill(line);
  await composer.press('Enter');
};
const become = (name: string) => page.getByRole('radio', { name: new RegExp(name) }).click();
const button = (name: string) => page.getByRole('button', { name, exact: true });
const shows = (text: string | RegExp) => page.getByText(text).last().waitFor();
const field = async (namespace: string, path: string) =>
  await sandbox.bed.kubernetes.kubectl(['-n', namespace, 'get', 'deployment', 'web', '-o', `jsonpath={${path}}`]);
const image = (namespace: string) => field(namespace, '.spec.template.spec.containers[0].image');
const deploysTo = (env: string) =>
  sandbox.slack.messages('C0SHIP').filter(({ text }) => text.startsWith(`Deploy web to ${env}`));

test('in the sandbox’s page: ask, be refused, another approves; Shipmate is killed in the middle of the canary, which goes on to its end', {
  timeout: 120_000,
}, async () => {
  await say('/deploy web:v2 production bake=2s');
  await button('Approve').click();
  await page.getByRole('dialog').getByRole('button', { name: 'Approve' }).click();
  await shows(/You asked for this yourself/);
  await page.screenshot({ path: `${artifacts}1-waiting-for-approval.png` });
  await become('Ben');
  await button('Approve').click();
  await page.getByRole('dialog').getByRole('button', { name: 'Approve' }).click();
  await shows(/web:v1 → web:v2/);
  await expect.poll(() => button('Approve').count(), { timeout: 20_000 }).toBe(0);
  await shows(/20 % of the traffic on the new version/);
  await page.screenshot({ path: `${artifacts}2-canary.png` });

  const messages = deploysTo('production').map(({ ts }) => ts);
  await button('Kill Shipmate (kill -9)').click();
  const shipmate = page.getByRole('region', { name: 'Shipmate' });
  await shipmate.getByText('Shipmate is coming back').waitFor();
  await page.screenshot({ path: `${artifacts}2-killed.png` });
  expect(await image('production')).toContain('/web:v1@sha256:');
  await shipmate.getByText(/up \d+ s, restarted 1 time/).waitFor();

  const canary = page.getByRole('article').filter({ hasText: 'web:v1 → web:v2' }).last();
  await expect.poll(() => canary.innerText(), { timeout: 90_000 }).toContain('All traffic is on the new version');
  expect(await image('production')).toContain('/web:v2@sha256:');
  // The first version made it, the second changed it: once.
  expect(await field('production', '.metadata.generation')).toBe('2');
  expect(deploysTo('production').map(({ ts }) => ts)).toEqual(messages);
  await page.screenshot({ path: `${artifacts}2-rolled-out.png` });
});

test('under live traffic a flaky version is rolled back by itself, and says why', { timeout: 180_000 }, async () => {
  await become('Ana');
  await say('/deploy web:flaky production');
  await become('Ben');
  await expect.poll(() => button('Approve').count(), { timeout: 20_000 }).toBe(1);
  await button('Approve').click();
  await page.getByRole('dialog').getByRole('button', { name: 'Approve' }).click();
  await expect
    .poll(() => page.getByText(/Rolled back: success rate \d\d(\.\d+)? % against/).count(), { timeout: 120_000 })
    .toBeGreaterThan(0);
  await page.screenshot({ path: `${artifacts}2-rolled-back.png` });
  expect(await image('production')).toContain('/web:v2@sha256:');
});

test('a broken version fails with its last words, and a button rolls it back', { timeout: 120_000 }, async () => {
  await become('Ana');
  await say('/deploy web:v3 staging');
  await shows(/the container starts and crashes/);
  await shows(/panic: runtime error/);
  await page.screenshot({ path: `${artifacts}3-failed.png` });
  await button('Roll back').click();
  await shows(/back from web:v3 to web:v1/);
  await expect.poll(() => image('staging'), { timeout: 40_000 }).toContain('/web:v1@sha256:');
});

test('a manifest attached to a mention is applied, by a Shipmate that may do what its operations need and no more', {
  timeout: 120_000,
}, async () => {
  await become('Ana');
  const manifest = 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: greeting }\ndata: { hello: world }\n';
  const file = { name: 'greeting.yaml', mimeType: 'application/yaml', buffer: Buffer.from(manifest) };
  await page.locator('input[type=file]').setInputFiles([file]);
  await say('@shipmate apply in staging');
  const { kubectl } = sandbox.bed.kubernetes;
  const hello = () => kubectl(['-n', 'staging', 'get', 'configmap', 'greeting', '-o', 'jsonpath={.data.hello}']);
  await expect.poll(() => hello().catch(() => ''), { timeout: 40_000 }).toBe('world');
  await page.screenshot({ path: `${artifacts}5-attached.png` });
  // kubectl says no with an exit code.
  const may = (...what: string[]) =>
    kubectl(['--kubeconfig', sandbox.shipmateKubeconfig, 'auth', 'can-i', ...what]).then(
      () => true,
      () => false,
    );
  expect(await may('patch', 'deployments.apps', '-n', 'production')).toBe(true);
  expect(await may('get', 'secrets', '-n', 'kube-system')).toBe(false);
  expect(await may('create', 'clusterroles')).toBe(false);
});

test('a Deployment that nobody told Shipmate of is found, and shipped by one command and one approval', {
  timeout: 120_000,
}, async () => {
  await become('Ana');
  await say('/ship apps');
  await shows(/found: \*/);
  await page.screenshot({ path: `${artifacts}6-apps.png` });
  await say('/deploy orders:v2 production');
  await become('Ben');
  await expect.poll(() => button('Approve').count(), { timeout: 20_000 }).toBe(1);
  await button('Approve').click();
  await page.getByRole('dialog').getByRole('button', { name: 'Approve' }).click();
  const { kubectl } = sandbox.bed.kubernetes;
  const path = 'jsonpath={.spec.template.spec.containers[0].image}';
  const orders = () => kubectl(['-n', 'production', 'get', 'deployment', 'orders', '-o', path]);
  await expect.poll(orders, { timeout: 40_000 }).toContain('/orders:v2@sha256:');
});

test('a build ends with a button that deploys it; a guest is refused; help helps', { timeout: 120_000 }, async () => {
  await say('/build web v4');
  await button('Deploy to staging').click();
  await expect.poll(() => image('staging'), { timeout: 40_000 }).toContain('/web:v4@sha256:');
  await say('/ship help');
  await shows('What Shipmate can do');
  await page.screenshot({ path: `${artifacts}4-built-and-help.png` });
  await become('Gus');
  await say('/deploy web:v2 staging');
  await shows(/you are a guest/);
});
