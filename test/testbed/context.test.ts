import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';
import { startBesideCluster } from '../../testbed/testbed.ts';
import { bed } from '../support/bed.ts';
import { leftoversAfter } from './leftovers.ts';

const before = process.env.KUBECONFIG;
let home: string;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'shipmate-home-'));
  const config = JSON.parse(await readFile(bed.kubeconfig, 'utf8'));
  const elsewhere = { name: 'elsewhere', cluster: { server: 'https://192.0.2.1:6443' } };
  const named = {
    ...config,
    'current-context': 'elsewhere',
    clusters: [...config.clusters, elsewhere],
    contexts: [
      { name: 'elsewhere', context: { cluster: 'elsewhere', user: config.users[0].name } },
      { ...config.contexts[0], name: 'mine' },
    ],
  };
  process.env.KUBECONFIG = join(home, 'config');
  await writeFile(process.env.KUBECONFIG, JSON.stringify(named));
});

afterEach(async () => {
  if (before === undefined) delete process.env.KUBECONFIG;
  else process.env.KUBECONFIG = before;
  await rm(home, { recursive: true });
});

const beside = (context: string) =>
  startBesideCluster({ log: console.log, context, registry: bed.registryHost, dockerHost: bed.dockerHost });

test('a named context is used, alone, whatever the current one is', async () => {
  const own = await beside('mine');
  onTestFinished(own.stop);
  expect(own.kubernetes.server).toMatch(/^https:\/\/127\.0\.0\.1:/);
  const kept = JSON.parse(await readFile(own.kubernetes.kubeconfig, 'utf8'));
  expect(kept['current-context']).toBe('mine');
  expect(kept.clusters).toHaveLength(1);
  const image = await own.pushWeb('beside');
  const name = `beside-${own.id}`;
  await own.kubernetes.kubectl(['create', 'deployment', name, '--image', image]);
  await own.kubernetes.kubectl(['rollout', 'status', `deployment/${name}`, '--timeout=40s']);
  await own.kubernetes.kubectl(['delete', 'deployment', name]);
  await own.stop();
  expect(await leftoversAfter(0, own)).toEqual([]);
});

test('a context that is not there is named in the complaint', async () => {
  await expect(beside('yours')).rejects.toThrow(/^--context yours: .*kubectl config get-contexts/s);
});
