import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bed } from '../support/bed.ts';
import { freshNamespace, kubectl } from '../support/kubectl.ts';
import { put, sleeps, template, web, workload } from './workloads/on-the-bed.ts';

/** `shipmate init` and `shipmate check` as people type them, against a real cluster and its registry. */

const cli = fileURLToPath(new URL('../../src/cli.ts', import.meta.url));
let [staging, production, folder] = ['', '', ''];

beforeAll(async () => {
  [staging, production, folder] = await Promise.all([
    freshNamespace('staging'),
    freshNamespace('live'),
    mkdtemp(join(tmpdir(), 'shipmate-init-')),
  ]);
  await put(
    workload('Deployment', 'web', staging, template('web', web('v1'))),
    workload('Deployment', 'web', production, template('web', web('v1'))),
    workload('StatefulSet', 'db', staging, template('db', bed.busybox, sleeps)),
  );
});
afterAll(async () => {
  await rm(folder, { recursive: true });
  for (const name of [staging, production]) await kubectl(['delete', 'namespace', name, '--wait=false']);
});

/** In a folder of its own, with nothing but somebody's kubeconfig. */
const shipmate = (args: string[], kubeconfig = bed.kubeconfig) =>
  promisify(execFile)(process.execPath, [cli, ...args], {
    env: { PATH: process.env.PATH, KUBECONFIG: kubeconfig, REGISTRY_URL: `http://${bed.registryHost}` },
    cwd: folder,
  }).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    ({ code, stdout, stderr }) => ({ code, stdout, stderr }),
  );

test('what it writes passes check, names what runs, and is never written over', async () => {
  const args = ['init', '--namespace', staging, '--namespace', production, '--registry', bed.registryHost];
  const first = await shipmate(args);
  expect(first).toMatchObject({ code: 0, stderr: '' });
  expect(first.stdout).toMatch(/^Reading the cluster of the current context “[^”]+”; nothing is changed there\.\n/);
  expect(first.stdout).toMatch(/The registry knows \d+ tags of \S+\/web\./);
  const text = await readFile(join(folder, 'shipmate.yaml'), 'utf8');
  expect(text).toContain(`'*': {image: '${bed.registryHost}/{app}'} # guessed: as for web`);
  expect(text).toMatch(/ {2}db: \{image: \S+, kind: StatefulSet/);
  expect(text).toContain(`  ${production}: {namespace: ${production}} # guessed: 1 workload runs there`);
  expect(await shipmate(['check', 'shipmate.yaml'])).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('is right'),
  });
  expect(await shipmate(args)).toMatchObject({ code: 1, stdout: expect.stringContaining('is left as it is') });
  expect(await readFile(join(folder, 'shipmate.yaml'), 'utf8')).toBe(text);
});

test('without --namespace it finds the namespaces that look like environments', async () => {
  const { code, stderr } = await shipmate(['init', '--output', 'all.yaml']);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const text = await readFile(join(folder, 'all.yaml'), 'utf8');
  expect(text).toContain('environments:\n');
  expect(text).not.toContain('kube-system');
  expect(await shipmate(['check', 'all.yaml'])).toMatchObject({ code: 0 });
});

test('a context that there is not, and a kubeconfig that there is not, are named', async () => {
  expect(await shipmate(['init', '--context', 'nowhere', '--output', 'x.yaml'])).toMatchObject({
    code: 2,
    stdout: expect.stringMatching(/has no context “nowhere”.* It has: \S+\.\n/),
  });
  expect(await shipmate(['init', '--output', 'x.yaml'], '/nowhere/config')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('/nowhere/config cannot be read'),
  });
});
