import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createBase } from '../../testbed/bed-base.ts';
import { portOpen } from '../../testbed/ports.ts';
import { startRedis } from '../../testbed/redis.ts';
import { leftoversAfter } from './leftovers.ts';
import { end, startOtherBed } from './other-bed.ts';

test.each(['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGKILL'] as const)(
  'after %s to its owner nothing is left',
  async (signal) => {
    const bed = await startOtherBed('small-bed.fixture.ts');
    await end(bed, signal);
    expect(await leftoversAfter(10_000, bed)).toEqual([]);
  },
);

test('a bed whose reaper was killed too goes when the next bed starts', async () => {
  const orphan = await startOtherBed('small-bed.fixture.ts');
  onTestFinished(() => void orphan.process.kill('SIGKILL'));
  // The bed may be up before its reaper has written down who it is.
  const written = () => readFile(join(orphan.dir, 'reaper'), 'utf8').catch(() => '');
  await expect.poll(written, { timeout: 5_000 }).not.toBe('');
  const [, reaper] = (await written()).split(' ');
  process.kill(Number(reaper), 'SIGKILL');
  await end(orphan, 'SIGKILL');
  expect(await leftoversAfter(300, orphan)).not.toEqual([]);
  const next = await createBase(() => {});
  onTestFinished(next.stop);
  expect(await leftoversAfter(10_000, orphan)).toEqual([]);
});

test('stopping twice is stopping once, and nothing starts after it', async () => {
  const base = await createBase(() => {});
  const redis = await startRedis(base);
  await Promise.all([base.stop(), base.stop()]);
  expect(await portOpen(redis.port)).toBe(false);
  await expect(redis.start()).rejects.toThrow('redis is not started: the test bed is being stopped');
  expect(await leftoversAfter(0, base)).toEqual([]);
});

test('a program that ends while starting is reported at once, with its last words', async () => {
  const base = await createBase(() => {});
  onTestFinished(base.stop);
  const never = { ready: async () => false };
  await expect(base.launch('broken', 'redis-server', ['--port', 'harbour'], never)).rejects.toThrow(
    /^broken ended while starting \(exit 1\):\n.*harbour/s,
  );
  await expect(base.launch('absent', '/no/such/program', [], never)).rejects.toThrow(/ENOENT/);
});
