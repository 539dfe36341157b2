import { afterAll, beforeAll, expect, test } from 'vitest';
import { advance } from '../../../src/engine/advance.ts';
import { createLeases } from '../../../src/engine/leases.ts';
import { stop } from '../../../src/engine/stop.ts';
import { ana, ben, quiet } from '../../support/engine.ts';
import { installIstioKinds } from '../../support/istio-crds.ts';
import { kubectl } from '../../support/kubectl.ts';
import { type RealDesk, realDesk } from '../../support/real-desk.ts';

let desk: RealDesk;
let ns = '';
beforeAll(async () => {
  [desk] = await Promise.all([realDesk(), installIstioKinds()]);
  ns = desk.namespaces.staging;
  for (const name of ['web', 'cart', 'shop', 'pay'])
    await kubectl(['create', 'service', 'clusterip', name, '-n', ns, '--tcp=80:8080']);
  await kubectl(['create', 'service', 'clusterip', 'web', '-n', desk.namespaces.production, '--tcp=80:8080']);
});
afterAll(() => desk.end());

const httpOf = async (name: string, namespace = ns) =>
  JSON.parse(await kubectl(['get', 'virtualservice', name, '-n', namespace, '-o', 'json'])).spec.http;
const annotationsOf = async (name: string) =>
  JSON.parse(await kubectl(['get', 'virtualservice', name, '-n', ns, '-o', 'json'])).metadata.annotations;
const set = (operation: string, input: object) => desk.done(operation, { env: 'staging', ...input });
const plain = (host: string) => ({ name: 'primary', route: [{ destination: { host } }] });
const delayed = { delay: { percentage: { value: 10 }, fixedDelay: '2s' } };

test('a fault is there for as long as it was asked for, and goes away by itself, holding nobody meanwhile', async () => {
  const id = await desk.ask('fault', { service: 'web', env: 'staging', delay: '2s', percent: 10, for: '8s' });
  expect(await desk.lap(id), 'parked').toMatchObject({ state: 'running', steps: { hold: { state: 'waiting' } } });
  expect(await httpOf('web')).toEqual([{ ...plain('web'), fault: delayed }]);
  expect(await set('timeout', { service: 'web', timeout: '5s' }), 'others go on meanwhile').toMatchObject({
    state: 'finished',
  });
  const shown = await set('traffic', { service: 'web' });
  expect(shown.report).toMatchObject({
    rows: expect.arrayContaining([['Fault on purpose', `run ${id} takes it away at its end`, 'VirtualService/web']]),
  });
  const [over] = await desk.settle([id], 20_000);
  expect(over).toMatchObject({ state: 'finished', report: { note: 'Taken away again after 8 s.' } });
  expect(await httpOf('web')).toEqual([{ ...plain('web'), timeout: '5s' }]);
  expect(JSON.stringify(await annotationsOf('web'))).not.toContain('shipmate.dev/fault-');
});

test('it is taken away by another worker where the one that put it there was killed', async () => {
  const id = await desk.ask('fault', { service: 'cart', env: 'staging', abort: 503, for: '7s' });
  const killed = createLeases({ ...desk.engine.store, release: async () => {} }, 'killed', quiet);
  await advance(desk.engine, killed, id);
  await killed.stop();
  expect((await httpOf('cart'))[0].fault).toEqual({ abort: { percentage: { value: 100 }, httpStatus: 503 } });
  const [over] = await desk.settle([id], 30_000);
  expect(over).toMatchObject({ state: 'finished' });
  expect(await httpOf('cart')).toEqual([plain('cart')]);
});

test('to stop it is to take it away at once', async () => {
  await kubectl(['create', 'service', 'clusterip', 'stopped', '-n', ns, '--tcp=80:8080']);
  const id = await desk.ask('fault', { service: 'stopped', env: 'staging', delay: '1s', for: '10h' });
  await desk.lap(id);
  await stop(desk.engine, id, { actor: ben });
  const [over] = await desk.settle([id]);
  expect(over).toMatchObject({ state: 'finished', report: { note: 'Taken away again as somebody stopped it.' } });
  expect(await httpOf('stopped')).toEqual([plain('stopped')]);
});

test('for requests with a header alone, before the route that they would take', async () => {
  const main = {
    match: [{ uri: { prefix: '/' } }],
    route: [
      { destination: { host: 'shop', subset: 'stable' }, weight: 90 },
      { destination: { host: 'shop', subset: 'canary' }, weight: 10 },
    ],
  };
  const before = { match: [{ uri: { prefix: '/old' } }], redirect: { uri: '/' } };
  const object = { apiVersion: 'networking.istio.io/v1', kind: 'VirtualService', metadata: { name: 'shop' } };
  await kubectl(
    ['create', '-n', ns, '-f', '-'],
    JSON.stringify({ ...object, spec: { hosts: ['shop'], http: [before, main] } }),
  );
  const id = await desk.ask('fault', {
    service: 'shop',
    env: 'staging',
    abort: 500,
    header: 'x-test',
    value: 'yes',
    for: '1h',
  });
  await desk.lap(id);
  const copy = {
    ...main,
    name: expect.stringMatching(/^shipmate-fault-/),
    match: [{ uri: { prefix: '/' }, headers: { 'x-test': { exact: 'yes' } } }],
    fault: { abort: { percentage: { value: 100 }, httpStatus: 500 } },
  };
  expect(await httpOf('shop')).toEqual([before, copy, main]);
  expect(await set('timeout', { service: 'shop', timeout: '5s' }), 'the copy is not what people mean').toMatchObject({
    state: 'finished',
  });
  expect(await set('fault', { service: 'shop', delay: '1s' })).toMatchObject({
    fault: { code: 'BAD_INPUT', message: expect.stringContaining('/ship fault off shop in staging') },
  });
  expect(await set('fault-off', { service: 'shop' })).toMatchObject({ state: 'finished' });
  expect(await httpOf('shop')).toEqual([before, { ...main, timeout: '5s' }]);
  expect(await set('fault-off', { service: 'shop' })).toMatchObject({ report: { kind: 'unchanged' } });
});

test('one’s end does not take away another’s that came meanwhile', async () => {
  const input = { service: 'pay', env: 'staging', delay: '2s', percent: 10 };
  const first = await desk.ask('fault', { ...input, for: '7s' });
  await desk.lap(first);
  await set('fault-off', { service: 'pay' });
  const second = await desk.ask('fault', { ...input, for: '1h' });
  expect(await desk.lap(second)).toMatchObject({ state: 'running' });
  const [over] = await desk.settle([first], 20_000);
  expect(over).toMatchObject({ state: 'finished', report: { note: 'Somebody took it away before.' } });
  expect((await httpOf('pay'))[0].fault).toEqual(delayed);
});

test('in production it takes somebody else’s yes, whatever the policy or a broken glass says', async () => {
  const production = desk.namespaces.production;
  const input = { service: 'web', delay: '2s', for: '10m' };
  const id = await desk.ask('fault', { ...input, env: 'production' });
  expect(await desk.lap(id)).toMatchObject({ state: 'awaiting' });
  await expect(
    desk.ask('fault', { ...input, env: 'second' }),
    'an environment that asks for no approval, in the namespace of production',
  ).rejects.toMatchObject({ code: 'NEVER_UNAPPROVED', message: expect.stringContaining('“the rest is free”') });
  await expect(desk.ask('fault', { ...input, env: 'production' }, ana, 'the shop is down')).rejects.toMatchObject({
    code: 'BREAK_GLASS_DENIED',
  });
  expect(await kubectl(['get', 'virtualservices', '-n', production, '-o', 'name'])).toBe('');
  await desk.approve(id, ben);
  expect(await desk.lap(id)).toMatchObject({ state: 'running', steps: { hold: { state: 'waiting' } } });
  expect((await httpOf('web', production))[0].fault).toBeDefined();
});

test('what would be no fault, or too long, is refused', async () => {
  expect(await set('fault', { service: 'web' })).toMatchObject({
    fault: { message: expect.stringContaining('delay=2s, abort=503') },
  });
  expect(await set('fault', { service: 'web', abort: 500, value: 'x' })).toMatchObject({
    fault: { code: 'BAD_INPUT' },
  });
  for (const wrong of [{ for: '13h' }, { percent: 101 }, { abort: 99 }, { delay: '2' }, { header: 'a b' }])
    await expect(set('fault', { service: 'web', delay: '1s', ...wrong })).rejects.toMatchObject({ code: 'BAD_INPUT' });
});
