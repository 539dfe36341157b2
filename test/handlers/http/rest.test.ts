import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Settings } from '../../../src/core/settings.ts';
import { createSeal } from '../../../src/store/seal.ts';
import { createStores } from '../../../src/store/stores.ts';
import { redisForFile } from '../../support/redis.ts';
import { api, deployment, type RestBed, restBed, restSettings, tokenOf } from './rest-bed.ts';

const redis = redisForFile();
let bed: RestBed;

beforeEach(async () => {
  bed = await restBed(redis().url);
});
afterEach(async () => bed.close());

const stored = async (id: string) => (await bed.engine.store.read(id)) ?? expect.unreachable(`no run ${id}`);

describe('the three bodies of the issue', () => {
  test('POST /deployments', async () => {
    const { status, headers, body } = await bed.send('ana', 'POST', 'deployments', deployment);
    expect(status).toBe(202);
    expect(body.data).toMatchObject({ state: 'requested', operation: 'deploy', actor: 'token:ana@example.com' });
    expect(headers.location).toBe(body.data.link);
    const run = await stored(body.data.run);
    const { name: app, env: variables, namespace: _namespace, ...rest } = deployment;
    expect(run).toMatchObject({
      operation: 'deploy',
      actor: { kind: 'token', subject: 'ana@example.com' },
      origin: { surface: 'rest' },
      place: { app: 'my-app', env: 'prod', namespace: 'production' },
    });
    expect(run.input).toEqual({ app, env: 'production', variables, ...rest });
    expect(bed.engine.woken).toEqual([run.id]);
  });

  test('PUT …/scale', async () => {
    const { status, body } = await bed.send('ana', 'PUT', 'deployments/production/my-app/scale', { replicas: 5 });
    expect(status).toBe(202);
    expect((await stored(body.data.run)).input).toEqual({ app: 'my-app', env: 'production', replicas: 5 });
  });

  test('PUT …/rollout takes the canary’s fields', async () => {
    const { status, body } = await bed.send('ana', 'PUT', 'deployments/production/my-app/rollout', {
      image: 'myapp:v2.0.0',
      strategy: 'canary',
      canaryWeight: 20,
    });
    expect(status).toBe(202);
    expect(await stored(body.data.run)).toMatchObject({
      operation: 'deploy',
      input: { app: 'my-app', env: 'production', image: 'myapp:v2.0.0', strategy: 'canary', canaryWeight: 20 },
    });
  });
});

test('of a token’s claims only those that roles speak of are kept', async () => {
  const groups = [...Array.from({ length: 200 }, (_, n) => `group-${n}`), 'deployers'];
  const token = await tokenOf('ci@example.com', { groups, email: 'ci@example.com', phone_number: '+49 30 1234' });
  const { body } = await bed.send(
    'ana',
    'PUT',
    'deployments/staging/my-app/scale',
    { replicas: 5 },
    {
      authorization: `Bearer ${token}`,
    },
  );
  const claims = ['groups=deployers'];
  expect((await stored(body.data.run)).actor).toEqual({ kind: 'token', subject: 'ci@example.com', claims });
});

test('a rollout goes from the request to its end, and the run tells how', async () => {
  const { body } = await bed.send('ana', 'POST', 'deployments', { ...deployment, namespace: 'staging' });
  await bed.work(body.data.run);
  const { status, body: end } = await bed.send('ben', 'GET', `runs/${body.data.run}`);
  expect(status).toBe(200);
  expect(end.data).toMatchObject({
    run: body.data.run,
    state: 'finished',
    target: { app: 'my-app', env: 'staging' },
    plan: { summary: 'myapp:v1.0.0, new in staging', image: { digest: `sha256:${'1'.repeat(64)}` } },
    steps: [
      { name: 'apply', state: 'done' },
      { name: 'settle', state: 'done' },
    ],
    report: { kind: 'rolled-out' },
  });
  // Its Service, and then itself.
  expect(bed.world.applied).toMatchObject([{ image: undefined }, { image: expect.stringContaining('myapp:v1.0.0') }]);
});

test('values that may be secret don’t come out again', async () => {
  const env = { DB_PASSWORD: 'hunter2', PLAIN: 'seen' };
  const refused = await bed.send('ana', 'POST', 'deployments', { ...deployment, namespace: 'staging', env });
  expect(refused).toMatchObject({ status: 422, body: { error: { code: 'NOT_SEALED' } } });
  const { store } = createStores(bed.engine.redis, createSeal([Buffer.alloc(32, 7)]));
  const sealed = await restBed(redis().url, {}, { store });
  const { body } = await sealed.send('ana', 'POST', 'deployments', { ...deployment, namespace: 'staging', env });
  await sealed.work(body.data.run);
  const { body: run } = await sealed.send('ben', 'GET', `runs/${body.data.run}`);
  expect(JSON.stringify(run)).toContain('seen');
  expect(JSON.stringify(run)).not.toContain('hunter2');
  await sealed.close();
});

describe('links', () => {
  test('name the host that was asked', async () => {
    const { body } = await bed.send('ana', 'POST', 'deployments', deployment, { host: 'ship.example:3015' });
    expect(body.data.link).toBe(`http://ship.example:3015${api}/runs/${body.data.run}`);
    const again = await bed.send('ana', 'GET', new URL(body.data.link).pathname);
    expect(again.body.data.run).toBe(body.data.run);
    expect((await bed.send('ana', 'GET', `/runs/${body.data.run}`)).body.data.run).toBe(body.data.run);
  });

  test('name PUBLIC_URL where it is set', async () => {
    const { engine } = bed;
    const notices = { watch: async () => async () => {} };
    const tokens = { secret: 'a secret that is long enough for HS256' };
    const other = await restBed(redis().url, { api: { engine, notices, tokens, publicUrl: 'https://ship.example/' } });
    const { body } = await other.send('ana', 'POST', 'deployments', deployment);
    expect(body.data.link).toBe(`https://ship.example${api}/runs/${body.data.run}`);
    await other.close();
  });
});

describe('a question', () => {
  test('is waited for, and answered in the same breath', async () => {
    const asked = bed.send('ana', 'GET', 'deployments/production/my-app');
    await expect.poll(() => bed.engine.woken.length).toBe(1);
    await bed.work(bed.engine.woken[0] ?? '');
    const { status, body } = await asked;
    expect(status).toBe(200);
    expect(body.data).toMatchObject({
      state: 'finished',
      report: { kind: 'status', apps: [{ app: 'my-app', env: 'prod', problem: 'not deployed' }] },
    });
  });

  test('why something is wrong is answered with cause and remedy', async () => {
    const asked = bed.send('ana', 'GET', 'deployments/production/my-app/explanation');
    await expect.poll(() => bed.engine.woken.length).toBe(1);
    await bed.work(bed.engine.woken[0] ?? '');
    expect((await asked).body.data).toMatchObject({
      operation: 'why',
      state: 'finished',
      report: { kind: 'explanation', code: 'no-namespace', command: 'kubectl create namespace production' },
    });
  });

  test('about an app that only a pattern makes one, and that is not there, fails and names a near one', async () => {
    const settings = { ...restSettings, apps: { ...restSettings.apps, '*': { images: ['docker.io/library/*'] } } };
    const other = await restBed(redis().url, {}, { settings: () => Settings.parse(settings) });
    const asked = other.send('ana', 'GET', 'deployments/staging/my-ap');
    await expect.poll(() => other.engine.woken.length).toBe(1);
    await other.work(other.engine.woken[0] ?? '');
    const { status, body } = await asked;
    await other.close();
    expect({ status, ...body.error }).toMatchObject({
      status: 422,
      code: 'NOT_DEPLOYED',
      message: expect.stringContaining('Did you mean “my-app”?'),
    });
  });

  test('that no worker answers in time gets a link instead', async () => {
    const { status, body } = await bed.send('ana', 'GET', 'deployments/production/my-app');
    expect(status).toBe(202);
    expect(body.data).toMatchObject({ state: 'requested', link: expect.stringContaining('/runs/') });
  });
});

describe('Idempotency-Key', () => {
  const staging = { ...deployment, namespace: 'staging' };
  const keyed = (who: string, key: string, body: unknown = staging) =>
    bed.send(who, 'POST', 'deployments', body, { 'idempotency-key': key });

  test('the same request with the same key starts one run', async () => {
    const key = crypto.randomUUID();
    const runs = await Promise.all([1, 2, 3, 4].map(() => keyed('ana', key)));
    expect(new Set(runs.map(({ body }) => body.data.run)).size).toBe(1);
    expect(bed.engine.woken).toHaveLength(1);
  });

  test('another subject with the same key gets a run of their own', async () => {
    const key = crypto.randomUUID();
    const [mine, theirs] = [await keyed('ana', key), await keyed('ben', key)];
    expect(mine.body.data.run).not.toBe(theirs.body.data.run);
  });

  test('for another request the key is refused, and nothing is started', async () => {
    const key = crypto.randomUUID();
    await keyed('ana', key);
    const { status, body } = await keyed('ana', key, { ...staging, replicas: 4 });
    expect(status).toBe(422);
    expect(body.error.code).toBe('KEY_REUSED');
    expect(bed.engine.woken).toHaveLength(1);
  });

  test('without a key each request is its own', async () => {
    const [first, second] = [
      await bed.send('ana', 'POST', 'deployments', staging),
      await bed.send('ana', 'POST', 'deployments', staging),
    ];
    expect(first.body.data.run).not.toBe(second.body.data.run);
  });

  test('a key that is too long is refused', async () => {
    expect((await keyed('ana', 'k'.repeat(256))).body.error.code).toBe('BAD_INPUT');
  });
});
