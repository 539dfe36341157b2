import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { Response } from 'undici';
import { describe, expect, test } from 'vitest';
import { accessBy } from '../../../src/clients/kube/access.ts';
import { createConnection, RefusedCall } from '../../../src/clients/kube/connection.ts';
import { inClusterEntry } from '../../../src/clients/kube/kubeconfig.ts';
import type { Call, Transport } from '../../../src/clients/kube/transport.ts';
import { keepCache } from '../../../src/clients/kube/watch.ts';
import type { JsonObject } from '../../../src/core/json.ts';

type Sent = Awaited<ReturnType<Transport['send']>>;

/** An answer as undici gives it, as far as the connection looks at it. */
function answer(statusCode: number, body: string | Readable, headers: Record<string, string> = {}): Sent {
  const stream = typeof body === 'string' ? Readable.from([Buffer.from(body)]) : body;
  const whole = () => new Response(Readable.toWeb(stream)).text();
  const readable = Object.assign(stream, { text: whole, json: async () => JSON.parse(await whole()) });
  // Only these three are looked at; undici's own type has many more.
  return { statusCode, headers, body: readable } as unknown as Sent;
}

type Step = (call: Call) => Sent | Promise<Sent>;

/** A transport that plays a script, and says what was asked of it. */
function scripted(script: Step[]): Transport & { asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    access: () => accessBy(inClusterEntry()),
    send: async (call) => {
      asked.push(`${call.method} ${call.query?.watch === 'true' ? 'watch' : call.path}`);
      const step = script.shift();
      if (!step)
        return await new Promise<Sent>((_, reject) =>
          call.signal.addEventListener('abort', () => reject(call.signal.reason)),
        );
      return await step(call);
    },
    close: async () => {},
  };
}

const fail =
  (code: string): Step =>
  () => {
    throw Object.assign(new Error(code), { code });
  };
const ok: Step = () => answer(200, '{"kind":"ok"}');
const { signal } = new AbortController();
const get = { method: 'GET' as const, path: '/x', signal };

describe('a call', () => {
  test('is tried again after 429, 5xx and dropped connections', async () => {
    const transport = scripted([
      () => answer(500, ''),
      fail('ECONNRESET'),
      () => answer(429, '', { 'retry-after': '1' }),
      ok,
    ]);
    const began = performance.now();
    expect(await createConnection('c', transport).call(get)).toEqual({ kind: 'ok' });
    expect(performance.now() - began).toBeGreaterThan(1_000);
    expect(transport.asked).toHaveLength(4);
  });

  test('gives up after four tries, as a fault that may pass', async () => {
    const transport = scripted(Array.from({ length: 9 }, () => fail('ECONNREFUSED')));
    const call = createConnection('c', transport).call(get);
    await expect(call).rejects.toMatchObject({
      code: 'CLUSTER_UNREACHABLE',
      retry: 'later',
      message: expect.stringContaining('ECONNREFUSED'),
    });
    expect(transport.asked).toHaveLength(4);
  });

  test.each([403, 404, 409, 422])('is not tried again after %d', async (status) => {
    const transport = scripted([() => answer(status, '{"message":"no"}')]);
    await expect(createConnection('c', transport).call(get)).rejects.toBeInstanceOf(RefusedCall);
    expect(transport.asked).toHaveLength(1);
  });

  test('that is to look first is not sent again when its answer gets lost, only when the server asks for it', async () => {
    const transport = scripted([() => answer(429, '', { 'retry-after': '1' }), fail('ECONNRESET'), ok]);
    const call = createConnection('c', transport).call({ ...get, method: 'PATCH', lookFirst: true });
    await expect(call).rejects.toMatchObject({ code: 'CLUSTER_UNREACHABLE', retry: 'later' });
    expect(transport.asked).toHaveLength(2);
  });

  test('whose answer is garbage is a fault, not an answer', async () => {
    const garbage = createConnection('c', scripted([() => answer(200, '<html>')])).call(get);
    await expect(garbage).rejects.toMatchObject({ code: 'CLUSTER_UNREACHABLE' });
  });
});

const pod = (name: string, version = '1'): JsonObject => ({ metadata: { name, uid: name, resourceVersion: version } });
const listed =
  (...items: JsonObject[]): Step =>
  () =>
    answer(200, JSON.stringify({ metadata: { resourceVersion: '10' }, items }));
const event = (type: string, object: JsonObject) => `${JSON.stringify({ type, object })}\n`;
const watched =
  (...chunks: string[]): Step =>
  () =>
    answer(200, Readable.from(chunks.map((chunk) => Buffer.from(chunk))));

const broken: Step = () => {
  const stream = new Readable({ read() {} });
  setTimeout(() => stream.destroy(new Error('ECONNRESET')), 20);
  return answer(200, stream);
};

async function follow(script: Step[], until: (names: string[]) => boolean) {
  const transport = scripted(script);
  const cache = new Map<string, JsonObject>();
  const stop = new AbortController();
  const problems: unknown[] = [];
  const names = () => [...cache.keys()].sort();
  const done = new Promise<void>((resolve) => {
    const changed = () => until(names()) && resolve();
    const kept = { path: '/pods', query: {}, whole: {} };
    const on = { changed, alive: () => {}, failed: (problem: unknown) => problems.push(problem) };
    void keepCache(createConnection('c', transport), kept, cache, on, stop.signal);
  });
  await Promise.race([done, sleep(8_000)]);
  stop.abort();
  return { names: names(), asked: transport.asked, problems };
}

describe('a watch', () => {
  test('keeps the cache true: added, changed, deleted, in pieces and over pages', async () => {
    const pages: Step[] = [
      () => answer(200, JSON.stringify({ metadata: { resourceVersion: '9', continue: 'next' }, items: [pod('a')] })),
      listed(pod('b')),
    ];
    const whole = event('ADDED', pod('ü')) + event('DELETED', pod('a'));
    const halves = [whole.slice(0, 25), whole.slice(25)];
    const { names } = await follow([...pages, watched(...halves)], (found) => found.join() === 'b,ü');
    expect(names).toEqual(['b', 'ü']);
  });

  test.each([
    ['ends', watched(event('BOOKMARK', pod('x')))],
    ['is cut in the middle of a line', watched(event('ADDED', pod('x')).slice(0, 20))],
    ['brings garbage', watched('not json\n')],
    ['is too old', watched(event('ERROR', { code: 410, message: 'too old resource version' }))],
    ['breaks', broken],
  ])('that %s is begun anew from a list', async (_, bad) => {
    const { names, asked } = await follow(
      [listed(pod('a')), bad, listed(pod('b')), watched()],
      (found) => found.join() === 'b',
    );
    expect(names).toEqual(['b']);
    expect(asked.filter((line) => line === 'GET /pods').length).toBeGreaterThan(1);
  });

  test('that says nothing, on a connection that is dead, is begun anew', { timeout: 20_000 }, async () => {
    const silent: Step = ({ signal: gone }) => answer(200, new Readable({ read() {}, signal: gone }));
    const transport = scripted([listed(pod('a')), silent, listed(pod('b'))]);
    const cache = new Map<string, JsonObject>();
    const stop = new AbortController();
    void keepCache(
      createConnection('c', transport),
      { path: '/pods', query: {}, whole: {} },
      cache,
      { changed: () => {}, alive: () => {}, failed: () => {} },
      stop.signal,
    );
    await expect.poll(() => [...cache.keys()], { timeout: 15_000 }).toEqual(['b']);
    stop.abort();
  });
});
