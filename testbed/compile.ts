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
import { runLong } from './run-long.ts';
import { tethered } from './tether.ts';

const names = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kubelet', 'kubectl'];
const source = fileURLToPath(new URL('./kubernetes/', import.meta.url));

const exists = (path: string) =>
  access(path).then(
    () => true,
    () => false,
  );

/** One process at a time compiles; another waits for it to finish, or to die. */
async function turn(place: string, log: (line: string) => void): Promise<Server> {
  for (let waited = 0; ; waited++) {
    const held = await claim(`compile-${process.getuid?.()}-${basename(place)}`);
    if (held) return held;
    if (waited % 10 === 0) log(`Another process is compiling ${basename(place)}: waiting for it … ${waited / 2} s`);
    await sleep(500);
  }
}

/** Go since 1.21 fetches the newer Go that a go.mod asks for; before that it can't. */
async function checkGo(wanted: string): Promise<void> {
  const { stdout } = await promisify(execFile)('go', ['version'], { timeout: 10_000, cwd: '/' }).catch(() => ({
    stdout: '',
  }));
  const minor = Number(/go1\.(\d+)/.exec(stdout)?.[1] ?? 0);
  if (minor >= 21) return;
  throw new Error(
    `${stdout ? `This Go is too old (${stdout.trim()})` : 'Go is missing'}, and Kubernetes is compiled from its Go modules. ` +
      `Install Go ${wanted} or later from https://go.dev/dl (not Debian's golang, which is older) so that \`go\` is on ` +
      'the PATH, then call the same command again; or name a cluster of yours with --context NAME.',
  );
}

async function build(goMod: string, place: string, log: (line: string) => void): Promise<void> {
  const version = /k8s\.io\/kubernetes (v(\d+)\.(\d+)\.\S+)/.exec(goMod);
  const [, full = '', major = '', minor = ''] = version ?? [];
  await checkGo(/^go (\S+)/m.exec(goMod)?.[1] ?? '1.26');
  const at = 'k8s.io/component-base/version';
  const stamp = `-s -w -X ${at}.gitVersion=${full} -X ${at}.gitMajor=${major} -X ${at}.gitMinor=${minor}`;
  const temporary = `${place}.unfinished`;
  await rm(temporary, { recursive: true, force: true });
  await mkdir(temporary, { recursive: true });
  const go = ['build', '-v', '-trimpath', '-ldflags', stamp, '-o', join(temporary, 'kubernetes'), '.'];
  const what = `Compiling Kubernetes ${full} from its Go modules (once; 6 to 10 minutes)`;
  const env = { ...process.env, CGO_ENABLED: '0', GOWORK: 'off', GOFLAGS: '' };
  await runLong(what, ...tethered('go', go), log, { cwd: source, env });
  for (const name of names) await symlink('kubernetes', join(temporary, name));
  await rename(temporary, place);
}

/**
 * The folder with the Kubernetes programs, compiled when go.mod, go.sum or main.go have changed.
 * Kept outside the repository, so that only the first run on a machine compiles.
 */
export async function compiledKubernetes(log: (line: string) => void): Promise<string> {
  const [goMod, ...others] = await Promise.all(
    ['go.mod', 'go.sum', 'main.go'].map((name) => readFile(join(source, name), 'utf8')),
  );
  const hash = createHash('sha256');
  for (const part of [goMod ?? '', ...others, process.arch]) hash.update(part);
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'shipmate');
  const place = join(cache, `kubernetes-${hash.digest('hex').slice(0, 16)}`);
  if (await exists(place)) return place;
  await mkdir(cache, { recursive: true });
  const held = await turn(place, log);
  try {
    if (!(await exists(place))) await build(goMod ?? '', place, log);
  } finally {
    await release(held);
  }
  return place;
}
