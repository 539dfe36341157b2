import { afterEach, beforeEach, expect, test } from 'vitest';
import { fault } from '../../../src/core/errors.ts';
import type { Metrics } from '../../../src/core/measuring.ts';
import { furnish } from '../../fakes/small-cluster.ts';
import { redisForFile } from '../../support/redis.ts';
import { type RestBed, restBed } from './rest-bed.ts';

const redis = redisForFile();
let bed: RestBed;

beforeEach(async () => {
  bed = await restBed(redis().url);
  furnish(bed.world);
});
afterEach(async () => bed.close());

async function callsWith(metrics: Metrics) {
  Object.assign(bed.engine.clients, { metrics });
  const asked = bed.engine.woken.length;
  const waiting = bed.send('ana', 'GET', 'calls/staging/deployment%2Fapi');
  await expect.poll(() => bed.engine.woken.length).toBeGreaterThan(asked);
  await bed.work(bed.engine.woken.at(-1) ?? '');
  return (await waiting).body.data.report;
}

const labels = (from: string, to: string, where = 'staging') => ({
  source_workload: from,
  source_workload_namespace: from === 'unknown' ? 'unknown' : where,
  destination_workload: to,
  destination_workload_namespace: 'staging',
});

test('who calls whom is told from requests where they are counted, with how many and how many fail', async () => {
  const asked: string[] = [];
  const report = await callsWith({
    configured: true,
    query: async (promql) => {
      asked.push(promql);
      const failing = promql.includes('5..');
      const at = 0;
      return failing
        ? [{ labels: labels('web', 'api'), value: 0.6, at }]
        : [
            { labels: labels('web', 'api'), value: 12, at },
            { labels: labels('unknown', 'api'), value: 30, at },
            { labels: labels('batch', 'api', 'jobs'), value: 0.5, at },
            { labels: labels('api', 'db'), value: 3, at },
            { labels: labels('old', 'api'), value: 0, at },
          ];
    },
  });
  expect(report).toMatchObject({
    rows: [
      ['outside the mesh', 'api', '30 requests/s, 0 % fail'],
      ['web', 'api', '12 requests/s, 5.0 % fail'],
      ['api', 'db', '3.0 requests/s, 0 % fail'],
      ['jobs/batch', 'api', '0.5 requests/s, 0 % fail'],
    ],
    note: expect.stringContaining('From requests of the last 10 minutes'),
  });
  expect(asked[0]).toContain('destination_workload="api",destination_workload_namespace="staging"');
});

test('where nothing is counted, or Prometheus is away, it says so and tells what the mesh is told', async () => {
  const away: Metrics = {
    configured: true,
    query: async () => {
      throw fault('METRICS_OFF', {});
    },
  };
  for (const metrics of [{ ...away, configured: false }, away])
    expect(await callsWith(metrics)).toMatchObject({
      rows: [],
      note: expect.stringMatching(/not from requests: .*METRICS_ENDPOINT is not set/),
    });
});
