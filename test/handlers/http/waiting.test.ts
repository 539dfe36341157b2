import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { fault } from '../../../src/core/errors.ts';
import { type Settings, Settings as SettingsSchema } from '../../../src/core/settings.ts';
import { troubleText } from '../../../src/core/trouble-text.ts';
import { redisForFile } from '../../support/redis.ts';
import { deployment, type RestBed, restBed, restSettings } from './rest-bed.ts';

const redis = redisForFile();
let bed: RestBed;
let settings: Settings;

beforeEach(async () => {
  settings = SettingsSchema.parse({
    ...restSettings,
    environments: { ...restSettings.environments, test: { namespace: 'test' } },
    fleets: { both: ['staging', 'test'] },
    policy: [...restSettings.policy, { name: 'free', environments: ['test'] }],
  });
  bed = await restBed(redis().url, {}, { settings: () => settings });
  await bed.engine.redis.flushall();
});
afterEach(async () => bed.close());

const staging = { ...deployment, namespace: 'staging' };
const trouble = { code: 'crash-loop' as const, detail: 'exit code 1', logs: ['panic: boom'] };
type Asked = ReturnType<RestBed['send']>;
type Answer = Awaited<Asked>;

const deploy = (prefer: string | undefined, body: object = staging, headers: Record<string, string> = {}) =>
  bed.send('ana', 'POST', 'deployments', body, { ...(prefer !== undefined && { prefer }), ...headers });
const look = (id: string, prefer?: string, who = 'ana') =>
  bed.send(who, 'GET', `runs/${id}`, undefined, prefer === undefined ? {} : { prefer });

/** The run that was asked for last, once it is stored. */
async function begun(count = 1): Promise<string> {
  await expect.poll(() => bed.engine.woken.length).toBe(count);
  return bed.engine.woken.at(-1) ?? '';
}
/** Lets a worker do what is being asked for. */
async function done(asked: Asked): Promise<Answer> {
  await bed.work(await begun());
  return await asked;
}
const timed = async (asked: Asked) => {
  const began = performance.now();
  return { ...(await asked), seconds: (performance.now() - began) / 1_000 };
};
/** Whether it is still held after a while. */
async function isHeld(asked: Promise<unknown>): Promise<boolean> {
  const late = new Promise<'held'>((resolve) => setTimeout(resolve, 1_300, 'held'));
  return (await Promise.race([asked, late])) === 'held';
}
const awaiting = async () => {
  const { body } = await deploy(undefined, deployment);
  await bed.work(body.data.run);
  const { data } = (await look(body.data.run)).body;
  expect(data.state).toBe('awaiting');
  return { id: String(data.run), digest: String(data.plan.digest) };
};

describe('a change that is waited for', () => {
  test('is answered with its end', async () => {
    const { status, headers, body } = await done(deploy('wait=30'));
    expect([status, body.data.state, body.error]).toEqual([200, 'finished', undefined]);
    expect(headers).toMatchObject({ 'preference-applied': 'wait=30', vary: 'Prefer', location: body.data.link });
    expect(headers['retry-after']).toBeUndefined();
  });

  test('is answered at once when it ends, not at the next look', async () => {
    await expect
      .poll(async () => (await bed.engine.redis.pubsub('NUMSUB', '{shipmate}:v1:changed'))[1])
      .toBeGreaterThan(0);
    const asked = deploy('wait=30');
    await bed.work(await begun());
    const { seconds } = await timed(asked);
    expect(seconds).toBeLessThan(0.5);
  });

  test('that is not over in time goes on, and it is said when and where to ask again', async () => {
    const { status, headers, body, seconds } = await timed(deploy('wait=1'));
    expect([status, body.data.state]).toEqual([202, 'requested']);
    expect(headers).toMatchObject({ 'preference-applied': 'wait=1', 'retry-after': '2', location: body.data.link });
    expect(seconds).toBeGreaterThan(0.9);
    expect(seconds).toBeLessThan(5);
    await bed.work(body.data.run);
    expect((await look(body.data.run)).body.data.state).toBe('finished');
  });

  test.each([undefined, 'wait=soon', 'wait=-1', 'wait="', ';;,,==', 'return=minimal', 'respond-async'])(
    'not with Prefer: %s: then it is answered at once',
    async (prefer) => {
      const { status, headers, body, seconds } = await timed(deploy(prefer));
      expect([status, body.data.state]).toEqual([202, 'requested']);
      expect(headers).toMatchObject({ 'retry-after': '2', vary: 'Prefer', location: body.data.link });
      expect(headers['preference-applied']).toBe(prefer === 'respond-async' ? 'respond-async' : undefined);
      expect(seconds).toBeLessThan(1);
    },
  );

  test('for longer than a minute is waited for a minute, and told so', async () => {
    expect((await done(deploy('wait=600'))).headers['preference-applied']).toBe('wait=60');
  });

  test('or else to be answered later, is both', async () => {
    const { status, headers } = await deploy('respond-async, wait=1');
    expect([status, headers['preference-applied']]).toEqual([202, 'wait=1, respond-async']);
  });

  test('by a second request with its key is answered with the one end', async () => {
    const key = { 'idempotency-key': crypto.randomUUID() };
    const first = deploy('wait=30', staging, key);
    await begun();
    const second = deploy('wait=30', staging, key);
    const [one, other] = [await done(first), await second];
    expect([one.status, other.status]).toEqual([200, 200]);
    expect(other.body.data.run).toBe(one.body.data.run);
    expect((await deploy('wait=30', staging, key)).status).toBe(200);
  });

  test('is waited for no longer than the token of who asked counts', async () => {
    bed.engine.now = () => Date.now() + 5 * 60_000 - 1_500;
    const { status, seconds } = await timed(deploy('wait=30'));
    expect(status).toBe(202);
    expect(seconds).toBeLessThan(5);
  });
});

describe('a change that is waited for and does not end well is an error, with the run beside it', () => {
  const problem = async (asked: Asked) => {
    const { status, headers, body } = await done(asked);
    expect(body.error).toEqual({
      code: expect.any(String),
      message: expect.any(String),
      hint: expect.any(String),
      requestId: headers['x-request-id'],
    });
    expect(headers).toMatchObject({ location: body.data.link, 'preference-applied': 'wait=30' });
    expect(headers['retry-after']).toBeUndefined();
    return { status, state: body.data.state, code: body.error.code, body };
  };

  test('a rollout that failed', async () => {
    bed.world.ends.push({ kind: 'failed', replicas: 1, updated: 1, ready: 0, trouble });
    const { body, ...rest } = await problem(deploy('wait=30'));
    expect(rest).toEqual({ status: 422, state: 'failed', code: 'ENDED_OTHERWISE' });
    expect(body.error.message).toBe(
      `Run ${body.data.run} is over, and failed instead of finished: 0 of 1 pods ready: ${troubleText(trouble).what}.`,
    );
    expect(body.data.report).toMatchObject({ kind: 'rollout-failed' });
  });

  test('an image that is not there', async () => {
    const { body, ...rest } = await problem(deploy('wait=30', { ...staging, image: 'myapp:v9' }));
    expect(rest).toEqual({ status: 422, state: 'failed', code: 'IMAGE_NOT_FOUND' });
    expect(body.data.fault).toMatchObject({ message: body.error.message, hint: body.error.hint });
  });

  test.each([
    [fault('STEP_TIMED_OUT', { step: 'apply', minutes: '5' }), 'timed-out'],
    [fault('NOT_DEPLOYED', { app: 'a', env: 'e', namespace: 'n', workload: 'w' }), 'failed'],
    [new Error('unexpected'), 'failed'],
  ])('%s: never 5xx, which machines send again, nor 404, as if there were no run', async (thrown, state) => {
    bed.world.kube.preview = async () => {
      throw thrown;
    };
    expect(await problem(deploy('wait=30'))).toMatchObject({ status: 422, state });
  });

  test('what the policy forbids when it is planned', async () => {
    const asked = deploy('wait=30');
    await begun();
    settings = { ...settings, policy: restSettings.policy.filter(({ name }) => name !== 'staging') };
    expect(await problem(asked)).toMatchObject({ status: 403, state: 'denied', code: 'POLICY_DENIED' });
  });

  test('a lock', async () => {
    const lock = {
      scope: '*@staging',
      owner: { kind: 'token', subject: 'ben@example.com' } as const,
      reason: 'moving',
    };
    await bed.engine.clients.locks.put({ ...lock, at: Date.now() });
    expect(await problem(deploy('wait=30'))).toMatchObject({ status: 423, state: 'denied', code: 'LOCKED' });
  });

  test('somebody stops it; for who stops it and waits, that is as wanted', async () => {
    const asked = deploy('wait=30');
    const id = await begun();
    const stopped = bed.send('ana', 'POST', `runs/${id}/cancel`, {}, { prefer: 'wait=30' });
    await begun(2);
    await bed.work(id);
    expect(await stopped).toMatchObject({ status: 200, body: { data: { state: 'cancelled' } } });
    const { status, body } = await asked;
    expect([status, body.data.state, body.error.code]).toEqual([422, 'cancelled', 'ENDED_OTHERWISE']);
    expect(body.error.message).toBe(
      `Run ${id} is over, and cancelled instead of finished: token:ana@example.com stopped it.`,
    );
  });

  test('a stop that came too late', async () => {
    const { body } = await deploy(undefined);
    bed.world.rolloutMs = 400;
    const working = bed.work(body.data.run);
    const { store } = bed.engine;
    bed.engine.store = { ...store, cancel: async () => 'ok' };
    const stopped = bed.send('ana', 'POST', `runs/${body.data.run}/cancel`, {}, { prefer: 'wait=30' });
    await working;
    expect(await stopped).toMatchObject({
      status: 422,
      body: {
        error: {
          message: expect.stringContaining(
            `Run ${body.data.run} is over, and finished instead of cancelled: 1 of 1 pods ready after`,
          ),
        },
      },
    });
  });
});

describe('a run that waits for a person', () => {
  test('is answered as soon as it begins to: a script says then who must approve', async () => {
    const asked = timed(deploy('wait=30', deployment));
    await bed.work(await begun());
    const { status, headers, body, seconds } = await asked;
    expect([status, body.data.state, body.data.approval.approvers]).toEqual([202, 'awaiting', ['engineers']]);
    expect(headers).toMatchObject({ 'retry-after': '15', 'preference-applied': 'wait=30', location: body.data.link });
    expect(seconds).toBeLessThan(5);
  });

  test('is waited for where it did so before: approved meanwhile, the answer is its end', async () => {
    const { id, digest } = await awaiting();
    const asked = look(id, 'wait=30');
    expect(await isHeld(asked)).toBe(true);
    const approved = bed.send('ben', 'POST', `runs/${id}/decision`, { kind: 'approve', digest }, { prefer: 'wait=30' });
    await begun(2);
    await bed.work(id);
    for (const { status, body } of [await asked, await approved])
      expect([status, body.data.state]).toEqual([200, 'finished']);
  });

  test('is answered as soon as it waits for something else', async () => {
    const { id } = await awaiting();
    const asked = timed(look(id, 'wait=30'));
    expect(await isHeld(asked)).toBe(true);
    const { store } = bed.engine;
    const run = (await store.read(id)) ?? expect.unreachable();
    const asks = { of: 'approvers' as const, choices: ['on'] };
    const steps = { pause: { state: 'waiting' as const, startedAt: 1, asks } };
    await store.commit({ run: { ...run, version: run.version + 1, state: 'running', steps }, events: [] });
    const { status, body, seconds } = await asked;
    expect([status, body.data.state]).toEqual([202, 'running']);
    expect(seconds).toBeLessThan(5);
  });

  test('and is rejected is an error for who waited for it, not for who rejects it', async () => {
    const { id, digest } = await awaiting();
    const asked = look(id, 'wait=30');
    const rejected = await bed.send(
      'ben',
      'POST',
      `runs/${id}/decision`,
      { kind: 'reject', digest },
      { prefer: 'wait=9' },
    );
    expect([rejected.status, rejected.body.data.state]).toEqual([200, 'rejected']);
    const { status, body } = await asked;
    expect([status, body.error.message]).toEqual([
      422,
      `Run ${id} is over, and rejected instead of finished: token:ben@example.com rejected it.`,
    ]);
  });

  test('a decision that nobody waits for is answered at once', async () => {
    const { id, digest } = await awaiting();
    const { status, headers } = await bed.send('ben', 'POST', `runs/${id}/decision`, { kind: 'approve', digest });
    expect([status, headers['retry-after']]).toEqual([200, '2']);
  });
});

describe('GET /runs/ID', () => {
  test('shows the run whatever became of it, and says when to ask again while it is open', async () => {
    bed.world.ends.push({ kind: 'failed', replicas: 1, updated: 1, ready: 0, trouble });
    const { body } = await deploy(undefined);
    const open = await look(body.data.run);
    expect([open.status, open.headers['retry-after'], open.headers.vary]).toEqual([200, '2', 'Prefer']);
    await bed.work(body.data.run);
    const over = await look(body.data.run);
    expect([over.status, over.body.data.state, over.headers['retry-after']]).toEqual([200, 'failed', undefined]);
    expect(over.body.error).toBeUndefined();
  });

  test.each([
    [10_000, '10'],
    [3_600_000, '30'],
    [500, '2'],
    [-5_000, '2'],
  ])('of a run that is parked for %d ms says to ask again in %s s', async (ms, seconds) => {
    const { body } = await deploy(undefined);
    const { store } = bed.engine;
    const run = (await store.read(body.data.run)) ?? expect.unreachable();
    const now = Date.now();
    bed.engine.now = () => now;
    await store.commit({ run: { ...run, version: 2, state: 'running', wakeAt: now + ms }, events: [] });
    expect((await look(run.id)).headers['retry-after']).toBe(seconds);
  });

  test('with Prefer: wait answers as the request itself would have', async () => {
    bed.world.ends.push({ kind: 'failed', replicas: 1, updated: 1, ready: 0, trouble });
    const { headers } = await deploy(undefined);
    const follow = (prefer: string) =>
      bed.send('ana', 'GET', new URL(String(headers.location)).pathname, undefined, { prefer });
    const open = await follow('wait=1');
    expect([open.status, open.headers['preference-applied']]).toEqual([202, 'wait=1']);
    expect(open.headers.location).toBe(headers.location);
    const asked = follow('wait=30');
    expect(await done(asked)).toMatchObject({ status: 422, body: { error: {}, data: { state: 'failed' } } });
    expect((await follow('wait=30')).status).toBe(422);
  });

  test('tells no more of it to who may read it no longer', async () => {
    const { body } = await deploy(undefined, { ...staging, namespace: 'test' });
    const asked = look(body.data.run, 'wait=3', 'ben');
    await new Promise((resolve) => setTimeout(resolve, 300));
    settings = { ...settings, policy: settings.policy.filter(({ name }) => name !== 'free') };
    const { store } = bed.engine;
    const run = (await store.read(body.data.run)) ?? expect.unreachable();
    await store.commit({ run: { ...run, version: 2, state: 'failed' }, events: [] });
    expect(await asked).toMatchObject({ status: 202, body: { data: { state: 'requested' } } });
    expect((await look(body.data.run, undefined, 'ben')).status).toBe(404);
  });
});

describe('a question', () => {
  const path = 'deployments/production/my-app';
  test('is not waited for with respond-async', async () => {
    const { status, headers, seconds } = await timed(
      bed.send('ana', 'GET', path, undefined, { prefer: 'respond-async' }),
    );
    expect([status, headers['preference-applied'], headers['retry-after']]).toEqual([202, 'respond-async', '2']);
    expect(seconds).toBeLessThan(1);
  });

  test('is waited for as long as its asker likes', async () => {
    const { status, seconds } = await timed(bed.send('ana', 'GET', path, undefined, { prefer: 'wait=1' }));
    expect(status).toBe(202);
    expect(seconds).toBeLessThan(4);
  });

  test('that has no answer is an error', async () => {
    const { status, headers, body } = await done(bed.send('ana', 'GET', `${path}/history`));
    expect([status, body.data.state, body.error.code]).toEqual([422, 'failed', 'NOT_DEPLOYED']);
    expect(headers['preference-applied']).toBeUndefined();
  });
});

describe('two environments', () => {
  const both = { app: 'my-app', env: 'both', image: 'myapp:v1.0.0' };
  const deployBoth = (prefer: string) => bed.send('ana', 'POST', 'operations/deploy', both, { prefer });

  test('are waited for until the last is over', async () => {
    const asked = deployBoth('wait=30');
    await begun(2);
    const [first = '', second = ''] = bed.engine.woken;
    await bed.work(second);
    expect(await isHeld(asked)).toBe(true);
    await bed.work(first);
    const { status, body } = await asked;
    expect(status).toBe(200);
    expect(body.each.map(({ state }: { state: string }) => state)).toEqual(['finished', 'finished']);
  });

  test('of which one failed are an error that names it', async () => {
    const asked = deployBoth('wait=30');
    await begun(2);
    const [first = '', second = ''] = bed.engine.woken;
    await bed.work(first);
    bed.world.ends.push({ kind: 'failed', replicas: 1, updated: 1, ready: 0, trouble });
    await bed.work(second);
    const { status, body } = await asked;
    const failed = body.each.find(({ state }: { state: string }) => state === 'failed');
    expect([status, failed.run]).toEqual([422, second]);
    expect(body.error.message).toBe(
      `${failed.target.env}: Run ${second} is over, and failed instead of finished: 0 of 1 pods ready: ${troubleText(trouble).what}.`,
    );
  });

  test('of which one is not over in time lead to that one', async () => {
    const asked = deployBoth('wait=2');
    await begun(2);
    const stored = await Promise.all(bed.engine.woken.map((id) => bed.engine.store.read(id)));
    const here = stored.find((run) => run?.place?.env === 'staging')?.id ?? '';
    await bed.work(here);
    const { status, headers, body } = await asked;
    expect(status).toBe(202);
    expect(body.each.map(({ state }: { state: string }) => state)).toEqual(['finished', 'requested']);
    expect(headers.location).toBe(body.each[1].link);
  });
});

test('the way back can be waited for', async () => {
  for (const image of ['myapp:v1.0.0', 'myapp:v2.0.0']) {
    const { body } = await deploy(undefined, { ...staging, image });
    await bed.work(body.data.run);
  }
  const asked = bed.send('ana', 'POST', `runs/${bed.engine.woken[1]}/undo`, undefined, { prefer: 'wait=30' });
  await bed.work(await begun(3));
  expect(await asked).toMatchObject({ status: 200, body: { data: { operation: 'deploy', state: 'finished' } } });
});
