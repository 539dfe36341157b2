import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Clusters, createClusters } from '../../../src/clients/kube/clusters.ts';
import type { Kube } from '../../../src/core/kube.ts';
import { kubeconfigOf } from '../../../testbed/cluster.ts';
import { type ApiProxy, startApiProxy } from '../../support/api-proxy.ts';
import { bed } from '../../support/bed.ts';
import { freshNamespace, kubectl } from '../../support/kubectl.ts';

/** Two ways into the bed's cluster, each with a token of its own: to Shipmate they are two clusters. */

const signal = new AbortController().signal;
const ways: Record<string, { proxy: ApiProxy; token: string }> = {};
let namespace: string;
let ca: string;
let clusters: Clusters;

/** A token of a new service account that may do anything in the namespace. */
async function tokenOf(account: string): Promise<string> {
  await kubectl(['create', 'serviceaccount', account, '-n', namespace]);
  const subject = `--serviceaccount=${namespace}:${account}`;
  await kubectl(['create', 'rolebinding', account, '-n', namespace, '--clusterrole=admin', subject]);
  return (await kubectl(['create', 'token', account, '-n', namespace])).trim();
}

beforeAll(async () => {
  namespace = await freshNamespace('ways');
  ca = await readFile(join(bed.dir, 'apiserver', 'apiserver.crt'), 'utf8');
  for (const name of ['east', 'west']) {
    const [proxy, token] = await Promise.all([startApiProxy(), tokenOf(name)]);
    ways[name] = { proxy, token };
    await writeFile(join(bed.dir, `${namespace}-${name}`), kubeconfigOf(name, proxy.url, ca, token), { mode: 0o600 });
  }
  const named = () => ({
    east: { kubeconfig: join(bed.dir, `${namespace}-east`) },
    west: { kubeconfig: join(bed.dir, `${namespace}-west`) },
  });
  clusters = createClusters({ named });
});
afterAll(async () => {
  await clusters.close();
  await Promise.all(Object.values(ways).map(({ proxy }) => proxy.stop()));
  await kubectl(['delete', 'namespace', namespace, '--wait=false']);
});

const configMap = (name: string) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace }, data: {} });

/** A bit of everything that goes to a cluster. */
async function useAll(kube: Kube, name: string): Promise<void> {
  const ref = { apiVersion: 'v1', kind: 'ConfigMap', namespace, name };
  await kube.apply(configMap(name), { run: 'r', force: false }, signal);
  await kube.merge(ref, { data: { a: '1' } }, {}, signal);
  await kube.look('ConfigMap', namespace, signal);
  await kube.list({ apiVersion: 'v1', kind: 'Pod', namespace }, signal);
  await kube.create(configMap(`${name}-made`), {}, signal);
  await kube.remove(ref, {}, signal);
}

test('no request to one cluster bears another’s token, however they mix', async () => {
  const rounds = Array.from({ length: 10 }, (_, n) => n);
  await Promise.all(rounds.flatMap((n) => ['east', 'west'].map((name) => useAll(clusters.kube(name), `${name}-${n}`))));
  for (const { proxy, token } of Object.values(ways)) {
    expect(proxy.asked.length).toBeGreaterThan(40);
    expect([...new Set(proxy.asked.map((call) => call.token))]).toEqual([token]);
  }
});

test('a token that is taken away in the middle is renewed once by the plugin that gave it', {
  timeout: 40_000,
}, async () => {
  const [account, proxy] = ['short-lived', await startApiProxy()];
  const [given, calls, file] = ['given', 'calls', 'kubeconfig'].map((name) => join(bed.dir, `${namespace}-${name}`));
  await writeFile(given ?? '', await tokenOf(account));
  await writeFile(calls ?? '', '');
  const program = `const fs = require('node:fs'); fs.appendFileSync(${JSON.stringify(calls)}, 'x');
    const token = fs.readFileSync(${JSON.stringify(given)}, 'utf8');
    console.log(JSON.stringify({ apiVersion: 'client.authentication.k8s.io/v1', kind: 'ExecCredential', status: { token } }));`;
  const config = JSON.parse(kubeconfigOf('plugin', proxy.url, ca, ''));
  const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: process.execPath, args: ['-e', program] };
  config.users = [{ name: 'plugin', user: { exec: { ...exec, interactiveMode: 'Never' } } }];
  await writeFile(file ?? '', JSON.stringify(config));
  const own = createClusters({ named: () => ({ plugin: { kubeconfig: file } }) });
  const kube = own.kube('plugin');
  const pods = () => kube.list({ apiVersion: 'v1', kind: 'Pod', namespace }, signal);
  const asked = async () => (await readFile(calls ?? '', 'utf8')).length;

  await Promise.all(Array.from({ length: 30 }, pods));
  expect(await asked(), 'thirty calls at once ask the plugin once').toBe(1);

  await kubectl(['delete', 'serviceaccount', account, '-n', namespace]);
  await kubectl(['create', 'serviceaccount', account, '-n', namespace]);
  const fresh = (await kubectl(['create', 'token', account, '-n', namespace])).trim();
  await writeFile(given ?? '', fresh);
  // The API server remembers for some seconds that the old token was good.
  const tokenUsed = async () => {
    await pods();
    return proxy.asked.at(-1)?.token;
  };
  await expect.poll(tokenUsed, { timeout: 30_000, interval: 500 }).toBe(fresh);
  await Promise.all(Array.from({ length: 30 }, pods));
  expect(await asked()).toBe(2);
  await own.close();
  await proxy.stop();
});

test('credentials that stay refused are said to be that, and the plugin is not asked again and again', async () => {
  const [calls, file] = ['calls-2', 'kubeconfig-2'].map((name) => join(bed.dir, `${namespace}-${name}`));
  await writeFile(calls ?? '', '');
  const program = `require('node:fs').appendFileSync(${JSON.stringify(calls)}, 'x');
    console.log(JSON.stringify({ apiVersion: 'client.authentication.k8s.io/v1', kind: 'ExecCredential', status: { token: 'no-good' } }));`;
  const config = JSON.parse(kubeconfigOf('plugin', ways.east?.proxy.url ?? '', ca, ''));
  const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: process.execPath, args: ['-e', program] };
  config.users = [{ name: 'plugin', user: { exec: { ...exec, interactiveMode: 'Never' } } }];
  await writeFile(file ?? '', JSON.stringify(config));
  const own = createClusters({ named: () => ({ plugin: { kubeconfig: file } }) });
  const pods = () => own.kube('plugin').list({ apiVersion: 'v1', kind: 'Pod', namespace }, signal);
  for (let n = 0; n < 5; n++)
    await expect(pods()).rejects.toMatchObject({
      code: 'CLUSTER_FORBIDDEN',
      message: expect.not.stringContaining('no-good'),
    });
  expect((await readFile(calls ?? '', 'utf8')).length).toBe(2);
  await own.close();
});
