import { afterEach, beforeEach, expect, test } from 'vitest';
import { createMetrics } from '../../../handlers/http/metrics.ts';
import { createHttpServer } from '../../../handlers/http/server.ts';
import { fitsTag } from '../../../handlers/webhooks/push.ts';
import { fault } from '../../../src/core/errors.ts';
import { Settings } from '../../../src/core/settings.ts';
import { quiet } from '../../support/engine.ts';
import { redisForFile } from '../../support/redis.ts';
import { type RestBed, restBed } from '../http/rest-bed.ts';

const token = 'raw-header-of-harbor';
const url = '/webhooks/harbor';
const redis = redisForFile();

const settings = Settings.parse({
  apps: {
    web: { image: 'harbor.example.com/team/web', channel: 'CWEB', on: { push: { tags: 'v*', env: 'staging' } } },
    other: { image: 'elsewhere.example.com/team/web' },
  },
  environments: { staging: { namespace: 'staging' }, prod: { namespace: 'production' } },
  harbor: { url: 'https://harbor.example.com' },
  roles: { hooks: ['webhook:harbor'] },
  policy: [
    { name: 'people', who: ['everyone'] },
    { name: 'hooks tell', operations: ['harbor-news'], who: ['hooks'] },
    { name: 'hooks ship to staging', operations: ['deploy'], environments: ['staging'], who: ['hooks'] },
  ],
});

let bed: RestBed;
let logged: string[];
let current: Settings;

const server = async (change: { token?: string } = { token }) => {
  const log = { ...quiet, warn: (_fields: object, message: string) => void logged.push(message) };
  const made = await restBed(redis().url, {}, { settings: () => current, log });
  await made.app.close();
  const app = await createHttpServer({
    log: quiet,
    metrics: createMetrics(),
    checks: {},
    harbor: { engine: made.engine, ...change },
  });
  return { ...made, app };
};

beforeEach(async () => {
  logged = [];
  current = settings;
  bed = await server();
  await bed.engine.redis.flushall();
});
afterEach(() => bed.close());

let occurred = Math.floor(Date.now() / 1_000) - 600;
const push = (tag: string, more: Record<string, unknown> = {}) => ({
  type: 'PUSH_ARTIFACT',
  occur_at: occurred++,
  operator: 'ci',
  event_data: {
    resources: [{ digest: `sha256:${'a'.repeat(64)}`, tag, resource_url: `harbor.example.com/team/web:${tag}` }],
    repository: {
      date_created: 1,
      name: 'web',
      namespace: 'team',
      repo_full_name: 'team/web',
      repo_type: 'private',
      ...more,
    },
  },
});

const post = async (body: unknown, authorization: string | undefined = token) => {
  const answer = await bed.app.inject({
    method: 'POST',
    url,
    headers: { 'content-type': 'application/json', ...(authorization !== undefined && { authorization }) },
    payload: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return { status: answer.statusCode, body: answer.json() };
};
const runs = async () =>
  (await bed.engine.store.recent(20)).map(({ operation, input, actor, origin }) => ({
    operation,
    input,
    actor,
    origin,
  }));

test('a push that Harbor confirms is told in the app’s channel and asks for the deploy, as a webhook, once', async () => {
  const body = push('v1');
  expect(await post(body)).toEqual({ status: 200, body: { data: { taken: true, started: 2, refused: [] } } });
  // Sent again, as Harbor does where it heard no answer.
  expect(await post(body)).toMatchObject({ status: 200 });
  const actor = { kind: 'webhook', source: 'harbor' };
  const found = await runs();
  expect(found).toHaveLength(2);
  expect(found).toEqual(
    expect.arrayContaining([
      expect.objectContaining({
        operation: 'deploy',
        input: { app: 'web', env: 'staging', image: `harbor.example.com/team/web:v1@sha256:${'a'.repeat(64)}` },
        actor,
        origin: { surface: 'webhook', source: 'harbor' },
      }),
      expect.objectContaining({
        operation: 'harbor-news',
        input: { repository: 'team/web', reference: 'v1', about: 'push', aloud: true, app: 'web' },
      }),
    ]),
  );
});

test('a push of which Harbor itself knows nothing does nothing', async () => {
  expect(await post(push('v9'))).toMatchObject({ status: 200, body: { data: { started: 0 } } });
  expect(await runs()).toEqual([]);
  expect(logged).toContain('Harbor told of a push of which it knows nothing');
});

test('a tag that the pattern leaves out, a digest, and images of nobody’s app deploy nothing', async () => {
  await post(push('latest'));
  await post(push(`sha256:${'b'.repeat(64)}`));
  expect((await runs()).map(({ operation }) => operation)).toEqual(['harbor-news', 'harbor-news']);
  expect(await post(push('v1', { repo_full_name: 'team/stranger' }))).toMatchObject({ body: { data: { started: 0 } } });
  expect(fitsTag('v*', 'v1.2')).toBe(true);
  expect(fitsTag('v1.*', 'v12')).toBe(false);
  expect(fitsTag('*-rc.*', '2.0-rc.1')).toBe(true);
});

test('what no rule allows webhooks is refused, though people may', async () => {
  current = { ...settings, policy: settings.policy.filter(({ name }) => name !== 'hooks ship to staging') };
  expect(await post(push('v1'))).toMatchObject({
    status: 200,
    body: { data: { started: 1, refused: ['deploy: POLICY_DENIED'] } },
  });
  expect((await runs()).map(({ operation }) => operation)).toEqual(['harbor-news']);
});

test('a push that comes again after a day, forgotten meanwhile, brings nothing back', async () => {
  const body = push('v1');
  await post(body);
  const before = (await runs()).length;
  await bed.engine.redis.del(await bed.engine.redis.keys('*:request:*'));
  bed.engine.now = () => Date.now() + 25 * 3_600_000;
  expect(await post(body)).toMatchObject({
    body: { data: { started: 0, refused: ['push: it happened more than 12 hours ago'] } },
  });
  expect(await runs()).toHaveLength(before);
});

test('scans and full quotas are told; other events are nobody’s business', async () => {
  await post({ ...push('v1'), type: 'SCANNING_COMPLETED' });
  await post({
    type: 'QUOTA_EXCEED',
    occur_at: Math.floor(Date.now() / 1_000),
    event_data: { repository: { repo_full_name: 'base/image' }, custom_attributes: { Details: 'x' } },
  });
  expect((await runs()).map(({ input }) => input.about)).toEqual(['quota', 'scan']);
  expect(await post({ ...push('v1'), type: 'PULL_ARTIFACT' })).toMatchObject({
    status: 200,
    body: { data: { started: 0 } },
  });
});

test('who does not send the header, as it is, is not listened to', async () => {
  for (const wrong of [undefined, '', `Bearer ${token}`, `${token} `.trimEnd().slice(1), token.toUpperCase()]) {
    const answer = await bed.app.inject({
      method: 'POST',
      url,
      headers: { 'content-type': 'application/json', ...(wrong !== undefined && { authorization: wrong }) },
      payload: '{',
    });
    expect(answer.statusCode, String(wrong)).toBe(401);
  }
  expect(await runs()).toEqual([]);
  await bed.close();
  bed = await server({});
  expect(await post(push('v1'))).toMatchObject({ status: 401, body: { error: { code: 'HOOK_OFF' } } });
});

test('a body that is too large, broken, or of another form is refused', async () => {
  expect(await post(JSON.stringify({ ...push('v1'), pad: 'x'.repeat(300_000) }))).toMatchObject({ status: 413 });
  expect(await post('{')).toMatchObject({ status: 400 });
  expect(await post({ specversion: '1.0', type: 'harbor.artifact.pushed', data: {} })).toMatchObject({
    status: 400,
    body: { error: { code: 'BAD_INPUT', message: expect.stringContaining('default form') } },
  });
});

test('with Harbor away it is told to send it again', async () => {
  bed.engine.clients.harbor.read = async () => {
    throw fault('HARBOR_UNREACHABLE', { url: 'https://harbor.example.com', problem: 'no answer' });
  };
  expect(await post(push('v1'))).toMatchObject({ status: 503 });
  expect(await runs()).toEqual([]);
});
