import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createGzip, gzipSync } from 'node:zlib';
import { expect, onTestFinished, test } from 'vitest';
import { createRegistry } from '../../../src/clients/registry/registry.ts';
import { bed } from '../../support/bed.ts';
import { buildFrom, dockerAt } from '../../support/builds.ts';
import { docker as cli } from '../../support/docker-cli.ts';
import { putImage } from '../../support/made-images.ts';
import { type Entry, keepTar, once, tarOf } from '../../support/uploads.ts';

/** Contexts that were sent as a tar: unpacked where they cannot do harm, and gone afterwards. */

const run = promisify(execFile);
const { signal } = new AbortController();
const repository = `${bed.registryHost}/uploads-${process.pid}`;
const docker = dockerAt({ host: bed.dockerHost, buildx: bed.buildx }, { contextMegabytes: 5 });
const dockerfile = { name: 'Dockerfile', text: `FROM ${bed.busybox}\nCOPY . /app/\n` };

const leftovers = async () => (await readdir(tmpdir())).filter((name) => name.startsWith('shipmate-context-')).sort();

test.each(['plain', 'gzip'])(
  'a %s tar is built, links and modes and all, and nothing of it stays here',
  async (form) => {
    const tar = await tarOf([
      dockerfile,
      { name: 'bin/run.sh', text: '#!/bin/sh\n', mode: 0o755 },
      { name: 'link', type: 'symlink', linkname: 'bin/run.sh' },
    ]);
    const before = await leftovers();
    const source = await keepTar(repository, once(form === 'gzip' ? gzipSync(tar) : tar));
    const image = `${repository}:${form}`;
    await buildFrom(docker, source, { image }, () => {}, signal);
    const listed = await cli('run', '--rm', '--network', 'none', image, 'ls', '-lR', '/app');
    expect(listed).toMatch(/-rwxr-xr-x.*run\.sh/);
    expect(listed).toContain('link -> bin/run.sh');
    expect(await leftovers()).toEqual(before);
  },
);

test('a folder of it is built where one is named, and one that is not in it is refused', async () => {
  const tar = await tarOf([
    { name: 'other', text: 'x' },
    { ...dockerfile, name: 'services/web/Dockerfile' },
  ]);
  const source = await keepTar(repository, once(tar), 5, 'services/web');
  expect(await docker.look(source, 'Dockerfile', signal)).toMatchObject({ id: source.digest, files: 1 });
  for (const path of ['services/none', '../..', '/etc'])
    await expect(docker.look({ ...source, path }, 'Dockerfile', signal)).rejects.toMatchObject({
      code: 'CONTEXT_REFUSED',
    });
});

const harmful: [string, Entry[], string][] = [
  ['climbs out', [{ name: '../evil', text: 'x' }], 'climbs out'],
  ['climbs out in its middle', [{ name: 'a/../../evil', text: 'x' }], 'climbs out'],
  ['is absolute', [{ name: '/tmp/shipmate-evil', text: 'x' }], 'climbs out'],
  [
    'writes through a link',
    [
      { name: 'a', type: 'symlink', linkname: '/tmp' },
      { name: 'a/evil', text: 'x' },
    ],
    'not a valid path',
  ],
  ['links hard to the outside', [{ name: 'passwd', type: 'link', linkname: '../../../../etc/passwd' }], 'lies outside'],
  [
    'links hard through a link',
    [
      { name: 'a', type: 'symlink', linkname: '/etc' },
      { name: 'p', type: 'link', linkname: 'a/passwd' },
    ],
    'not a valid hardlink',
  ],
  ['is a device', [{ name: 'null', type: 'character-device', devmajor: 1, devminor: 3 }], 'character-device'],
  ['is a pipe', [{ name: 'pipe', type: 'fifo' }], 'fifo'],
  ['has a link for its Dockerfile', [{ name: 'D', type: 'symlink', linkname: '/etc/passwd' }], 'D is a link'],
];

test.each(harmful)('a tar that %s is refused', async (_what, entries, words) => {
  const source = await keepTar(repository, once(await tarOf([dockerfile, ...entries])));
  const before = await leftovers();
  const look = docker.look(source, entries[0]?.name === 'D' ? 'D' : 'Dockerfile', signal);
  await expect(look).rejects.toMatchObject({ code: 'CONTEXT_REFUSED', message: expect.stringContaining(words) });
  expect(await leftovers()).toEqual(before);
});

/** Zeros, zipped as they come. */
function zippedZeros(first: Buffer, megabytes: number): AsyncIterable<Uint8Array> {
  const gzip = createGzip({ level: 1 });
  const feed = async () => {
    gzip.write(first);
    for (let n = 0; n < megabytes; n++)
      if (!gzip.write(Buffer.alloc(1_048_576))) await new Promise((resolve) => gzip.once('drain', resolve));
    gzip.end();
  };
  void feed().catch(() => {});
  return gzip as AsyncIterable<Uint8Array>;
}

test('bombs are stopped at the limit: a file of gigabytes, many files, zeros behind the end', {
  timeout: 120_000,
}, async () => {
  const dot = await tarOf([dockerfile]);
  const bombs: [AsyncIterable<Uint8Array>, string][] = [
    [zippedZeros(Buffer.from(dot), 400), 'more than 5 MiB'],
    [
      once(
        gzipSync(await tarOf(Array.from({ length: 6 }, (_, n) => ({ name: `f${n}`, text: 'x'.repeat(1_048_576) })))),
      ),
      'more than 5 MiB',
    ],
    [once(Buffer.from('this is no tar at all, and never was one')), 'it is no tar'],
    [once(dot.subarray(0, 600)), 'it is no tar'],
  ];
  for (const [tar, words] of bombs) {
    const source = await keepTar(repository, tar);
    await expect(docker.look(source, 'Dockerfile', signal)).rejects.toMatchObject({
      code: 'CONTEXT_REFUSED',
      message: expect.stringContaining(words),
    });
  }
});

test('gigabytes are not taken in: the sending ends at the limit, and memory stays where it is', async () => {
  const part = Buffer.alloc(1_048_576, 7);
  let sent = 0;
  async function* endless() {
    for (; sent < 4_096; sent++) yield part;
  }
  const before = process.memoryUsage().rss;
  await expect(keepTar(repository, endless(), 64)).rejects.toMatchObject({ code: 'TOO_LARGE' });
  expect(sent).toBeLessThan(80);
  expect(process.memoryUsage().rss - before).toBeLessThan(150 * 1_048_576);
});

test('what was not sent to be built is no context, also where it is a blob: a layer, or an upload that is gone', async () => {
  const registry = createRegistry();
  const { digest } = await putImage(registry, repository, { layers: [1_000] });
  const layer = (await registry.manifest(`${repository}@${digest}`, signal))?.body.layers?.[0]?.digest ?? '';
  for (const other of [layer, `sha256:${'a'.repeat(64)}`])
    await expect(
      docker.look({ kind: 'upload', repository, digest: other, path: '.' }, 'Dockerfile', signal),
    ).rejects.toMatchObject({
      code: 'CONTEXT_REFUSED',
      message: expect.stringContaining('not kept'),
      hint: expect.stringContaining('Send it again'),
    });
});

test('with the disk full there is no room, and that is said; with room again it is built', async () => {
  const source = await keepTar(
    repository,
    once(await tarOf([dockerfile, { name: 'big', text: 'x'.repeat(2_000_000) }])),
  );
  const folder = await mkdtemp(join(tmpdir(), 'shipmate-small-'));
  const small = join(folder, 'tmp');
  await mkdir(small);
  await run('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', small]);
  const before = process.env.TMPDIR;
  onTestFinished(async () => {
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
    await run('umount', [small]);
    await rm(folder, { recursive: true });
  });
  process.env.TMPDIR = small;
  await expect(docker.look(source, 'Dockerfile', signal)).rejects.toMatchObject({ code: 'NO_ROOM', retry: 'later' });
  expect(await readdir(small)).toEqual([]);
  await run('mount', ['-o', 'remount,size=8m', small]);
  expect(await docker.look(source, 'Dockerfile', signal)).toMatchObject({ files: 2 });
});
