import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { beforeEach, expect, test } from 'vitest';
import { viewOf } from '../../handlers/http/run-view.ts';
import { runMessage } from '../../handlers/slack/blocks/run-message.ts';
import { threadReply } from '../../handlers/slack/blocks/thread-reply.ts';
import { faultView } from '../../handlers/slack/fault-view.ts';
import { createRedact } from '../../src/core/redact.ts';
import { decide } from '../../src/engine/decide.ts';
import { stop } from '../../src/engine/stop.ts';
import { createLog } from '../../src/log.ts';
import { connectStore } from '../../src/store/connection.ts';
import { createSeal } from '../../src/store/seal.ts';
import { createStores } from '../../src/store/stores.ts';
import { fakeWorld } from '../fakes/fake-clients.ts';
import { createDesk, stock } from '../support/desk.ts';
import { ana, ben, type TestEngine, testEngine, testSettings } from '../support/engine.ts';
import { redisForFile } from '../support/redis.ts';

const redis = redisForFile();
const password = 'hunter2-correct/horse';
const forms = [
  password,
  Buffer.from(password).toString('base64'),
  encodeURIComponent(password),
  Buffer.from(password).toString('base64url'),
];
/** Secrets that nobody told Shipmate of, known by their look alone. */
const looks = [
  `xoxb-${'1234567890'}-abcdefABCDEF`,
  `AKIA${'IOSFODNN7EXAMPLE'}`,
  `ghp_${'a'.repeat(36)}`,
  `glpat-${'b'.repeat(20)}`,
  `eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbmEifQ.${'c'.repeat(43)}`,
  '-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA\n-----END RSA PRIVATE KEY-----',
];
const planted = [...forms, ...looks];
const words = `it broke: ${planted.join(' and ')}; https://admin:s3cr3t-pass@registry.local, Bearer abcdef123456, password=letmein99`;
const spoken = ['s3cr3t-pass', 'abcdef123456', 'letmein99'];
const redact = createRedact([password]);

const expectClean = (text: string) => {
  for (const secret of [...planted, ...spoken]) expect(text).not.toContain(secret);
  for (const secret of looks) expect(text).not.toContain(JSON.stringify(secret).slice(1, -1));
};

async function dump(engine: TestEngine): Promise<string> {
  const parts: unknown[] = [];
  for (const key of await engine.redis.keys('*')) {
    const type = await engine.redis.type(key);
    if (type === 'hash') parts.push(key, await engine.redis.hgetall(key));
    else if (type === 'stream') parts.push(key, await engine.redis.xrange(key, '-', '+'));
    else if (type === 'string') parts.push(key, await engine.redis.get(key));
    else if (type === 'list') parts.push(key, await engine.redis.lrange(key, 0, -1));
  }
  return JSON.stringify(parts);
}

let engine: TestEngine;
beforeEach(async () => {
  const world = fakeWorld();
  stock(world);
  engine = await testEngine(redis().url, world.clients, { redact });
  await engine.redis.flushall();
  return () => engine.close();
});

async function shown(id: string): Promise<string> {
  const run = (await engine.store.read(id)) ?? expect.fail('no run');
  const events = (await engine.store.events(id, '', 100)).map(({ event }) => event);
  const { fault, report, plan } = viewOf(run, 'https://shipmate.example.com/runs/x');
  return [runMessage(run, testSettings), threadReply(run, events, testSettings), fault, report, plan, run.steps]
    .map((part) => JSON.stringify(part))
    .join('\n');
}

test('secrets in faults, in pods’ logs and in what steps say are seen nowhere', async () => {
  const kube = engine.clients.kube('default');
  const trouble = { code: 'crash-loop' as const, detail: words, logs: words.split('\n') };
  engine.clients.kube = () => ({
    ...kube,
    follow: async (_ref, { seen }) => {
      seen({ replicas: 1, updated: 0, ready: 0 });
      return { kind: 'failed', replicas: 1, updated: 1, ready: 0, trouble };
    },
  });
  const desk = createDesk(engine);
  const failed = await desk.done('deploy', { app: 'web', env: 'staging', tag: 'v1' });
  expect(failed).toMatchObject({ state: 'failed', report: { kind: 'rollout-failed' } });
  engine.clients.kube = () => ({ ...kube, read: async () => Promise.reject(new Error(words)) });
  const broken = await desk.done('deploy', { app: 'web', env: 'staging', tag: 'v2' });
  expect(broken.fault?.message).toContain('[redacted]');
  await desk.leases.stop();
  while ((await engine.audit.seal()) > 0);
  for (const text of [await shown(failed.id), await shown(broken.id), await dump(engine)]) expectClean(text);
  expectClean(JSON.stringify(faultView(new Error(words), redact)));
});

test('nor in the reasons that people give', async () => {
  const glass = { ...testSettings, breakGlass: { who: ['engineers'], reviewers: ['engineers'], spares: [] } };
  engine.settings = () => glass;
  const desk = createDesk(engine);
  const spared = await desk.ask('deploy', { app: 'web', env: 'production', tag: 'v1' }, ana, words.slice(0, 500));
  const id = await desk.deploy('production', 'v2');
  const digest = (await desk.lap(id)).plan?.digest ?? '';
  await decide(engine, id, { actor: ben, kind: 'reject', digest, reason: words });
  const stopped = await desk.deploy('production', 'v3');
  await stop(engine, stopped, { actor: ben, reason: words });
  await desk.lap(stopped);
  await desk.leases.stop();
  while ((await engine.audit.seal()) > 0);
  for (const text of [await shown(spared), await shown(id), await shown(stopped), await dump(engine)])
    expectClean(text);
});

test('nor in any line of the log, which stays JSON', async () => {
  const lines: string[] = [];
  const log = createLog('info', 'all', redact);
  const out = new PassThrough();
  out.on('data', (chunk) => lines.push(String(chunk)));
  // pino writes to the descriptor by itself; its own stream symbol is where lines can be caught.
  const child = log.child({});
  const symbol = Object.getOwnPropertySymbols(Object.getPrototypeOf(child))
    .concat(Object.getOwnPropertySymbols(log))
    .find((each) => String(each) === 'Symbol(pino.stream)');
  if (symbol) Object.assign(log, { [symbol]: out });
  log.error({ problem: new Error(words), input: { deep: { text: words } }, token: password }, 'it broke');
  out.end();
  await once(out, 'end').catch(() => {});
  expect(lines.length).toBeGreaterThan(0);
  expectClean(lines.join(''));
  for (const line of lines.join('').trim().split('\n')) expect(JSON.parse(line)).toMatchObject({ level: 50 });
});

test('with a key nothing of a run can be read in Redis, not even its input', async () => {
  const connection = connectStore(redis().url);
  await once(connection, 'ready');
  const { store } = createStores(connection, createSeal([Buffer.alloc(32, 7)]));
  const sealed: TestEngine = { ...engine, store };
  const desk = createDesk(sealed);
  const id = await desk.ask('deploy', { app: 'web', env: 'staging', tag: 'v1', variables: { GREETING: 'ahoy-there' } });
  expect(await desk.lap(id)).toMatchObject({ state: 'finished', input: { variables: { GREETING: 'ahoy-there' } } });
  const text = await dump(engine);
  expect(text).toContain('sealed:1:');
  expect(text).not.toContain('ahoy-there');
  expect((await store.events(id, '', 10)).length).toBeGreaterThan(3);
  await desk.leases.stop();
  connection.disconnect();
});

test('redacting takes linear time', () => {
  const nasty = ['password', 'xoxb-', 'a://', '-----BEGIN ', 'eyJ', 'Bearer '].map((start) => start.repeat(20_000));
  const began = performance.now();
  for (const text of [...nasty, 'x'.repeat(1_000_000), `a://${'b'.repeat(500_000)}`]) redact(text);
  expect(performance.now() - began).toBeLessThan(5_000);
});
