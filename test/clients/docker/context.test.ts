import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { extract } from 'tar-stream';
import { expect, onTestFinished, test } from 'vitest';
import { contextIn, digestOfContext, measure, packContext } from '../../../src/clients/docker/context.ts';

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
  const context = await contextIn(root, dockerfile, root);
  Readable.from(packContext(context, signal)).pipe(reader);
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
  await writeFile(tar, Readable.from(packContext(await contextIn(root, 'Dockerfile', root), signal)));
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
  const digest = async (root: string) => digestOfContext(await contextIn(root, 'Dockerfile', root), signal);
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
