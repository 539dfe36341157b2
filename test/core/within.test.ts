import { type ChildProcess, spawn } from 'node:child_process';
import { getEventListeners, once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { request } from 'undici';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { after, either, within } from '../../src/core/within.ts';
import { collectFor } from '../support/garbage.ts';

const ms = 60;
/** What each waits for at most, with garbage collected meanwhile: a signal that is lost never comes. */
const patienceMs = 400;
const never = () => new AbortController().signal;
/** As a lap's: there all the time, and never aborted. */
const long = new AbortController();

let silent: Server;
let url: string;
beforeAll(async () => {
  silent = createServer((socket) => socket.on('error', () => {})).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const address = silent.address();
  url = `http://127.0.0.1:${address !== null && typeof address === 'object' ? address.port : 0}/`;
});
afterAll(() => void silent.close());

const nameOf = (thrown: unknown) => (thrown instanceof Error ? thrown.name : String(thrown));

/** How it ended; `lost` where it has not, long after its time. */
async function endOf(waiting: Promise<unknown>): Promise<string> {
  const end = waiting.then(() => 'well', nameOf);
  await collectFor(patienceMs);
  return await Promise.race([end, sleep(1, 'lost')]);
}

/** Aborts with its time over, and is in nobody's hand but that of the signal made of it. */
function ofTimer(reason: Error): AbortSignal {
  const stopped = new AbortController();
  setTimeout(() => stopped.abort(reason), ms);
  return stopped.signal;
}

const made: Record<string, () => AbortSignal> = {
  'a limit': () => within(long.signal, ms),
  'a limit within a longer one': () => within(within(long.signal, 60_000), ms),
  'a limit around a longer one': () => within(within(long.signal, ms), 60_000),
  'a limit of one of two': () => either(never(), within(long.signal, ms)),
  'one of two that a timer aborts': () => either(long.signal, ofTimer(new DOMException('late', 'TimeoutError'))),
  'a time alone': () => after(ms),
  'a limit of a time': () => within(after(ms), 60_000),
};

test.each(Object.keys(made))('%s is kept where nobody listens while it runs out', async (name) => {
  const signal = made[name]?.() ?? never();
  await collectFor(patienceMs);
  expect(signal.aborted).toBe(true);
  expect(nameOf(signal.reason)).toBe('TimeoutError');
  await expect(sleep(60_000, undefined, { signal })).rejects.toThrow();
  expect(within(signal, 60_000).aborted).toBe(true);
  expect(either(never(), signal).reason).toBe(signal.reason);
});

test.each(Object.keys(made))('%s is heard by those who listen, and hold it no longer', async (name) => {
  const { promise, resolve } = Promise.withResolvers<void>();
  made[name]?.().addEventListener('abort', () => resolve(), { once: true });
  expect(await endOf(promise)).toBe('well');
});

test.each(Object.keys(made))('%s ends what waits: a pause, an event, a request, a program', async (name) => {
  const make = made[name] ?? never;
  let child: ChildProcess | undefined;
  const program = () => {
    child = spawn('sleep', ['60'], { signal: make() });
    return once(child, 'close');
  };
  const waits = [
    sleep(60_000, undefined, { signal: make() }),
    once(silent, 'nothing', { signal: make() }),
    request(url, { signal: make() }),
    fetch(url, { signal: make() }),
    program(),
  ];
  const ends = await Promise.all(waits.map((wait) => endOf(wait)));
  expect(ends).toEqual(['AbortError', 'AbortError', 'TimeoutError', 'TimeoutError', 'AbortError']);
  expect(child?.killed).toBe(true);
});

test('a limit that outlasts calls within it is kept when one of them ends by its own, unheard', async () => {
  const outer = within(long.signal, 3 * ms);
  const heard = once(outer, 'abort');
  const call = (reason: string) => {
    const stopped = new AbortController();
    const inner = either(outer, stopped.signal);
    stopped.abort(new Error(reason));
    return inner.reason;
  };
  expect(call('enough')).toMatchObject({ message: 'enough' });
  expect(either(outer, AbortSignal.abort()).aborted).toBe(true);
  expect(await endOf(heard)).toBe('well');
});

test('the other’s abort comes first, with its reason', async () => {
  const other = new AbortController();
  const [heard, unheard] = [within(other.signal, 60_000), either(never(), other.signal)];
  const event = once(heard, 'abort');
  const reason = new Error('cancelled by Ana');
  other.abort(reason);
  await event;
  expect([heard.reason, unheard.reason]).toEqual([reason, reason]);
  expect(unheard.aborted).toBe(true);
});

test('with one that is aborted already it is aborted from the start', () => {
  const reason = new Error('over');
  const over = AbortSignal.abort(reason);
  for (const signal of [within(over, 1), either(never(), over), either(within(over, 1), never())]) {
    expect(signal.aborted).toBe(true);
    expect(signal.reason).toBe(reason);
  }
});

test('a time-out says what Node’s own says', async () => {
  const [own, nodes] = [within(long.signal, 1), AbortSignal.timeout(1)];
  await Promise.all([once(own, 'abort'), once(nodes, 'abort')]);
  expect(own.reason).toBeInstanceOf(DOMException);
  for (const part of ['name', 'message', 'code'] as const) expect(own.reason[part]).toBe(nodes.reason[part]);
});

test('a limit of months is no limit of a millisecond', async () => {
  const signals = [within(long.signal, 100 * 86_400_000), after(Number.POSITIVE_INFINITY)];
  await sleep(30);
  expect(signals.map(({ aborted }) => aborted)).toEqual([false, false]);
});

test('10,000 calls under one signal leave nothing behind: no listener, no signal, no memory, no warning', async () => {
  const warnings: Error[] = [];
  const warned = (warning: Error) => warnings.push(warning);
  process.on('warning', warned);
  const lap = new AbortController();
  const seen: WeakRef<AbortSignal>[] = [];
  const calls = async (count: number) => {
    for (let n = 0; n < count; n++) {
      const outer = within(lap.signal, 3_600_000);
      const signal = either(within(outer, 3_600_000), never());
      const listener = () => {};
      signal.addEventListener('abort', listener);
      signal.removeEventListener('abort', listener);
      if (n % 100 === 0) {
        seen.push(new WeakRef(outer), new WeakRef(signal));
        await sleep(1);
      }
    }
    await collectFor(200);
  };
  await calls(2_000);
  const before = process.memoryUsage().heapUsed;
  await calls(10_000);
  const grown = () => process.memoryUsage().heapUsed - before;
  // Node tidies up after what was collected in turns of its own; what is held stays, and it would be some 25 MB.
  for (let n = 0; n < 20 && grown() > 4_000_000; n++) await collectFor(200);
  expect(grown()).toBeLessThan(4_000_000);
  expect(seen.filter((each) => each.deref() !== undefined)).toHaveLength(0);
  expect(getEventListeners(lap.signal, 'abort')).toHaveLength(0);
  process.off('warning', warned);
  expect(warnings).toEqual([]);
});

test('calls that are over leave no listener on their signal', async () => {
  const signal = within(long.signal, 60_000);
  const server = createServer((socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok')).listen(0);
  await once(server, 'listening');
  const address = server.address();
  const to = `http://127.0.0.1:${address !== null && typeof address === 'object' ? address.port : 0}/`;
  await sleep(1, undefined, { signal });
  await (await request(to, { signal })).body.text();
  await once(spawn('true', { signal }), 'close');
  await sleep(20);
  expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  server.close();
});

test('a limit that still runs keeps no process alive', async () => {
  const file = JSON.stringify(new URL('../../src/core/within.ts', import.meta.url).href);
  const script = `const { after, within } = await import(${file});
    globalThis.kept = [within(new AbortController().signal, 60_000), after(60_000)];
    kept[0].addEventListener('abort', () => {});`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], { stdio: 'inherit' });
  expect(await Promise.race([once(child, 'exit'), sleep(20_000, 'still there', { ref: false })])).toEqual([0, null]);
});
