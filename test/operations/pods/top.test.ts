import { afterAll, beforeAll, expect, test } from 'vitest';
import { fakeWorld } from '../../fakes/fake-clients.ts';
import { furnish } from '../../fakes/small-cluster.ts';
import { createDesk } from '../../support/desk.ts';
import { type TestEngine, testEngine } from '../../support/engine.ts';
import { startRedis } from '../../support/redis.ts';

/** The bed has no metrics server; what one answers with is in the small cluster. */
let engine: TestEngine;
let end: () => Promise<void>;

beforeAll(async () => {
  const redis = await startRedis();
  const world = fakeWorld();
  furnish(world);
  const pod = world.objects.get('Pod staging/web-6d4f9c6b7-x2v8k') ?? {};
  const resources = { requests: { cpu: '100m', memory: '64Mi' }, limits: { memory: '128Mi' } };
  world.objects.set('Pod staging/web-6d4f9c6b7-x2v8k', {
    ...pod,
    spec: { containers: [{ name: 'web', image: 'web', resources }] },
  });
  world.objects.set('Pod staging/fresh', {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'fresh', namespace: 'staging' },
  });
  engine = await testEngine(redis.url, world.clients);
  end = async () => {
    engine.close();
    await redis.stop();
  };
});
afterAll(() => end());

test('use is told with its share of requests and limits, and what is not measured is counted', async () => {
  const desk = createDesk(engine);
  const run = await desk.done('top', { env: 'staging' });
  expect(run.report).toMatchObject({
    kind: 'table',
    rows: [['web-6d4f9c6b7-x2v8k', '12m', '12 %', '–', '34 Mi', '53 %', '27 %']],
    note: 'Together 12m CPU, 34 Mi memory. Not measured (yet): 2 more.',
  });
  await desk.leases.stop();
});
