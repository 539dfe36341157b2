import { createHash } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createRegistry } from '../../../src/clients/registry/registry.ts';
import { bed } from '../../support/bed.ts';
import { docker } from '../../support/docker-cli.ts';
import { putImage, putIndex } from '../../support/made-images.ts';
import { type RealDesk, realDesk } from '../../support/real-desk.ts';

/** Whoever may push can put there what programs read differently: it stops nobody who does not want what is in it. */

const { signal } = new AbortController();
const registry = createRegistry();
const home = `${bed.registryHost}/odd-${process.pid}`;
const digestOf = (bytes: Uint8Array) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
let desk: RealDesk;
let folder: string;

beforeAll(async () => {
  folder = join(bed.dir, `odd-${process.pid}`);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'Dockerfile'), `FROM ${bed.busybox}\nLABEL of=${process.pid}\n`);
  desk = await realDesk({
    apps: { shop: { image: home, build: { context: folder } } },
    builds: { network: 'none', folders: [folder] },
  });
});
afterAll(() => desk.end());

/** Gives a tag to what no two programs read the same. @returns its digest */
async function putOdd(tag: string): Promise<string> {
  const { digest } = await putImage(registry, home, { layers: [10] });
  const found = await registry.manifest(`${home}@${digest}`, signal);
  const text = Buffer.from(found?.bytes ?? []).toString('utf8');
  const bytes = Buffer.from(text.replace('{', '{"annotations": {"a": "1", "a": "2"}, '));
  await registry.putManifest(home, { mediaType: found?.mediaType ?? '', bytes }, tag, signal);
  return digestOf(bytes);
}

test('another image is deleted and tagged beside it, and it is itself, with a word of what is not known', async () => {
  const odd = await putOdd('v5');
  await expect(registry.manifest(`${home}:v5`, signal)).rejects.toMatchObject({ code: 'IMAGE_AMBIGUOUS' });
  expect(await registry.digest(`${home}:v5`, signal)).toBe(odd);
  expect(await registry.digest(`${home}:v0`, signal)).toBeUndefined();
  const { digest } = await putImage(registry, home, { tag: 'v3' });
  expect(await desk.done('image-delete', { app: 'shop', tag: 'v3' })).toMatchObject({ state: 'finished' });
  expect(await registry.tags(home, signal)).toEqual(['v5']);
  const gone = await desk.done('image-delete', { app: 'shop', tag: 'v5' });
  expect(gone).toMatchObject({
    state: 'finished',
    plan: { images: [{ digest: odd, tags: ['v5'] }], warnings: [expect.stringContaining('can be read in two ways')] },
  });
  expect(await registry.digest(`${home}:v5`, signal)).toBeUndefined();

  const again = await putOdd('v6');
  await putImage(registry, home, { tag: 'v1' });
  const moved = await desk.done('tag', { app: 'shop', tag: 'v1', as: 'v6' });
  expect(moved).toMatchObject({ state: 'finished', plan: { changes: [{ from: again }] } });
  expect(digest).not.toBe(again);
});

test('what has no tag is deleted, and whoever approves is told that an odd one may list it', async () => {
  const index = await putIndex(registry, home, 'many');
  const part = (await registry.manifest(`${home}@${index.digest}`, signal))?.body.manifests?.[0]?.digest ?? '';
  await putOdd('a-odd');
  expect(await desk.done('image-delete', { app: 'shop', tag: part })).toMatchObject({
    fault: { message: expect.stringContaining('is a part of many') },
  });
  const { digest } = await putImage(registry, home, {});
  expect(await desk.done('image-delete', { app: 'shop', tag: digest })).toMatchObject({
    state: 'finished',
    plan: { warnings: [expect.stringMatching(/^a-odd can be read in two ways, and may list it/)] },
  });
});

test('a build goes over it, and what is odd under its key is not taken for built', { timeout: 60_000 }, async () => {
  const odd = await putOdd('v7');
  const run = await desk.done('build', { app: 'shop', tag: 'v7' });
  expect(run).toMatchObject({
    state: 'finished',
    plan: { changes: expect.arrayContaining([expect.objectContaining({ from: odd })]) },
  });
  const { key = '' } = run.plan?.build ?? {};
  await putOdd(key);
  const anew = await desk.done('build', { app: 'shop', tag: 'v8' });
  expect(anew).toMatchObject({ state: 'finished', plan: { build: { key } }, report: { kind: 'built' } });
  expect(anew.plan?.build?.built).toBeUndefined();
  expect((await registry.manifest(`${home}:${key}`, signal))?.digest).toBe(await registry.digest(`${home}:v8`, signal));
});

test('whoever approves a build is told that braces in its .dockerignore leave out nothing', async () => {
  const rules = join(folder, '.dockerignore');
  const planned = async (text: string) => {
    await writeFile(rules, text);
    return (await desk.done('build', { app: 'shop', tag: `b${text.length}` })).plan?.warnings;
  };
  expect(await planned('*.{md,txt}\n')).toContainEqual(
    expect.stringMatching(/^Braces choose nothing in \.dockerignore: “\*\.\{md,txt\}” leaves out only/),
  );
  expect(await planned('*.md\n*{2\n')).toEqual([]);
  await rm(rules);
});

test('a push goes over it', async () => {
  const odd = await putOdd('v9');
  await docker('tag', bed.busybox, `${home}:v9`);
  expect(await desk.done('docker-push', { tag: `${home}:v9` })).toMatchObject({
    state: 'finished',
    plan: { changes: [{ from: odd }] },
    report: { kind: 'built' },
  });
  expect(await registry.manifest(`${home}:v9`, signal)).toBeDefined();
});
