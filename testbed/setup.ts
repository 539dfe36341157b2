import { compiled } from './compile.ts';
import { ensurePackages } from './packages.ts';
import { programNames } from './programs.ts';

/** Compiles whatever any test may need, one after the other: a test's own time is too short for it. */
export async function compileAll(log: (line: string) => void): Promise<void> {
  for (const name of programNames) await compiled(name, log);
}

/** @throws Error unless this is root on Linux, as containers want it. */
export function requireRoot(): void {
  if (process.platform === 'linux' && process.getuid?.() === 0) return;
  throw new Error(
    'The test bed runs its own Kubernetes and dockerd, which takes root on Linux. Run this as root, or name a cluster ' +
      'and a Docker daemon of yours: --context NAME --docker-host unix:///var/run/docker.sock',
  );
}

/**
 * Brings in what the bed is made of: system packages and compiled programs. Slow only once on a machine.
 * `besideCluster` leaves out what a bed beside somebody's cluster and Docker daemon can do without.
 */
export async function setUp(
  log: (line: string) => void,
  options: { browser?: boolean; besideCluster?: boolean } = {},
): Promise<void> {
  if (!options.besideCluster) requireRoot();
  const node = options.besideCluster ? [] : (['docker', 'kubernetes'] as const);
  await ensurePackages(
    ['redis', 'registry', 'busybox', ...node, ...(options.browser ? (['browser'] as const) : [])],
    log,
  );
  if (!options.besideCluster) await compiled('kubernetes', log);
}
