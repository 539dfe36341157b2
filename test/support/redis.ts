import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect } from 'vitest';
import { tethered } from '../../testbed/tether.ts';

/** A port that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  if (address === null || typeof address === 'string') throw new Error('no port to be had');
  return address.port;
}

export type TestRedis = {
  url: string;
  /** SIGKILL, as a crash would. */
  kill(): Promise<void>;
  /** Starts it again, on the same port and with the same append-only file. */
  start(): Promise<void>;
  pause(): void;
  resume(): void;
  stop(): Promise<void>;
};

/** A real Redis of the test's own, with an append-only file, for tests that ill-treat it. */
export async function startRedis(): Promise<TestRedis> {
  const dir = await mkdtemp(join(tmpdir(), 'shipmate-redis-'));
  const port = await freePort();
  const launch = () => {
    const args = ['--port', `${port}`, '--bind', '127.0.0.1', '--dir', dir, '--save', '', '--appendonly', 'yes'];
    return spawn(...tethered('redis-server', [...args, '--maxmemory-policy', 'noeviction']), { stdio: 'ignore' });
  };
  let child = launch();
  const ready = async () => {
    const probe = new Redis({ port, host: '127.0.0.1', retryStrategy: () => 20, maxRetriesPerRequest: null });
    probe.on('error', () => {});
    await probe.ping();
    probe.disconnect();
  };
  const kill = async () => {
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  };
  await ready();
  return {
    url: `redis://127.0.0.1:${port}`,
    kill,
    start: async () => {
      child = launch();
      await ready();
    },
    pause: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
    stop: async () => {
      if (child.exitCode === null && child.signalCode === null) await kill();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** One Redis for the tests of a file, there while they run. */
export function redisForFile(): () => TestRedis {
  let redis: TestRedis | undefined;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(async () => redis?.stop());
  return () => redis ?? expect.unreachable('the Redis of a file starts with its first test');
}
