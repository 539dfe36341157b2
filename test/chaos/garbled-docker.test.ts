import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { expect, test } from 'vitest';
import { createPush } from '../../src/clients/docker/push.ts';

const { signal } = new AbortController();

async function against(answer: RequestListener, act: (host: string) => Promise<void>): Promise<void> {
  const server = createServer((request, response) => {
    request.resume();
    request.on('end', () => answer(request, response));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = address !== null && typeof address !== 'string' ? address.port : 0;
  await act(`tcp://127.0.0.1:${port}`);
  server.closeAllConnections();
  server.close();
}

const push = (host: string, seen: (text: string) => void = () => {}) =>
  createPush(host, () => []).push('registry.example.com/web:v1', ({ text }) => seen(text), signal);

test('a line that is no JSON is a fault of the step, not the end of the worker', () =>
  against(
    (_request, response) => response.end('{"status":"Preparing","id":"a"}\n<html>502 Bad Gateway</html>\n'),
    async (host) => {
      await expect(push(host)).rejects.toMatchObject({ code: 'DOCKER_UNREACHABLE', retry: 'later' });
    },
  ));

test('a last line without its end still counts', () =>
  against(
    (_request, response) => response.end('{"status":"Preparing","id":"a"}\n{"error":"no space left on device"}'),
    async (host) => {
      await expect(push(host)).rejects.toMatchObject({
        code: 'PUSH_FAILED',
        message: expect.stringContaining('no space left'),
      });
    },
  ));

test('a connection that breaks in the middle is a fault that may pass', () =>
  against(
    (_request, response) => {
      response.write('{"status":"Preparing","id":"a"}\n{"stre');
      setTimeout(() => response.destroy(), 50);
    },
    async (host) => {
      const seen: string[] = [];
      await expect(push(host, (text) => seen.push(text))).rejects.toMatchObject({ code: 'DOCKER_UNREACHABLE' });
      expect(seen).toEqual(['a: Preparing']);
    },
  ));

test.each([
  ['unauthorized: authentication required', 'REGISTRY_FORBIDDEN'],
  ['Put http://r/v2/web/blobs/uploads/1: dial tcp 10.0.0.1:443: connect: connection refused', 'PUSH_BROKE'],
  ['received unexpected HTTP status: 503 Service Unavailable', 'PUSH_BROKE'],
  ['tag does not exist: web:v1', 'PUSH_FAILED'],
])('what the daemon says of a push is told apart: %s', (error, code) =>
  against(
    (_request, response) => response.end(`${JSON.stringify({ error })}\n`),
    async (host) => {
      await expect(push(host)).rejects.toMatchObject({ code });
    },
  ),
);
