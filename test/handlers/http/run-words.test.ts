import { afterEach, beforeEach, expect, test } from 'vitest';
import { AuditRecord, verifyChain } from '../../../src/core/audit.ts';
import { redisForFile } from '../../support/redis.ts';
import { deployment, type RestBed, restBed, tokenOf } from './rest-bed.ts';

const redis = redisForFile();
let bed: RestBed;
beforeEach(async () => {
  bed = await restBed(redis().url);
  await bed.engine.redis.flushall();
});
afterEach(async () => bed.close());

const ask = async (image = 'myapp:v1.0.0') => {
  const { body } = await bed.send('ana', 'POST', 'deployments', { ...deployment, image });
  await bed.work(body.data.run);
  return String(body.data.run);
};
const approved = async (id: string) => {
  const { body } = await bed.send('ben', 'GET', `runs/${id}`);
  await bed.send('ben', 'POST', `runs/${id}/decision`, { kind: 'approve', digest: body.data.plan.digest });
  await bed.work(id);
};

test('a run is stopped by its requester, once', async () => {
  const id = await ask();
  expect((await bed.send('eve', 'POST', `runs/${id}/cancel`, {})).body.error.code).toBe('UNKNOWN_RUN');
  expect((await bed.send('ana', 'POST', `runs/${id}/cancel`, { reason: 'wrong tag' })).status).toBe(202);
  await bed.work(id);
  const { body } = await bed.send('ana', 'GET', `runs/${id}`);
  expect(body.data).toMatchObject({
    state: 'cancelled',
    cancelled: { actor: 'token:ana@example.com', reason: 'wrong tag' },
  });
  expect((await bed.send('ana', 'POST', `runs/${id}/cancel`)).status).toBe(409);
});

test('a finished change is undone by asking for the way back', async () => {
  const first = await ask();
  await approved(first);
  expect((await bed.send('ana', 'POST', `runs/${first}/undo`)).body.error.code).toBe('NOTHING_TO_UNDO');
  const second = await ask('myapp:v2.0.0');
  await approved(second);
  const { status, headers, body } = await bed.send('ana', 'POST', `runs/${second}/undo`);
  expect([status, body.data.operation]).toEqual([202, 'deploy']);
  expect(headers.location).toContain(body.data.run);
  await bed.work(body.data.run);
  expect((await bed.send('ana', 'GET', `runs/${body.data.run}`)).body.data).toMatchObject({ state: 'awaiting' });
});

test('every operation can be asked for by its name; what reads answers at once', async () => {
  const asked = bed.send('ana', 'POST', 'operations/can', {
    who: 'ben',
    operation: 'deploy',
    app: 'my-app',
    env: 'production',
  });
  await expect.poll(() => bed.engine.woken.length).toBe(1);
  await bed.work(bed.engine.woken[0] ?? '');
  const { status, body } = await asked;
  expect([status, body.data.report.kind]).toEqual([200, 'verdict']);
  expect((await bed.send('ana', 'POST', 'operations/scale', { app: 'my-app' })).body.error.message).toContain(
    'env is missing.',
  );
});

test('what is asked of a run that asks nothing, or of no run, is refused', async () => {
  const id = await ask();
  expect((await bed.send('ana', 'POST', `runs/${id}/answer`, { choice: 'go' })).body.error.code).toBe('NOTHING_ASKED');
  expect((await bed.send('ben', 'POST', `runs/${id}/review`)).body.error.code).toBe('NOT_YOURS_TO_REVIEW');
  expect((await bed.send('ana', 'POST', 'runs/none/cancel', {})).status).toBe(404);
});

test('the audit log comes as JSON Lines, whole, and from where one left off', async () => {
  await approved(await ask());
  while ((await bed.engine.audit.seal()) > 0);
  const lines = async (query: string) => {
    const headers = { authorization: `Bearer ${await tokenOf('ana@example.com')}` };
    const { statusCode, body } = await bed.app.inject({ url: `/api/v1/cloud-native/audit${query}`, headers });
    expect(statusCode).toBe(200);
    return body
      .trim()
      .split('\n')
      .map((line) => AuditRecord.parse(JSON.parse(line)));
  };
  const all = await lines('');
  expect(verifyChain(all, await bed.engine.audit.head()).faults).toEqual([]);
  expect(all.length).toBeGreaterThan(6);
  expect(await lines(`?after=${all.length - 2}`)).toEqual(all.slice(-2));
  const headers = { authorization: `Bearer ${await tokenOf('ana@example.com')}` };
  expect((await bed.app.inject({ url: '/api/v1/cloud-native/audit?after=x', headers })).statusCode).toBe(400);
});
