import { request } from 'node:http';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Settings } from '../../../src/core/settings.ts';
import { redisForFile } from '../../support/redis.ts';
import { api, type RestBed, restBed, restSettings, tokenOf } from './rest-bed.ts';

const redis = redisForFile();
const repository = 'registry.example.com/team/myapp';
const rule = Settings.shape.policy.parse([{ name: 'builds', operations: ['docker-build'], who: ['engineers'] }]);
let bed: RestBed;
/** What the registry was sent, by its repository. */
let sent: { repository: string; bytes: number; limit: number }[];

beforeEach(async () => {
  const settings = { ...restSettings, policy: [...rule, ...restSettings.policy] };
  bed = await restBed(redis().url, {}, { settings: () => settings });
  sent = [];
  bed.world.clients.registry.writeBlob = async (to, content, limit) => {
    let bytes = 0;
    for await (const part of content) bytes += part.length;
    sent.push({ repository: to, bytes, limit });
    return { digest: `sha256:${'e'.repeat(64)}`, size: bytes };
  };
});
afterEach(() => bed.close());

async function upload(query: string, body: Buffer, headers: Record<string, string> = {}, who = 'ana') {
  const answer = await bed.app.inject({
    method: 'POST',
    url: `${api}/docker/build?${query}`,
    headers: {
      authorization: `Bearer ${await tokenOf(`${who}@example.com`)}`,
      'content-type': 'application/x-tar',
      ...headers,
    },
    payload: body,
  });
  return { status: answer.statusCode, headers: answer.headers, body: answer.json() };
}

test('a tar is kept beside its repository’s images, and the run names it', async () => {
  const args = encodeURIComponent('{"VERSION":"1.0.0"}');
  const query = `tag=myapp:v1&buildArgs=${args}&platforms=linux/amd64,linux/arm64&fresh=yes`;
  const said = query.replace('tag=myapp', `tag=${encodeURIComponent(repository)}`);
  const { status, body } = await upload(said, Buffer.alloc(2_000_000));
  expect(body).toMatchObject({ data: { operation: 'docker-build', state: 'requested' } });
  expect(status).toBe(202);
  expect(sent[0]).toEqual({ repository, bytes: 2_000_000, limit: 500 * 1_048_576 });
  expect((await bed.engine.store.read(body.data.run))?.input).toMatchObject({
    context: `upload:sha256:${'e'.repeat(64)}`,
    tag: `${repository}:v1`,
    args: { VERSION: '1.0.0' },
    platforms: ['linux/amd64', 'linux/arm64'],
    fresh: true,
  });
});

const tag = `tag=${encodeURIComponent(`${repository}:v1`)}`;

test.each([
  ['', 'application/x-tar', 400, 'tag is missing'],
  [`${tag}&nonsense=1`, 'application/gzip', 400, '“nonsense” is not a field'],
  [`${tag}&context=.`, 'application/x-tar', 400, 'not both'],
  [`${tag}&buildArgs={`, 'application/x-tar', 400, 'buildArgs must be JSON'],
  [`${tag}&target=--x`, 'application/x-tar', 400, 'target'],
  [tag, 'application/zip', 400, 'not JSON'],
])('what is wrong is refused before anything is taken in: %s %s', async (query, type, status, words) => {
  const answer = await upload(query, Buffer.alloc(1_000), { 'content-type': type });
  expect(answer).toMatchObject({ status, body: { error: { message: expect.stringContaining(words) } } });
  expect(sent).toEqual([]);
});

test('who may not build keeps nothing, and neither does who has no token', async () => {
  expect(await upload(tag, Buffer.alloc(1_000), {}, 'eve')).toMatchObject({
    status: 403,
    headers: { connection: 'close' },
  });
  expect(await upload(tag, Buffer.alloc(1_000), { authorization: 'Bearer none' })).toMatchObject({ status: 401 });
  expect(sent).toEqual([]);
});

test('where images may not be pushed no context is kept, and an empty one is none', async () => {
  expect(await upload('tag=docker.io/library/x:v1', Buffer.alloc(9))).toMatchObject({
    body: { error: { code: 'NOT_PUSHABLE' } },
  });
  expect(sent).toEqual([]);
  expect(await upload(tag, Buffer.alloc(0))).toMatchObject({ status: 400 });
});

test('other addresses take no file', async () => {
  const answer = await bed.app.inject({
    method: 'POST',
    url: `${api}/docker/push`,
    headers: {
      authorization: `Bearer ${await tokenOf('ana@example.com')}`,
      'content-type': 'application/x-tar',
    },
    payload: Buffer.alloc(10),
  });
  expect(answer.json()).toMatchObject({
    error: { code: 'BAD_INPUT', message: expect.stringContaining('takes no file') },
  });
});

test('an upload whose sender goes away starts nothing', async () => {
  const address = new URL(await bed.app.listen({ port: 0, host: '127.0.0.1' }));
  const outgoing = request({
    host: address.hostname,
    port: address.port,
    method: 'POST',
    path: `${api}/docker/build?${tag}`,
    headers: {
      authorization: `Bearer ${await tokenOf('ana@example.com')}`,
      'content-type': 'application/x-tar',
      'content-length': 10_000_000,
    },
  });
  outgoing.on('error', () => {});
  const begun = Promise.withResolvers<void>();
  let refused = '';
  bed.world.clients.registry.writeBlob = async (_to, content) => {
    begun.resolve();
    try {
      for await (const _part of content);
    } catch (thrown) {
      refused = String(thrown);
      throw thrown;
    }
    throw new Error('it ended as if it were whole');
  };
  outgoing.write(Buffer.alloc(1_000_000));
  await begun.promise;
  const closed = new Promise((resolve) => outgoing.once('close', resolve));
  outgoing.destroy();
  await closed;
  await expect.poll(() => refused).toContain('The upload broke off before its end.');
  expect(bed.engine.woken).toEqual([]);
});
