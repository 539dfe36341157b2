import { environmentEntry, environmentsBehind } from '../apps.ts';
import { saysWhere } from '../cluster-settings.ts';
import type { Settings } from '../settings.ts';

type Known = Pick<Settings, 'environments' | 'clusters'>;

/** Where a cluster is found, as `shipmate.yaml` says it; a name that says nothing under `clusters` is a context. */
function wayTo({ clusters }: Known, cluster: string): string {
  const own = saysWhere(clusters, cluster) ? clusters[cluster] : undefined;
  const { kubeconfig = '', context = '', endpoint = '' } = own ?? { context: cluster === 'default' ? '' : cluster };
  return JSON.stringify([kubeconfig, context, endpoint]);
}

/** Whether two names of clusters mean the same one, as far as the settings tell. */
export const isSameCluster = (settings: Known, a: string, b: string): boolean =>
  a === b || wayTo(settings, a) === wayTo(settings, b);

/** The environments that share a cluster, by name; those that a pattern covers, by the pattern. */
export function sharing(settings: Known, cluster: string): string[] {
  return Object.entries(settings.environments)
    .filter(([, { cluster: its }]) => isSameCluster(settings, its, cluster))
    .map(([env]) => env);
}

/** The environments that a namespace of a cluster stands for: what is changed there is changed in each of them. */
export function environmentsOf(settings: Known, cluster: string, namespace: string): string[] {
  return environmentsBehind(settings, namespace).filter((env) => {
    const its = environmentEntry(settings, env)?.its.cluster;
    // What two patterns cover alike is in both their clusters, and refused where it is looked at.
    return its === undefined || isSameCluster(settings, its, cluster);
  });
}

/** Who judges what is in a cluster and in no environment's namespace: the environment named for it, or all that share it. */
export function guardsOf(settings: Known, cluster: string): string[] {
  const named = Object.entries(settings.clusters).flatMap(([name, { guardedBy }]) =>
    guardedBy !== undefined && isSameCluster(settings, name, cluster) ? [guardedBy] : [],
  );
  return named.length > 0 ? [...new Set(named)] : sharing(settings, cluster);
}
