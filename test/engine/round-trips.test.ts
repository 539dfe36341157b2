import { expect, test, vi } from 'vitest';
import { z } from 'zod';
import { defineOperation } from '../../src/core/operation.ts';
import { fakeWorld } from '../fakes/fake-clients.ts';
import { createDesk } from '../support/desk.ts';
import { testEngine } from '../support/engine.ts';
import { redisForFile } from '../support/redis.ts';

const redis = redisForFile();
const steps = ['one', 'two', 'three', 'four', 'five'] as const;

const fiveSteps = defineOperation({
  name: 'five',
  summary: 'For this test',
  effect: 'change',
  input: z.strictObject({}),
  usage: '',
  examples: [''],
  needs: [],
  steps,
  target: () => ({ app: 'web', env: 'staging' }),
  plan: async () => ({ summary: 'five steps', changes: [], takesOver: [] }),
  run: async (run) => {
    for (const name of steps) await run.step(name, async () => name);
    return { kind: 'unchanged' };
  },
});

test('a run with five steps takes at most 40 round trips to Redis, queue included', async () => {
  const engine = await testEngine(redis().url, fakeWorld().clients, { catalogue: new Map([['five', fiveSteps]]) });
  const desk = createDesk(engine);
  await desk.done('five', {}); // so that Redis knows the scripts
  const sent = vi.spyOn(engine.redis, 'sendCommand');
  expect(await desk.done('five', {})).toMatchObject({ state: 'finished' });
  // The desk reads the run once more; BullMQ takes three for a job: add, fetch, finish.
  const perRun = sent.mock.calls.length - 1 + 3;
  console.info(`round trips for a run with five steps: ${perRun}`);
  expect(perRun).toBeLessThanOrEqual(40);
  await desk.leases.stop();
  engine.close();
});
