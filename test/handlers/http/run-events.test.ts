import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { redisForFile } from '../../support/redis.ts';
import { api, type RestBed, restBed, tokenOf } from './rest-bed.ts';

const redis = redisForFile();
let bed: RestBed;
/** Another process: its own connections, its own engine. */
let elsewhere: RestBed;
let origin: string;

beforeEach(async () => {
  bed = await restBed(redis().url);
  elsewhere = await restBed(redis().url);
  origin = await bed.app.listen({ port: 0, host: '127.0.0.1' });
});
afterEach(async () => {
  await bed.close();
  await elsewhere.close();
});

type Message = { id?: string; event?: string; data: Record<string, unknown> };

async function start(): Promise<string> {
  const body = { name: 'my-app', namespace: 'staging', image: 'myapp:v1.0.0' };
  return (await bed.send('ana', 'POST', 'deployments', body)).body.data.run;
}

async function open(id: string, headers: Record<string, string> = {}): Promise<Response> {
  const authorization = `Bearer ${await tokenOf('ana@example.com')}`;
  return await fetch(`${origin}${api}/runs/${id}/events`, { headers: { authorization, ...headers } });
}

function parse(text: string): Message[] {
  const blocks = text.split('\n\n').filter((block) => block !== '' && !block.startsWith(':'));
  return blocks.map((block) => {
    const fields = Object.fromEntries(
      block.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]),
    );
    return { id: fields.id, event: fields.event, data: JSON.parse(fields.data ?? 'null') };
  });
}

async function* live(response: Response): AsyncGenerator<Message> {
  let rest = '';
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    rest += decoder.decode(chunk, { stream: true });
    const end = rest.lastIndexOf('\n\n') + 2;
    if (end < 2) continue;
    yield* parse(rest.slice(0, end));
    rest = rest.slice(end);
  }
}

test('the backlog comes, then what happens elsewhere, then the end', async () => {
  const id = await start();
  const response = await open(id);
  expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
  const seen: Message[] = [];
  for await (const message of live(response)) {
    if (seen.length === 0) {
      expect(message.data).toMatchObject({ kind: 'state', text: 'requested' });
      elsewhere.world.rolloutMs = 200;
      void elsewhere.work(id);
    }
    seen.push(message);
  }
  expect(seen.at(-1)).toMatchObject({ event: 'end', data: { run: id, state: 'finished' } });
  const told = seen.slice(0, -1).map(({ data }) => [data.kind, data.step, data.text]);
  expect(told).toContainEqual(['step', 'apply', 'done']);
  expect(told.at(-1)).toEqual(['state', undefined, 'finished']);
  const stored = await bed.engine.store.events(id, '', 1_000);
  expect(seen.slice(0, -1).map((message) => message.id)).toEqual(stored.map((row) => row.id));
});

test('what happens comes at once, not at the next look', async () => {
  const id = await start();
  const messages = live(await open(id));
  await messages.next();
  // Time for the subscription to stand.
  await expect
    .poll(async () => (await bed.engine.redis.pubsub('NUMSUB', '{shipmate}:v1:changed'))[1])
    .toBeGreaterThan(0);
  const began = performance.now();
  const worked = elsewhere.work(id);
  await messages.next();
  expect(performance.now() - began).toBeLessThan(500);
  await messages.return(undefined);
  // A run that is let go of in the middle keeps its turn, and those of the next tests would wait behind it.
  await worked;
});

test('Last-Event-ID goes on where the connection broke: nothing twice, nothing left out', async () => {
  const id = await start();
  await elsewhere.work(id);
  const whole = parse(await (await open(id)).text());
  const cut = whole[2]?.id ?? '';
  const rest = parse(await (await open(id, { 'last-event-id': cut })).text());
  expect(rest).toEqual(whole.slice(3));
  expect(rest.length).toBeGreaterThan(2);
});

test('after the end there is nothing more, and the client need not come again', async () => {
  const id = await start();
  await elsewhere.work(id);
  const last = (await bed.engine.store.events(id, '', 1_000)).at(-1)?.id ?? '';
  expect((await open(id, { 'last-event-id': last })).status).toBe(204);
});

test('an id that is none is refused, as are an unknown run and a missing token', async () => {
  const id = await start();
  expect((await open(id, { 'last-event-id': '- +' })).status).toBe(400);
  expect((await open('nothing')).status).toBe(404);
  expect((await fetch(`${origin}${api}/runs/${id}/events`)).status).toBe(401);
});

test('a client that went away is not looked after any longer', async () => {
  let looks = 0;
  const { store } = bed.engine;
  const counted = { ...store, read: (id: string) => store.read(id).finally(() => looks++) };
  const other = await restBed(redis().url, {}, { store: counted });
  origin = await other.app.listen({ port: 0, host: '127.0.0.1' });
  const id = await start();
  const messages = live(await open(id));
  await messages.next();
  await expect.poll(() => looks, { timeout: 5_000 }).toBeGreaterThan(2);
  await messages.return(undefined);
  await sleep(1_500);
  const before = looks;
  await sleep(1_500);
  expect(looks).toBe(before);
  await other.close();
});

test('a server that closes ends its streams instead of waiting for them', async () => {
  const id = await start();
  const response = await open(id);
  const text = response.text();
  const began = performance.now();
  await bed.app.close();
  expect(performance.now() - began).toBeLessThan(3_000);
  expect(parse(await text).map(({ event }) => event)).not.toContain('end');
});

test('Redis away in the middle: the stream waits, and goes on with what it missed', async () => {
  const id = await start();
  const messages = live(await open(id));
  await messages.next();
  await redis().kill();
  await redis().start();
  await expect
    .poll(
      () =>
        elsewhere.engine.store.ping().then(
          () => true,
          () => false,
        ),
      { timeout: 5_000 },
    )
    .toBe(true);
  await elsewhere.work(id);
  const rest: Message[] = [];
  for await (const message of messages) rest.push(message);
  expect(rest.at(-1)).toMatchObject({ event: 'end', data: { state: 'finished' } });
  expect(rest.filter(({ data }) => data.text === 'requested')).toEqual([]);
});
