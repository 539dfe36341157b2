import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { createClusters } from '../clients/kube/clusters.ts';
import { readKubeconfig } from '../clients/kube/kubeconfig.ts';
import { ConfigurationError } from '../config/configuration-error.ts';
import type { World } from './init.ts';

/** The kubeconfig that kubectl would take: of several files the first. */
const kubeconfigOf = ({ KUBECONFIG = '' }: NodeJS.ProcessEnv): string =>
  KUBECONFIG.split(delimiter).find(Boolean) ?? join(homedir(), '.kube', 'config');

/** Clusters by the contexts of somebody's kubeconfig. `close` lets go of the connections. */
export function contextsOf(
  env: NodeJS.ProcessEnv,
): Pick<World, 'current' | 'contexts' | 'kube'> & { close(): Promise<void> } {
  const file = kubeconfigOf(env);
  const opened: ReturnType<typeof createClusters>[] = [];
  const read = () => {
    try {
      return readKubeconfig(file);
    } catch {
      // The cause's own message may quote the file, and so its tokens.
      throw new ConfigurationError(`the kubeconfig ${file} cannot be read`, ['Set KUBECONFIG to its path.']);
    }
  };
  return {
    current: () => read().current,
    contexts: () => read().contexts,
    kube: (context) => {
      // By the context's own name, which is the one that whoever calls this knows.
      const clusters = createClusters({ kubeconfig: file, named: () => ({ [context]: { context } }) });
      opened.push(clusters);
      return clusters.kube(context);
    },
    close: async () => void (await Promise.all(opened.map((clusters) => clusters.close()))),
  };
}
