import { describe, expect, test } from 'vitest';
import { createRegistry } from '../../../src/clients/registry/registry.ts';
import { bed } from '../../support/bed.ts';

const registry = createRegistry();
const { signal } = new AbortController();
const web = `${bed.registryHost}/web`;

describe('tags of a real registry', () => {
  test('resolve to the digest, and the digest to itself', async () => {
    const digest = await registry.resolve(`${web}:v1`, 'web', signal);
    expect(digest).toMatch(/^sha256:[a-f0-9]{64}$/);
    expect(await registry.resolve(`${web}@${digest}`, 'web', signal)).toBe(digest);
    expect(await registry.resolve(`${web}:v2`, 'web', signal)).not.toBe(digest);
  });

  test('that are not there are refused, with the one that was probably meant', async () => {
    const code = 'IMAGE_NOT_FOUND';
    await expect(registry.resolve(`${web}:v22`, 'web', signal)).rejects.toMatchObject({
      code,
      message: expect.stringContaining('Did you mean “v2”?'),
    });
    await expect(registry.resolve(`${web}:nightly`, 'web', signal)).rejects.toMatchObject({
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
