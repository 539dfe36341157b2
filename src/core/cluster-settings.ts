import { z } from 'zod';

/** A cluster by a name of one's own. What is left out is as the process has it: KUBECONFIG, and the file's current context. */
export const ClusterSettings = z.strictObject({
  kubeconfig: z.string().min(1).optional(),
  context: z.string().min(1).optional(),
  /** Another address for it. */
  endpoint: z.url().optional(),
  /**
   * The environment that judges what lives in the cluster itself, or in no environment's namespace. Left out, all that share the
   * cluster do, and the strictest counts.
   */
  guardedBy: z.string().min(1).max(63).optional(),
});
export type ClusterSettings = z.output<typeof ClusterSettings>;

/** Whether an entry under `clusters` says where the cluster is; one that only says who guards it leaves that as it is. */
export const saysWhere = (clusters: Readonly<Record<string, ClusterSettings>>, name: string): boolean => {
  const own = Object.hasOwn(clusters, name) ? clusters[name] : undefined;
  if (!own) return false;
  return own.guardedBy === undefined || (own.kubeconfig ?? own.context ?? own.endpoint) !== undefined;
};
