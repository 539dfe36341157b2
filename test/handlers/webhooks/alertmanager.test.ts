import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { groupIdOf } from '../../../handlers/webhooks/alert-group.ts';
import type { AlertStore } from '../../../src/core/notices.ts';
import { connectStore } from '../../../src/store/connection.ts';
import { createAlertStore, createNoticeStore } from '../../../src/store/notices.ts';
import { quiet } from '../../support/engine.ts';
import { redisForFile } from '../../support/redis.ts';
import { type RestBed, restBed, restSettings } from '../http/rest-bed.ts';

const token = 'a token that Alertmanager sends'.replaceAll(' ', '-');
const url = '/webhooks/alertmanager';

const redis = redisForFile();
let bed: RestBed;
let alerts: AlertStore;
let logged: object[];
let connection: ReturnType<typeof connectStore>;

const server = (change: { token?: string }) => {
  const log = { ...quiet, warn: (fields: object) => void logged.push(fields) };
  return restBed(redis().url, {
    alertmanager: { alerts, settings: () => restSettings, now: Date.now, log, ...change },
  });
};

beforeEach(async () => {
  logged = [];
  connection = connectStore(redis().url);
  connection.on('error', () => {});
  await once(connection, 'ready');
  alerts = createAlertStore(connection);
  bed = await server({ token });
});
afterEach(async () => {
  await bed.close();
  connection.disconnect();
});

/** As Alertmanager 0.28 sends it, with a field that is newer than this program. */
const payload = (change: Record<string, unknown> = {}) => ({
  receiver: 'shipmate',
  status: 'firing',
  alerts: [
    {
      status: 'firing',
      labels: { alertname: 'HighErrorRate', deployment: 'my-app', namespace: 'production', severity: 'page' },
      annotations: { summary: '12 % of requests fail' },
      startsAt: '2026-11-23T12:00:00.739266876Z',
      endsAt: '0001-01-01T00:00:00Z',
      generatorURL: 'http://prometheus.example/graph',
      fingerprint: '5ef77f1f8a3ecfb7',
    },
  ],
  groupLabels: { alertname: 'HighErrorRate' },
  commonLabels: { alertname: 'HighErrorRate', deployment: 'my-app', namespace: 'production', severity: 'page' },
  commonAnnotations: { summary: '12 % of requests fail' },
  externalURL: 'http://alertmanager.example:9093',
  version: '4',
  groupKey: `{}:{alertname="HighErrorRate",test="${crypto.randomUUID()}"}`,
  truncatedAlerts: 0,
  notification_reason: 'first',
  ...change,
});

const resolved = (of: ReturnType<typeof payload>) => ({
  ...of,
  status: 'resolved',
  alerts: of.alerts.map((alert) => ({ ...alert, status: 'resolved', endsAt: '2026-11-23T12:30:00Z' })),
});

async function deliver(body: unknown, authorization: string | undefined = `Bearer ${token}`) {
  const headers = { 'content-type': 'application/json', ...(authorization && { authorization }) };
  const answer = await bed.app.inject({ method: 'POST', url, headers, payload: JSON.stringify(body) });
  return { status: answer.statusCode, body: answer.json() };
}

test('a group that fires is stored once and its message marked; when it resolves, both follow', async () => {
  const notices = createNoticeStore(connection);
  const touched = async (id: string) =>
    (await notices.claim(100, 0, 0)).find(({ subject }) => subject.id === id)?.touched;
  const firing = payload();
  const id = groupIdOf(firing);
  expect(await deliver(firing)).toEqual({ status: 200, body: { data: { taken: true } } });
  const first = await alerts.read(id);
  expect(first).toMatchObject({
    status: 'firing',
    app: 'my-app',
    env: 'prod',
    severity: 'page',
    title: 'HighErrorRate',
  });
  expect(await touched(id)).toBe(1);

  expect((await deliver(firing)).status).toBe(200);
  expect(await alerts.read(id)).toEqual(first);
  expect(await touched(id)).toBe(1);

  await deliver(resolved(firing));
  expect(await alerts.read(id)).toMatchObject({ status: 'resolved', firstAt: first?.firstAt });
  expect(await touched(id)).toBe(2);
});

test('deliveries at the same moment don’t overwrite each other', async () => {
  const firing = payload();
  const other = { ...firing.alerts[0], fingerprint: 'ffffffffffffffff', status: 'firing' };
  await Promise.all([
    deliver(resolved(firing)),
    deliver(firing),
    deliver({ ...firing, alerts: [other] }),
    deliver(firing),
  ]);
  const group = await alerts.read(groupIdOf(firing));
  expect(group?.alerts.map(({ fingerprint }) => fingerprint).toSorted()).toEqual([
    '5ef77f1f8a3ecfb7',
    'ffffffffffffffff',
  ]);
});

test('a group of no app is kept, and logged', async () => {
  const firing = payload({ commonLabels: { alertname: 'NodeDown', instance: 'node-7' } });
  expect((await deliver(firing)).status).toBe(200);
  expect(await alerts.read(groupIdOf(firing))).toMatchObject({ status: 'firing', title: 'HighErrorRate' });
  expect(logged).toEqual([{ group: groupIdOf(firing), labels: { alertname: 'NodeDown', instance: 'node-7' } }]);
});

describe('the bearer token', () => {
  test.each([
    ['none', ''],
    ['another', 'Bearer another-token-entirely'],
    ['a part of it', `Bearer ${token.slice(0, -1)}`],
    ['more than it', `Bearer ${token}x`],
    ['another scheme', `Basic ${Buffer.from(`x:${token}`).toString('base64')}`],
  ])('%s: refused before the body is looked at', async (_what, authorization) => {
    const { status, body } = await deliver('not even a payload', authorization);
    expect(status).toBe(401);
    expect(body.error).toMatchObject({ code: 'WEBHOOK_REFUSED', hint: expect.stringContaining('ALERTMANAGER_TOKEN') });
  });

  test('where none is configured nothing is taken, and the answer says why', async () => {
    await bed.close();
    bed = await server({});
    const { status, body } = await deliver(payload(), 'Bearer undefined');
    expect(status).toBe(401);
    expect(body.error).toMatchObject({ code: 'WEBHOOK_OFF', message: expect.stringContaining('ALERTMANAGER_TOKEN') });
  });
});

describe('what is not a webhook of Alertmanager is refused', () => {
  test.each([
    [{ version: '3' }, 'version'],
    [{ alerts: [] }, 'alerts'],
    [{ alerts: [{ status: 'firing' }] }, 'alerts.0.labels'],
    [{ status: 'burning' }, 'status'],
    [{ groupKey: '' }, 'groupKey'],
  ])('%j', async (change, words) => {
    const { status, body } = await deliver(payload(change));
    expect(status).toBe(400);
    expect(body.error.message).toContain(words);
  });

  test('and so is more than a megabyte', async () => {
    expect((await deliver(payload({ receiver: 'x'.repeat(1_100_000) }))).status).toBe(413);
  });
});

test('with Redis away Alertmanager is asked to come again, and it does', async () => {
  const firing = payload();
  await redis().kill();
  expect((await deliver(firing)).status).toBe(503);
  await redis().start();
  await expect.poll(async () => (await deliver(firing)).status, { timeout: 5_000 }).toBe(200);
  expect(await alerts.read(groupIdOf(firing))).toMatchObject({ status: 'firing' });
});
