import { Fault } from '../../core/errors.ts';
import { at, type JsonObject } from '../../core/json.ts';
import { type Kind, knownKind } from '../../core/kinds.ts';
import type { Kube } from '../../core/kube.ts';

/** A set is what was applied under one name; its objects bear these labels. */
export const setLabels = (set: string): Record<string, string> => ({
  'app.kubernetes.io/managed-by': 'shipmate',
  'shipmate.dev/set': set,
});

/** Where members of a set are looked for, beside the kinds that the manifest itself has. */
const usual = [
  'ConfigMap',
  'Secret',
  'ServiceAccount',
  'Service',
  'PersistentVolumeClaim',
  'Deployment',
  'StatefulSet',
  'DaemonSet',
  'Job',
  'CronJob',
  'Ingress',
  'NetworkPolicy',
  'HTTPRoute',
  'PodDisruptionBudget',
  'HorizontalPodAutoscaler',
  'VerticalPodAutoscaler',
  'ScaledObject',
  'Rollout',
].flatMap((name) => knownKind(name) ?? []);

/** All objects of a namespace that were applied under the set's name. A kind that the cluster lacks has none. */
export async function membersOf(
  kube: Kube,
  { set, namespace, more }: { set: string; namespace: string; more: readonly Kind[] },
  signal: AbortSignal,
): Promise<JsonObject[]> {
  const labels = Object.entries(setLabels(set))
    .map(([name, value]) => `${name}=${value}`)
    .join(',');
  const all = new Map(
    [...usual, ...more.filter(({ clusterWide }) => !clusterWide)].map((kind) => [
      `${kind.apiVersion} ${kind.kind}`,
      kind,
    ]),
  );
  const lists = [...all.values()].map(async ({ apiVersion, kind }) =>
    kube.list({ apiVersion, kind, namespace, labels }, signal).catch((thrown: unknown) => {
      if (thrown instanceof Fault && thrown.code === 'UNKNOWN_KIND') return [];
      throw thrown;
    }),
  );
  const found = (await Promise.all(lists)).flat();
  return found.filter((object) => at(object, 'metadata', 'deletionTimestamp') === undefined);
}
