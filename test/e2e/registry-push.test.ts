import { afterAll, beforeAll, expect, test } from 'vitest';
import { createMetrics } from '../../handlers/http/metrics.ts';
import { createHttpServer } from '../../handlers/http/server.ts';
import { createRegistry } from '../../src/clients/registry/registry.ts';
import { Settings } from '../../src/core/settings.ts';
import { fakeWorld } from '../fakes/fake-clients.ts';
import { createDesk, type Desk } from '../support/desk.ts';
import { quiet, type TestEngine, testEngine } from '../support/engine.ts';
import { putImage, putIndex } from '../support/made-images.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { type OwnRegistry, startOwnRegistry } from '../support/registries.ts';

/** A real registry that tells Shipmate of what is pushed to it. */
const token = 'token-of-this-registry';
const client = createRegistry();
let redis: TestRedis;
let registry: OwnRegistry;
let engine: TestEngine;
let desk: Desk;
let settings: Settings;
let closeServer: () => Promise<void>;

beforeAll(async () => {
  redis = await startRedis();
  const { clients } = fakeWorld();
  engine = await testEngine(redis.url, { ...clients, registry: client }, { settings: () => settings });
  desk = createDesk(engine);
  const app = await createHttpServer({
    log: quiet,
    metrics: createMetrics(),
    checks: {},
    registries: { engine, registry: token },
  });
  const url = `${await app.listen({ port: 0, host: '127.0.0.1' })}/webhooks/registry`;
  closeServer = () => app.close();
  registry = await startOwnRegistry({ notify: { url, token } });
  settings = Settings.parse({
    apps: {
      web: { image: `${registry.host}/team/web`, on: { push: { tags: 'v*', env: 'staging' } } },
      shop: { image: `${registry.host}/team/shop`, on: { push: { tags: 'v*', env: 'prod' } } },
    },
    environments: { staging: { namespace: 'staging' }, prod: { namespace: 'production' } },
    people: { ben: { subject: 'ben@example.com' } },
    roles: { hooks: ['webhook:registry'], engineers: ['ben'] },
    policy: [
      { name: 'staging', environments: ['staging'], who: ['hooks'] },
      { name: 'production', environments: ['prod'], who: ['hooks'], approvals: 1, approvers: ['engineers'] },
    ],
  });
});
afterAll(async () => {
  await registry.end();
  await closeServer();
  await desk.leases.stop();
  engine.close();
  await redis.stop();
});

const deploysOf = async (app: string) =>
  (await engine.store.recent(50)).filter(({ input }) => input.app === app).map(({ id, input }) => ({ id, input }));

test('a push to a real registry is deployed by the digest that was pushed; tags of no rule, and parts, are not', async () => {
  await putImage(client, `${registry.host}/team/web`, { tag: 'nightly' });
  const { digest } = await putIndex(client, `${registry.host}/team/web`, 'v1');
  await expect.poll(() => deploysOf('web'), { timeout: 10_000 }).toHaveLength(1);
  const [run] = await deploysOf('web');
  expect(run?.input).toMatchObject({ env: 'staging', image: `${registry.host}/team/web:v1@${digest}` });
  // Whoever moves the tag now changes nothing about this deploy, and starts one of their own.
  const moved = await putImage(client, `${registry.host}/team/web`, { tag: 'v1' });
  await expect.poll(() => deploysOf('web'), { timeout: 10_000 }).toHaveLength(2);
  expect(await desk.lap(run?.id ?? '')).toMatchObject({ plan: { image: { digest } } });
  expect((await deploysOf('web')).map(({ input }) => input.image)).toContain(
    `${registry.host}/team/web:v1@${moved.digest}`,
  );
});

test('a push for production waits for the approval that its policy asks for', async () => {
  const { digest } = await putImage(client, `${registry.host}/team/shop`, { tag: 'v2' });
  await expect.poll(() => deploysOf('shop'), { timeout: 10_000 }).toHaveLength(1);
  const [run] = await deploysOf('shop');
  expect(await desk.lap(run?.id ?? '')).toMatchObject({ state: 'awaiting', plan: { image: { digest } } });
});
