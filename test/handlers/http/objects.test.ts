import { afterAll, beforeAll, expect, test } from 'vitest';
import { createSeal } from '../../../src/store/seal.ts';
import { createStores } from '../../../src/store/stores.ts';
import { furnish } from '../../fakes/small-cluster.ts';
import { redisForFile } from '../../support/redis.ts';
import { type RestBed, restBed } from './rest-bed.ts';

const redis = redisForFile();
let bed: RestBed;
beforeAll(async () => {
  bed = await restBed(redis().url);
  furnish(bed.world);
});
afterAll(() => bed.close());

const of = (kind: string, name: string) => bed.world.objects.get(`${kind} staging/${name}`);

test('a ConfigMap is set by its address, with values as they are', async () => {
  const data = { 'app.properties': 'a=1\nb=2\n', LEVEL: 'in=fo' };
  const asked = await bed.send('ana', 'PUT', 'configmaps/staging/app-config', { data });
  expect(asked.status).toBe(202);
  await bed.work(asked.body.data.run);
  expect(of('ConfigMap', 'app-config')).toMatchObject({ data: { ...data, LOG_LEVEL: 'info' } });
});

test('without a key to seal with a Secret’s values are refused and never stored', async () => {
  const asked = await bed.send('ana', 'PUT', 'secrets/staging/app-secrets', { data: { PASSWORD: 'battery-staple' } });
  expect(asked).toMatchObject({ status: 422, body: { error: { code: 'NOT_SEALED' } } });
  expect(JSON.stringify(asked.body)).not.toContain('battery-staple');
  expect((await bed.engine.store.recent(10)).map(({ operation }) => operation)).not.toContain('secret-set');
});

test('with one they are taken, and the answer does not repeat them', async () => {
  const { store } = createStores(bed.engine.redis, createSeal([Buffer.alloc(32, 7)]));
  const sealed = await restBed(redis().url, {}, { store });
  furnish(sealed.world);
  const asked = await sealed.send('ana', 'PUT', 'secrets/staging/app-secrets', {
    data: { PASSWORD: 'battery-staple' },
  });
  expect(asked.status).toBe(202);
  const id: string = asked.body.data.run;
  await sealed.work(id);
  const ended = await sealed.send('ana', 'GET', `runs/${id}`);
  expect(ended.body.data).toMatchObject({ state: 'finished', plan: { changes: [{ to: '••••••' }] } });
  for (const { body } of [asked, ended]) expect(JSON.stringify(body)).not.toMatch(/battery|YmF0dGVyeS/);
  expect(sealed.world.objects.get('Secret staging/app-secrets')).toMatchObject({
    data: { PASSWORD: Buffer.from('battery-staple').toString('base64') },
  });
  await sealed.close();
});

test('what is wrong with the path or the body is said by field', async () => {
  const answer = await bed.send('ana', 'PUT', 'configmaps/staging/app-config', { data: { 'a b': '1' } });
  expect(answer).toMatchObject({
    status: 400,
    body: { error: { message: expect.stringContaining('letters, digits') } },
  });
  const unknown = await bed.send('ana', 'PUT', 'configmaps/staging/app-config', { values: {} });
  expect(unknown.body.error.message).toContain('data is missing');
});

test('Services, routes and namespaces have addresses too, and DELETE is understood', async () => {
  const routed = await bed.send('ana', 'PUT', 'routes/staging', { url: 'a.example.com', service: 'web', port: 80 });
  await bed.work(routed.body.data.run);
  expect(of('Ingress', 'a-example-com')).toMatchObject({ spec: { rules: [{ host: 'a.example.com' }] } });
  const deleted = await bed.send('ana', 'DELETE', 'services/staging/old-api');
  expect(deleted.status).toBe(202);
  await bed.work(deleted.body.data.run);
  expect(of('Service', 'old-api')).toBeUndefined();
  const made = await bed.send('ana', 'POST', 'namespaces', { name: 'new', env: 'staging', labels: { team: 'shop' } });
  await bed.work(made.body.data.run);
  expect(bed.world.objects.get('Namespace /new')).toMatchObject({ metadata: { labels: { team: 'shop' } } });
  const once = await bed.send('ana', 'DELETE', 'namespaces/new', { env: 'staging', again: 'new' });
  await bed.work(once.body.data.run);
  expect(bed.world.objects.has('Namespace /new')).toBe(false);
});
