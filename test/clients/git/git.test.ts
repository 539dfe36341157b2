import { afterAll, beforeAll, expect, test } from 'vitest';
import { checkRef, checkUrl } from '../../../src/clients/git/addresses.ts';
import { createGit } from '../../../src/clients/git/git.ts';
import { type GitServer, startGitServer } from '../../support/git-server.ts';

let server: GitServer;
beforeAll(async () => {
  server = await startGitServer();
});
afterAll(() => server.stop());

const git = createGit();
const signal = new AbortController().signal;
const yaml = (path: string) => /\.ya?ml$/.test(path);
const read = (from: { url?: string; ref?: string; path?: string }, limitBytes = 10_000, hosts = [server.origin]) =>
  git.read(
    { url: `${server.origin}/web.git`, ref: 'main', path: '', ...from },
    { hosts, accept: yaml, limitBytes },
    signal,
  );

test('files below a path at a branch or a commit, without links, and with the commit', async () => {
  const first = await server.commit('web', 'main', {
    'deploy/a.yaml': 'a: 1\n',
    'deploy/b/c.yml': 'c: 2\n',
    'deploy/README.md': 'no',
    'deploy/evil.yaml': '-> /etc/passwd',
    'other.yaml': 'o: 1\n',
  });
  const found = await read({ path: '/deploy/' });
  expect(found).toEqual({
    commit: first,
    files: [
      { path: 'deploy/a.yaml', text: 'a: 1\n' },
      { path: 'deploy/b/c.yml', text: 'c: 2\n' },
    ],
  });
  const second = await server.commit('web', 'main', { 'deploy/a.yaml': 'a: 2\n' });
  expect((await read({ path: 'deploy/a.yaml' })).files).toEqual([{ path: 'deploy/a.yaml', text: 'a: 2\n' }]);
  expect(second).not.toBe(first);
  expect((await read({ ref: second })).commit).toBe(second);
});

test('what cannot be read is said in a sentence', async () => {
  const refused = (from: Parameters<typeof read>[0], ...rest: [number?, string[]?]) =>
    expect(read(from, ...rest)).rejects;
  await refused({ ref: 'nowhere' }).toThrow("couldn't find remote ref nowhere");
  await refused({ path: 'nothing' }).toThrow('no manifest below “nothing”');
  await refused({ path: '../..' }).toThrow();
  await refused({ url: `${server.origin}/none.git` }).toThrow(/not found/);
  await refused({}, 4).toThrow('there is more than');
  await refused({}, 10_000, ['github.com']).toThrow('is not allowed');
  await refused({ url: `${server.origin}/moved/web.git` }).toThrow(/redirect|302/);
});

test('a read ends with its run', async () => {
  const stop = new AbortController();
  const from = { url: `${server.origin}/slow/web.git`, ref: 'main', path: '' };
  const reading = git.read(from, { hosts: [server.origin], accept: yaml, limitBytes: 1 }, stop.signal);
  setTimeout(() => stop.abort(new Error('stopped')), 300);
  await expect(reading).rejects.toThrow('stopped');
});

test.each([
  ['https://github.com/team/web.git', undefined],
  ['ssh://git@github.com/team/web.git', undefined],
  ['git@github.com:team/web.git', undefined],
  ['http://github.com/team/web.git', 'plain http'],
  ['https://evil.example/team/web.git', 'not allowed'],
  ['https://github.com.evil.example/x', 'not allowed'],
  ['https://github.com@evil.example/x', 'credentials'],
  ['https://user:pass@github.com/x', 'credentials'],
  ['https://github.com:8443/x', 'not allowed'],
  ['git@evil.example:x', 'not allowed'],
  ['--upload-pack=touch /tmp/x', '“-”'],
  ['-u', '“-”'],
  ['ext::sh -c whoami', 'characters'],
  ['ext::sh', 'characters'],
  ['file:///etc', 'not taken'],
  ['git://github.com/x', 'not taken'],
  ['/etc', 'no address'],
  ['../x', 'no address'],
  ['ssh://-oProxyCommand=x/y', 'begins with'],
  ['ssh://github.com/-x', 'begins with'],
  ['https://github.com/x#--upload-pack=y', 'characters'],
  ['https://github.com/x\n', 'characters'],
])('address %j', (url, problem) => {
  const found = checkUrl(url, ['github.com']);
  if (problem === undefined) expect(found).toBeUndefined();
  else expect(found).toBeDefined();
});

test.each([
  'main',
  'v1.2.3',
  'release/2026-11',
  'a'.repeat(40),
  '--upload-pack=x',
  '-x',
  'a..b',
  'x.lock',
  'a b',
  '',
  'a:b',
  '+x',
  'x^{tree}',
])('ref %j', (ref) => {
  const fine = ['main', 'v1.2.3', 'release/2026-11', 'a'.repeat(40)].includes(ref);
  expect(checkRef(ref) === undefined).toBe(fine);
});
