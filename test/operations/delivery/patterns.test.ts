import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { parseSettings } from '../../../src/config/settings-file.ts';
import type { Settings } from '../../../src/core/settings.ts';
import { catalogue } from '../../../src/operations/catalogue.ts';
import { kubeconfigOf } from '../../../testbed/cluster.ts';
import { bed } from '../../support/bed.ts';
import { ben } from '../../support/engine.ts';
import { freshNamespace, kubectl } from '../../support/kubectl.ts';
import { type RealDesk, realDesk } from '../../support/real-desk.ts';

/** What docs/apps.md promises, on a real cluster. */

const desks: RealDesk[] = [];
afterAll(async () => {
  await Promise.all(desks.map((desk) => desk.end()));
});
const opened = async (...given: Parameters<typeof realDesk>): Promise<RealDesk> => {
  const desk = await realDesk(...given);
  desks.push(desk);
  return desk;
};

/** The first file of docs/apps.md, read as it stands there. */
async function fifteenLines(): Promise<{ lines: number; settings: Settings }> {
  const page = await readFile(new URL('../../../docs/apps.md', import.meta.url), 'utf8');
  const text = /```yaml\n(.*?)```/s.exec(page)?.[1] ?? '';
  const settings = parseSettings(text, { name: 'shipmate.yaml', folder: '/' }, [...catalogue.keys()]);
  return { lines: text.trimEnd().split('\n').length, settings };
}

test('a file of fifteen lines serves fifty apps in three environments', { timeout: 240_000 }, async () => {
  const { lines, settings } = await fifteenLines();
  expect(lines).toBeLessThanOrEqual(15);
  const development = await freshNamespace('development');
  const desk = await opened({
    apps: { '*': { ...settings.apps['*'], image: `${bed.registryHost}/{app}`, images: [`${bed.registryHost}/*`] } },
    environments: { development: { namespace: development } },
  });
  const environments = ['development', 'staging', 'production'];
  const names = Array.from({ length: 50 }, (_, index) => `app-${index}`);
  const ship = async (app: string, env: string) => {
    // Without pods: a node takes a hundred.
    const input = { app, env, image: `${bed.registryHost}/web:v1`, replicas: 0 };
    const run = await desk.done('deploy', input);
    if (run.state !== 'awaiting') return run.state;
    await desk.approve(run.id, ben);
    return (await desk.lap(run.id)).state;
  };
  const all = names.flatMap((app) => environments.map((env) => [app, env] as const));
  const ends: string[] = [];
  const work = async () => {
    for (let next = all.pop(); next; next = all.pop()) ends.push(await ship(...next));
  };
  await Promise.all(Array.from({ length: 6 }, work));
  expect(ends).toEqual(Array.from({ length: 150 }, () => 'finished'));
  for (const namespace of [development, desk.namespaces.staging, desk.namespaces.production]) {
    const there = await kubectl(['get', 'deployments', '-n', namespace, '-o', 'name']);
    expect(there.trim().split('\n').sort()).toEqual(names.map((name) => `deployment.apps/${name}`).sort());
  }
  await kubectl(['delete', 'namespace', development, '--wait=false']);
});

/** Another account of Shipmate's, with its roles in all namespaces, as cluster-role.ts prints them for a file with such a pattern. */
async function everywhere(name: string): Promise<{ kubeconfig: string; end(): Promise<void> }> {
  await kubectl(['create', 'serviceaccount', name, '-n', 'default']);
  const roles = ['shipmate', 'shipmate-cluster'];
  for (const role of roles)
    await kubectl([
      'create',
      'clusterrolebinding',
      `${name}-${role}`,
      `--clusterrole=${role}`,
      `--serviceaccount=default:${name}`,
    ]);
  const token = await kubectl(['create', 'token', name, '-n', 'default', '--duration=1h']);
  const { clusters } = JSON.parse(await readFile(bed.kubeconfig, 'utf8'));
  const [{ cluster }] = clusters;
  const ca = Buffer.from(cluster['certificate-authority-data'], 'base64').toString();
  const kubeconfig = join(bed.dir, `kubeconfig-${name}`);
  await writeFile(kubeconfig, kubeconfigOf('default', cluster.server, ca, token.trim()), { mode: 0o600 });
  return {
    kubeconfig,
    end: async () => {
      await kubectl(['delete', 'clusterrolebinding', ...roles.map((role) => `${name}-${role}`)]);
      await kubectl(['delete', 'serviceaccount', name, '-n', 'default']);
    },
  };
}

test('an environment of a pattern is made with its first deploy, and its pods run there', async () => {
  const id = Math.random().toString(36).slice(2, 8);
  const account = await everywhere(`previews-${id}`);
  const desk = await opened({
    kubeconfig: account.kubeconfig,
    apps: { '*': { images: [`${bed.registryHost}/*`] } },
    environments: { 'preview-*': { namespace: `{env}-${id}` } },
    namespaceTemplate: { labels: { team: 'shop' }, quota: { pods: '5' }, networkPolicy: 'deny-ingress' },
  });
  const namespace = `preview-7-${id}`;
  const deploy = (app: string) =>
    desk.done('deploy', { app, env: 'preview-7', image: `${bed.registryHost}/web:v1`, replicas: 1 });
  const first = await deploy('cart');
  expect(first, JSON.stringify(first.fault)).toMatchObject({
    state: 'finished',
    report: { kind: 'rolled-out', ready: 1 },
  });
  const made = JSON.parse(await kubectl(['get', 'namespace', namespace, '-o', 'json']));
  expect(made.metadata.labels).toMatchObject({ team: 'shop', 'shipmate.dev/environment': 'preview-7' });
  const inside = await kubectl(['get', 'resourcequota,networkpolicy,deployment', '-n', namespace, '-o', 'name']);
  expect(inside.trim().split('\n')).toHaveLength(3);
  expect(await deploy('search')).toMatchObject({ state: 'finished', plan: { summary: 'web:v1, new in preview-7' } });
  const gone = await desk.done('namespace-delete', { name: namespace, again: namespace, env: 'preview-7' });
  expect(gone.state).toBe('finished');
  await account.end();
});
