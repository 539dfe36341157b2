import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { startTestbed, type Testbed } from '../../testbed/testbed.ts';

let bed: Testbed;
let strangers = 0;
const stranger = createServer((socket) => {
  strangers++;
  socket.destroy();
});

/** A kubeconfig whose current context is a cluster that must never hear from us. */
async function trap(dir: string): Promise<string> {
  stranger.listen(0, '127.0.0.1');
  await once(stranger, 'listening');
  const address = stranger.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const file = join(dir, 'config');
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'production',
    clusters: [{ name: 'production', cluster: { server: `https://127.0.0.1:${address.port}` } }],
    users: [{ name: 'production', user: { token: 'precious' } }],
    contexts: [{ name: 'production', context: { cluster: 'production', user: 'production' } }],
  };
  await writeFile(file, JSON.stringify(config));
  return file;
}

beforeAll(async () => {
  const home = await mkdtemp(join(tmpdir(), 'shipmate-home-'));
  const before = process.env.KUBECONFIG;
  process.env.KUBECONFIG = await trap(home);
  bed = await startTestbed({ log: console.log });
  return async () => {
    await bed.stop();
    if (before === undefined) delete process.env.KUBECONFIG;
    else process.env.KUBECONFIG = before;
    await rm(home, { recursive: true });
  };
});

afterAll(() => void stranger.close());

const { stringify } = JSON;
const pod = (name: string, image: string, command: string[]) =>
  stringify({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name },
    spec: { restartPolicy: 'Never', containers: [{ name: 'main', image, command }] },
  });

test('the cluster in KUBECONFIG hears nothing', async () => {
  expect(await bed.kubernetes.kubectl(['config', 'view', '-o', 'jsonpath={.contexts[*].name}'])).toBe(
    'shipmate-testbed',
  );
  expect(await bed.kubernetes.kubectl(['get', 'nodes', '-o', 'name'])).toBe('node/127.0.0.1\n');
  expect(strangers).toBe(0);
});

test('a Deployment of the example becomes available, logs, and answers; exec reaches it', async () => {
  const { kubectl } = bed.kubernetes;
  await kubectl(['create', 'deployment', 'web', '--image', await bed.pushWeb('v2')]);
  await kubectl(['rollout', 'status', 'deployment/web', '--timeout=40s']);
  expect(await kubectl(['logs', 'deployment/web'])).toContain('web v2 ready');
  const get = ['exec', 'deployment/web', '--', '/bin/busybox', 'wget', '-qO-', 'http://127.0.0.1:8080/healthz'];
  expect(await kubectl(get)).toBe('ok\n');
});

test('the broken version crashes, and its log says why', async () => {
  const { kubectl } = bed.kubernetes;
  await kubectl(['create', 'deployment', 'broken', '--image', await bed.pushWeb('v3')]);
  const restarts = 'jsonpath={.status.containerStatuses[0].restartCount}=1';
  await expect.poll(() => kubectl(['get', 'pods', '-l', 'app=broken', '-o', 'name'])).toContain('pod/');
  await kubectl(['wait', 'pod', '-l', 'app=broken', `--for=${restarts}`, '--timeout=40s']);
  expect(await kubectl(['logs', 'deployment/broken', '--previous'])).toContain('panic: runtime error');
});

test('an image built of given files runs in the cluster under the digest that the push named', async () => {
  const { kubectl } = bed.kubernetes;
  const tag = `${bed.registry.host}/greeting:1`;
  const files = { Dockerfile: `FROM ${bed.busybox}\nCOPY words /words\n`, words: 'ahoy\n' };
  const digest = await bed.docker.buildAndPush(files, tag);
  const image = `${bed.registry.host}/greeting@${digest}`;
  await kubectl(['create', '-f', '-'], pod('greeting', image, ['/bin/busybox', 'cat', '/words']));
  await kubectl(['wait', 'pod/greeting', '--for=jsonpath={.status.phase}=Succeeded', '--timeout=30s']);
  expect(await kubectl(['logs', 'greeting'])).toBe('ahoy\n');
});

test('Redis killed and started again has kept what it was told; paused, it answers later', async () => {
  const redis = new Redis(bed.redis.url, { retryStrategy: () => 50, maxRetriesPerRequest: null });
  redis.on('error', () => {});
  onTestFinished(() => redis.disconnect());
  await redis.set('anchor', 'weighed');
  await bed.redis.kill();
  await bed.redis.start();
  expect(await redis.get('anchor')).toBe('weighed');
  bed.redis.pause();
  const answer = redis.get('anchor');
  const early = await Promise.race([answer, new Promise((resolve) => setTimeout(resolve, 300, 'nothing yet'))]);
  bed.redis.resume();
  expect([early, await answer]).toEqual(['nothing yet', 'weighed']);
});

test.each(['apiServer', 'etcd'] as const)('the cluster survives the death of its %s', async (part) => {
  const { kubectl } = bed.kubernetes;
  await kubectl(['create', 'configmap', `kept-${part.toLowerCase()}`]);
  await bed.kubernetes[part].kill();
  await expect(kubectl(['get', 'nodes', '--request-timeout=2s'])).rejects.toThrow(/^kubectl .* get nodes/);
  await bed.kubernetes[part].start();
  const kept = () => kubectl(['get', 'configmap', `kept-${part.toLowerCase()}`, '-o', 'name']).catch(String);
  await expect.poll(kept, { timeout: 20_000 }).toContain('configmap/');
});

test('the registry and dockerd come back on the same address with what they had', async () => {
  await Promise.all([bed.registry.kill(), bed.docker.kill()]);
  await Promise.all([bed.registry.start(), bed.docker.start()]);
  const tags = await fetch(`http://${bed.registry.host}/v2/busybox/tags/list`, { signal: AbortSignal.timeout(5_000) });
  expect(await tags.json()).toEqual({ name: 'busybox', tags: ['1'] });
  await bed.pushWeb('again');
});
