import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { Readable } from 'node:stream';
import dockerignore from '@balena/dockerignore';
import { pack } from 'tar-fs';
import { fault } from '../../core/errors.ts';

async function readIgnoreFile(context: string): Promise<string> {
  return await readFile(join(context, '.dockerignore'), 'utf8').catch(() => '');
}

/** Links are sent as links, never followed; so nothing from outside the context gets in. */
async function filesOf(context: string, keep: (path: string) => boolean, below = ''): Promise<string[]> {
  const entries = await readdir(join(context, below), { withFileTypes: true });
  const nested = await Promise.all(
    entries.map(async (entry) => {
      const path = below === '' ? entry.name : `${below}/${entry.name}`;
      // A folder that is ignored may still hold files that an exception brings back.
      if (entry.isDirectory()) return await filesOf(context, keep, path);
      return keep(path) && (entry.isFile() || entry.isSymbolicLink()) ? [path] : [];
    }),
  );
  return nested.flat();
}

async function checked(context: string, dockerfile: string, image: string): Promise<string> {
  const root = await realpath(context).catch(() => undefined);
  if (root === undefined) throw fault('BUILD_FAILED', { image, problem: `the context ${context} does not exist.` });
  const file = await realpath(join(root, dockerfile)).catch(() => undefined);
  if (file === undefined) throw fault('BUILD_FAILED', { image, problem: `there is no ${dockerfile} in ${context}.` });
  const inside = relative(root, file);
  if (inside.startsWith(`..${sep}`) || inside === '..')
    throw fault('BUILD_FAILED', { image, problem: `${dockerfile} lies outside ${context}.` });
  if (!(await stat(file)).isFile()) throw fault('BUILD_FAILED', { image, problem: `${dockerfile} is not a file.` });
  return root;
}

/**
 * A build context as a tar stream, `.dockerignore` honoured. The Dockerfile itself is always sent.
 * @throws Fault BUILD_FAILED before anything is sent, where the context or the Dockerfile is missing or lies outside
 */
export async function packContext(context: string, dockerfile: string, image: string): Promise<Readable> {
  const root = await checked(context, dockerfile, image);
  const rules = dockerignore.default({ ignorecase: false }).add(await readIgnoreFile(root));
  const entries = await filesOf(root, (path) => path === dockerfile || !rules.ignores(path));
  return Readable.from(pack(root, { entries, dereference: false, map: (header) => ({ ...header, uid: 0, gid: 0 }) }));
}
