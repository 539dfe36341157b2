import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createRegistry } from '../../../src/clients/registry/registry.ts';
import type { Descriptor } from '../../../src/core/registry.ts';
import { bed } from '../../support/bed.ts';
import { putIndex } from '../../support/made-images.ts';
import { realDesk } from '../../support/real-desk.ts';

const { signal } = new AbortController();
const registry = createRegistry();
const home = `${bed.registryHost}/pushes-${process.pid}`;

/**
 * A daemon with containerd's image store (Docker 28 and later; the bed's is older) that has one platform of an index, and pushes
 * that platform's manifest in the index's stead: https://docs.docker.com/reference/api/engine/version/v1.48/
 */
async function daemonWith(index: string, parts: readonly Descriptor[], pushed: string): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'shipmate-daemon-'));
  const server = createServer(async ({ method = '', url = '' }, answer) => {
    const { pathname, searchParams } = new URL(url, 'http://daemon');
    if (method === 'GET') {
      const listed = parts.map((Descriptor) => ({
        ID: Descriptor.digest,
        Descriptor,
        Available: Descriptor.digest === pushed,
        Kind: Descriptor.platform?.os === 'unknown' ? 'attestation' : 'image',
      }));
      const manifests = searchParams.get('manifests') === 'true' && { Manifests: listed };
      return void answer.end(JSON.stringify({ Id: index, ...manifests }));
    }
    const tag = searchParams.get('tag') ?? '';
    const repository = pathname.replace(/^\/images\//, '').replace(/\/push$/, '');
    const found = await registry.manifest(`${home}@${pushed}`, signal);
    const [name, own = tag] = decodeURIComponent(repository).split(/:(?=[^/]*$)/);
    if (found) await registry.putManifest(name ?? '', found, own, signal);
    const selectedManifest = parts.find(({ digest }) => digest === pushed);
    const aux = { manifestPushedInsteadOfIndex: true, originalIndex: { digest: index }, selectedManifest };
    answer.write(`${JSON.stringify({ aux })}\n`);
    answer.end(`${JSON.stringify({ aux: { Tag: own, Digest: pushed } })}\n`);
  });
  server.listen(join(dir, 'docker.sock'));
  await once(server, 'listening');
  onTestFinished(async () => {
    server.close();
    await rm(dir, { recursive: true });
  });
  return `unix://${join(dir, 'docker.sock')}`;
}

test('of an index that the daemon has one platform of, that platform is what was to be pushed, and nothing else is', async () => {
  const { digest: index } = await putIndex(registry, home, 'many');
  const parts = (await registry.manifest(`${home}@${index}`, signal))?.body.manifests ?? [];
  const [first, , attestation] = parts.map(({ digest }) => digest);
  const push = async (pushed: string, tag: string) => {
    const desk = await realDesk({
      dockerDaemon: await daemonWith(index, parts, pushed),
      builds: { repositories: [home] },
    });
    onTestFinished(() => desk.end());
    return await desk.done('docker-push', { tag: `${home}:${tag}` });
  };
  expect(await push(first ?? '', 'one')).toMatchObject({ state: 'finished', report: { kind: 'built', digest: first } });
  expect(await push(attestation ?? '', 'two')).toMatchObject({ state: 'failed', fault: { code: 'PUSH_FAILED' } });
});
