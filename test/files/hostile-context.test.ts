import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createGit } from '../../src/clients/git/git.ts';
import { createRegistry } from '../../src/clients/registry/registry.ts';
import { createTrivy } from '../../src/clients/trivy/trivy.ts';
import { readSecret } from '../../src/config/secrets.ts';
import { readSettings } from '../../src/config/settings-file.ts';
import { contextOf, dockerAt } from '../support/builds.ts';
import { type GitServer, startGitServer } from '../support/git-server.ts';
import { type Entry, tarOf } from '../support/uploads.ts';

/** What an attacker may put where Shipmate reads: each of these stopped or filled a process before anybody was asked. */

const { signal } = new AbortController();
let git: GitServer;
beforeAll(async () => {
  git = await startGitServer();
});
afterAll(() => git.stop());

const refused = (words: string) => ({ code: 'CONTEXT_REFUSED', message: expect.stringContaining(words) });
const look = (folder: string, dockerfile = 'Dockerfile') =>
  dockerAt({}).look({ kind: 'folder', folder }, dockerfile, signal);

describe('a folder', () => {
  test.each([
    ['.dockerignore', '/dev/zero'],
    ['.dockerignore', '/etc/passwd'],
    ['.dockerignore', 'rules'],
    ['.dockerignore', 'nowhere'],
    ['Dockerfile.dockerignore', '/dev/zero'],
    ['Dockerfile', '/dev/zero'],
    ['Dockerfile', '/dev/stdin'],
    ['Dockerfile', 'Dockerfile2'],
  ])('whose %s is a link to %s', async (name, target) => {
    const files = { Dockerfile: 'FROM scratch\n', Dockerfile2: 'FROM scratch\n', rules: '*.log\n' };
    const folder = await contextOf(files);
    await rm(join(folder, name), { force: true });
    await symlink(target, join(folder, name));
    await expect(look(folder)).rejects.toMatchObject(refused(`${name} is a link`));
  });

  test.each(['.dockerignore', 'Dockerfile', 'Dockerfile.dockerignore'])('whose %s is a pipe', async (name) => {
    const folder = await contextOf({ Dockerfile: 'FROM scratch\n' });
    await rm(join(folder, name), { force: true });
    execFileSync('mkfifo', [join(folder, name)]);
    await expect(look(folder)).rejects.toMatchObject(refused(`${name} is no regular file`));
  });

  test.each(['.dockerignore', 'Dockerfile'])('whose %s never ends, or is a folder', async (name) => {
    const folder = await contextOf({ Dockerfile: 'FROM scratch\n' });
    await writeFile(join(folder, name), '');
    await truncate(join(folder, name), 64 * 1_024 ** 3);
    await expect(look(folder)).rejects.toMatchObject(refused(`${name} is larger than`));
    await rm(join(folder, name));
    await mkdir(join(folder, name));
    await expect(look(folder)).rejects.toMatchObject(refused(`${name} is a folder`));
  });

  test('whose Dockerfile lies behind a link to a folder outside', async () => {
    const folder = await contextOf({ Dockerfile: 'FROM scratch\n', 'inner/Dockerfile': 'FROM scratch\n' });
    await symlink('/dev', join(folder, 'out'));
    await symlink('inner', join(folder, 'also'));
    await expect(look(folder, 'out/zero')).rejects.toMatchObject(refused('lies outside'));
    expect(await look(folder, 'also/Dockerfile')).toMatchObject({ dockerfile: expect.any(String) });
  });
});

describe('a commit', () => {
  test.each(['.dockerignore', 'Dockerfile', 'Dockerfile.dockerignore'])('whose %s is a link', async (name) => {
    const repository = `r${name}`.toLowerCase().replaceAll('.', '-');
    await git.commit(repository, 'main', { Dockerfile: 'FROM scratch\n', 'app.js': 'x', [name]: '-> /dev/zero' });
    const source = { kind: 'git' as const, url: `${git.origin}/${repository}.git`, ref: 'main', path: '.' };
    const looking = dockerAt({}, { gitHosts: [git.origin] }).look(source, 'Dockerfile', signal);
    await expect(looking).rejects.toMatchObject(refused(`${name} is a link`));
  });

  test('whose manifests are links gives none', async () => {
    await git.commit('links', 'main', { 'deploy/web.yaml': '-> /dev/zero', all: '-> /', 'b.yaml': '-> /etc/passwd' });
    const read = (path: string) =>
      createGit().read(
        { url: `${git.origin}/links.git`, ref: 'main', path },
        { hosts: [git.origin], accept: () => true, limitBytes: 1_000 },
        signal,
      );
    for (const path of ['deploy', 'deploy/web.yaml', 'all', 'all/dev/zero', ''])
      await expect(read(path), path).rejects.toMatchObject({ code: 'GIT_FAILED' });
  });
});

describe('what was sent', () => {
  const dockerfile = { name: 'Dockerfile', text: 'FROM scratch\n' };
  const sent = async (entries: Entry[], zip = false) => {
    const tar = await tarOf(entries);
    const registry = {
      ...createRegistry(),
      digest: async () => 'd',
      readBlob: async () =>
        (async function* () {
          const bytes = zip ? gzipSync(tar) : tar;
          for (let at = 0; at < bytes.length; at += 65_536) yield bytes.subarray(at, at + 65_536);
        })(),
    };
    const digest = `sha256:${createHash('sha256').update(tar).digest('hex')}`;
    return dockerAt({ registry }).look({ kind: 'upload', repository: 'r', digest, path: '.' }, 'Dockerfile', signal);
  };

  test.each(['.dockerignore', 'Dockerfile.dockerignore'])('with a link for its %s', async (name) => {
    const link = { name, type: 'symlink' as const, linkname: '/dev/zero' };
    await expect(sent([dockerfile, link])).rejects.toMatchObject(refused(`${name} is a link`));
  });

  test('with an extended header that would fill the memory', async () => {
    const pax = { comment: 'x'.repeat(64 * 1_048_576) };
    for (const zip of [false, true])
      await expect(sent([{ ...dockerfile, pax }], zip)).rejects.toMatchObject(refused('exceeds max size'));
    const fine = { SCHILY: 'x'.repeat(2_000) };
    expect(await sent([{ ...dockerfile, pax: fine }])).toMatchObject({ files: 1 });
  });
});

describe('what the operator names', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'shipmate-operator-'));
    return () => rm(folder, { recursive: true });
  });
  const at = (name: string) => join(folder, name);

  test.each(['/dev/zero', '/dev/urandom', 'pipe', 'large'])(
    'is read where it is a regular file, and not as %s',
    async (to) => {
      execFileSync('mkfifo', [at('pipe')]);
      await writeFile(at('large'), '');
      await truncate(at('large'), 64 * 1_024 ** 3);
      await symlink(to, at('named'));
      const words = /is (no regular file|larger than)/;
      await expect(readSettings(at('named'), [])).rejects.toThrow(/is not right/);
      expect(() => readSecret({ file: at('named') }, {})).toThrow(words);
      await mkdir(at('cache/db'), { recursive: true });
      await writeFile(at('cache/db/trivy.db'), '');
      await symlink(at('named'), at('cache/db/metadata.json'));
      const scanning = createTrivy({ program: '/bin/true', cache: at('cache') }).scan(
        { image: `r.example.com/web@sha256:${'a'.repeat(64)}` },
        { minutes: 1, databaseDays: 1 },
        signal,
      );
      await expect(scanning).rejects.toMatchObject({ code: 'SCAN_DATABASE' });
    },
  );
});
