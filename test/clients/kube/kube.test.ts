import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { type Clusters, createClusters } from '../../../src/clients/kube/clusters.ts';
import { at, type JsonObject } from '../../../src/core/json.ts';
import type { Kube, ObjectRef } from '../../../src/core/kube.ts';
import { overlay, ownedBy } from '../../../src/core/ownership.ts';
import { bed } from '../../support/bed.ts';
import { freshNamespace, kubectl } from '../../support/kubectl.ts';

let clusters: Clusters;
let kube: Kube;
let namespace: string;
const signal = new AbortController().signal;

beforeAll(async () => {
  clusters = createClusters({ kubeconfig: bed.kubeconfig });
  kube = clusters.kube('default');
  namespace = await freshNamespace('kube');
});
afterAll(async () => {
  await kubectl(['delete', 'namespace', namespace, '--wait=false']);
  await clusters.close();
});

const refOf = (name: string): ObjectRef => ({ apiVersion: 'apps/v1', kind: 'Deployment', namespace, name });

function deployment(
  name: string,
  image: string,
  extra: { replicas?: number; container?: JsonObject } = {},
): JsonObject {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace, labels: { app: name } },
    spec: {
      replicas: extra.replicas ?? 1,
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: { terminationGracePeriodSeconds: 1, containers: [{ name, image, ...extra.container }] },
      },
    },
  };
}

const web = (tag: string) => `${bed.registryHost}/web:${tag}`;

async function rollOut(
  manifest: JsonObject,
  run: string,
  options: { timeoutMs?: number; seen?: (n: number) => void } = {},
) {
  await kube.apply(manifest, { run, force: false }, signal);
  const name = String(at(manifest, 'metadata', 'name'));
  const deadline = Date.now() + (options.timeoutMs ?? 50_000);
  return await kube.follow(refOf(name), { run, deadline, seen: ({ ready }) => options.seen?.(ready) }, signal);
}

describe('a rollout on a real cluster', () => {
  test('is previewed without being done, applied once, and followed to its end', async () => {
    const manifest = deployment('good', web('v1'), { replicas: 2 });
    const { after, takesOver } = await kube.preview(manifest, signal);
    expect(at(after, 'spec', 'replicas')).toBe(2);
    expect(takesOver).toEqual([]);
    expect(await kube.read(refOf('good'), signal)).toBeUndefined();
    const seen: number[] = [];
    expect(await rollOut(manifest, 'run1', { seen: (ready) => seen.push(ready) })).toEqual({
      kind: 'complete',
      replicas: 2,
      updated: 2,
      ready: 2,
    });
    expect(seen[0]).toBe(0);
    await kube.apply(manifest, { run: 'run1', force: false }, signal);
    expect(at((await kube.read(refOf('good'), signal)) ?? {}, 'metadata', 'generation')).toBe(1);
  });

  test('that only scales keeps what Shipmate applied before', async () => {
    await rollOut(deployment('scaled', web('v1')), 'run1');
    const live = (await kube.read(refOf('scaled'), signal)) ?? {};
    const manifest = overlay(ownedBy('shipmate', live), { spec: { replicas: 3 } }) as JsonObject; // an overlay of objects is one
    const { after } = await kube.preview(manifest, signal);
    expect(at(live, 'spec', 'template')).toEqual(at(after, 'spec', 'template'));
    expect(await rollOut(manifest, 'run2')).toMatchObject({ kind: 'complete', replicas: 3 });
  });

  test('names those whose fields it would take over', async () => {
    await kubectl(['apply', '-f', '-'], JSON.stringify(deployment('taken', web('v1'))));
    const { takesOver } = await kube.preview(deployment('taken', web('v2')), signal);
    expect(takesOver).toContainEqual({
      field: 'spec.template.spec.containers[name="taken"].image',
      manager: 'kubectl-client-side-apply',
    });
  });

  test('lists earlier revisions', async () => {
    await rollOut(deployment('revised', web('v1')), 'run1');
    await rollOut(deployment('revised', web('v2')), 'run2');
    const [first, ...rest] = await kube.revisions(refOf('revised'), signal);
    expect(rest).toEqual([]);
    expect(first).toMatchObject({ revision: 1, template: { spec: { containers: [{ image: web('v1') }] } } });
    expect(at(first?.template, 'metadata', 'labels')).toEqual({ app: 'revised' });
  });
});

describe.concurrent('a rollout that cannot succeed ends with the reason', () => {
  test('crash loop, with the last log lines', async () => {
    const end = await rollOut(deployment('crashing', web('v3')), 'run1');
    expect(end).toMatchObject({
      kind: 'failed',
      trouble: { code: 'crash-loop', detail: expect.stringContaining('exit code 1') },
    });
    expect(end.kind === 'failed' && end.trouble.logs.join('\n')).toContain('panic: runtime error');
  });

  test('an image that cannot be pulled', async () => {
    const end = await rollOut(deployment('pulling', `${bed.registryHost}/web:nosuch`), 'run1');
    expect(end).toMatchObject({
      kind: 'failed',
      trouble: { code: 'image-pull', detail: expect.stringContaining('nosuch') },
    });
  });

  test('no room on the nodes', async () => {
    const container = { resources: { requests: { cpu: '500' } } };
    const end = await rollOut(deployment('roomy', web('v1'), { container }), 'run1');
    expect(end).toMatchObject({
      kind: 'failed',
      trouble: { code: 'no-room', detail: expect.stringContaining('Insufficient cpu') },
    });
  });

  test('quota', async () => {
    const tight = await freshNamespace('quota');
    await kubectl(['-n', tight, 'create', 'quota', 'none', '--hard=pods=0']);
    const manifest = { ...deployment('over', web('v1')), metadata: { name: 'over', namespace: tight } };
    await kube.apply(manifest, { run: 'run1', force: false }, signal);
    const end = await kube.follow(
      { ...refOf('over'), namespace: tight },
      { run: 'run1', deadline: Date.now() + 30_000, seen: () => {} },
      signal,
    );
    expect(end).toMatchObject({
      kind: 'failed',
      trouble: { code: 'quota', detail: expect.stringContaining('exceeded quota') },
    });
    await kubectl(['delete', 'namespace', tight, '--wait=false']);
  });

  test('a ConfigMap that is not there', async () => {
    const container = { envFrom: [{ configMapRef: { name: 'absent' } }] };
    const end = await rollOut(deployment('config', web('v1'), { container }), 'run1');
    expect(end).toMatchObject({
      kind: 'failed',
      trouble: { code: 'bad-config', detail: expect.stringContaining('absent') },
    });
  });

  test('pods that never get ready: timed out', async () => {
    const container = { readinessProbe: { httpGet: { path: '/nothing', port: 8080 }, periodSeconds: 1 } };
    const end = await rollOut(deployment('unready', web('v1'), { container }), 'run1', { timeoutMs: 4_000 });
    expect(end).toMatchObject({ kind: 'timed-out', ready: 0, trouble: { code: 'not-ready' } });
  });

  test('another run that took over', async () => {
    const container = { readinessProbe: { httpGet: { path: '/nothing', port: 8080 } } };
    await kube.apply(deployment('raced', web('v1'), { container }), { run: 'run1', force: false }, signal);
    const first = kube.follow(refOf('raced'), { run: 'run1', deadline: Date.now() + 30_000, seen: () => {} }, signal);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    await kube.apply(deployment('raced', web('v2'), { container }), { run: 'run2', force: false }, signal);
    expect(await first).toMatchObject({ kind: 'superseded', by: 'run2' });
  });
});

describe('what the cluster refuses is said in its own words', () => {
  test('a namespace that is not there', async () => {
    const manifest = { ...deployment('lost', web('v1')), metadata: { name: 'lost', namespace: 'nowhere' } };
    await expect(kube.preview(manifest, signal)).rejects.toMatchObject({ code: 'NAMESPACE_MISSING' });
  });
  test('a namespace that is being deleted', async () => {
    const going = await freshNamespace('going');
    const finalizers = (held: string[]) =>
      kubectl(['patch', 'namespace', going, '--type=merge', '-p', JSON.stringify({ metadata: { finalizers: held } })]);
    await finalizers(['example.com/held']);
    await kubectl(['delete', 'namespace', going, '--wait=false']);
    const metadata = { name: 'late', namespace: going };
    const message = `The namespace ${going} is being deleted, and nothing new is let in.`;
    const refused = { code: 'NAMESPACE_GOES', message };
    await expect(kube.preview({ ...deployment('late', web('v1')), metadata }, signal)).rejects.toMatchObject(refused);
    const map = { apiVersion: 'v1', kind: 'ConfigMap', metadata };
    await expect(kube.create(map, {}, signal)).rejects.toMatchObject(refused);
    await finalizers([]);
  });
  test('a field that must not change', async () => {
    await kube.apply(deployment('fixed', web('v1')), { run: 'r', force: false }, signal);
    const other = overlay(deployment('fixed', web('v1')), { spec: { selector: { matchLabels: { app: 'other' } } } });
    await expect(kube.preview(other as JsonObject, signal)).rejects.toMatchObject({
      code: 'CLUSTER_REFUSED',
      message: expect.stringContaining('immutable'),
    });
  });
  test('an address where nothing listens', async () => {
    const away = createClusters({ kubeconfig: bed.kubeconfig, endpoint: 'https://127.0.0.1:1' });
    await expect(away.kube('default').version(signal)).rejects.toMatchObject({
      code: 'CLUSTER_UNREACHABLE',
      retry: 'later',
    });
    await away.close();
  });
  test('a context that the kubeconfig lacks', () => {
    expect(() => clusters.kube('elsewhere')).toThrow(/has no context “elsewhere”, only shipmate-testbed/);
  });
});

test('a Deployment deleted in the middle of its rollout ends the wait at once', async () => {
  const manifest = deployment('doomed', web('v1'), { container: { readinessProbe: { exec: { command: ['false'] } } } });
  await kube.apply(manifest, { run: 'r', force: false }, signal);
  let seen = 0;
  const options = { run: 'r', deadline: Date.now() + 50_000, seen: () => void seen++ };
  const followed = kube.follow(refOf('doomed'), options, signal);
  const refused = expect(followed).rejects.toMatchObject({ code: 'GONE_MEANWHILE' });
  await expect.poll(() => seen, { timeout: 10_000 }).toBeGreaterThan(0);
  await kubectl(['delete', 'deployment', 'doomed', '-n', namespace, '--wait=false']);
  const began = Date.now();
  await refused;
  expect(Date.now() - began).toBeLessThan(15_000);
});

test('what the API server forbids is said as that, whatever was asked', async () => {
  await kubectl(['create', 'serviceaccount', 'nobody', '-n', namespace]);
  const token = (await kubectl(['create', 'token', 'nobody', '-n', namespace])).trim();
  const config: unknown = JSON.parse(await readFile(bed.kubeconfig, 'utf8'));
  const users = [{ name: 'nobody', user: { token } }];
  const clustersOf = z.looseObject({ clusters: z.array(z.looseObject({ name: z.string() })) }).parse(config);
  const contexts = [{ name: 'nobody', context: { cluster: clustersOf.clusters[0]?.name, user: 'nobody' } }];
  const kubeconfig = join(await mkdtemp(join(tmpdir(), 'shipmate-nobody-')), 'config');
  await writeFile(kubeconfig, JSON.stringify({ ...clustersOf, users, contexts, 'current-context': 'nobody' }));
  const nobody = createClusters({ kubeconfig });
  const poor = nobody.kube('default');
  const ref = refOf('web');
  const options = { run: 'r', deadline: Date.now() + 10_000, seen: () => {} };
  const asked = [
    () => poor.read(ref, signal),
    () => poor.workload(ref, signal),
    () => poor.revisions(ref, signal),
    () => poor.follow(ref, options, signal),
    () => poor.preview(deployment('web', web('v1')), signal),
  ];
  for (const ask of asked) await expect(ask()).rejects.toMatchObject({ code: 'CLUSTER_FORBIDDEN', retry: 'never' });
  await nobody.close();
});

test('a dry run of a deletion deletes nothing, and with a uid only the very object goes', async () => {
  const metadata = { name: 'spared', namespace };
  const ref = { apiVersion: 'v1', kind: 'ConfigMap', namespace, name: 'spared' };
  const made = await kube.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata }, {}, signal);
  expect(await kube.remove(ref, { dryRun: true }, signal)).toBe(true);
  expect(await kube.remove(ref, { uid: 'another' }, signal)).toBe(false);
  expect(await kubectl(['get', 'configmap', 'spared', '-n', namespace, '-o', 'name'])).toBe('configmap/spared\n');
  expect(await kube.remove(ref, { uid: String(at(made, 'metadata', 'uid')) }, signal)).toBe(true);
  expect(await kube.remove(ref, {}, signal)).toBe(false);
});
