import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm, symlink, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout } from 'node:timers/promises';
import { promisify } from 'node:util';
import { extract } from 'tar-stream';
import { describe, expect, onTestFinished, test } from 'vitest';
import { measure, readContents } from '../../../src/clients/docker/contents.ts';
import { contextIn } from '../../../src/clients/docker/context.ts';
import { packContext } from '../../../src/clients/docker/pack.ts';

const { signal } = new AbortController();

async function folderOf(files: Record<string, string>): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'shipmate-pack-'));
  onTestFinished(() => rm(root, { recursive: true }));
  for (const [name, text] of Object.entries({ Dockerfile: 'FROM scratch\n', ...files })) {
    await mkdir(dirname(join(root, name)), { recursive: true });
    await writeFile(join(root, name), text);
  }
  return root;
}

/** The whole tar; a part is the packer's again once it was taken. */
async function tarOf(root: string, dockerfile = 'Dockerfile'): Promise<Buffer> {
  const parts: Buffer[] = [];
  const context = await contextIn(root, dockerfile, root);
  await packContext(context, async (part) => void parts.push(Buffer.from(part)), signal);
  return Buffer.concat(parts);
}

type Packed = { name: string; type: string; text: string; mode: number };

async function packed(root: string, dockerfile = 'Dockerfile'): Promise<Packed[]> {
  const found: Packed[] = [];
  const reader = extract();
  reader.on('entry', ({ name, type, mode = 0, linkname }, stream, next) => {
    let text = linkname ? `-> ${linkname}` : '';
    stream.on('data', (part) => (text += String(part)));
    stream.on('end', () => {
      found.push({ name, type: String(type), text, mode });
      next();
    });
  });
  Readable.from([await tarOf(root, dockerfile)]).pipe(reader);
  await new Promise((resolve, reject) => reader.on('finish', () => resolve(undefined)).on('error', reject));
  return found;
}

const namesIn = async (root: string, dockerfile?: string) =>
  (await packed(root, dockerfile))
    .filter(({ type }) => type !== 'directory')
    .map(({ name, type }) => (type === 'symlink' ? `${name} (link)` : name))
    .sort();

test('a context holds what .dockerignore leaves, links as links, and always the Dockerfile', async () => {
  const root = await folderOf({
    'app.js': 'x',
    'noise.log': 'x',
    'keep.log': 'x',
    'secrets/key': 'x',
    'secrets/public': 'x',
    '.dockerignore': 'Dockerfile\nsecrets/*\n!secrets/public\n*.log\n!keep.log\n',
  });
  await symlink('/etc/passwd', join(root, 'link'));
  expect(await namesIn(root)).toEqual([
    '.dockerignore',
    'Dockerfile',
    'app.js',
    'keep.log',
    'link (link)',
    'secrets/public',
  ]);
});

test('an exception brings back what is deep in an ignored folder, and a Dockerfile may have rules of its own', async () => {
  const root = await folderOf({
    'src/deep/down/kept.ts': 'x',
    'src/other.ts': 'x',
    'node_modules/a/index.js': 'x',
    '.dockerignore': '*\n!src/deep/**\n',
    Other: 'FROM scratch\n',
    'Other.dockerignore': 'src\n.dockerignore\nOther.dockerignore\n',
  });
  expect(await namesIn(root)).toEqual(['Dockerfile', 'src/deep/down/kept.ts']);
  expect(await namesIn(root, 'Other')).toEqual(['Dockerfile', 'Other', 'node_modules/a/index.js']);
});

test('GNU tar reads it: long names, names of other alphabets, empty files, modes', async () => {
  const long = `${'deep/'.repeat(30)}${'n'.repeat(120)}.txt`;
  const root = await folderOf({ [long]: 'long', 'größe/日本.txt': 'wide', empty: '', 'run.sh': '#!/bin/sh\n' });
  await chmod(join(root, 'run.sh'), 0o755);
  const out = await mkdtemp(join(tmpdir(), 'shipmate-unpacked-'));
  onTestFinished(() => rm(out, { recursive: true }));
  const tar = join(out, 'context.tar');
  await writeFile(tar, await tarOf(root));
  const run = promisify(execFile);
  await run('tar', ['-xf', tar, '-C', out]);
  await rm(tar);
  const { stdout } = await run('diff', ['-r', root, out]);
  expect(stdout).toBe('');
  expect((await run('stat', ['-c', '%a', join(out, 'run.sh')])).stdout.trim()).toBe('755');
});

test('the same files are the same, whenever they were written; another byte, name or mode is another context', async () => {
  const files = { 'a.txt': 'one', 'b/c.txt': 'two' };
  const [first, second] = [await folderOf(files), await folderOf(files)];
  const digest = async (root: string) =>
    (await readContents(await contextIn(root, 'Dockerfile', root), root, 1_000_000, signal)).digest;
  await utimes(join(second, 'a.txt'), 1, 1);
  const before = await digest(first);
  expect(await digest(second)).toBe(before);
  await chmod(join(second, 'a.txt'), 0o755);
  expect(await digest(second)).not.toBe(before);
  await chmod(join(second, 'a.txt'), 0o644);
  await writeFile(join(second, 'a.txt'), 'onE');
  expect(await digest(second)).not.toBe(before);
});

test('what is too much is refused early, and what is ignored does not count', async () => {
  const root = await folderOf({ 'big.bin': 'x'.repeat(3_000_000), '.dockerignore': '' });
  const sized = async (limit: number) => measure(await contextIn(root, 'Dockerfile', 'web'), 'web', limit, signal);
  await expect(sized(2_000_000)).rejects.toMatchObject({
    code: 'CONTEXT_REFUSED',
    message: expect.stringContaining('more than 2 MiB'),
  });
  await writeFile(join(root, '.dockerignore'), '*.bin\n');
  expect(await sized(2_000_000)).toMatchObject({ files: 2 });
});

describe('what the file system says of a context', () => {
  const long = new Date(Date.now() - 60_000);
  const stampOf = async (root: string) =>
    (await measure(await contextIn(root, 'Dockerfile', root), root, 1_000_000, signal)).stamp;
  /** The time of change is nobody's to set, so a test has to wait until it is long ago. */
  const settled = () => setTimeout(2_100);

  test('is the same whether its files are read or not, and whatever happens to what is ignored', async () => {
    const root = await folderOf({ 'a.txt': 'one', 'b/c.txt': 'two', '.dockerignore': '**/*.log\n' });
    await symlink('a.txt', join(root, 'link'));
    await settled();
    const before = await stampOf(root);
    expect(before).toMatch(/^[0-9a-f]{64}$/);
    await writeFile(join(root, 'b/noise.log'), 'x');
    const context = await contextIn(root, 'Dockerfile', root);
    expect(await readContents(context, root, 1_000_000, signal)).toMatchObject({ stamp: before, files: 6 });
    await chmod(join(root, 'b'), 0o700);
    expect(await stampOf(root)).not.toBe(before);
  });

  test('differs when a file is written anew with its old size and time', async () => {
    const root = await folderOf({ 'a.txt': 'one' });
    await utimes(join(root, 'a.txt'), long, long);
    await settled();
    const before = await stampOf(root);
    await writeFile(join(root, 'a.txt'), 'two');
    await utimes(join(root, 'a.txt'), long, long);
    expect(await stampOf(root), 'too young to say').toBeUndefined();
    await settled();
    expect(await stampOf(root)).toMatch(/./);
    expect(await stampOf(root)).not.toBe(before);
  });

  test('differs when the rules do, also where they are left out of the context', async () => {
    const root = await folderOf({ 'a.txt': 'one', '.dockerignore': '.dockerignore\nx\n' });
    await settled();
    const before = await stampOf(root);
    await writeFile(join(root, '.dockerignore'), '.dockerignore\ny\n');
    await settled();
    expect(await stampOf(root)).not.toBe(before);
  });
});

test('a context of several GB is refused before any of it is read', async () => {
  const root = await folderOf({ large: '' });
  await truncate(join(root, 'large'), 64 * 1_024 ** 3);
  const context = await contextIn(root, 'Dockerfile', 'web');
  const began = performance.now();
  await expect(readContents(context, 'web', 500 * 1_048_576, signal)).rejects.toMatchObject({
    code: 'CONTEXT_REFUSED',
    message: expect.stringContaining('more than 500 MiB'),
  });
  expect(performance.now() - began).toBeLessThan(1_000);
});

test('a large context is packed in no more memory than a small one, and can be stopped', async () => {
  const root = await folderOf({ large: '' });
  await truncate(join(root, 'large'), 1_024 ** 3);
  const context = await contextIn(root, 'Dockerfile', root);
  let [bytes, most] = [0, 0];
  const before = process.memoryUsage.rss();
  const watch = async (part: Uint8Array) => {
    bytes += part.length;
    most = Math.max(most, process.memoryUsage.rss() - before);
  };
  await packContext(context, watch, signal);
  expect(bytes).toBeGreaterThan(1_024 ** 3);
  expect(most).toBeLessThan(64 * 1_048_576);
  const stop = new AbortController();
  const stopped = packContext(context, async () => stop.abort(new Error('stopped')), stop.signal);
  await expect(stopped).rejects.toThrow('stopped');
});

test('a part is the packer’s again only when it was taken, and what goes wrong there ends the packing', async () => {
  const root = await folderOf({ 'big.bin': 'x'.repeat(3_000_000) });
  const context = await contextIn(root, 'Dockerfile', root);
  const slow: Buffer[] = [];
  const keepLate = async (part: Uint8Array) => {
    await setTimeout(20);
    slow.push(Buffer.from(part));
  };
  await packContext(context, keepLate, signal);
  expect(Buffer.concat(slow).equals(await tarOf(root))).toBe(true);
  const full = async () => {
    throw new Error('no room');
  };
  await expect(packContext(context, full, signal)).rejects.toThrow('no room');
});

test('what cannot be read is said', async () => {
  const root = await folderOf({});
  const context = await contextIn(root, 'Dockerfile', 'web');
  await rm(root, { recursive: true });
  await mkdir(root);
  const gone = { ...context, root: join(root, 'gone') };
  for (const read of [measure, readContents])
    await expect(read(gone, 'web', 1_000, signal)).rejects.toMatchObject({
      code: 'CONTEXT_REFUSED',
      message: expect.stringContaining('cannot be read (ENOENT'),
    });
});
