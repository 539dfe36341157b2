import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Desk } from '../../support/desk.ts';
import { type HarborDesk, harborDesk } from '../../support/harbor-desk.ts';
import type { HarborServer } from '../../support/harbor-server.ts';
import { startRedis, type TestRedis } from '../../support/redis.ts';

let redis: TestRedis;
let all: HarborDesk;
let server: HarborServer;
let desk: Desk;
let logged: unknown[];
const password = 'planted-mirror-password';
const wrong = 'a-wrong-password';
const login = (env: string) => ({ username: 'robot$there', password: { env } });

beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());
beforeEach(async () => {
  logged = [];
  const note = (...said: unknown[]) => void logged.push(said);
  all = await harborDesk(redis.url, {
    env: { MIRROR_PASSWORD: password, WRONG_PASSWORD: wrong },
    logins: {
      'mirror.example.com': login('MIRROR_PASSWORD'),
      'dr2.example.com': login('MIRROR_PASSWORD'),
      'dr.example.com': { ...login('MIRROR_PASSWORD'), username: 'robot$here' },
      'wrong.example.com': login('WRONG_PASSWORD'),
      'unset.example.com': login('UNSET_PASSWORD'),
    },
    log: { info: note, warn: note, error: note },
  });
  ({ server, desk } = all);
  return all.end;
});

const endpoint = (name: string) => server.harbor.state.registries.find((each) => each.name === name);
const mirror = { endpoint: 'mirror', url: 'https://mirror.example.com/' };

test('endpoints are shown with who uses them, and tried', async () => {
  expect((await desk.done('harbor-endpoints', {})).report).toMatchObject({
    rows: [
      ['dr', 'harbor', 'https://dr.example.com', 'robot$here', 'healthy', 'to-dr'],
      ['hub', 'docker-hub', 'https://hub.docker.com', 'none', 'healthy', ''],
    ],
  });
  expect((await desk.done('harbor-endpoint-test', { endpoint: 'dr' })).report).toMatchObject({
    note: 'Harbor reaches dr at https://dr.example.com as robot$here.',
  });
  Object.assign(endpoint('dr') ?? {}, { url: 'https://down.example.com' });
  expect(await desk.done('harbor-endpoint-test', { endpoint: 'dr' })).toMatchObject({
    fault: { code: 'HARBOR_REFUSED', hint: expect.stringContaining('a wrong account') },
  });
  expect(await desk.done('harbor-endpoint-test', { endpoint: 'rd' })).toMatchObject({
    fault: { message: expect.stringContaining('There is no endpoint “rd”') },
  });
});

test('one is made with the account of its host, whose password is in no plan, step, event, audit record or log', async () => {
  const run = await desk.done('harbor-endpoint-create', mirror);
  expect(run).toMatchObject({ state: 'finished', report: { objects: ['endpoint/mirror: created'] } });
  expect(run.plan?.changes).toEqual([
    { path: 'endpoint/mirror url', to: 'https://mirror.example.com' },
    { path: 'endpoint/mirror type', to: 'harbor' },
    { path: 'endpoint/mirror account', to: 'robot$there' },
    { path: 'endpoint/mirror insecure', to: false },
  ]);
  expect(endpoint('mirror')).toMatchObject({
    url: 'https://mirror.example.com',
    credential: { type: 'basic', access_key: 'robot$there', access_secret: password },
  });
  await all.engine.audit.seal();
  const { store, audit, redis: kept } = all.engine;
  const stored = [await store.read(run.id), await store.events(run.id, '', 500), await audit.read({ limit: 500 })];
  expect(JSON.stringify(stored)).toContain('robot$there');
  expect(JSON.stringify([stored, logged])).not.toContain(password);
  for (const key of await kept.keys('*'))
    expect((await kept.dumpBuffer(key))?.toString('latin1') ?? '').not.toContain(password);
  expect(await desk.done('harbor-endpoint-create', mirror)).toMatchObject({ fault: { code: 'OBJECT_EXISTS' } });
  await all.undo(run);
  expect(endpoint('mirror')).toBeUndefined();
});

test('an endpoint whose making was not answered is not made twice', async () => {
  server.lost.push('POST');
  const id = await desk.ask('harbor-endpoint-create', mirror);
  const [run] = await desk.settle([id]);
  expect(run).toMatchObject({ state: 'finished' });
  expect(server.harbor.state.registries.filter(({ name }) => name === 'mirror')).toHaveLength(1);
  expect(server.asked.filter((asked) => asked === 'POST /api/v2.0/registries')).toHaveLength(1);
});

test.each([
  [{ url: 'https://new.example.com', type: 'habor' }, 'Did you mean “harbor”'],
  [{ url: 'https://new.example.com', type: 'gitea' }, 'There are: harbor, docker-hub'],
  [{ url: 'https://unset.example.com' }, 'UNSET_PASSWORD'],
  [{ url: 'https://down.example.com' }, 'unhealthy'],
  [{ url: 'https://wrong.example.com' }, 'unhealthy'],
])('%o is refused, and nothing is made', async (input, words) => {
  const run = await desk.done('harbor-endpoint-create', { endpoint: 'fresh', ...input });
  expect(run).toMatchObject({ state: 'failed', fault: { message: expect.stringContaining(words) } });
  expect(JSON.stringify(run)).not.toContain(wrong);
  expect(server.harbor.state.registries).toHaveLength(2);
});

test.each([
  'new.example.com',
  'ftp://new.example.com',
  'https://ana:secret@new.example.com',
  'https://new.example.com?x=1',
])('%s is no address', async (url) => {
  await expect(desk.ask('harbor-endpoint-create', { endpoint: 'fresh', url })).rejects.toMatchObject({
    message: expect.stringContaining('must be https://HOST'),
  });
});

test('what is not safe is said to whoever approves', async () => {
  const warnings = async (input: object) =>
    (await desk.done('harbor-endpoint-create', { endpoint: 'fresh', ...input })).plan?.warnings;
  expect(await warnings({ url: 'http://mirror.example.com' })).toEqual([expect.stringContaining('reads its password')]);
  await desk.done('harbor-endpoint-remove', { endpoint: 'fresh' });
  expect(await warnings({ url: 'https://new.example.com', insecure: true })).toEqual([
    expect.stringContaining('is not checked'),
  ]);
});

test('one is changed: its password goes along to a new address, and an old one is never kept for it', async () => {
  const run = await desk.done('harbor-endpoint-set', { endpoint: 'dr', url: 'https://dr2.example.com' });
  expect(run.plan?.changes).toEqual([
    { path: 'endpoint/dr url', from: 'https://dr.example.com', to: 'https://dr2.example.com' },
    { path: 'endpoint/dr account', from: 'robot$here', to: 'robot$there' },
    { path: 'endpoint/dr password', to: 'what harbor.logins has now' },
  ]);
  expect(endpoint('dr')).toMatchObject({
    url: 'https://dr2.example.com',
    credential: { access_key: 'robot$there', access_secret: password },
  });
  await all.undo(run);
  expect(endpoint('dr')).toMatchObject({
    url: 'https://dr.example.com',
    credential: { access_key: 'robot$here', access_secret: password },
  });
  const asked = server.asked.length;
  expect(await desk.done('harbor-endpoint-set', { endpoint: 'dr', url: 'https://new.example.com' })).toMatchObject({
    fault: {
      message:
        'Harbor drops the password of “dr” when its address changes, and harbor.logins of shipmate.yaml has none for new.example.com.',
    },
  });
  expect(server.asked.slice(asked).filter((each) => !each.startsWith('GET'))).toEqual([]);
});

test('a password is renewed, a certificate no longer checked, and that is undone', async () => {
  const renewed = await desk.done('harbor-endpoint-set', { endpoint: 'dr', renew: true });
  expect(renewed.plan).toMatchObject({ changes: [{ path: 'endpoint/dr password' }] });
  expect(renewed.plan?.undo).toBeUndefined();
  expect(endpoint('dr')).toMatchObject({ credential: { access_key: 'robot$here', access_secret: password } });
  expect(await desk.done('harbor-endpoint-set', { endpoint: 'hub', renew: true })).toMatchObject({
    fault: { message: expect.stringContaining('has no account for hub.docker.com') },
  });
  const run = await desk.done('harbor-endpoint-set', { endpoint: 'dr', insecure: true });
  expect(endpoint('dr')).toMatchObject({ insecure: true, credential: { access_secret: password } });
  await all.undo(run);
  expect(endpoint('dr')).toMatchObject({ insecure: false });
  expect(await desk.done('harbor-endpoint-set', { endpoint: 'dr', insecure: false })).toMatchObject({
    report: { kind: 'unchanged' },
  });
});

test('one that is used is not deleted; one that is not is, and comes back', async () => {
  expect(await desk.done('harbor-endpoint-remove', { endpoint: 'dr' })).toMatchObject({
    fault: {
      code: 'PROTECTED',
      message: 'endpoint/dr is not deleted: replicated by to-dr.',
      hint: 'Delete what uses it first: /ship harbor replication remove to-dr',
    },
  });
  Object.assign(server.harbor.state.projects[1] ?? {}, { registry_id: 2 });
  expect(await desk.done('harbor-endpoint-remove', { endpoint: 'hub' })).toMatchObject({
    fault: { code: 'PROTECTED', message: expect.stringContaining('base fetches through it') },
  });
  Object.assign(server.harbor.state.projects[1] ?? {}, { registry_id: 0 });
  const run = await desk.done('harbor-endpoint-remove', { endpoint: 'hub' });
  expect(endpoint('hub')).toBeUndefined();
  await all.undo(run);
  expect(endpoint('hub')).toMatchObject({ url: 'https://hub.docker.com', type: 'docker-hub' });
});
