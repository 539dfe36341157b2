import { mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { type SettingsChange, type SettingsWatch, watchSettings } from '../../src/config/settings-watch.ts';
import { quiet } from '../support/engine.ts';

let folder: string;
let watch: SettingsWatch;
let changes: SettingsChange[];
const text = (app: string) => `apps: {${app}: {image: r/${app}}}\nenvironments: {staging: {namespace: staging}}\n`;
const apps = () => Object.keys(watch.current().apps);

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shipmate-settings-'));
  changes = [];
  await writeFile(join(folder, 'one.yaml'), text('web'));
  await symlink(join(folder, 'one.yaml'), join(folder, 'shipmate.yaml'));
  const changed = (change: SettingsChange) => void changes.push(change);
  watch = await watchSettings({ path: join(folder, 'shipmate.yaml'), operations: ['deploy'], changed, log: quiet });
  return async () => {
    watch.stop();
    await rm(folder, { recursive: true });
  };
});

test('what is written anew is in force without a restart', async () => {
  await writeFile(join(folder, 'one.yaml'), text('api'));
  await expect.poll(apps, { timeout: 5_000 }).toEqual(['api']);
  expect(changes).toMatchObject([{ kind: 'taken' }]);
});

test('a wrong file is refused as a whole, once; what was in force stays until it is right again', async () => {
  await writeFile(join(folder, 'one.yaml'), `${text('api')}policy: [{name: x, operations: [deplyo]}]\n`);
  await expect.poll(() => changes.length, { timeout: 5_000 }).toBe(1);
  expect(changes).toMatchObject([
    { kind: 'refused', problem: { faults: [expect.stringContaining('Did you mean “deploy”?')] } },
  ]);
  await new Promise((resolve) => setTimeout(resolve, 2_200));
  expect([changes.length, ...apps()]).toEqual([1, 'web']);
  await writeFile(join(folder, 'one.yaml'), text('third'));
  await expect.poll(apps, { timeout: 5_000 }).toEqual(['third']);
});

test('a link that points elsewhere counts, as in a ConfigMap; a file that is gone changes nothing', async () => {
  await writeFile(join(folder, 'two.yaml'), text('other'));
  await symlink(join(folder, 'two.yaml'), join(folder, 'new'));
  await rename(join(folder, 'new'), join(folder, 'shipmate.yaml'));
  await expect.poll(apps, { timeout: 5_000 }).toEqual(['other']);
  await rm(join(folder, 'two.yaml'));
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  expect(apps()).toEqual(['other']);
});

test('a file that is still being written does not count, right as its first half may be', async () => {
  const whole = `${text('api')}policy: [${Array.from({ length: 40 }, (_, n) => `{name: rule ${n}}`).join(', ')}]\n`;
  const growing = [...Array.from({ length: 40 }, (_, n) => `${text('api')}${' '.repeat(n)}`), whole];
  for (const part of growing) {
    await writeFile(join(folder, 'one.yaml'), part);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await expect.poll(() => watch.current().policy.length, { timeout: 5_000 }).toBe(40);
  expect(changes).toHaveLength(1);
});
