import type { TestProject } from 'vitest/node';
import { setUp } from '../testbed/setup.ts';
import { startTestbed } from '../testbed/testbed.ts';

/** Installs what is missing, starts one bed for all test files, and takes it away at the end. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const log = (line: string) => console.log(`[bed] ${line}`);
  await setUp(log, { browser: true });
  const bed = await startTestbed({ log });
  await Promise.all(['v1', 'v2', 'v3'].map((tag) => bed.pushWeb(tag)));
  project.provide('bed', {
    dir: bed.dir,
    redisUrl: bed.redis.url,
    registryHost: bed.registry.host,
    dockerHost: bed.docker.host,
    kubeconfig: bed.kubernetes.kubeconfig,
    kubectl: bed.kubernetes.kubectlPath,
    busybox: bed.busybox,
  });
  return bed.stop;
}
