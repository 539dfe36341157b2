import { createServer } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createMetrics } from '../../../handlers/http/metrics.ts';
import { fault } from '../../../src/core/errors.ts';
import { redisForFile } from '../../support/redis.ts';
import { api, type RestBed, restBed } from './rest-bed.ts';

const redis = redisForFile();
let bed: RestBed;

beforeEach(async () => {
  bed = await restBed(redis().url);
});
afterEach(async () => bed.close());

const get = async (url: string) => {
  const answer = await bed.app.inject({ method: 'GET', url });
  return { status: answer.statusCode, text: answer.body, headers: answer.headers };
};
const deployment = { name: 'my-app', namespace: 'staging', image: 'myapp:v1.0.0' };

test('alive and ready need no token', async () => {
  expect(await get('/healthz')).toMatchObject({ status: 200, text: '{"alive":true}' });
  expect(await get('/readyz')).toMatchObject({
    status: 200,
    text: '{"ready":true,"parts":[{"part":"redis","ready":true}]}',
  });
});

test('not ready says which part and why, and nothing of the inside', async () => {
  await bed.close();
  bed = await restBed(redis().url, {
    checks: {
      redis: () => bed.engine.store.ping(),
      cluster: () => Promise.reject(fault('CLUSTER_UNREACHABLE', { cluster: 'default', problem: 'timeout' })),
      registry: () => Promise.reject(new Error('password=hunter2')),
      slack: () => new Promise(() => {}),
    },
  });
  const { status, text } = await get('/readyz');
  expect(status).toBe(503);
  expect(JSON.parse(text)).toEqual({
    ready: false,
    parts: [
      { part: 'redis', ready: true },
      { part: 'cluster', ready: false, problem: 'The cluster “default” does not answer (timeout).' },
      { part: 'registry', ready: false, problem: 'It does not answer.' },
      { part: 'slack', ready: false, problem: 'It does not answer.' },
    ],
  });
});

describe('metrics', () => {
  test('show requests by route, and the process', async () => {
    await bed.send('ana', 'POST', 'deployments', deployment);
    await bed.send('ana', 'GET', '/nothing/at/all');
    const { text, headers } = await get('/metrics');
    expect(headers['content-type']).toContain('text/plain');
    expect(text).toContain('process_resident_memory_bytes');
    const count = 'shipmate_http_request_duration_seconds_count';
    expect(text).toContain(`${count}{method="POST",route="${api}/deployments",status="202"} 1`);
    expect(text).toContain(`${count}{method="GET",route="unknown",status="404"} 1`);
  });

  test('count each run once when it is requested and once when it ends', async () => {
    const metrics = createMetrics();
    const { store } = bed.engine;
    const counted = await restBed(redis().url, { metrics }, { store: metrics.counting(store) });
    const key = { 'idempotency-key': crypto.randomUUID() };
    const { body } = await counted.send('ana', 'POST', 'deployments', deployment, key);
    await counted.send('ana', 'POST', 'deployments', deployment, key);
    await counted.work(body.data.run);
    await counted.work(body.data.run);
    const text = await metrics.registry.metrics();
    expect(text).toContain('shipmate_runs_total{operation="deploy",state="requested"} 1');
    expect(text).toContain('shipmate_runs_total{operation="deploy",state="finished"} 1');
    expect(text).toContain('shipmate_run_duration_seconds_count{operation="deploy",state="finished"} 1');
    await counted.close();
  });
});

describe('Redis away', () => {
  const within3s = async (ask: () => Promise<{ status: number }>) => {
    const began = performance.now();
    const { status } = await ask();
    expect(performance.now() - began).toBeLessThan(3_000);
    return status;
  };

  test('killed: every answer says so within 3 s; afterwards all is well again', async () => {
    await redis().kill();
    const answer = await bed.send('ana', 'POST', 'deployments', deployment);
    expect(answer.status).toBe(503);
    expect(answer.body.error).toMatchObject({ code: 'STORE_DOWN' });
    expect(answer.headers['retry-after']).toBe('60');
    expect(await within3s(() => bed.send('ana', 'GET', 'runs/x'))).toBe(503);
    expect(await within3s(() => get('/readyz'))).toBe(503);
    expect(await within3s(() => get('/healthz'))).toBe(200);
    await redis().start();
    await expect.poll(async () => (await get('/readyz')).status, { timeout: 5_000 }).toBe(200);
    expect((await bed.send('ana', 'POST', 'deployments', deployment)).status).toBe(202);
  });

  test('hanging: the same', async () => {
    redis().pause();
    try {
      expect(await within3s(() => bed.send('ana', 'POST', 'deployments', deployment))).toBe(503);
      expect(await within3s(() => get('/readyz'))).toBe(503);
    } finally {
      redis().resume();
    }
  });
});

describe('Slack’s requests', () => {
  test('reach its listener as they came, to the byte', async () => {
    const listener = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => response.end(`got ${Buffer.concat(chunks)}`));
    });
    await bed.close();
    bed = await restBed(redis().url, {
      slack: (request, response) => void listener.emit('request', request, response),
    });
    const origin = await bed.app.listen({ port: 0, host: '127.0.0.1' });
    for (const type of ['application/x-www-form-urlencoded', 'application/json']) {
      const headers = { 'content-type': type };
      const answer = await fetch(`${origin}/slack/events`, { method: 'POST', headers, body: ' {"a" :1}&b=%20' });
      expect(await answer.text()).toBe('got  {"a" :1}&b=%20');
    }
  });
});
