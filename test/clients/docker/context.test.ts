import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { extract } from 'tar-stream';
import { expect, onTestFinished, test } from 'vitest';
import { packContext } from '../../../src/clients/docker/context.ts';

async function namesIn(context: string, dockerfile = 'Dockerfile'): Promise<string[]> {
  const names: string[] = [];
  const reader = extract();
  reader.on('entry', ({ name, type }, stream, next) => {
    names.push(type === 'symlink' ? `${name} (link)` : name);
    stream.on('end', next).resume();
  });
  (await packContext(context, dockerfile, 'x:1')).pipe(reader);
  await new Promise((resolve, reject) => reader.on('finish', () => resolve(undefined)).on('error', reject));
  return names.sort();
}

test('a context holds what .dockerignore leaves, links as links, and always the Dockerfile', async () => {
  const context = await mkdtemp(join(tmpdir(), 'shipmate-pack-'));
  onTestFinished(() => rm(context, { recursive: true }));
  await mkdir(join(context, 'secrets'));
  await Promise.all(
    ['Dockerfile', 'app.js', 'noise.log', 'keep.log', 'secrets/key', 'secrets/public'].map((name) =>
      writeFile(join(context, name), 'x'),
    ),
  );
  await writeFile(join(context, '.dockerignore'), 'Dockerfile\nsecrets/*\n!secrets/public\n*.log\n!keep.log\n');
  await symlink('/etc/passwd', join(context, 'link'));
  expect(await namesIn(context)).toEqual([
    '.dockerignore',
    'Dockerfile',
    'app.js',
    'keep.log',
    'link (link)',
    'secrets/public',
  ]);
});
