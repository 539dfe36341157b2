import { createHash } from 'node:crypto';
import { access, mkdir, readFile, rename, rm, stat, symlink } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { runLong } from './packages.ts';

const cacheRoot = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'shipmate');
const kubernetesVersion = 'v1.37.2';
const names = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kubelet', 'kubectl'];

const exists = (path: string) =>
  access(path).then(
    () => true,
    () => false,
  );

/** Holds the folder `lock` while `act` runs; another process waits. A lock whose holder died is taken over. */
async function locked(lock: string, log: (line: string) => void, act: () => Promise<void>): Promise<void> {
  for (let waited = 0; ; waited++) {
    const got = await mkdir(lock).then(
      () => true,
      () => false,
    );
    if (got) break;
    const age =
      Date.now() -
      (await stat(lock).then(
        ({ mtimeMs }) => mtimeMs,
        () => Date.now(),
      ));
    if (age > 40 * 60_000) await rm(lock, { recursive: true, force: true });
    if (waited % 20 === 0) log('another process is compiling the same parts; waiting for it');
    await sleep(500);
  }
  await act().finally(() => rm(lock, { recursive: true, force: true }));
}

async function build(source: string, into: string, log: (line: string) => void): Promise<void> {
  const version = 'k8s.io/component-base/version';
  const [, major = '', minor = ''] = /^v(\d+)\.(\d+)/.exec(kubernetesVersion) ?? [];
  const stamp = `-X ${version}.gitVersion=${kubernetesVersion} -X ${version}.gitMajor=${major} -X ${version}.gitMinor=${minor}`;
  const temporary = `${into}.${process.pid}`;
  await mkdir(temporary, { recursive: true });
  const args = ['build', '-trimpath', '-ldflags', `-s -w ${stamp}`, '-o', join(temporary, 'kubernetes'), '.'];
  const what = `Compiling Kubernetes ${kubernetesVersion} from its Go modules (once; 6 to 10 minutes)`;
  await runLong(what, 'go', args, log, { cwd: source, env: { ...process.env, CGO_ENABLED: '0' } });
  for (const name of names) await symlink('kubernetes', join(temporary, name));
  await rename(temporary, into);
}

/**
 * The folder with the Kubernetes programs, compiled when their sources' versions have changed.
 * Kept outside the repository, so that only the first run on a machine compiles.
 */
export async function compiledKubernetes(log: (line: string) => void): Promise<string> {
  const source = fileURLToPath(new URL('./kubernetes/', import.meta.url));
  const parts = await Promise.all(['go.mod', 'go.sum', 'main.go'].map((name) => readFile(join(source, name))));
  const hash = createHash('sha256');
  for (const part of [...parts, process.arch, kubernetesVersion]) hash.update(part);
  const place = join(cacheRoot, `kubernetes-${hash.digest('hex').slice(0, 16)}`);
  if (await exists(place)) return place;
  await mkdir(cacheRoot, { recursive: true });
  await locked(`${place}.lock`, log, async () => {
    if (await exists(place)) return;
    await build(source, place, log).catch((problem: unknown) => {
      if (problem instanceof Error && 'code' in problem && problem.code === 'ENOENT')
        throw new Error(
          'Go is missing: install Go 1.26 or later (https://go.dev/dl), then call the same command again.',
        );
      throw problem;
    });
  });
  return place;
}
