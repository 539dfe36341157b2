import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { manifestTypes } from '../../../src/clients/registry/caller.ts';
import { createRegistry } from '../../../src/clients/registry/registry.ts';
import { bed } from '../../support/bed.ts';

const registry = createRegistry();
const { signal } = new AbortController();
const web = `${bed.registryHost}/web`;
const own = 'tags-of-its-own';

const Manifest = z.looseObject({
  mediaType: z.string(),
  config: z.object({ digest: z.string() }),
  layers: z.array(z.object({ digest: z.string() })),
});

/** A repository that nobody else pushes to, with these tags, all of the image `web:v1`. */
async function withTags(tags: readonly string[]): Promise<void> {
  const base = `http://${bed.registryHost}/v2`;
  const answer = await fetch(`${base}/web/manifests/v1`, { headers: { accept: manifestTypes } });
  const body = await answer.text();
  const { mediaType, config, layers } = Manifest.parse(JSON.parse(body));
  for (const { digest } of [config, ...layers]) {
    const mounted = await fetch(`${base}/${own}/blobs/uploads/?mount=${digest}&from=web`, { method: 'POST' });
    expect(mounted.status).toBe(201);
  }
  for (const tag of tags) {
    const headers = { 'content-type': mediaType };
    const put = await fetch(`${base}/${own}/manifests/${tag}`, { method: 'PUT', headers, body });
    expect(put.status).toBe(201);
  }
}

describe('tags of a real registry', () => {
  test('resolve to the digest, and the digest to itself', async () => {
    const digest = await registry.resolve(`${web}:v1`, 'web', signal);
    expect(digest).toMatch(/^sha256:[a-f0-9]{64}$/);
    expect(await registry.resolve(`${web}@${digest}`, 'web', signal)).toBe(digest);
    expect(await registry.resolve(`${web}:v2`, 'web', signal)).not.toBe(digest);
  });

  test('that are not there are refused, with the one that was probably meant', async () => {
    const code = 'IMAGE_NOT_FOUND';
    await withTags(['v1', 'v2', 'v3']);
    await expect(registry.resolve(`${bed.registryHost}/${own}:v22`, 'web', signal)).rejects.toMatchObject({
      code,
      message: expect.stringContaining('Did you mean “v2”?'),
    });
    await expect(registry.resolve(`${bed.registryHost}/${own}:nightly`, 'web', signal)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(/It has v1, v2, v3/),
    });
    await expect(registry.resolve(`${bed.registryHost}/nothing:v1`, 'web', signal)).rejects.toMatchObject({ code });
  });
});

test('a registry that does not answer is a fault that may pass', async () => {
  await expect(registry.resolve('127.0.0.1:1/web:v1', 'web', signal)).rejects.toMatchObject({
    code: 'REGISTRY_UNREACHABLE',
    retry: 'later',
  });
});
