import { expect, test } from 'vitest';
import { request } from '../../src/engine/request.ts';
import { fakeWorld } from '../fakes/fake-clients.ts';
import { ana, testEngine } from '../support/engine.ts';
import { redisForFile } from '../support/redis.ts';

const redis = redisForFile();

const ask = {
  actor: ana,
  operation: 'deploy',
  input: { app: 'web', env: 'staging', tag: 'v1' },
  origin: { surface: 'rest' as const },
};

test('with Redis killed a request is refused at once, and what was stored is there after its restart', async () => {
  const engine = await testEngine(redis().url, fakeWorld().clients);
  const { id } = await request(engine, ask);
  await redis().kill();
  const began = performance.now();
  await expect(request(engine, ask)).rejects.toMatchObject({ code: 'STORE_DOWN', retry: 'later' });
  expect(performance.now() - began).toBeLessThan(3_000);
  await redis().start();
  await expect
    .poll(
      () =>
        engine.store.ping().then(
          () => 'up',
          () => 'down',
        ),
      { timeout: 5_000 },
    )
    .toBe('up');
  expect(await engine.store.read(id)).toMatchObject({ id, state: 'requested' });
  engine.close();
});

test('with Redis frozen a request fails within three seconds', async () => {
  const engine = await testEngine(redis().url, fakeWorld().clients);
  await engine.store.ping();
  const { id } = await request(engine, ask); // so that the script is known, and only its hash waits in the queue
  const before = await engine.store.recent(10);
  expect(before[0]?.id).toBe(id);
  redis().pause();
  const began = performance.now();
  await expect(request(engine, ask)).rejects.toMatchObject({ code: 'STORE_DOWN' });
  expect(performance.now() - began).toBeLessThan(3_000);
  redis().resume();
  // What waited in Redis' queue is done now, and taken back at once: nobody was told of that run.
  await expect
    .poll(() =>
      engine.store.ping().then(
        () => 'up',
        () => 'down',
      ),
    )
    .toBe('up');
  expect(await engine.store.recent(10)).toEqual(before);
  engine.close();
});
