import { beforeAll, beforeEach, expect, test } from 'vitest';
import { at, isObject, type JsonObject } from '../../src/core/json.ts';
import type { Run } from '../../src/core/run.ts';
import { Settings } from '../../src/core/settings.ts';
import { steer } from '../../src/engine/steer.ts';
import { fakeWorld } from '../fakes/fake-clients.ts';
import { freshShop } from '../support/canary-bench.ts';
import { createDesk, type Desk } from '../support/desk.ts';
import { ben, type TestEngine, testEngine } from '../support/engine.ts';
import { redisForFile } from '../support/redis.ts';
import type { watchedCluster } from '../support/watched-cluster.ts';

/** Jobs that judge a canary, in a cluster that does with them as the test says. */

const redis = redisForFile();
let engine: TestEngine;
let desk: Desk;
let world: ReturnType<typeof fakeWorld>;
let cluster: ReturnType<typeof watchedCluster>;

const job = { kind: 'job', name: 'checkout', image: 'r/check:1', args: ['$(CANARY_ADDRESS)'], env: { FULL: 'yes' } };
const settings = Settings.parse({
  apps: {
    web: { image: '127.0.0.1:5000/web', analysis: 'jobs', rollout: { drain: '1ms', reach: '1ms' } },
    green: {
      image: '127.0.0.1:5000/web',
      workload: 'web',
      rollout: {
        strategy: 'blue-green',
        keep: '1ms',
        drain: '1ms',
        reach: '1ms',
        smokeTest: { http: [{ path: '/healthz', contains: 'ok' }], job: { image: 'r/check:1', limit: '1m' } },
      },
    },
    api: { image: '127.0.0.1:5000/web', workload: 'web', analysis: 'cron', rollout: { drain: '1ms', reach: '1ms' } },
  },
  environments: { staging: { namespace: 'staging', rolloutTimeoutSeconds: 10 } },
  analyses: {
    jobs: { metrics: [job], unknownLimit: '1s' },
    cron: { metrics: [{ kind: 'job', name: 'nightly', cronJob: 'nightly', limit: '90s' }], unknownLimit: '1s' },
  },
  policy: [{ name: 'free' }],
});

beforeAll(async () => {
  engine = await testEngine(redis().url, fakeWorld().clients, { settings: () => settings });
  return () => engine.close();
});
beforeEach(async () => {
  ({ world, cluster, desk } = await freshShop(engine));
  return () => desk.leases.stop();
});

const jobs = () => [...world.objects].filter(([key]) => key.startsWith('Job '));
const end = (type: 'Complete' | 'Failed', reason = '') => {
  for (const [key, object] of jobs())
    world.objects.set(key, { ...object, status: { conditions: [{ type, status: 'True', reason }] } });
};
const endedPod = (name: string, exitCode: number): JsonObject => ({
  kind: 'Pod',
  metadata: { name: 'check-1', namespace: 'staging', labels: { 'batch.kubernetes.io/job-name': name } },
  spec: { containers: [{ name: 'check' }] },
  status: { containerStatuses: [{ name: 'check', state: { terminated: { exitCode } } }] },
});

async function canary(app = 'web', weights = [25]): Promise<{ id: string; over: Promise<Run> }> {
  const id = await desk.ask('deploy', { app, env: 'staging', tag: 'v2', strategy: 'canary', weights, bake: '1ms' });
  const over = desk.settle([id], 30_000).then(([run]) => run ?? expect.unreachable());
  return { id, over };
}

test('a Job is made once, of the canary’s, knows both versions, and the share waits for its end', async () => {
  const { id, over } = await canary();
  await expect
    .poll(async () => (await desk.run(id)).steps['weight 25']?.note, { timeout: 10_000 })
    .toContain('running');
  const [[, made] = []] = jobs();
  expect(jobs()).toHaveLength(1);
  expect(made).toMatchObject({
    metadata: { ownerReferences: [{ kind: 'Deployment', name: 'web-canary', uid: 'uid-staging/web-canary' }] },
    spec: { backoffLimit: 0, activeDeadlineSeconds: 300, template: { spec: { restartPolicy: 'Never' } } },
  });
  const [container] = [at(made, 'spec', 'template', 'spec', 'containers', 0)];
  expect(container).toMatchObject({ image: 'r/check:1', args: ['$(CANARY_ADDRESS)'] });
  expect(at(container, 'env')).toEqual(
    expect.arrayContaining([
      { name: 'CANARY_ADDRESS', value: 'web-canary.staging.svc:80' },
      { name: 'STABLE_SERVICE', value: 'web' },
      { name: 'FULL', value: 'yes' },
    ]),
  );
  end('Complete');
  // At 100 % there is another one.
  await expect.poll(() => jobs().length, { timeout: 25_000 }).toBe(2);
  expect(cluster.weights().canary).toBe(100);
  end('Complete');
  expect(await over).toMatchObject({ state: 'finished', report: { kind: 'promoted' } });
});

test('a program that ends badly takes the canary back, with its last line as the reason', async () => {
  const { over } = await canary();
  await expect.poll(() => jobs().length, { timeout: 10_000 }).toBe(1);
  const name = String(at(jobs()[0]?.[1], 'metadata', 'name'));
  world.objects.set('Pod staging/check-1', endedPod(name, 1));
  end('Failed', 'BackoffLimitExceeded');
  expect(await over).toMatchObject({
    state: 'failed',
    report: { kind: 'rolled-back', reason: 'regression', detail: 'checkout says no: check-1 says goodbye' },
  });
  expect(cluster.weights()).toEqual({ canary: 0, stable: 100 });
});

test('one that was not done in time is no verdict: policy decides at the limit', async () => {
  const { over } = await canary();
  await expect.poll(() => jobs().length, { timeout: 10_000 }).toBe(1);
  end('Failed', 'DeadlineExceeded');
  const run = await over;
  expect(run).toMatchObject({ report: { kind: 'rolled-back', reason: 'unknown' } });
  expect(JSON.stringify(run.report)).toContain('checkout: its Job was not done in time');
});

const template = { metadata: { labels: { job: 'nightly' } }, spec: { containers: [{ name: 'n', image: 'r/n:1' }] } };
const nightly = (backoffLimit: number): JsonObject => ({
  kind: 'CronJob',
  metadata: { name: 'nightly', namespace: 'staging' },
  spec: { suspend: true, jobTemplate: { spec: { backoffLimit, ttlSecondsAfterFinished: 5, template } } },
});

test('a CronJob lends its template, which is shown; once it is gone, nothing is known', async () => {
  world.objects.set('CronJob staging/nightly', nightly(2));
  const { id, over } = await canary('api');
  await expect.poll(() => jobs().length, { timeout: 10_000 }).toBe(1);
  expect((await desk.run(id)).plan?.changes).toContainEqual({ path: 'Job of CronJob/nightly', to: 'r/n:1' });
  const spec = at(jobs()[0]?.[1], 'spec');
  expect(spec).toMatchObject({ backoffLimit: 2, activeDeadlineSeconds: 90, template: { metadata: template.metadata } });
  expect(isObject(spec) && 'ttlSecondsAfterFinished' in spec).toBe(false);
  world.objects.delete(jobs()[0]?.[0] ?? '');
  world.objects.delete('CronJob staging/nightly');
  const run = await over;
  expect(run).toMatchObject({ report: { kind: 'rolled-back', reason: 'unknown' } });
  expect(JSON.stringify(run.report)).toContain('there is no CronJob/nightly');
});

test.each([
  ['changed', nightly(2), 'CronJob/nightly is another than the one that was planned with'],
  ['made', undefined, 'CronJob/nightly is another than the one that was planned with'],
])('a CronJob that is %s after the approval is not run', async (_what, before, why) => {
  if (before) world.objects.set('CronJob staging/nightly', before);
  const { apply } = cluster.kube;
  cluster.kube.apply = async (...args) => {
    world.objects.set('CronJob staging/nightly', nightly(3));
    return await apply(...args);
  };
  const { id, over } = await canary('api');
  const run = await over;
  expect((await desk.run(id)).plan?.warnings ?? []).toHaveLength(before ? 0 : 1);
  expect(run).toMatchObject({ report: { kind: 'rolled-back', reason: 'unknown' } });
  expect(JSON.stringify(run.report)).toContain(why);
  expect(jobs()).toEqual([]);
});

const green = async () => {
  const id = await desk.ask('deploy', { app: 'green', env: 'staging', tag: 'v2' });
  return { id, over: desk.settle([id], 30_000).then(([run]) => run ?? expect.unreachable()) };
};
const imageNow = () =>
  String(at(world.objects.get('staging/web'), 'spec', 'template', 'spec', 'containers', 0, 'image'));

test('green is asked by HTTP and by a Job before the switch; when both say yes it gets the traffic', async () => {
  const { over } = await green();
  await expect.poll(() => jobs().length, { timeout: 10_000 }).toBe(1);
  expect(cluster.weights()).toEqual({ canary: 0, stable: 100 });
  end('Complete');
  const run = await over;
  expect(run).toMatchObject({ state: 'finished', report: { kind: 'promoted' } });
  expect(run.checklist).toContain('smoke');
  expect(run.steps.smoke?.note).toBe('smoke test passed: GET /healthz, Job of r/check:1');
});

test.each([
  [{ status: 500, text: 'oh' }, 'GET /healthz answered 500 and not 200'],
  [{ status: 200, text: 'fine' }, 'GET /healthz answered without “ok”'],
])('where green answers %o it goes, blue stays, and no Job is made', async (answer, why) => {
  world.answers.set('/healthz', answer);
  const { over } = await green();
  expect(await over).toMatchObject({
    state: 'failed',
    report: { kind: 'rolled-back', detail: `smoke test: ${why}`, stages: [] },
  });
  expect(jobs()).toHaveLength(0);
  expect(imageNow()).toContain('web:v1');
  expect(world.objects.has('staging/web-canary')).toBe(false);
});

test('a Job that never had a chance to say anything lets green through as little as one that says no', async () => {
  const { over } = await green();
  await expect.poll(() => jobs().length, { timeout: 10_000 }).toBe(1);
  end('Failed', 'DeadlineExceeded');
  expect(await over).toMatchObject({
    report: { kind: 'rolled-back', detail: 'smoke test: its Job was not done in time' },
  });
  expect(cluster.weights()).toEqual({ canary: 0, stable: 100 });
});

test('somebody who aborts while the smoke test goes on is heard', async () => {
  const { id, over } = await green();
  await expect.poll(() => jobs().length, { timeout: 10_000 }).toBe(1);
  await steer(engine, await desk.run(id), ben, { kind: 'abort' });
  expect(await over).toMatchObject({ state: 'cancelled', report: { kind: 'rolled-back', reason: 'aborted' } });
  expect(imageNow()).toContain('web:v1');
});

test('in an experiment a Job compares the new version with a fresh pod of the old one, which then goes', async () => {
  const steps = [
    { weight: 0, bake: '1ms', baseline: true },
    { weight: 50, bake: '1ms' },
  ];
  const id = await desk.ask('deploy', { app: 'web', env: 'staging', tag: 'v2', strategy: 'canary', steps });
  const over = desk.settle([id], 30_000).then(([run]) => run ?? expect.unreachable());
  await expect.poll(() => jobs().length, { timeout: 10_000 }).toBe(1);
  const [, first] = jobs()[0] ?? [];
  const env = (job: JsonObject | undefined) => at(job, 'spec', 'template', 'spec', 'containers', 0, 'env');
  expect(env(first)).toContainEqual({ name: 'STABLE_ADDRESS', value: 'web-baseline.staging.svc:80' });
  const of = (key: string, ...path: (string | number)[]) => at(world.objects.get(key), 'spec', ...path);
  const image = ['template', 'spec', 'containers', 0, 'image'];
  expect(of('staging/web-baseline', ...image)).toEqual(of('staging/web', ...image));
  expect(of('staging/web-baseline', 'replicas')).toBe(1);
  expect(of('Service staging/web-baseline', 'selector')).not.toEqual(of('Service staging/web-canary', 'selector'));
  expect(cluster.weights()).toEqual({ canary: 0, stable: 100 });
  end('Complete');
  await expect.poll(() => jobs().length, { timeout: 10_000 }).toBe(2);
  expect(world.objects.has('staging/web-baseline')).toBe(false);
  expect(world.objects.has('Service staging/web-baseline')).toBe(false);
  expect(env(jobs()[1]?.[1])).toContainEqual({ name: 'STABLE_ADDRESS', value: 'web.staging.svc:80' });
  const working = setInterval(() => end('Complete'), 200);
  const run = await over;
  clearInterval(working);
  expect(run).toMatchObject({ state: 'finished', report: { kind: 'promoted' } });
  expect(run.checklist.slice(0, 4)).toEqual(['prepare', 'weight 0', 'experiment', 'weight 50']);
});

test.each([
  ['smoke test', 'green', {}],
  ['share', 'web', { strategy: 'canary', weights: [25], bake: '1ms' }],
])('a worker that dies just as the Job of a %s is made leaves one, and its verdict counts', async (_of, app, how) => {
  const dead = createDesk(
    { ...engine, store: { ...engine.store, renew: async () => ({ lost: [], cancelled: [], steered: [] }) } },
    'dies',
  );
  const names: string[] = [];
  const { create } = cluster.kube;
  cluster.kube.create = async (manifest, options, signal) => {
    const made = await create(manifest, options, signal);
    names.push(String(at(manifest, 'metadata', 'name')));
    if (names.length === 1) await new Promise((_resolve, reject) => signal.addEventListener('abort', reject));
    return made;
  };
  const id = await desk.ask('deploy', { app, env: 'staging', tag: 'v2', ...how });
  const dying = dead.lap(id).catch(() => {});
  await expect.poll(() => names.length, { timeout: 10_000 }).toBe(1);
  await engine.redis.hdel(`{shipmate}:v1:run:${id}`, 'leaseUntil');
  const working = setInterval(() => end('Complete'), 200);
  const [run] = await desk.settle([id], 30_000);
  clearInterval(working);
  await dead.leases.stop();
  await dying;
  expect(run).toMatchObject({ state: 'finished', report: { kind: 'promoted' } });
  expect(new Set(names).size).toBe(names.length);
  expect(await desk.run(id)).toEqual(run);
});
