import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { keys } from '../../../src/store/keys.ts';
import { redisForFile } from '../../support/redis.ts';
import { api, deployment, type RestBed, restBed, tokenOf } from './rest-bed.ts';

const redis = redisForFile();
let bed: RestBed;

beforeEach(async () => {
  bed = await restBed(redis().url);
});
afterEach(async () => bed.close());

const count = () => bed.engine.redis.zcard(keys.recent);

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

  test.each([
    [{ min: 10, max: 2 }, 'max: must be at least min, which is 10.'],
    [{ min: 0, max: 2 }, 'min: must be 1 or more: only KEDA scales to zero.'],
    [{ min: 1, max: 5000 }, 'max: must be at most 1000.'],
  ])('the range of an autoscaler is spoken of as it was asked for: %j', async (body, words) => {
    const answer = await bed.send('ana', 'PUT', 'deployments/staging/my-app/autoscaler', body);
    expect(answer).toMatchObject({ status: 400, body: { error: { message: words } } });
  });

  test('what the policy does not allow says who could', async () => {
    const { status, body } = await bed.send('eve', 'POST', 'deployments', deployment);
    expect(status).toBe(403);
    expect(body.error).toMatchObject({ code: 'POLICY_DENIED', hint: 'Ask one of: ana, ben.' });
  });

  test.each([
    ['not JSON', '{"name":', 'application/json', 400, 'BAD_INPUT'],
    [
      'brackets without end',
      `{"name":${'['.repeat(100_000)}${']'.repeat(100_000)}}`,
      'application/json',
      400,
      'BAD_INPUT',
    ],
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
  const broken = await restBed(redis().url, {}, { settings });
  const { status, body } = await broken.send('ana', 'POST', 'deployments', deployment);
  expect(status).toBe(500);
  expect(body.error.code).toBe('INTERNAL');
  expect(JSON.stringify(body)).not.toMatch(/hunter2|10\.1\.2\.3/);
  expect(body.error.hint).toContain(body.error.requestId);
  await broken.close();
});
