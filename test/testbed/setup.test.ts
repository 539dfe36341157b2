import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';

const run = promisify(execFile);
const testbed = fileURLToPath(new URL('../../testbed/', import.meta.url));
let dir: string;

// A `go` that takes a second, and writes down each build that it does.
const slowGo = `#!/bin/sh
[ "$1" = version ] && echo 'go version go1.26.8 linux/amd64' && exit
while [ "$1" != -o ]; do shift; done
echo built >>"$BUILDS"; sleep 1; echo program >"$2"
`;
const oldGo = "#!/bin/sh\necho 'go version go1.19.8 linux/amd64'\n";

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'shipmate-setup-'));
});
afterEach(() => rm(dir, { recursive: true }));

async function compile(go: string | undefined) {
  if (go !== undefined) {
    await writeFile(join(dir, 'go'), go);
    await chmod(join(dir, 'go'), 0o755);
  }
  const script = `import { compiled } from '${testbed}compile.ts'; console.log(await compiled('kubernetes', console.error));`;
  const env = { PATH: `${dir}:/usr/bin:/bin`, XDG_CACHE_HOME: dir, BUILDS: join(dir, 'builds') };
  return { args: ['--input-type=module', '-e', script], options: { env, timeout: 20_000 } };
}

test('two processes that need the compiled parts at once compile them once', async () => {
  const { args, options } = await compile(slowGo);
  const places = await Promise.all([1, 2].map(() => run(process.execPath, args, options)));
  const [first, second] = places.map(({ stdout }) => stdout.trim());
  expect(first).toBe(second);
  expect(await readFile(join(dir, 'builds'), 'utf8')).toBe('built\n');
  expect((await readdir(first ?? '')).sort()).toContain('kube-apiserver');
  expect((await readdir(join(dir, 'shipmate'))).filter((name) => name.includes('unfinished'))).toEqual([]);
});

test('a compile that was killed is begun anew by the next, at once', async () => {
  const { args, options } = await compile(slowGo);
  const killed = spawn(process.execPath, args, { ...options, stdio: 'ignore' });
  const builds = () => readFile(join(dir, 'builds'), 'utf8').catch(() => '');
  await expect.poll(builds, { timeout: 10_000 }).toBe('built\n');
  killed.kill('SIGKILL');
  await once(killed, 'exit');
  await run(process.execPath, args, options);
  expect(await builds()).toBe('built\nbuilt\n');
});

test.each([
  ['missing', undefined, /Go is missing.*Install Go 1\.\d+.*https:\/\/go\.dev\/dl/s],
  ['too old', oldGo, /This Go is too old \(go version go1\.19\.8 linux\/amd64\).*Install Go 1\.\d+/s],
])('Go that is %s is asked for by name', async (_, go, words) => {
  const { args, options } = await compile(go);
  await expect(run(process.execPath, args, options)).rejects.toThrow(words);
});

test('who may not install packages is told each missing program and the command that installs it', async () => {
  const script = `import { ensurePackages } from '${testbed}packages.ts'; await ensurePackages(['redis', 'docker'], console.error);`;
  const nobody = [
    '--reuid=65534',
    '--regid=65534',
    '--clear-groups',
    process.execPath,
    '--input-type=module',
    '-e',
    script,
  ];
  const asked = run('/usr/bin/setpriv', nobody, { env: { PATH: '/nowhere' }, timeout: 10_000 });
  await expect(asked).rejects.toThrow(
    /redis-server: apt-get install redis-server\n {2}docker: apt-get install docker\.io/,
  );
});
