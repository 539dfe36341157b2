import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { leastPrivilege } from '../scripts/least-privilege.ts';
import { catalogue } from '../src/operations/catalogue.ts';
import { kubeconfigOf } from '../testbed/cluster.ts';
import { compiled } from '../testbed/compile.ts';
import { compileAll, setUp } from '../testbed/setup.ts';
import { startTestbed, type Testbed } from '../testbed/testbed.ts';

/** A kubeconfig of a service account that may do what the generated manifest says, and nothing else. */
async function leastPrivileged({ dir, kubernetes }: Testbed): Promise<string> {
  const { kubectl, context, server, kubeconfig } = kubernetes;
  const objects = leastPrivilege(catalogue, { namespaces: [], home: 'shipmate' });
  await kubectl(['apply', '-f', '-'], objects.map((object) => JSON.stringify(object)).join('\n---\n'));
  const token = await kubectl(['create', 'token', 'shipmate', '-n', 'shipmate', '--duration=24h']);
  const path = join(dir, 'kubeconfig-shipmate');
  const config = JSON.parse(await readFile(kubeconfig, 'utf8'));
  const ca = Buffer.from(config.clusters[0].cluster['certificate-authority-data'], 'base64').toString();
  await writeFile(path, kubeconfigOf(context, server, ca, token.trim()), { mode: 0o600 });
  return path;
}

/** What test files are told of the bed. */
export async function provideBed(project: TestProject, bed: Testbed): Promise<void> {
  const [shipmateKubeconfig, buildx] = await Promise.all([
    leastPrivileged(bed),
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
