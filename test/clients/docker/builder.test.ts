import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { createRegistry } from '../../../src/clients/registry/registry.ts';
import type { BuildProgress } from '../../../src/core/build.ts';
import { BuildSettings } from '../../../src/core/image-settings.ts';
import { bed } from '../../support/bed.ts';
import { type BuildKit, startBuildKit } from '../../support/buildkitd.ts';
import { buildFrom, contextOf, dockerAt } from '../../support/builds.ts';
import { runs } from '../../support/processes.ts';

/** A BuildKit that is not the daemon's: several platforms, and a cache that any other one finds in the registry. */

const { signal } = new AbortController();
const registry = createRegistry();
const repository = `${bed.registryHost}/builder-${process.pid}`;
const shell = (text: string) => `RUN ["/bin/busybox", "sh", "-c", ${JSON.stringify(text)}]`;
let kit: BuildKit;

beforeAll(async () => {
  kit = await startBuildKit();
}, 300_000);
afterAll(() => kit.end());

const at = ({ address }: { address: string }) =>
  dockerAt({ host: 'unix:///nowhere/docker.sock', buildx: bed.buildx }, { builder: { address } });

test('one image for two platforms is an index of both, with its annotations, and no daemon is asked', async () => {
  const folder = await contextOf({ Dockerfile: 'FROM scratch\nCOPY . /app/\n', a: 'a' });
  const docker = at(kit);
  const order = {
    image: `${repository}:many`,
    platforms: ['linux/amd64', 'linux/arm64'],
    labels: { 'org.opencontainers.image.revision': 'abc' },
  };
  const whole = await buildFrom(docker, { kind: 'folder', folder }, order, () => {}, signal);
  expect(await registry.manifest(order.image, signal), 'nothing is pushed by the build itself').toBeUndefined();
  const { digest } = await docker.pushBuilt(whole, () => {}, signal);
  const found = await registry.manifest(order.image, signal);
  expect(found?.digest).toBe(digest);
  expect(found?.body.annotations).toMatchObject(order.labels);
  const platforms = found?.body.manifests?.map(({ platform }) => `${platform?.os}/${platform?.architecture}`);
  expect(platforms).toEqual(order.platforms);
});

test('a folder that somebody writes to while it is pushed gets no tag', async () => {
  const folder = await contextOf({ Dockerfile: 'FROM scratch\nCOPY . /app/\n', a: 'a' });
  const docker = at(kit);
  const image = `${repository}:meanwhile`;
  const whole = await buildFrom(docker, { kind: 'folder', folder }, { image }, () => {}, signal);
  const write = () => writeFileSync(join(folder, 'a'), 'something else');
  await expect(docker.pushBuilt(whole, write, signal)).rejects.toMatchObject({ code: 'CONTEXT_CHANGED' });
  expect(await registry.manifest(image, signal)).toBeUndefined();
});

test('the cache in the registry is what another builder, which knows nothing, goes on from', async () => {
  const dockerfile = (last: string) =>
    `FROM ${bed.busybox}\n${shell('/bin/busybox head -c 64 /dev/urandom > /random')}\nCOPY ${last} /last\n`;
  const folder = await contextOf({ Dockerfile: dockerfile('a'), Other: dockerfile('b'), a: 'a', b: 'b' });
  const source = { kind: 'folder' as const, folder };
  const layersOf = async (image: string) =>
    (await registry.manifest(image, signal))?.body.layers?.map(({ digest }) => digest);
  const first = at(kit);
  const whole = await buildFrom(first, source, { image: `${repository}:c1`, cache: true }, () => {}, signal);
  await first.pushBuilt(whole, () => {}, signal);
  expect(await registry.tags(repository, signal)).toContain('shipmate-cache');

  const stranger = await startBuildKit();
  onTestFinished(() => stranger.end());
  const second = at(stranger);
  const seen: BuildProgress[] = [];
  const order = { image: `${repository}:c2`, cache: true, dockerfile: 'Other' };
  const other = await buildFrom(second, source, order, (progress) => seen.push(progress), signal);
  await second.pushBuilt(other, () => {}, signal);
  expect(seen.map(({ text }) => text)).toContainEqual(expect.stringMatching(/^RUN .*\(cached\)$/));
  const [mine, theirs] = [await layersOf(`${repository}:c1`), await layersOf(`${repository}:c2`)];
  // Random bytes are the same only where they were not made again.
  expect(theirs?.at(-2)).toBe(mine?.at(-2));
  expect(theirs?.at(-1)).not.toBe(mine?.at(-1));

  const without = await startBuildKit();
  onTestFinished(() => without.end());
  const third = at(without);
  const alone = await buildFrom(third, source, { image: `${repository}:c3` }, () => {}, signal);
  await third.pushBuilt(alone, () => {}, signal);
  expect((await layersOf(`${repository}:c3`))?.at(-2), 'without the cache they are made again').not.toBe(mine?.at(-2));
});

test('a builder that is killed in mid-build leaves nothing running, says so, and builds once it is there again', async () => {
  const own = await startBuildKit();
  onTestFinished(() => own.end());
  const mark = `sleep 41${process.pid}`;
  const folder = await contextOf({
    Dockerfile: `FROM ${bed.busybox}\n${shell(`exec /bin/busybox ${mark}`)}\n`,
    Quick: 'FROM scratch\nCOPY Quick /\n',
  });
  const source = { kind: 'folder' as const, folder };
  const docker = at(own);
  const image = `${repository}:killed`;
  const killed = buildFrom(docker, source, { image }, () => {}, signal).catch((thrown: unknown) => thrown);
  await expect.poll(() => runs(mark), { timeout: 15_000 }).toBe(true);
  await own.kill();
  expect(await killed).toMatchObject({
    code: 'DOCKER_UNREACHABLE',
    retry: 'later',
    message: expect.stringContaining(own.address),
  });
  await expect.poll(() => runs(mark), { timeout: 5_000 }).toBe(false);
  await own.start();
  await buildFrom(docker, source, { image, dockerfile: 'Quick' }, () => {}, signal);
});

test('a builder is told as it is known: an image, or an address; anything else is not taken', () => {
  const parse = (builder: unknown, more = {}) => BuildSettings.safeParse({ builder, ...more }).success;
  expect(parse({ address: 'tcp://buildkitd.ci:1234', tls: { ca: '/a', cert: '/b', key: '/c' } })).toBe(true);
  expect(parse({})).toBe(true);
  expect(parse({ image: 'moby/buildkit:v0.25.0' }, { memory: '4Gi' })).toBe(true);
  expect(parse({ address: 'tcp://buildkitd.ci:1234' }, { memory: '4Gi' })).toBe(false);
  for (const address of ['--driver=x', 'tcp://x', 'ssh://x:1', 'docker-container://x', 'unix://x'])
    expect(parse({ address }), address).toBe(false);
});
