import { afterEach, beforeEach, expect, test } from 'vitest';
import { furnish } from '../../fakes/small-cluster.ts';
import { redisForFile } from '../../support/redis.ts';
import { deployment, type RestBed, restBed } from './rest-bed.ts';

const redis = redisForFile();
let bed: RestBed;

beforeEach(async () => {
  bed = await restBed(redis().url);
  furnish(bed.world);
});
afterEach(async () => bed.close());

const inputOf = async (id: string) => (await bed.engine.store.read(id))?.input;

test.each([
  ['POST', 'deployments/staging/my-app/restart', 'restart', { app: 'my-app', env: 'staging' }],
  ['POST', 'statefulsets/staging/db/restart', 'restart', { app: 'statefulset/db', env: 'staging' }],
  ['POST', 'deployments/staging/my-app/pause', 'rollout-pause', { app: 'my-app', env: 'staging' }],
  ['POST', 'deployments/staging/my-app/resume', 'rollout-resume', { app: 'my-app', env: 'staging' }],
  ['POST', 'rollouts/staging/shop/abort', 'rollout-abort', { app: 'rollout/shop', env: 'staging' }],
  ['POST', 'cronjobs/staging/report/run', 'job-run', { name: 'report', env: 'staging' }],
  ['POST', 'cronjobs/staging/report/suspend', 'cron-suspend', { name: 'report', env: 'staging' }],
  ['DELETE', 'daemonsets/staging/agent', 'workload-delete', { app: 'daemonset/agent', env: 'staging', all: false }],
] as const)('%s %s asks for %s', async (method, path, operation, input) => {
  const { status, body } = await bed.send('ana', method, path);
  expect(status).toBe(202);
  expect(body.data).toMatchObject({ operation, state: 'requested' });
  expect(await inputOf(body.data.run)).toEqual(input);
});

test('a body goes with it: how to scale, which revision, whether to its very end', async () => {
  const asked = async (method: 'POST' | 'PUT', path: string, body: object) =>
    await inputOf((await bed.send('ana', method, path, body)).body.data.run);
  expect(await asked('PUT', 'deployments/staging/my-app/scale', { replicas: '+2' })).toMatchObject({ replicas: '+2' });
  expect(await asked('PUT', 'deployments/staging/my-app/scale', { replicas: 5 })).toMatchObject({ replicas: 5 });
  expect(await asked('POST', 'deployments/staging/my-app/rollback', { revision: 3 })).toMatchObject({ revision: 3 });
  expect(await asked('POST', 'rollouts/staging/shop/promote', { full: true })).toMatchObject({ full: true });
  const { status, body } = await bed.send('ana', 'PUT', 'deployments/staging/my-app/scale', { replicas: 'lots' });
  expect([status, body.error.message]).toEqual([400, 'replicas: must be a whole number up to 1000, or +2, -1 or 50%.']);
});

test('what is looked up is answered at once', async () => {
  const { body: first } = await bed.send('ana', 'POST', 'deployments', { ...deployment, namespace: 'staging' });
  await bed.work(first.data.run);
  const answer = async (path: string) => {
    const waiting = bed.send('ana', 'GET', path);
    await expect.poll(() => bed.engine.woken.length).toBeGreaterThan(asked);
    asked = bed.engine.woken.length;
    await bed.work(bed.engine.woken.at(-1) ?? '');
    return await waiting;
  };
  let asked = bed.engine.woken.length;
  const history = await answer('deployments/staging/my-app/history?revision=1');
  expect(history.status).toBe(200);
  expect(history.body.data.report).toMatchObject({ kind: 'text', title: 'Revisions of my-app in staging, revision 1' });
  expect((await answer('deployments/staging/my-app/status')).body.data.report).toMatchObject({
    kind: 'table',
    title: 'my-app in staging',
  });
  expect((await answer('jobs/staging')).body.data.report.rows).toHaveLength(2);
});
