import type { EventEmitter } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { startProgram } from '../../src/processes/program.ts';

/** Unlike `once` it hears no `error`: whoever else hears it is what these tests are about. */
const closed = (emitter: EventEmitter) =>
  new Promise<unknown[]>((resolve) => emitter.once('close', (...how: unknown[]) => resolve(how)));

test('a program that cannot be started says so to whoever listens, and ends nobody who does not', async () => {
  const child = startProgram('/nowhere/at-all', [], { stdio: ['pipe', 'pipe', 'pipe'] });
  child.stdin.write('to nobody');
  const [code] = await closed(child);
  expect(code).toBeLessThan(0);
});

test('a pipe that breaks is heard: writing to a program that has closed its input ends nothing', async () => {
  const child = startProgram('/bin/sh', ['-c', 'exec <&-; sleep 0.2'], { stdio: ['pipe', 'pipe', 'pipe'] });
  const broken = closed(child.stdin);
  while (!child.stdin.destroyed) {
    child.stdin.write('x'.repeat(100_000));
    await sleep(5);
  }
  await broken;
  expect(child.stdin.errored).toMatchObject({ code: 'EPIPE' });
});

test('one that is told to stop by a signal ends, and its abort is heard', async () => {
  const stop = new AbortController();
  const child = startProgram('/bin/sleep', ['60'], {
    stdio: ['ignore', 'ignore', 'pipe'],
    signal: stop.signal,
    killSignal: 'SIGKILL',
  });
  stop.abort();
  const [, by] = await closed(child);
  expect(by).toBe('SIGKILL');
});
