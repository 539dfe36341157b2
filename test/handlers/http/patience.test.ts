import { EventEmitter, getEventListeners } from 'node:events';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { patience } from '../../../handlers/http/patience.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const bed = () => ({ closing: new AbortController(), raw: Object.assign(new EventEmitter(), { destroyed: false }) });

test('it is over when its time is, and not before', () => {
  const { closing, raw } = bed();
  const { signal } = patience(closing.signal, { raw }, 60_000);
  vi.advanceTimersByTime(59_999);
  expect(signal.aborted).toBe(false);
  vi.advanceTimersByTime(1);
  expect(signal.aborted).toBe(true);
});

test('it is over when the client hangs up, has done so already, or the server closes', () => {
  const hangs = bed();
  const one = patience(hangs.closing.signal, hangs, 60_000);
  hangs.raw.emit('close');
  const hung = bed();
  hung.raw.destroyed = true;
  const two = patience(hung.closing.signal, hung, 60_000);
  const closes = bed();
  const three = patience(closes.closing.signal, closes, 60_000);
  closes.closing.abort();
  const closed = patience(closes.closing.signal, bed(), 60_000);
  expect([one, two, three, closed].map(({ signal }) => signal.aborted)).toEqual([true, true, true, true]);
});

test('a token that counts for years is no time that is over at once', () => {
  const { closing, raw } = bed();
  const { signal } = patience(closing.signal, { raw }, 3e11);
  vi.advanceTimersByTime(86_400_000);
  expect(signal.aborted).toBe(false);
});

test('what is let go of, or over, leaves nothing behind', () => {
  const { closing, raw } = bed();
  for (let n = 0; n < 100; n++) patience(closing.signal, { raw }, 60_000).end();
  patience(closing.signal, { raw }, 60_000);
  raw.emit('close');
  patience(closing.signal, { raw: Object.assign(raw, { destroyed: true }) }, 60_000);
  expect([getEventListeners(closing.signal, 'abort').length, raw.listenerCount('close'), vi.getTimerCount()]).toEqual([
    0, 0, 0,
  ]);
});
