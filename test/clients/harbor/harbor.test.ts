import { once } from 'node:events';
import { createServer } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createHarbor } from '../../../src/clients/harbor/harbor.ts';
import type { Logins } from '../../../src/core/image-settings.ts';
import { type HarborServer, harborAccount, startHarbor } from '../../support/harbor-server.ts';

const { signal } = new AbortController();
let server: HarborServer;
beforeAll(async () => {
  server = await startHarbor();
});
afterAll(() => server.end());
const secret = () => 'a-planted-password';
const client = (change: { url?: string; password?: string; logins?: Logins } = {}) => {
  const { url = `${server.url}/`, logins = {}, ...account } = change;
  return createHarbor({ settings: () => ({ url, logins }), ...harborAccount, ...account, secret });
};

test('what is there is read, what is not is nothing, and an account that is wrong says where to look', async () => {
  expect(await client().read(['projects', 'team'], {}, signal)).toMatchObject({ name: 'team', project_id: 1 });
  expect(await client().read(['projects', 'none'], {}, signal)).toBeUndefined();
  await expect(client({ password: 'wrong' }).read(['projects', 'team'], {}, signal)).rejects.toMatchObject({
    code: 'HARBOR_REFUSED',
    message: expect.stringContaining('unauthorized'),
    hint: expect.stringContaining('HARBOR_PASSWORD'),
  });
  await expect(createHarbor({ settings: () => undefined, secret }).read([], {}, signal)).rejects.toMatchObject({
    code: 'HARBOR_OFF',
  });
});

test('a repository with a slash is encoded twice; nothing in a name leaves its place', async () => {
  await client().read(['projects', 'team', 'repositories', 'deep/web', 'artifacts', 'v1'], {}, signal);
  expect(server.asked.at(-1)).toBe('GET /api/v2.0/projects/team/repositories/deep%252Fweb/artifacts/v1');
  expect(await client().read(['projects', '../robots?x=1#'], {}, signal)).toBeUndefined();
  expect(server.asked.at(-1)).toBe('GET /api/v2.0/projects/..%252Frobots%253Fx%253D1%2523');
});

test('a long list is read page by page, up to what is wanted', async () => {
  const { state } = server.harbor;
  const [first] = state.projects;
  for (let n = 0; n < 230; n++) state.projects.push({ ...first, project_id: 1_000 + n, name: `many${n}` });
  const all = await client().list(['projects'], {}, 500, signal);
  expect(new Set(all.map(({ name }) => name)).size).toBe(232);
  expect(await client().list(['projects'], {}, 150, signal)).toHaveLength(150);
  state.projects.splice(2);
});

test('409 is an answer; other refusals come in Harbor’s own words', async () => {
  const made = await client().send({ method: 'POST', path: ['projects'], body: { project_name: 'team' } }, signal);
  expect(made).toMatchObject({ status: 409, message: 'The project named team already exists' });
  server.next.push({ status: 412, body: '{"errors":[{"code":"PRECONDITION","message":"the project is locked"}]}' });
  await expect(client().send({ method: 'DELETE', path: ['robots', '1'] }, signal)).rejects.toMatchObject({
    code: 'HARBOR_REFUSED',
    message: expect.stringContaining('the project is locked'),
  });
  server.next.push({ status: 302, body: '' });
  await expect(client().read(['projects'], {}, signal)).rejects.toMatchObject({ code: 'HARBOR_REFUSED' });
});

test.each([
  [{ status: 502, body: '<html>Bad Gateway</html>' }, 'HTTP 502'],
  [{ status: 200, body: '<html>Welcome</html>' }, '<html>'],
])('what is no Harbor is called that: %j', async (answer, words) => {
  server.next.push(answer);
  await expect(client().read(['projects'], {}, signal)).rejects.toMatchObject({
    code: 'HARBOR_UNREACHABLE',
    retry: 'later',
    message: expect.stringContaining(words),
  });
});

test('one that is away, and one that never answers, are given up', async () => {
  await expect(client({ url: 'http://127.0.0.1:1' }).read(['projects'], {}, signal)).rejects.toMatchObject({
    code: 'HARBOR_UNREACHABLE',
  });
  const silent = createServer(() => {}).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const address = silent.address();
  const port = address !== null && typeof address !== 'string' ? address.port : 0;
  const asked = client({ url: `http://127.0.0.1:${port}` }).read(['projects'], {}, AbortSignal.timeout(500));
  await expect(asked).rejects.toMatchObject({
    code: 'HARBOR_UNREACHABLE',
    message: expect.stringContaining('no answer'),
  });
  silent.close();
});

test('a password goes with an address of its own host only, and is in nothing that Harbor says of it', async () => {
  const logins = { 'dr.example.com': { username: 'ana', password: { env: 'DR_PASSWORD' } } };
  const call = (url: string) => ({
    method: 'PUT' as const,
    path: ['registries', '1'],
    body: { url, insecure: false, access_key: 'ana' },
    password: ['access_secret'],
  });
  await client({ logins }).send(call('https://dr.example.com'), signal);
  expect(server.harbor.state.registries[0]).toMatchObject({ credential: { access_secret: 'a-planted-password' } });
  for (const url of ['https://dr.example.com:444', 'https://dr.example.com.evil.example', 'https://constructor']) {
    const asked = server.asked.length;
    await expect(client({ logins }).send(call(url), signal)).rejects.toMatchObject({
      message: expect.stringContaining('There is no login'),
    });
    expect(server.asked).toHaveLength(asked);
  }
  const said = JSON.stringify({ errors: [{ code: 'X', message: 'ana:a-planted-password is wrong' }] });
  server.next.push({ status: 400, body: said });
  const refused = client({ logins }).send(call('https://dr.example.com'), signal);
  await expect(refused).rejects.toMatchObject({ message: expect.stringContaining('ana:[redacted] is wrong') });
});
