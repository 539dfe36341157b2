import { access, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { BedBase } from './bed-base.ts';
import { compiled } from './compile.ts';

/** A cluster to test on, and nothing but that one: its kubeconfig holds a single context. */
export type Cluster = {
  kubeconfig: string;
  context: string;
  server: string;
  kubectlPath: string;
  /** Runs kubectl against this cluster and answers with what it printed. @throws Error with what it complained of */
  kubectl(args: string[], stdin?: string): Promise<string>;
};

/** A kubeconfig of one context, for a server that has a certificate of its own. */
export const kubeconfigOf = (context: string, server: string, ca: string, token: string): string =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': context,
    clusters: [
      { name: context, cluster: { server, 'certificate-authority-data': Buffer.from(ca).toString('base64') } },
    ],
    users: [{ name: context, user: { token } }],
    contexts: [{ name: context, context: { cluster: context, user: context } }],
  });

export const kubectlWith =
  (base: BedBase, path: string, kubeconfig: string): Cluster['kubectl'] =>
  (args, stdin = '') =>
    base.run(path, ['--kubeconfig', kubeconfig, ...args], { stdin });

async function findKubectl(log: (line: string) => void): Promise<string> {
  for (const dir of (process.env.PATH ?? '').split(delimiter)) {
    const path = join(dir, 'kubectl');
    const there = await access(path).then(
      () => true,
      () => false,
    );
    if (there) return path;
  }
  return join(await compiled('kubernetes', log), 'kubectl');
}

/**
 * A cluster that somebody named: exactly that context of KUBECONFIG or ~/.kube/config, whatever the current one is.
 * It is copied out, so that nothing in this run can reach any other.
 */
export async function clusterOfContext(base: BedBase, context: string): Promise<Cluster> {
  const kubectlPath = await findKubectl(base.log);
  // Logging in to a cluster may take a plugin that looks into the home folder.
  const env = { HOME: homedir(), ...(process.env.KUBECONFIG && { KUBECONFIG: process.env.KUBECONFIG }) };
  const view = ['config', 'view', '--raw', '--flatten', '--minify', '-o', 'json', '--context', context];
  const config = await base.run(kubectlPath, view, { env }).catch((problem: Error) => {
    throw new Error(`--context ${context}: ${problem.message}. kubectl config get-contexts lists what there is.`);
  });
  const kubeconfig = join(base.dir, 'kubeconfig');
  await writeFile(kubeconfig, config, { mode: 0o600 });
  const kubectl: Cluster['kubectl'] = (args, stdin = '') =>
    base.run(kubectlPath, ['--kubeconfig', kubeconfig, '--context', context, ...args], {
      stdin,
      env: { HOME: homedir() },
    });
  const server = /"server":\s*"([^"]+)"/.exec(config)?.[1] ?? '';
  await kubectl(['get', '--raw', '/readyz', '--request-timeout=10s']).catch((problem: Error) => {
    throw new Error(`The cluster of context ${context} (${server}) does not answer: ${problem.message}`);
  });
  return { kubeconfig, context, server, kubectlPath, kubectl };
}
