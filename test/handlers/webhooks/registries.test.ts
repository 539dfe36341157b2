import { createHmac } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createMetrics } from '../../../handlers/http/metrics.ts';
import { createHttpServer } from '../../../handlers/http/server.ts';
import { fault } from '../../../src/core/errors.ts';
import { Settings } from '../../../src/core/settings.ts';
import { quiet } from '../../support/engine.ts';
import { redisForFile } from '../../support/redis.ts';
import { type RestBed, restBed } from '../http/rest-bed.ts';

const secrets = { registry: 'token-of-the-registry', github: 'secret-of-github', dockerHub: 'token_of_docker-hub' };
const redis = redisForFile();
const digest = `sha256:${'a'.repeat(64)}`;
const pushedAt = new Date(Date.now() - 60_000).toISOString();

const on = { push: { tags: 'v*', env: 'staging' } };
const settings = Settings.parse({
  apps: {
    web: { image: 'registry.example.com/team/web', on },
    twin: { image: 'elsewhere.example.com/team/web', on },
    quiet: { image: 'registry.example.com/team/quiet' },
    site: { image: 'ghcr.io/acme/site', on },
    hub: { image: 'acme/hub', on },
    shop: { image: 'registry.example.com/team/shop', on: { push: { tags: 'v*', env: 'prod' } } },
  },
  environments: { staging: { namespace: 'staging' }, prod: { namespace: 'production' } },
  people: { ben: { subject: 'ben@example.com' } },
  roles: { hooks: ['webhook:registry', 'webhook:github', 'webhook:docker-hub'], engineers: ['ben'] },
  policy: [
    { name: 'staging', environments: ['staging'], who: ['hooks'] },
    { name: 'production', environments: ['prod'], who: ['hooks'], approvals: 1, approvers: ['engineers'] },
  ],
});

let bed: RestBed;

const server = async (given: Partial<typeof secrets>) => {
  const made = await restBed(redis().url, {}, { settings: () => settings });
  await made.app.close();
  for (const image of [
    'registry.example.com/team/web',
    'registry.example.com/team/quiet',
    'registry.example.com/team/shop',
  ])
    made.world.digests.set(`${image}:v1`, digest);
  made.world.digests.set('elsewhere.example.com/team/web:v1', `sha256:${'e'.repeat(64)}`);
  made.world.digests.set('ghcr.io/acme/site:v1', digest);
  made.world.digests.set('acme/hub:v1', digest);
  const app = await createHttpServer({
    log: quiet,
    metrics: createMetrics(),
    checks: {},
    registries: { engine: made.engine, ...given },
  });
  return { ...made, app };
};

beforeEach(async () => {
  bed = await server(secrets);
  await bed.engine.redis.flushall();
});
afterEach(() => bed.close());

const post = async (url: string, body: unknown, headers: Record<string, string>) => {
  const payload = typeof body === 'string' ? body : JSON.stringify(body);
  const answer = await bed.app.inject({ method: 'POST', url, headers, payload });
  return { status: answer.statusCode, body: answer.json() };
};
const runs = async () =>
  (await bed.engine.store.recent(20)).map(({ operation, input, actor }) => ({ operation, input, actor }));
const taken = (started: number, refused: string[] = []) => ({
  status: 200,
  body: { data: { taken: true, started, refused } },
});

const authorization = `Bearer ${secrets.registry}`;
const media = 'application/vnd.docker.distribution.events.v1+json';
const events = (...targets: Record<string, unknown>[]) => ({
  events: targets.map((target, n) => ({
    id: `event-${n}`,
    timestamp: pushedAt,
    action: 'push',
    target: { mediaType: 'application/vnd.oci.image.index.v1+json', repository: 'team/web', digest, ...target },
    request: { id: 'r', addr: '10.0.0.1', host: 'registry:5000', method: 'PUT' },
  })),
});
const told = (body: unknown, headers: Record<string, string> = {}) =>
  post('/webhooks/registry', body, { 'content-type': media, authorization, ...headers });

test('what a registry was pushed is deployed by its digest, once, for the app whose own registry has it', async () => {
  expect(await told(events({ tag: 'v1' }))).toEqual(taken(1));
  expect(await told(events({ tag: 'v1' }))).toEqual(taken(1));
  expect(await runs()).toEqual([
    {
      operation: 'deploy',
      input: { app: 'web', env: 'staging', image: `registry.example.com/team/web:v1@${digest}` },
      actor: { kind: 'webhook', source: 'registry' },
    },
  ]);
});

test('parts, pulls, other tags, apps without a rule and tags that are moved on lead to nothing', async () => {
  const moved = `sha256:${'f'.repeat(64)}`;
  const silent = events(
    {},
    { tag: 'latest' },
    { tag: 'v1', digest: moved },
    { tag: 'v9' },
    { tag: 'v1', repository: 'team/quiet' },
    { tag: 'v1', repository: 'team/stranger' },
  );
  expect(await told(silent)).toEqual(taken(0));
  const [pull] = events({ tag: 'v1' }).events;
  expect(await told({ events: [{ ...pull, action: 'pull' }] })).toEqual(taken(0));
  expect(await runs()).toEqual([]);
});

test('what is meant for production waits for its approval', async () => {
  expect(await told(events({ tag: 'v1', repository: 'team/shop' }))).toEqual(taken(1));
  const [run] = await bed.engine.store.recent(1);
  await bed.work(run?.id ?? '');
  expect(await bed.engine.store.read(run?.id ?? '')).toMatchObject({
    operation: 'deploy',
    state: 'awaiting',
    plan: { image: { digest } },
  });
});

test('with its registry away it is told to send it again', async () => {
  bed.engine.clients.registry.resolve = async () => {
    throw fault('REGISTRY_UNREACHABLE', { registry: 'registry.example.com', problem: 'no answer' });
  };
  expect(await told(events({ tag: 'v1' }))).toMatchObject({ status: 503 });
  expect(await runs()).toEqual([]);
});

const signed = (body: unknown, secret = secrets.github) =>
  `sha256=${createHmac('sha256', secret).update(JSON.stringify(body)).digest('hex')}`;
const github = (body: unknown, event = 'registry_package', signature = signed(body)) =>
  post('/webhooks/github', body, {
    'content-type': 'application/json',
    'x-github-event': event,
    'x-hub-signature-256': signature,
  });
const packaged = (tag: string, more: Record<string, unknown> = {}) => ({
  name: 'Site',
  namespace: 'Acme',
  ecosystem: 'CONTAINER',
  package_type: 'CONTAINER',
  package_version: {
    id: 7,
    version: digest,
    updated_at: pushedAt,
    package_url: `ghcr.io/Acme/Site:${tag}`,
    container_metadata: { tag: { name: tag, digest }, labels: {}, manifest: {} },
  },
  ...more,
});

test('a package of GitHub is deployed once, whichever of the two events tells of it', async () => {
  expect(await github({ action: 'published', registry_package: packaged('v1') })).toEqual(taken(1));
  expect(await github({ action: 'published', package: packaged('v1') }, 'package')).toEqual(taken(1));
  expect(await runs()).toEqual([
    {
      operation: 'deploy',
      input: { app: 'site', env: 'staging', image: `ghcr.io/acme/site:v1@${digest}` },
      actor: { kind: 'webhook', source: 'github' },
    },
  ]);
});

test('other events, other packages, and versions without a tag are nobody’s business', async () => {
  expect(await github({ zen: 'Keep it simple.' }, 'ping')).toEqual(taken(0));
  expect(await github({ action: 'published', registry_package: packaged('') })).toEqual(taken(0));
  expect(await github({ action: 'published', registry_package: packaged('v1', { ecosystem: 'npm' }) })).toEqual(
    taken(0),
  );
  expect(await github({ action: 'published', registry_package: packaged('v1', { namespace: 'evil' }) })).toEqual(
    taken(0),
  );
  expect(await runs()).toEqual([]);
});

test('Docker Hub, which names no digest, leads to what it has now', async () => {
  const body = {
    push_data: { tag: 'v1', pushed_at: Date.parse(pushedAt) / 1_000, pusher: 'ci' },
    repository: { repo_name: 'acme/hub' },
  };
  const url = `/webhooks/docker-hub/${secrets.dockerHub}`;
  const headers = { 'content-type': 'application/json' };
  expect(await post(url, body, headers)).toEqual(taken(1));
  expect(await post(url, body, headers)).toEqual(taken(1));
  expect(await runs()).toMatchObject([{ input: { app: 'hub', image: `acme/hub:v1@${digest}` } }]);
  expect(await post('/webhooks/docker-hub/wrong', body, headers)).toMatchObject({ status: 401 });
});

test.each([
  ['the registry', 'registry', () => told(events({ tag: 'v1' }))],
  ['GitHub', 'github', () => github({ action: 'published', registry_package: packaged('v1') })],
  [
    'Docker Hub',
    'docker-hub',
    () =>
      post(
        `/webhooks/docker-hub/${secrets.dockerHub}`,
        { push_data: { tag: 'v1', pushed_at: Date.parse(pushedAt) / 1_000 }, repository: { repo_name: 'acme/hub' } },
        { 'content-type': 'application/json' },
      ),
  ],
])(
  'a push of %s that comes again after a day, forgotten meanwhile, brings nothing back',
  async (_who, _source, send) => {
    expect(await send()).toEqual(taken(1));
    for (const hours of [13, 25, 24 * 30]) {
      const known = await bed.engine.redis.keys('*:request:*');
      if (known.length > 0) await bed.engine.redis.del(known);
      bed.engine.now = () => Date.now() + hours * 3_600_000;
      expect(await send()).toEqual(taken(0, ['deploy: v1: it happened more than 12 hours ago']));
    }
    expect(await runs()).toHaveLength(1);
  },
);

test.each([
  ['nothing', {}, 'it does not say when it happened'],
  ['no moment', { timestamp: 'soon' }, 'it does not say when it happened'],
  ['tomorrow', { timestamp: new Date(Date.now() + 86_400_000).toISOString() }, 'it says that it will happen later'],
])('a push that tells %s of its time is not taken', async (_what, time, why) => {
  const [{ timestamp: _, ...event } = { timestamp: '' }] = events({ tag: 'v1' }).events;
  expect(await told({ events: [{ ...event, ...time }] })).toEqual(taken(0, [`deploy: v1: ${why}`]));
  expect(await runs()).toEqual([]);
});

test('who does not show the secret, or signs something else, is not listened to', async () => {
  const body = events({ tag: 'v1' });
  for (const wrong of ['', secrets.registry, `Bearer ${secrets.github}`, `bearer ${secrets.registry}`])
    expect((await told(body, { authorization: wrong })).status, wrong).toBe(401);
  const pushed = { action: 'published', registry_package: packaged('v1') };
  const other = { action: 'published', registry_package: packaged('v2') };
  for (const wrong of ['', signed(other), signed(pushed, 'another'), signed(pushed).replace('sha256=', '')])
    expect(await github(pushed, 'registry_package', wrong), wrong).toMatchObject({
      status: 401,
      body: { error: { code: 'HOOK_REFUSED' } },
    });
  expect(await runs()).toEqual([]);
  await bed.close();
  bed = await server({});
  expect(await told(body)).toMatchObject({ body: { error: { code: 'HOOK_OFF' } } });
  expect(await github(pushed)).toMatchObject({ status: 401, body: { error: { code: 'HOOK_OFF' } } });
  expect(await post('/webhooks/docker-hub/undefined', body, {})).toMatchObject({ status: 401 });
});

test('what is broken, or of another form, is refused', async () => {
  expect(await told('{')).toMatchObject({
    status: 400,
    body: { error: { message: expect.stringContaining('not JSON') } },
  });
  expect(await told({ events: 'none' })).toMatchObject({ status: 400, body: { error: { code: 'BAD_INPUT' } } });
  expect(await told(`{"pad":"${'x'.repeat(1_100_000)}"}`)).toMatchObject({ status: 413 });
});
