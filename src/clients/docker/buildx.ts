import { access, constants, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fault } from '../../core/errors.ts';
import { linesOf } from '../../core/lines.ts';
import { startProgram } from '../../processes/program.ts';

export type Login = { host: string; username: string; password: string };

const patienceMs = 5_000;
const plugins = ['/usr/libexec/docker/cli-plugins', '/usr/lib/docker/cli-plugins', '/usr/local/lib/docker/cli-plugins'];

/** Where buildx is: as it is told, on the PATH, or among the plugins of `docker`. @throws Fault BUILDX_MISSING */
export async function findBuildx(told: string | undefined): Promise<string> {
  const path = (process.env.PATH ?? '').split(delimiter).filter(Boolean);
  const all = ['buildx', 'docker-buildx'].flatMap((name) => path.map((folder) => join(folder, name)));
  const known = [join(homedir(), '.docker', 'cli-plugins'), ...plugins].map((folder) => join(folder, 'docker-buildx'));
  for (const place of told === undefined ? [...all, ...known] : [told]) {
    const there = await access(place, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (there) return place;
  }
  const problem = told === undefined ? 'neither on the PATH nor among Docker’s plugins' : `${told} cannot be run`;
  throw fault('BUILDX_MISSING', { problem });
}

/** Docker Hub is called otherwise in what `docker login` keeps. */
const hostIn = (host: string) => (/(^|\.)docker\.io$/.test(host) ? 'https://index.docker.io/v1/' : host);

const configOf = (logins: readonly Login[]) => ({
  auths: Object.fromEntries(
    logins.map(({ host, username, password }) => [
      hostIn(host),
      { auth: Buffer.from(`${username}:${password}`).toString('base64') },
    ]),
  ),
});

/** Nothing of the machine's own settings, nor of Shipmate's environment. */
const environmentOf = (home: string, dockerHost: string): Record<string, string> => ({
  PATH: process.env.PATH ?? '',
  HOME: home,
  DOCKER_CONFIG: home,
  BUILDX_CONFIG: join(home, 'buildx'),
  DOCKER_HOST: dockerHost,
  BUILDX_NO_DEFAULT_ATTESTATIONS: '1',
  ...(process.env.DOCKER_CERT_PATH !== undefined && {
    DOCKER_CERT_PATH: process.env.DOCKER_CERT_PATH,
    DOCKER_TLS_VERIFY: '1',
  }),
});

export type Home = { folder: string; env: Record<string, string> };

/**
 * A folder of its own for one call of buildx, with what proves who Shipmate is by host: BuildKit asks for each host alone.
 *
 * BuildKit keeps what it was sent of a context and is sent only what differs, by time and size, the next time buildx comes with the
 * same name in `.buildNodeID`. A file that was written anew with the same time and size would be built as it was before. So the name
 * is one that no other content has; without one nothing that was sent before is used.
 */
export async function withHome<Result>(
  dockerHost: string,
  { logins, copy }: { logins: readonly Login[]; copy: string | undefined },
  act: (home: Home) => Promise<Result>,
): Promise<Result> {
  const folder = await mkdtemp(join(tmpdir(), 'shipmate-buildx-'));
  try {
    await mkdir(join(folder, 'buildx'));
    if (copy !== undefined) await writeFile(join(folder, 'buildx', '.buildNodeID'), copy);
    await writeFile(join(folder, 'config.json'), JSON.stringify(configOf(logins)), { mode: 0o600 });
    return await act({ folder, env: environmentOf(folder, dockerHost) });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Runs buildx; `heard` gets each line of what it says. To stop it is to stop the build: it is told to, and then made to. */
export async function runBuildx(
  program: string,
  args: readonly string[],
  { env, heard, signal }: { env: Record<string, string>; heard: (line: string) => void; signal: AbortSignal },
): Promise<number | null> {
  signal.throwIfAborted();
  const child = startProgram(program, [...args], { env, cwd: env.HOME, stdio: ['ignore', 'ignore', 'pipe'] });
  let late: NodeJS.Timeout | undefined;
  const stop = () => {
    child.kill('SIGTERM');
    late = setTimeout(() => child.kill('SIGKILL'), patienceMs);
  };
  signal.addEventListener('abort', stop, { once: true });
  const { promise: ended, resolve, reject } = Promise.withResolvers<number | null>();
  child.once('error', reject).once('close', resolve);
  try {
    const [code] = await Promise.all([
      ended,
      (async () => {
        for await (const line of linesOf(child.stderr, { rest: true })) heard(line);
      })(),
    ]);
    signal.throwIfAborted();
    return code;
  } finally {
    clearTimeout(late);
    signal.removeEventListener('abort', stop);
  }
}
