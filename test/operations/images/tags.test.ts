import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createRegistry } from '../../../src/clients/registry/registry.ts';
import { bed } from '../../support/bed.ts';
import { putImage, putIndex } from '../../support/made-images.ts';
import { type RealDesk, realDesk } from '../../support/real-desk.ts';
import { type OwnRegistry, startOwnRegistry } from '../../support/registries.ts';

const digestOf = (bytes: Buffer) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
const { signal } = new AbortController();
const registry = createRegistry();
const own = `tags-${process.pid}`;
const home = `${bed.registryHost}/${own}`;
let desk: RealDesk;
let other: OwnRegistry;

beforeAll(async () => {
  other = await startOwnRegistry();
  desk = await realDesk({
    apps: { shop: { image: home } },
    builds: { repositories: [`${bed.registryHost}/live-${process.pid}`, `${other.host}/`] },
  });
});
afterAll(async () => {
  await desk.end();
  await other.end();
});

const rowsOf = async (app: string): Promise<string[][]> => {
  const { report } = await desk.done('tags', { app });
  return report?.kind === 'table' ? report.rows : [];
};

test('/ship tags: age, size, platforms, and where each runs now', { timeout: 60_000 }, async () => {
  const created = new Date(Date.now() - 3 * 3_600_000).toISOString();
  await putImage(registry, home, { tag: 'v1', layers: [2_000_000], created });
  await putIndex(registry, home, 'v2');
  await putImage(registry, home, { tag: 'shipmate-of-its-own' });
  const rows = await rowsOf('shop');
  expect(rows.map(([tag]) => tag)).toEqual(['v1', 'v2']);
  expect(rows[0]).toEqual(['v1', expect.stringMatching(/^sha256:[0-9a-f]{12}$/), '1.9 MB', '3 h', 'linux/amd64', '']);
  expect(rows[1]?.[4]).toBe('linux/amd64, linux/arm64');
  await desk.settle([await desk.deploy('staging', 'v1')], 60_000);
  const running = (await rowsOf('web')).find(([tag]) => tag === 'v1');
  expect(running?.[5]).toMatch(/^staging \(web-.*deployment\/web/);
});

test('/ship tags: an image that programs read differently is told of by its fault, beside the others', async () => {
  const { digest } = await putImage(registry, home, { tag: 'plain' });
  const found = await registry.manifest(`${home}@${digest}`, signal);
  const text = Buffer.from(found?.bytes ?? []).toString('utf8');
  const bytes = Buffer.from(text.replace('{', '{"annotations": {"a": "1", "a": "2"}, '));
  await registry.putManifest(home, { mediaType: found?.mediaType ?? '', bytes }, 'odd', signal);
  const { report } = await desk.done('tags', { app: 'shop' });
  const table = report?.kind === 'table' ? report : undefined;
  expect(table?.rows.map(([tag]) => tag)).toContain('plain');
  expect(table?.rows.map(([tag]) => tag)).not.toContain('odd');
  expect(table?.note).toContain(`${home}:odd can be read in two ways: its manifest has “a” twice`);
  await registry.remove(home, digestOf(bytes), signal);
  await registry.remove(home, digest, signal);
});

test('/ship image delete: never what runs, in any environment; by digest, with all its tags', {
  timeout: 60_000,
}, async () => {
  await desk.settle([await desk.deploy('staging', 'v1')], 60_000);
  const refused = await desk.done('image-delete', { app: 'web', tag: 'v1' });
  expect(refused).toMatchObject({ fault: { code: 'IMAGE_IN_USE', message: expect.stringContaining('staging (') } });
  expect(await registry.manifest(`${bed.registryHost}/web:v1`, signal)).toBeDefined();

  const { digest } = await putImage(registry, home, { tag: 'old' });
  await registry.copy(home, digest, `${home}:older`, () => {}, signal);
  const run = await desk.done('image-delete', { app: 'shop', tag: 'old' });
  expect(run).toMatchObject({ state: 'finished', plan: { warnings: [expect.stringContaining('also older')] } });
  for (const tag of ['old', 'older']) expect(await registry.manifest(`${home}:${tag}`, signal)).toBeUndefined();
  expect(await desk.done('image-delete', { app: 'shop', tag: 'old' })).toMatchObject({
    fault: { code: 'IMAGE_NOT_FOUND' },
  });
});

test('what is part of an image for several platforms is not deleted from under it', async () => {
  const { digest } = await putIndex(registry, home, 'many');
  const part = (await registry.manifest(`${home}@${digest}`, signal))?.body.manifests?.[0]?.digest ?? '';
  expect(await desk.done('image-delete', { app: 'shop', tag: part })).toMatchObject({
    fault: { message: expect.stringContaining('is a part of many') },
  });
});

test('/ship tag: another tag by digest, undone; in another registry it is copied', { timeout: 60_000 }, async () => {
  const [one, two] = [await putImage(registry, home, { tag: 'a1' }), await putImage(registry, home, { tag: 'a2' })];
  expect(await desk.done('tag', { app: 'shop', tag: 'a1', as: 'stable' })).toMatchObject({ state: 'finished' });
  const moved = await desk.done('tag', { app: 'shop', tag: 'a2', as: 'stable' });
  expect(moved).toMatchObject({
    state: 'finished',
    plan: { changes: [{ from: one.digest, to: two.digest }], warnings: [expect.stringContaining('there already')] },
  });
  expect(await registry.resolve(`${home}:stable`, 'shop', signal)).toBe(two.digest);
  const { operation = '', input = {} } = moved.plan?.undo ?? {};
  await desk.done(operation, input);
  expect(await registry.resolve(`${home}:stable`, 'shop', signal)).toBe(one.digest);
  expect(await desk.done('tag', { app: 'shop', tag: 'a1', as: 'stable' })).toMatchObject({
    report: { kind: 'unchanged' },
  });
  const away = `${other.host}/archive/shop:kept`;
  expect(await desk.done('tag', { app: 'shop', tag: 'a2', as: away })).toMatchObject({ state: 'finished' });
  expect(await registry.resolve(away, 'shop', signal)).toBe(two.digest);
});

test('/ship promote shop:b1 to HOST/project: by digest, within a registry and to another', {
  timeout: 60_000,
}, async () => {
  const { digest } = await putIndex(registry, home, 'b1');
  for (const to of [`${bed.registryHost}/live-${process.pid}`, `${other.host}/live`]) {
    expect(await desk.done('promote', { app: 'shop', tag: 'b1', to })).toMatchObject({
      state: 'finished',
      plan: { image: { digest } },
    });
    expect(await registry.resolve(`${to}/${own}:b1`, 'shop', signal)).toBe(digest);
    expect(await desk.done('promote', { app: 'shop', tag: 'b1', to })).toMatchObject({ report: { kind: 'unchanged' } });
  }
});

test('bad names are refused in words, and nothing is changed', async () => {
  await putImage(registry, home, { tag: 'c1' });
  const refused: [string, Record<string, unknown>, string][] = [
    ['tag', { app: 'shop', tag: 'c1', as: 'no/tag' }, 'BAD_INPUT'],
    ['tag', { app: 'shop', tag: 'c1', as: 'shipmate-mine' }, 'BAD_INPUT'],
    ['tag', { app: 'shop', tag: 'c1', as: `${bed.registryHost}/foreign:v1` }, 'NOT_PUSHABLE'],
    ['promote', { app: 'shop', tag: 'c1', to: `${bed.registryHost}/foreign` }, 'NOT_PUSHABLE'],
    ['promote', { app: 'shop', tag: 'nothing', to: `${other.host}/live` }, 'IMAGE_NOT_FOUND'],
    ['image-delete', { app: 'shop', tag: 'sha256:short' }, 'IMAGE_MALFORMED'],
  ];
  for (const [operation, input, code] of refused)
    expect(await desk.done(operation, input), JSON.stringify(input)).toMatchObject({
      state: 'failed',
      fault: { code },
    });
  await expect(desk.ask('promote', { app: 'shop', tag: 'c1', to: '--help' })).rejects.toMatchObject({
    code: 'BAD_INPUT',
  });
});
