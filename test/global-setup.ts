import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { compiled } from '../testbed/compile.ts';
import { leastPrivileged } from '../testbed/least-privileged.ts';
import { compileAll, setUp } from '../testbed/setup.ts';
import { startTestbed, type Testbed } from '../testbed/testbed.ts';

/** What test files are told of the bed. */
export async function provideBed(project: TestProject, bed: Testbed): Promise<void> {
  const [shipmateKubeconfig, buildx] = await Promise.all([
    leastPrivileged(bed, []),
    compiled('buildx', log),
    ...['v1', 'v2', 'v3'].map((tag) => bed.pushWeb(tag)),
  ]);
  project.provide('bed', {
    dir: bed.dir,
    redisUrl: bed.redis.url,
    registryHost: bed.registry.host,
    dockerHost: bed.docker.host,
    kubeconfig: bed.kubernetes.kubeconfig,
    shipmateKubeconfig,
    kubectl: bed.kubernetes.kubectlPath,
    buildx: join(buildx, 'buildx'),
    busybox: bed.busybox,
  });
}

export const log = (line: string): void => console.log(`[bed] ${line}`);

/** Installs what is missing, starts one bed for all test files, and takes it away at the end. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  await setUp(log, { browser: true });
  await compileAll(log);
  const bed = await startTestbed({ log });
  await provideBed(project, bed);
  return bed.stop;
}
