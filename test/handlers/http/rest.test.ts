import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startRedis, type TestRedis } from '../../support/redis.ts';
import { api, type RestBed, restBed, tokenOf } from './rest-bed.ts';

let redis: TestRedis;
let bed: RestBed;

beforeAll(async () => {
  redis = await startRedis();
});
afterAll(async () => redis.stop());
beforeEach(async () => {
  bed = await restBed(redis.url);
});
afterEach(async () => bed.close());

const stored = async (id: string) => (await bed.engine.store.read(id)) ?? expect.unreachable(`no run ${id}`);
const count = () => bed.engine.redis.dbsize();

const deployment = {
  name: 'my-app',
  namespace: 'production',
  image: 'myapp:v1.0.0',
  replicas: 3,
  ports: [8080],
  env: { ENV_VAR: 'value' },
  resources: { requests: { cpu: '100m', memory: '128Mi' }, limits: { cpu: '500m', memory: '512Mi' } },
};

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
    expect(run.input).toEqual({ app, env: 'production', variables, ...rest, strategy: 'rolling' });
    expect(bed.engine.woken).toEqual([run.id]);
  });

  test('PUT …/scale', async () => {
    const { status, body } = await bed.send('ana', 'PUT', 'deployments/production/my-app/scale', { replicas: 5 });
    expect(status).toBe(202);
    expect((await stored(body.data.run)).input).toEqual({ app: 'my-app', env: 'production', replicas: 5 });
  });

  test('PUT …/rollout takes the canary’s fields, and says that only rolling is there yet', async () => {
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
    await bed.work(body.data.run);
    const { body: now } = await bed.send('ana', 'GET', `runs/${body.data.run}`);
    expect(now.data).toMatchObject({ state: 'failed', fault: { code: 'STRATEGY_UNAVAILABLE' } });
    expect(bed.world.applied).toEqual([]);
  });
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
  expect(bed.world.applied).toHaveLength(1);
});

test('values that may be secret don’t come out again', async () => {
  const env = { DB_PASSWORD: 'hunter2', PLAIN: 'seen' };
  const { body } = await bed.send('ana', 'POST', 'deployments', { ...deployment, namespace: 'staging', env });
  await bed.work(body.data.run);
  const { body: run } = await bed.send('ben', 'GET', `runs/${body.data.run}`);
  expect(JSON.stringify(run)).toContain('seen');
  expect(JSON.stringify(run)).not.toContain('hunter2');
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
    const other = await restBed(redis.url, { api: { engine, notices, tokens, publicUrl: 'https://ship.example/' } });
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

  test('that no worker answers in time gets a link instead', async () => {
    const { status, body } = await bed.send('ana', 'GET', 'deployments/production/my-app');
    expect(status).toBe(202);
    expect(body.data).toMatchObject({ state: 'requested', link: expect.stringContaining('/runs/') });
  });
});

describe('approval over REST', () => {
  const awaiting = async () => {
    const { body } = await bed.send('ana', 'POST', 'deployments', deployment);
    await bed.work(body.data.run);
    const { body: now } = await bed.send('ben', 'GET', `runs/${body.data.run}`);
    expect(now.data).toMatchObject({ state: 'awaiting', approval: { approvals: 1, approvers: ['engineers'] } });
    return { id: body.data.run, digest: now.data.plan.digest };
  };
  const decide = (who: string, id: string, body: unknown) => bed.send(who, 'POST', `runs/${id}/decision`, body);

  test('the requester’s own is refused, another’s counts, a second one finds it decided', async () => {
    const { id, digest } = await awaiting();
    const own = await decide('ana', id, { kind: 'approve', digest });
    expect(own.status).toBe(403);
    expect(own.body.error).toMatchObject({
      code: 'POLICY_DENIED',
      message: 'You asked for this run yourself, so another person has to approve it.',
      hint: 'These may approve: ana, ben.',
    });
    expect((await stored(id)).state).toBe('awaiting');
    const other = await decide('ben', id, { kind: 'approve', digest, reason: 'looks fine' });
    expect(other.status).toBe(200);
    expect(other.body.data).toMatchObject({
      state: 'running',
      decisions: [{ actor: 'token:ben@example.com', kind: 'approve', reason: 'looks fine' }],
    });
    expect(bed.engine.woken).toEqual([id, id]);
    const late = await decide('ben', id, { kind: 'reject', digest });
    expect(late.status).toBe(409);
    expect(late.body.error).toMatchObject({ code: 'DECISION_REFUSED', message: 'The run is approved already.' });
    await bed.work(id);
    expect(bed.world.applied).toHaveLength(1);
  });

  test('of many at once one counts', async () => {
    const { id, digest } = await awaiting();
    const kinds = ['approve', 'reject'];
    const sent = Array.from({ length: 20 }, (_, i) => decide('ben', id, { kind: kinds[i % 2], digest }));
    const statuses = (await Promise.all(sent)).map(({ status }) => status);
    expect(statuses.filter((status) => status === 200)).toHaveLength(1);
    expect(statuses.filter((status) => status === 409)).toHaveLength(19);
  });

  test('a rejected run changes nothing', async () => {
    const { id, digest } = await awaiting();
    const { body } = await decide('ben', id, { kind: 'reject', digest });
    expect(body.data.state).toBe('rejected');
    await bed.work(id);
    expect(bed.world.applied).toEqual([]);
  });

  test.each([
    [{ kind: 'approve', digest: 'f'.repeat(64) }, 'ben', 409, 'DECISION_REFUSED'],
    [{ kind: 'approve' }, 'ben', 400, 'BAD_INPUT'],
    [{ kind: 'maybe', digest: 'f'.repeat(64) }, 'ben', 400, 'BAD_INPUT'],
    [{ kind: 'approve', digest: 'f'.repeat(64), force: true }, 'ben', 400, 'BAD_INPUT'],
    [undefined, 'ben', 400, 'BAD_INPUT'],
  ])('%j is refused, and changes nothing', async (body, who, status, code) => {
    const { id } = await awaiting();
    const answer = await decide(who, id, body);
    expect(answer.status).toBe(status);
    expect(answer.body.error.code).toBe(code);
    expect(await stored(id)).toMatchObject({ state: 'awaiting', decisions: [] });
  });

  test('somebody who is no approver may not', async () => {
    const { id, digest } = await awaiting();
    const { status, body } = await decide('eve', id, { kind: 'approve', digest });
    expect(status).toBe(403);
    expect(body.error.hint).toBe('These may: ana, ben.');
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

describe('bad input gets a sentence, and starts nothing', () => {
  test.each([
    [{ ...deployment, name: 'my-ap' }, 404, 'There is no app “my-ap” in shipmate.yaml. Did you mean “my-app”?'],
    [{ ...deployment, name: 'constructor' }, 404, 'There is no app “constructor” in shipmate.yaml.'],
    [{ ...deployment, namespace: 'stagin' }, 404, 'Did you mean “staging”?'],
    [{ ...deployment, namespace: 'constructor' }, 404, 'There is no environment “constructor”'],
    [{ ...deployment, replicas: -1 }, 400, 'replicas: must not be negative.'],
    [{ ...deployment, replicas: 1e9 }, 400, 'replicas: must be at most 1000.'],
    [{ ...deployment, replicas: 'three' }, 400, 'replicas: must be a whole number.'],
    [{ ...deployment, replica: 3 }, 400, '“replica” is not a field of this request. Did you mean “replicas”?'],
    [{ ...deployment, image: undefined, ports: [0] }, 400, 'image is missing. ports.0: '],
    [{ ...deployment, resources: { requests: { cpu: 'lots' } } }, 400, 'resources.requests.cpu: must be a Kubernetes'],
    [{ ...deployment, env: { 'NOT A NAME': 'x' } }, 400, 'env.NOT A NAME: is not a valid environment variable name.'],
    [[deployment], 400, 'The body must be a JSON object.'],
    [undefined, 400, 'name is missing.'],
  ])('%j', async (body, status, words) => {
    const before = await count();
    const answer = await bed.send('ana', 'POST', 'deployments', body);
    expect(answer.status).toBe(status);
    expect(answer.body.error.message).toContain(words);
    expect(answer.body.error).toEqual({
      code: expect.any(String),
      message: expect.any(String),
      hint: expect.any(String),
      requestId: answer.headers['x-request-id'],
    });
    expect(await count()).toBe(before);
  });

  test('an answer is not as long as a request that is wrong everywhere', async () => {
    const env = Object.fromEntries(Array.from({ length: 5_000 }, (_, index) => [`${index} ${'x'.repeat(150)}`, 'x']));
    const { status, body } = await bed.send('ana', 'POST', 'deployments', { ...deployment, env });
    expect(status).toBe(400);
    expect(body.error.message).toContain('And 4980 more.');
    expect(body.error.message.length).toBeLessThan(5_000);
  });

  test('a field that belongs in the path is not taken from the body', async () => {
    const body = { replicas: 5, namespace: 'staging' };
    const answer = await bed.send('ana', 'PUT', 'deployments/production/my-app/scale', body);
    expect(answer.body.error.message).toBe('“namespace” is not a field of this request.');
  });

  test('what the policy does not allow says who could', async () => {
    const { status, body } = await bed.send('eve', 'POST', 'deployments', deployment);
    expect(status).toBe(403);
    expect(body.error).toMatchObject({ code: 'POLICY_DENIED', hint: 'Ask one of: ana, ben.' });
  });

  test.each([
    ['not JSON', '{"name":', 'application/json', 400, 'BAD_INPUT'],
    ['a prototype', '{"__proto__":{"admin":true}}', 'application/json', 400, 'BAD_INPUT'],
    ['another type', 'name=my-app', 'application/x-www-form-urlencoded', 400, 'BAD_INPUT'],
    ['text', 'name=my-app', 'text/plain', 400, 'BAD_INPUT'],
    ['too much', JSON.stringify({ name: 'x'.repeat(1_100_000) }), 'application/json', 413, 'TOO_LARGE'],
  ])('%s', async (_what, payload, type, status, code) => {
    const authorization = `Bearer ${await tokenOf('ana@example.com')}`;
    const headers = { authorization, 'content-type': type };
    const answer = await bed.app.inject({ method: 'POST', url: `${api}/deployments`, headers, payload });
    expect(answer.statusCode).toBe(status);
    expect(answer.json().error.code).toBe(code);
  });

  test.each([
    ['GET', '/nothing', 404],
    ['GET', `${api}/deployments`, 404],
    ['POST', `${api}/runs/x`, 404],
    ['GET', '/%E0%A4%A', 400],
    ['GET', `${api}/runs/${'x'.repeat(101)}`, 400],
  ] as const)('%s %s', async (method, path, status) => {
    const answer = await bed.send('ana', method, path);
    expect(answer.status).toBe(status);
    expect(answer.body.error).toMatchObject({ code: expect.any(String), requestId: expect.any(String) });
  });

  test('a run that does not exist', async () => {
    const { status, body } = await bed.send('ana', 'GET', 'runs/nothing');
    expect(status).toBe(404);
    expect(body.error.code).toBe('UNKNOWN_RUN');
  });
});

test('what is unexpected says nothing of the inside', async () => {
  const settings = () => {
    throw new Error('connect ECONNREFUSED 10.1.2.3:5432 password=hunter2');
  };
  const broken = await restBed(redis.url, {}, { settings });
  const { status, body } = await broken.send('ana', 'POST', 'deployments', deployment);
  expect(status).toBe(500);
  expect(body.error.code).toBe('INTERNAL');
  expect(JSON.stringify(body)).not.toMatch(/hunter2|10\.1\.2\.3/);
  expect(body.error.hint).toContain(body.error.requestId);
  await broken.close();
});
