import { CompactSign, SignJWT } from 'jose';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import type { ShipmateProcess } from '../../testbed/shipmate.ts';
import { ana, ben, ship, startVoyage, type Voyage } from '../support/voyage.ts';

let voyage: Voyage;
let shipmate: ShipmateProcess;
beforeAll(async () => {
  voyage = await startVoyage();
  shipmate = await voyage.start('all');
});
afterAll(async () => voyage.end());

const tokenOf = (subject: string) =>
  new SignJWT({})
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(subject)
    .setExpirationTime('5m')
    .sign(new TextEncoder().encode(voyage.jwtSecret));
const Answer = z.object({ data: z.looseObject({ run: z.string(), state: z.string(), link: z.string() }) });

async function ask(method: string, path: string, subject: string, body?: unknown) {
  const response = await fetch(`${shipmate.url}/api/v1/cloud-native${path}`, {
    method,
    headers: { authorization: `Bearer ${await tokenOf(subject)}`, 'content-type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: await response.json() };
}

test('POST /deployments creates what was described, behind the same approval, and can be followed by SSE', {
  timeout: 90_000,
}, async () => {
  const { slack, namespaces } = voyage;
  const body = {
    name: 'my-app',
    namespace: namespaces.production,
    image: 'web:v1',
    replicas: 2,
    ports: [8080],
    env: { ENV_VAR: 'value' },
    resources: { requests: { cpu: '10m', memory: '16Mi' }, limits: { cpu: '500m', memory: '64Mi' } },
  };
  const asked = await ask('POST', '/deployments', 'ana@example.com', body);
  expect(asked.status).toBe(202);
  const { run } = Answer.parse(asked.body).data;
  const card = await slack.waitFor(
    'the card is in the app’s channel',
    ({ text, channel }) => channel === ship && text.startsWith('Deploy my-app to production: waiting'),
    20_000,
  );
  await slack.click(ana, card, 'Approve');
  await slack.waitFor(
    'Slack’s ana is REST’s ana',
    ({ onlyFor, text }) => onlyFor === ana && text.includes('You asked for this yourself'),
  );
  const stream = await fetch(`${shipmate.url}/api/v1/cloud-native/runs/${run}/events`, {
    headers: { authorization: `Bearer ${await tokenOf('ben@example.com')}` },
  });
  await slack.click(ben, card, 'Approve');
  const events = await stream.text();
  expect(events).toContain('approved');
  expect(events).toContain('finished');
  expect(await ask('GET', `/runs/${run}`, 'ben@example.com')).toMatchObject({
    status: 200,
    body: { data: { state: 'finished' } },
  });
  expect(
    await ask('PUT', `/deployments/${namespaces.production}/my-app/rollout`, 'ana@example.com', {
      image: 'web:v2',
      strategy: 'canary',
      canaryWeight: 20,
    }),
  ).toMatchObject({ status: 202 });
  await slack.waitFor(
    'its port has a Service, so there is traffic to shift',
    ({ text }) => text.startsWith('Deploy my-app to production: waiting for approval – web:v1 → web:v2, canary'),
    20_000,
  );
});

const alert = (status: 'firing' | 'resolved', startsAt: string) => ({
  version: '4',
  groupKey: '{}:{alertname="HighErrors"}',
  truncatedAlerts: 0,
  receiver: 'shipmate',
  status,
  groupLabels: { alertname: 'HighErrors' },
  commonLabels: { alertname: 'HighErrors', severity: 'critical', app: 'web', namespace: voyage.namespaces.staging },
  commonAnnotations: { summary: '5 % of requests fail' },
  externalURL: 'http://alertmanager',
  alerts: [
    {
      status,
      labels: { alertname: 'HighErrors', severity: 'critical', app: 'web', namespace: voyage.namespaces.staging },
      annotations: { summary: '5 % of requests fail <!channel>' },
      startsAt,
      endsAt: status === 'resolved' ? new Date().toISOString() : '0001-01-01T00:00:00Z',
      generatorURL: 'http://prometheus',
      fingerprint: 'abc',
    },
  ],
});

test('a firing alert is one message with a Roll back button, edited when it resolves', {
  timeout: 120_000,
}, async () => {
  const { slack } = voyage;
  for (const tag of ['v1', 'v2']) {
    await slack.command(ana, ship, `/deploy web:${tag} staging`);
    await slack.waitFor(
      `${tag} runs`,
      ({ text }) => text.startsWith('Deploy web to staging: done') && text.includes(`web:${tag}`),
      40_000,
    );
  }
  const startsAt = new Date().toISOString();
  const send = (status: 'firing' | 'resolved', token = voyage.alertToken) =>
    fetch(`${shipmate.url}/webhooks/alertmanager`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(alert(status, startsAt)),
    });
  expect((await send('firing', 'wrong')).status).toBe(401);
  expect((await send('firing')).status).toBe(200);
  expect((await send('firing')).status).toBe(200);
  const firing = await slack.waitFor(
    'the alert',
    ({ text }) => text.includes('HighErrors') && text.includes('firing'),
    10_000,
  );
  expect(JSON.stringify(firing.blocks)).toContain('&lt;!channel&gt;');
  await slack.click(ana, firing, 'Roll back');
  await slack.waitFor('it is rolled back', ({ text }) => text.startsWith('Roll back web in staging: done'), 40_000);
  expect((await send('resolved')).status).toBe(200);
  const resolved = await slack.waitFor(
    'it is resolved',
    ({ text }) => text.includes('HighErrors') && text.includes('resolved'),
    10_000,
  );
  expect(resolved.ts).toBe(firing.ts);
  expect(JSON.stringify(resolved.blocks)).not.toContain('Roll back');
});

test('a stranger’s token sees nothing of a run, and one whose subject is a list is no token and leaves the audit log whole', {
  timeout: 60_000,
}, async () => {
  const body = { app: 'web', env: 'production', tag: 'v1' };
  const { run } = Answer.parse((await ask('POST', '/operations/deploy', 'ana@example.com', body)).body).data;
  await expect
    .poll(async () => (await ask('GET', `/runs/${run}`, 'ben@example.com')).body, { timeout: 20_000 })
    .toMatchObject({ data: { state: 'awaiting' } });
  for (const [method, path] of [
    ['GET', ''],
    ['GET', '/events'],
    ['POST', '/undo'],
    ['POST', '/cancel'],
  ] as const)
    expect(
      await ask(method, `/runs/${run}${path}`, 'eve@example.com', method === 'POST' ? {} : undefined),
    ).toMatchObject({
      status: 404,
      body: { error: { code: 'UNKNOWN_RUN' } },
    });
  const payload = { sub: ['eve@example.com'], exp: Math.floor(Date.now() / 1_000) + 300 };
  const poison = await new CompactSign(new TextEncoder().encode(JSON.stringify(payload)))
    .setProtectedHeader({ alg: 'HS256' })
    .sign(new TextEncoder().encode(voyage.jwtSecret));
  const url = `${shipmate.url}/api/v1/cloud-native/operations/deploy`;
  const headers = { authorization: `Bearer ${poison}`, 'content-type': 'application/json' };
  expect((await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })).status).toBe(401);
  expect(await ask('POST', `/runs/${run}/cancel`, 'ana@example.com', {})).toMatchObject({ status: 202 });
  const audit = await fetch(`${shipmate.url}/api/v1/cloud-native/audit`, {
    headers: { authorization: `Bearer ${await tokenOf('eve@example.com')}` },
  });
  const lines = (await audit.text()).trim().split('\n');
  expect(lines.length).toBeGreaterThan(3);
  expect(lines.join('')).not.toContain(run);
  expect(lines.join('')).toContain('"withheld":true');
});
