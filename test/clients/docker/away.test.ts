import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, expect, test } from 'vitest';
import { createDockerHosts } from '../../../src/clients/docker/docker-host.ts';
import type { DockerHost } from '../../../src/core/docker-host.ts';
import { Fault } from '../../../src/core/errors.ts';
import { DockerHostSettings } from '../../../src/core/host-settings.ts';
import { startDaemon } from '../../support/dockerd.ts';

/** A daemon that is killed, frozen, or speaks rubbish, in the middle of each kind of call: a clear sentence each time, in time. */

const dir = await mkdtemp(join(tmpdir(), 'shipmate-away-'));
afterAll(() => rm(dir, { recursive: true }));

const hostAt = (address: string) => createDockerHosts(() => ({ far: DockerHostSettings.parse({ address }) }))('far');
const soon = () => AbortSignal.timeout(1_500);

const calls: [string, (host: DockerHost, signal: AbortSignal) => Promise<unknown>][] = [
  ['read', (host, signal) => host.read(['containers', 'json'], {}, signal)],
  [
    'change',
    (host, signal) => host.send({ method: 'POST', path: ['containers', 'x', 'stop'] }, { conflict: false }, signal),
  ],
  ['pull', (host, signal) => host.pull('127.0.0.1:1/x:v1', () => {}, signal)],
  ['logs', (host, signal) => host.logs('x', { lines: 1, tty: false }, signal)],
  ['exec', (host, signal) => host.exec('x', { command: ['a'], limitBytes: 10, ms: 60_000 }, signal)],
];

async function faultOf(act: Promise<unknown>): Promise<Fault> {
  const thrown = await act.then(
    () => undefined,
    (problem: unknown) => problem,
  );
  if (!(thrown instanceof Fault)) throw new Error(`not a fault: ${thrown}`);
  return thrown;
}

/** Answers each connection with bytes as they are, and does with it what a test wants. */
async function raw(say: (index: number) => string, then: 'hang' | 'cut'): Promise<{ address: string; server: Server }> {
  const path = join(dir, `${Math.random().toString(36).slice(2)}.sock`);
  let index = 0;
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => {
      socket.write(say(index++));
      if (then === 'cut') setTimeout(() => socket.destroy(), 20);
    });
  }).listen(path);
  await new Promise((resolve) => server.once('listening', resolve));
  return { address: `unix://${path}`, server };
}

const chunked = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n';

test.each(calls)(
  '%s: a daemon that is frozen is given up after a while, and goes on when it thaws',
  { timeout: 60_000 },
  async (_name, act) => {
    const daemon = await startDaemon(dir);
    try {
      const host = hostAt(`unix://${daemon.socket}`);
      daemon.process.kill('SIGSTOP');
      const began = Date.now();
      const problem = await faultOf(act(host, soon()));
      expect(problem).toMatchObject({ code: 'DOCKER_HOST_UNREACHABLE', message: expect.stringContaining('no answer') });
      expect(Date.now() - began).toBeLessThan(5_000);
      daemon.process.kill('SIGCONT');
      expect(
        await host.read(['_ping'], {}, AbortSignal.timeout(10_000)).catch((thrown: unknown) => String(thrown)),
      ).toContain('OK');
      daemon.process.kill('SIGKILL');
      await sleep(200);
      expect(await faultOf(act(host, soon()))).toMatchObject({
        code: 'DOCKER_HOST_UNREACHABLE',
        message: expect.stringMatching(/nothing listens|no such socket/),
      });
    } finally {
      await daemon.end();
    }
  },
);

test.each(calls)('%s: a connection that breaks in the middle of the answer says so', async (_name, act) => {
  const { address, server } = await raw(() => `${chunked}5\r\n{"Id"`, 'cut');
  expect(await faultOf(act(hostAt(address), soon()))).toMatchObject({
    retry: expect.stringMatching(/later|never/),
    message: expect.stringContaining('far'),
  });
  server.close();
});

test.each(calls.filter(([name]) => name !== 'logs'))('%s: what is no daemon is called that', async (_name, act) => {
  const { address, server } = await raw(
    () => 'HTTP/1.1 200 OK\r\nContent-Length: 21\r\n\r\n<html>Welcome!</html>',
    'hang',
  );
  expect(await faultOf(act(hostAt(address), soon()))).toMatchObject({
    code: 'DOCKER_HOST_UNREACHABLE',
    message: expect.stringContaining('<html>'),
  });
  server.close();
});

test('an exec whose connection breaks is not taken for one that ended well', async () => {
  const id = '{"Id":"abc"}';
  const answers = [
    `HTTP/1.1 201 Created\r\nContent-Length: ${id.length}\r\n\r\n${id}`,
    'HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.raw-stream\r\n\r\n\u0001\u0000\u0000\u0000\u0000\u0000\u0000\u0003abc',
    '{',
  ];
  const { address, server } = await raw((index) => answers[index] ?? '', 'cut');
  const exec = hostAt(address).exec('x', { command: ['a'], limitBytes: 10, ms: 5_000 }, soon());
  expect((await faultOf(exec)).code).toBe('DOCKER_HOST_UNREACHABLE');
  server.close();
});
