import { beforeEach, expect, test } from 'vitest';
import { z } from 'zod';
import { fault } from '../../src/core/errors.ts';
import { defineOperation, type Operation } from '../../src/core/operation.ts';
import { EnvRef } from '../../src/core/place.ts';
import { advance } from '../../src/engine/advance.ts';
import { createLeases } from '../../src/engine/leases.ts';
import { fakeWorld } from '../fakes/fake-clients.ts';
import { createDesk } from '../support/desk.ts';
import { quiet, type TestEngine, testEngine } from '../support/engine.ts';
import { redisForFile } from '../support/redis.ts';

const redis = redisForFile();
let engine: TestEngine;
let done: number;
let act: () => Promise<void>;

const launch = defineOperation({
  name: 'deploy', // a name that the policy of the tests knows
  summary: 'Launch a rocket',
  effect: 'change',
  input: z.strictObject({ env: EnvRef }),
  usage: 'in <env>',
  examples: ['in staging'],
  needs: [],
  steps: ['launch'],
  atMostOnce: ['launch'],
  target: ({ env }) => ({ env }),
  plan: async () => ({ summary: 'a rocket', changes: [], takesOver: [] }),
  run: async (run) => {
    await run.step('launch', async ({ record }) => {
      record('it went up, password=hunter22hunter');
      await act();
    });
    return { kind: 'changed', objects: [] };
  },
});

beforeEach(async () => {
  done = 0;
  act = async () => {
    done += 1;
  };
  const catalogue = new Map<string, Operation>([['deploy', launch]]);
  engine = await testEngine(redis().url, fakeWorld().clients, { catalogue });
  await engine.redis.flushall();
  return () => engine.close();
});

class Killed extends Error {}

test('killed after it acted and before that was stored, it is not repeated', async () => {
  const desk = createDesk(engine);
  const id = await desk.ask('deploy', { env: 'staging' });
  act = async () => {
    done += 1;
    // The process is gone: nothing more is stored, and the lease runs out.
    Object.assign(dying.store, { commit: () => Promise.reject(new Killed()), release: async () => {} });
  };
  const dying = { ...engine, store: { ...engine.store } };
  const doomed = createLeases({ ...engine.store, release: async () => {} }, 'doomed', quiet);
  await advance(dying, doomed, id).catch(() => {});
  await doomed.stop();
  await engine.redis.hdel(`{shipmate}:v1:run:${id}`, 'leaseUntil');
  expect((await desk.run(id)).steps.launch?.state).toBe('started');

  const after = await desk.lap(id);
  expect(after).toMatchObject({ state: 'failed', fault: { code: 'NOT_KNOWN' } });
  expect(after.steps.launch).toMatchObject({ state: 'failed', note: 'not known whether it was done' });
  expect(done).toBe(1);
  expect((await desk.lap(id)).state).toBe('failed');
  expect(done).toBe(1);
  await desk.leases.stop();
});

test('a fault that may pass is not tried again', async () => {
  const desk = createDesk(engine);
  act = async () => {
    done += 1;
    throw fault('CLUSTER_UNREACHABLE', { cluster: 'default', problem: 'gone' });
  };
  expect(await desk.done('deploy', { env: 'staging' })).toMatchObject({ state: 'failed' });
  expect(done).toBe(1);
  await desk.leases.stop();
});

test('what a step records is in the audit log with its end, without secrets', async () => {
  const desk = createDesk(engine);
  const { id } = await desk.done('deploy', { env: 'staging' });
  await engine.audit.seal();
  const texts = (await engine.audit.read({ limit: 100 }))
    .filter(({ run, kind }) => run === id && kind === 'step')
    .map(({ text }) => text);
  expect(texts).toEqual(['started', 'it went up, password=[redacted]', 'done']);
  await desk.leases.stop();
});
