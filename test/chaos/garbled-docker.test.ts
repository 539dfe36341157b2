import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createDocker } from '../../src/clients/docker/docker.ts';

const { signal } = new AbortController();

async function against(answer: RequestListener, act: (host: string, context: string) => Promise<void>): Promise<void> {
  const context = await mkdtemp(join(tmpdir(), 'shipmate-garbled-'));
  await writeFile(join(context, 'Dockerfile'), 'FROM scratch\n');
  const server = createServer((request, response) => {
    request.resume();
    request.on('end', () => answer(request, response));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = address !== null && typeof address !== 'string' ? address.port : 0;
  await act(`tcp://127.0.0.1:${port}`, context);
  server.closeAllConnections();
  server.close();
  await rm(context, { recursive: true });
}

const build = (host: string, context: string, seen: (text: string) => void = () => {}) =>
  createDocker({ host }).build(
    { context, dockerfile: 'Dockerfile', tag: 'r/web:v1', args: {} },
    ({ text }) => seen(text),
    signal,
  );

test('a line that is no JSON is a fault of the step, not the end of the worker', () =>
  against(
    (_request, response) => response.end('{"stream":"Step 1/1 : FROM scratch\\n"}\n<html>502 Bad Gateway</html>\n'),
    async (host, context) => {
      await expect(build(host, context)).rejects.toMatchObject({ code: 'DOCKER_UNREACHABLE', retry: 'later' });
    },
  ));

test('a last line without its end still counts', () =>
  against(
    (_request, response) =>
      response.end('{"stream":"Step 1/1 : FROM scratch\\n"}\n{"error":"no space left on device"}'),
    async (host, context) => {
      await expect(build(host, context)).rejects.toMatchObject({
        code: 'BUILD_FAILED',
        message: expect.stringContaining('no space left'),
      });
    },
  ));

test('a connection that breaks in the middle is a fault that may pass', () =>
  against(
    (_request, response) => {
      response.write('{"stream":"Step 1/2 : FROM scratch\\n"}\n{"stre');
      setTimeout(() => response.destroy(), 50);
    },
    async (host, context) => {
      const seen: string[] = [];
      await expect(build(host, context, (text) => seen.push(text))).rejects.toMatchObject({
        code: 'DOCKER_UNREACHABLE',
      });
      expect(seen).toEqual(['FROM scratch']);
    },
  ));
