import { type JWTPayload, SignJWT } from 'jose';
import { createMetrics } from '../../../handlers/http/metrics.ts';
import { createHttpServer, type HttpDeps } from '../../../handlers/http/server.ts';
import { Settings } from '../../../src/core/settings.ts';
import { advance } from '../../../src/engine/advance.ts';
import type { Engine } from '../../../src/engine/engine.ts';
import { createLeases } from '../../../src/engine/leases.ts';
import { createNoticeStore } from '../../../src/store/notices.ts';
import { fakeWorld } from '../../fakes/fake-clients.ts';
import { quiet, testEngine } from '../../support/engine.ts';

const secret = 'a secret that is long enough for HS256';
export const api = '/api/v1/cloud-native';

/** The app of the issue's examples: staging is free, production needs another engineer. */
export const restSettings = Settings.parse({
  apps: { 'my-app': { image: 'registry.example.com/team/myapp' }, shop: { image: 'registry.example.com/team/shop' } },
  environments: { staging: { namespace: 'staging' }, prod: { namespace: 'production' } },
  clusters: { default: { guardedBy: 'staging' } },
  people: {
    ana: { subject: 'ana@example.com' },
    ben: { subject: 'ben@example.com' },
  },
  roles: { engineers: ['ana', 'ben'], deployers: ['claim:groups=deployers'] },
  policy: [
    { name: 'looking', effects: ['read'] },
    { name: 'staging', environments: ['staging'] },
    { name: 'what is no app', environments: ['staging'], uncovered: true },
    { name: 'production', environments: ['prod'], who: ['engineers'], approvals: 1, approvers: ['engineers'] },
  ],
});

/** The body of the issue's example. */
export const deployment = {
  name: 'my-app',
  namespace: 'production',
  image: 'myapp:v1.0.0',
  replicas: 3,
  ports: [8080],
  env: { ENV_VAR: 'value' },
  resources: { requests: { cpu: '100m', memory: '128Mi' }, limits: { cpu: '500m', memory: '512Mi' } },
};

export function tokenOf(subject: string, claims: JWTPayload = {}): Promise<string> {
  const key = new TextEncoder().encode(secret);
  return new SignJWT(claims)
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(subject)
    .setExpirationTime('5 min')
    .sign(key);
}

/** The REST surface over a real Redis, in front of a cluster in memory. */
export async function restBed(redisUrl: string, change: Partial<HttpDeps> = {}, engineOf: Partial<Engine> = {}) {
  const world = fakeWorld();
  for (const tag of ['v1.0.0', 'v2.0.0'])
    world.digests.set(`registry.example.com/team/myapp:${tag}`, `sha256:${(tag[1] ?? '0').repeat(64)}`);
  const engine = await testEngine(redisUrl, world.clients, { settings: () => restSettings, ...engineOf });
  const leases = createLeases(engine.store, 'worker-1', quiet);
  const app = await createHttpServer({
    log: quiet,
    metrics: createMetrics(),
    checks: { redis: () => engine.store.ping() },
    api: { engine, notices: createNoticeStore(engine.redis), tokens: { secret } },
    ...change,
  });
  return {
    engine,
    world,
    app,
    /** Sends a request as `who` and reads its JSON. */
    send: async (
      who: string,
      method: 'GET' | 'POST' | 'PUT' | 'DELETE',
      path: string,
      body?: unknown,
      headers: Record<string, string> = {},
    ) => {
      const authorization = `Bearer ${await tokenOf(`${who}@example.com`)}`;
      const answer = await app.inject({
        method,
        url: path.startsWith('/') ? path : `${api}/${path}`,
        headers: { authorization, ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
        ...(body !== undefined && { payload: JSON.stringify(body) }),
      });
      return { status: answer.statusCode, headers: answer.headers, body: answer.json() };
    },
    /** Lets a worker take the run as far as it goes. */
    work: (runId: string) => advance(engine, leases, runId),
    close: async () => {
      await app.close();
      await leases.stop();
      engine.close();
    },
  };
}

export type RestBed = Awaited<ReturnType<typeof restBed>>;
