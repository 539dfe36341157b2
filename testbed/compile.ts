import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, mkdir, readFile, rename, rm, symlink } from 'node:fs/promises';
import type { Server } from 'node:net';
import { homedir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { claim, release } from './claim.ts';
import { type Program, type ProgramName, programs } from './programs.ts';
import { runLong } from './run-long.ts';
import { tethered } from './tether.ts';

const sourceOf = (name: ProgramName) => fileURLToPath(new URL(`./programs/${name}/`, import.meta.url));

const exists = (path: string) =>
  access(path).then(
    () => true,
    () => false,
  );

/** Where compiled and fetched programs are kept, outside the repository. */
export const cacheFolder = (): string => join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'shipmate');

/** One process at a time compiles; another waits for it to finish, or to die. */
async function turn(place: string, log: (line: string) => void): Promise<Server> {
  for (let waited = 0; ; waited++) {
    const held = await claim(`compile-${process.getuid?.()}-${basename(place)}`);
    if (held) return held;
    if (waited % 10 === 0) log(`Another process is compiling ${basename(place)}: waiting for it … ${waited / 2} s`);
    await sleep(500);
  }
}

/** Where a go.mod does not say. */
const leastGo = '1.26';

/** Go since 1.21 fetches the newer Go that a go.mod asks for; before that it can't. */
async function checkGo(title: string, wanted: string): Promise<void> {
  const { stdout } = await promisify(execFile)('go', ['version'], { timeout: 10_000, cwd: '/' }).catch(() => ({
    stdout: '',
  }));
  const minor = Number(/go1\.(\d+)/.exec(stdout)?.[1] ?? 0);
  if (minor >= 21) return;
  throw new Error(
    `${stdout ? `This Go is too old (${stdout.trim()})` : 'Go is missing'}, and ${title} is compiled from its Go modules. ` +
      `Install Go ${wanted} or later from https://go.dev/dl (not Debian's golang, which is older) so that \`go\` is on ` +
      'the PATH, then call the same command again; or name a cluster of yours with --context NAME.',
  );
}

/** The flags that stamp the version of a program's module into it, as its own makers do. */
function stampOf({ stamp }: Program, goMod: string): string {
  if (!stamp) return '-s -w';
  const version = goMod.split('\n').find((line) => line.includes(`${stamp.module} v`)) ?? '';
  const [, gitVersion = '', gitMajor = '', gitMinor = ''] = / (v(\d+)\.(\d+)\.\S+)/.exec(version) ?? [];
  const values = { gitVersion, gitMajor, gitMinor };
  return ['-s -w', ...stamp.as.map((name) => `-X ${stamp.at}.${name}=${values[name]}`)].join(' ');
}

async function build(name: ProgramName, goMod: string, place: string, log: (line: string) => void): Promise<void> {
  const program: Program = programs[name];
  await checkGo(program.title, /^go (\S+)/m.exec(goMod)?.[1] ?? leastGo);
  const temporary = `${place}.unfinished`;
  await rm(temporary, { recursive: true, force: true });
  await mkdir(temporary, { recursive: true });
  const flags = ['-v', '-trimpath', '-ldflags', stampOf(program, goMod)];
  const what = `Compiling ${program.title} from its Go modules (once; ${program.takes})`;
  const env = { ...process.env, CGO_ENABLED: '0', GOWORK: 'off', GOFLAGS: '', ...program.env };
  const options = { cwd: sourceOf(name), env };
  const go = (out: string, from: string) =>
    runLong(what, ...tethered('go', ['build', ...flags, '-o', out, from]), log, options);
  await go(join(temporary, name), program.package ?? '.');
  for (const other of program.beside ?? []) await go(join(temporary, basename(other)), other);
  for (const other of program.names ?? []) await symlink(name, join(temporary, other));
  await rename(temporary, place);
}

/**
 * The folder with a compiled program, called by its name; compiled when its go.mod, go.sum or main.go have changed.
 * Kept outside the repository, so that only the first run on a machine compiles.
 */
export async function compiled(name: ProgramName, log: (line: string) => void): Promise<string> {
  const own = 'package' in programs[name] ? [] : ['main.go'];
  const [goMod = '', ...others] = await Promise.all(
    ['go.mod', 'go.sum', ...own].map((file) => readFile(join(sourceOf(name), file), 'utf8')),
  );
  const hash = createHash('sha256');
  for (const part of [goMod, ...others, process.arch]) hash.update(part);
  const cache = cacheFolder();
  const place = join(cache, `${name}-${hash.digest('hex').slice(0, 16)}`);
  if (await exists(place)) return place;
  await mkdir(cache, { recursive: true });
  const held = await turn(place, log);
  try {
    if (!(await exists(place))) await build(name, goMod, place, log);
  } finally {
    await release(held);
  }
  return place;
}

/** The folder of a module that a compiled program is made of, such as `istio.io/istio`: its CRDs and fixtures are there. */
export async function moduleFolder(name: ProgramName, module: string): Promise<string> {
  const options = { cwd: sourceOf(name), timeout: 120_000, env: { ...process.env, GOFLAGS: '' } };
  const { stdout } = await promisify(execFile)('go', ['mod', 'download', '-json', module], options).catch(
    async (thrown: unknown) => {
      await checkGo(programs[name].title, leastGo);
      throw thrown;
    },
  );
  const { Dir }: { Dir?: unknown } = JSON.parse(stdout);
  if (typeof Dir !== 'string') throw new Error(`go mod download ${module} named no folder:\n${stdout}`);
  return Dir;
}
