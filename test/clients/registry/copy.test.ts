import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { createRegistry } from '../../../src/clients/registry/registry.ts';
import { compiled } from '../../../testbed/compile.ts';
import { bed } from '../../support/bed.ts';
import { putImage, putIndex } from '../../support/made-images.ts';
import { account, freePort, type OwnRegistry, startOwnRegistry, startRegistryProxy } from '../../support/registries.ts';

const { signal } = new AbortController();
const registry = createRegistry();
const megabyte = 1_048_576;
let other: OwnRegistry;
let home: string;

beforeAll(async () => {
  other = await startOwnRegistry();
  home = `${bed.registryHost}/copies-${process.pid}`;
});
afterAll(() => other.end());

const copy = (from: string, digest: string, to: string, seen: (text: string) => void = () => {}) =>
  registry.copy(from, digest, to, seen, signal);

test('an image is the same in another registry, is sent once, and is tagged last', async () => {
  const { digest } = await putImage(registry, home, { layers: [2 * megabyte, 5_000], tag: 'v1' });
  const proxy = await startRegistryProxy(other.host);
  onTestFinished(() => proxy.end());
  const first = await copy(home, digest, `${proxy.host}/live/web:v1`);
  expect(first.sentBytes).toBeGreaterThan(2 * megabyte);
  expect(await registry.resolve(`${other.host}/live/web:v1`, 'web', signal)).toBe(digest);
  const puts = proxy.seen.filter(({ method, url }) => method === 'PUT' && url.includes('/manifests/'));
  expect(puts.map(({ url }) => url.split('/').at(-1))).toEqual([digest, 'v1']);
  expect(proxy.seen.indexOf(puts[0] as never)).toBeGreaterThan(
    proxy.seen.findLastIndex(({ url }) => url.includes('/blobs/')),
  );
  expect(await copy(home, digest, `${proxy.host}/live/web:v2`)).toMatchObject({ sentBytes: 0 });
});

test('within a registry nothing is sent: blobs are mounted', async () => {
  const { digest } = await putImage(registry, home, { layers: [3 * megabyte] });
  const told: string[] = [];
  const { sentBytes } = await copy(home, digest, `${bed.registryHost}/mounted-${process.pid}:v1`, (text) =>
    told.push(text),
  );
  expect(sentBytes).toBe(0);
  expect(told).toContainEqual(expect.stringMatching(/: mounted$/));
});

test('an index is copied whole, with all its platforms and what stands beside them', async () => {
  const { digest } = await putIndex(registry, home, 'many');
  await copy(home, digest, `${other.host}/many:v1`);
  const found = await registry.manifest(`${other.host}/many:v1`, signal);
  expect(found?.digest).toBe(digest);
  for (const part of found?.body.manifests ?? [])
    expect((await registry.manifest(`${other.host}/many@${part.digest}`, signal))?.digest).toBe(part.digest);
});

test('a connection that breaks in the middle of a blob goes on where the registry is', async () => {
  const { digest } = await putImage(registry, home, { layers: [20 * megabyte] });
  let broken = 0;
  const proxy = await startRegistryProxy(other.host, ({ method }) =>
    method === 'PATCH' && broken++ < 3 ? { breakAfter: 3 * megabyte } : undefined,
  );
  onTestFinished(() => proxy.end());
  await copy(home, digest, `${proxy.host}/broken:v1`);
  expect(broken).toBeGreaterThan(3);
  expect(await registry.resolve(`${other.host}/broken:v1`, 'web', signal)).toBe(digest);
  const sent = proxy.seen.filter(({ method }) => method === 'PATCH').reduce((sum, { bytes }) => sum + bytes, 0);
  expect(sent).toBeLessThan(40 * megabyte);
});

test('a registry that was away in the middle has what it had, and the tag only at the end', {
  timeout: 60_000,
}, async () => {
  const own = await startOwnRegistry();
  onTestFinished(() => own.end());
  const { digest } = await putImage(registry, home, {
    layers: [4 * megabyte, 4 * megabyte, 4 * megabyte, 4 * megabyte],
  });
  let blobs = 0;
  const killed = copy(home, digest, `${own.host}/away:v1`, () => {
    if (++blobs === 2) own.process.kill('SIGKILL');
  }).catch((thrown: unknown) => thrown);
  await sleep(1_500);
  await own.start();
  const finished = await killed;
  // It may have been patient enough; if it was not, the next attempt sends only what is missing.
  const again = await copy(home, digest, `${own.host}/away:v1`);
  if (finished instanceof Error) expect(finished).toMatchObject({ code: 'REGISTRY_UNREACHABLE', retry: 'later' });
  expect(again.sentBytes).toBeLessThanOrEqual(12 * megabyte);
  expect(await registry.resolve(`${own.host}/away:v1`, 'web', signal)).toBe(digest);
});

test('a registry that stays away is a fault that may pass, and nothing is tagged', { timeout: 60_000 }, async () => {
  const { digest } = await putImage(registry, home, {});
  const gone = copy(home, digest, '127.0.0.1:1/away:v1');
  await expect(gone).rejects.toMatchObject({ code: 'REGISTRY_UNREACHABLE', retry: 'later' });
});

test('what comes is checked: other bytes than the digest says are never tagged', async () => {
  const { digest } = await putImage(registry, home, { layers: [10_000] });
  const layer = (await registry.manifest(`${home}@${digest}`, signal))?.body.layers?.[0]?.digest;
  const proxy = await startRegistryProxy(bed.registryHost, ({ method, url }, response) => {
    if (method !== 'GET' || !url.endsWith(`/blobs/${layer}`)) return undefined;
    response.end(Buffer.alloc(10_000));
    return 'handled';
  });
  onTestFinished(() => proxy.end());
  const from = home.replace(bed.registryHost, proxy.host);
  await expect(copy(from, digest, `${other.host}/forged:v1`)).rejects.toMatchObject({
    code: 'REGISTRY_REFUSED',
    message: expect.stringContaining(layer?.slice(0, 19) ?? ''),
  });
  expect(await registry.tags(`${other.host}/forged`, signal)).toEqual([]);
});

test('what refers to an image goes with it', async () => {
  const program = join(await compiled('registry', () => {}), 'registry');
  const host = `127.0.0.1:${await freePort()}`;
  const child = spawn(program, [host], { stdio: 'ignore' });
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await once(child, 'exit');
  });
  await expect
    .poll(() =>
      fetch(`http://${host}/v2/`).then(
        ({ status }) => status,
        () => 0,
      ),
    )
    .toBe(200);
  const image = await putImage(registry, `${host}/team/web`, { tag: 'v1' });
  const note = await putImage(registry, `${host}/team/web`, { subject: image });
  await copy(`${host}/team/web`, image.digest, `${host}/live/web:v1`);
  const referrers = await registry.referrers(`${host}/live/web@${image.digest}`, signal);
  expect(referrers.map(({ digest }) => digest)).toEqual([note.digest]);
});

test('credentials go to their own registry, and to no other: neither by challenge, nor by redirect, nor by an upload’s address', async () => {
  const own = await startOwnRegistry({ login: true });
  const heard: { url: string; authorization?: string }[] = [];
  const nosy = createServer((request, response) => {
    heard.push({
      url: request.url ?? '',
      ...(request.headers.authorization && { authorization: request.headers.authorization }),
    });
    request.resume();
    response.writeHead(401, { 'www-authenticate': 'Basic realm="nosy"' }).end();
  }).listen(0, '127.0.0.1');
  await once(nosy, 'listening');
  onTestFinished(async () => {
    nosy.closeAllConnections();
    nosy.close();
    await own.end();
  });
  const address = nosy.address();
  const nosyHost = `127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
  const knows = createRegistry({ credentials: [{ host: own.host, ...account }] });
  const { digest } = await putImage(knows, `${own.host}/web`, { tag: 'v1' });
  expect(await knows.resolve(`${own.host}/web:v1`, 'web', signal)).toBe(digest);
  await expect(knows.manifest(`${nosyHost}/web:v1`, signal)).rejects.toMatchObject({ code: 'REGISTRY_FORBIDDEN' });
  await expect(knows.copy(`${own.host}/web`, digest, `${nosyHost}/web:v1`, () => {}, signal)).rejects.toMatchObject({
    code: 'REGISTRY_FORBIDDEN',
  });
  const sends = await startRegistryProxy(own.host, ({ method, url, headers }, response) => {
    if (headers.authorization === undefined) return undefined;
    if (method === 'GET' && url.includes('/blobs/sha256'))
      response.writeHead(307, { location: `http://${nosyHost}/blob` }).end();
    else if (method === 'POST') response.writeHead(202, { location: `http://${nosyHost}/upload` }).end();
    else return undefined;
    return 'handled';
  });
  onTestFinished(() => sends.end());
  const through = createRegistry({ credentials: [{ host: sends.host, ...account }] });
  await expect(through.blob(`${sends.host}/web`, digest, signal)).rejects.toThrow();
  await expect(putImage(through, `${sends.host}/web`, {})).rejects.toThrow();
  const paths = heard.map(({ url }) => url.replace(/[?].*|\/sha256:.*/g, ''));
  expect([...new Set(paths)].sort()).toEqual(['/blob', '/upload', '/v2/web/blobs', '/v2/web/manifests/v1']);
  expect(heard.filter(({ authorization }) => authorization !== undefined)).toEqual([]);
});

test('a password that is wrong or has expired says so, and is tried once', async () => {
  const own = await startOwnRegistry({ login: true });
  onTestFinished(() => own.end());
  const expired = createRegistry({ credentials: [{ host: own.host, ...account, password: 'of-last-year' }] });
  await expect(expired.resolve(`${own.host}/web:v1`, 'web', signal)).rejects.toMatchObject({
    code: 'REGISTRY_FORBIDDEN',
    message: expect.stringContaining('refused Shipmate’s credentials'),
    hint: expect.stringContaining('expired'),
  });
  await expect(putImage(expired, `${own.host}/web`, {})).rejects.toMatchObject({ code: 'REGISTRY_FORBIDDEN' });
});

test('a stream that is longer than allowed is not taken', async () => {
  async function* endless() {
    for (;;) yield Buffer.alloc(megabyte);
  }
  await expect(registry.writeBlob(home, endless(), 20 * megabyte, signal)).rejects.toMatchObject({ code: 'TOO_LARGE' });
});

test('an image is deleted by its digest, once', async () => {
  const { digest } = await putImage(registry, home, { tag: 'old' });
  expect(await registry.remove(home, digest, signal)).toBe(true);
  expect(await registry.remove(home, digest, signal)).toBe(false);
  expect(await registry.manifest(`${home}:old`, signal)).toBeUndefined();
});
