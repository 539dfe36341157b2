import { at, type JsonObject, text } from '../../core/json.ts';
import type { KindName } from '../../core/kinds.ts';
import type { Kube, ObjectRef } from '../../core/kube.ts';
import { rolloutsIn, rolloutsPermission } from './list-known.ts';
import { byName, isKept, list, nameIn, podSpecOf } from './reading.ts';

/** ConfigMaps and Secrets are set, unset and shown in the same way; only a Secret's values are never seen. */
export type Keeper = 'ConfigMap' | 'Secret';

/** Who reads a ConfigMap or Secret, and how: `env LEVEL`, `files in /etc/app`. */
export type Consumer = { ref: ObjectRef; uses: string[]; object: JsonObject };

const running: readonly KindName[] = ['Deployment', 'StatefulSet', 'DaemonSet', 'CronJob', 'Job', 'Pod'];
/** What gets new pods when its template changes. */
const restarted = new Set(['Deployment', 'StatefulSet', 'DaemonSet', 'Rollout']);

export const canRestart = ({ ref }: Pick<Consumer, 'ref'>): boolean => restarted.has(ref.kind);

const containersIn = (spec: JsonObject) => [...list(spec.initContainers), ...list(spec.containers)];

function envUses(spec: JsonObject, kind: Keeper, name: string): string[] {
  const [one, all] = kind === 'ConfigMap' ? ['configMapKeyRef', 'configMapRef'] : ['secretKeyRef', 'secretRef'];
  return containersIn(spec).flatMap(({ env, envFrom }) => [
    ...list(env)
      .filter((variable) => at(variable, 'valueFrom', one ?? '', 'name') === name)
      .map((variable) => `env ${text(variable.name)}`),
    ...list(envFrom)
      .filter((source) => at(source, all ?? '', 'name') === name)
      .map(() => 'all of it as env'),
  ]);
}

function fileUses(spec: JsonObject, kind: Keeper, name: string, ofPod: boolean): string[] {
  const reads = (source: JsonObject) =>
    kind === 'ConfigMap'
      ? at(source, 'configMap', 'name') === name
      : [at(source, 'secret', 'secretName'), at(source, 'secret', 'name')].includes(name);
  const volumes = list(spec.volumes).filter(
    (volume) => reads(volume) || list(at(volume, 'projected', 'sources')).some(reads),
  );
  return volumes.flatMap((volume) => {
    // The picture of the pods leaves out where they mount what.
    if (ofPod) return [`volume ${text(volume.name)}`];
    const mounts = containersIn(spec).flatMap(({ volumeMounts }) =>
      list(volumeMounts).filter((mount) => mount.name === volume.name),
    );
    const paths = [...new Set(mounts.map(({ mountPath }) => `files in ${text(mountPath)}`))];
    return paths.length > 0 ? paths : [`volume ${text(volume.name)}, mounted nowhere`];
  });
}

function usesIn(object: JsonObject, kind: Keeper, name: string): string[] {
  const spec = podSpecOf(object);
  const pulls = kind === 'Secret' && list(at(spec, 'imagePullSecrets')).some((secret) => secret.name === name);
  const found =
    typeof spec === 'object' && spec !== null && !Array.isArray(spec)
      ? [
          ...envUses(spec, kind, name),
          ...fileUses(spec, kind, name, object.kind === 'Pod'),
          ...(pulls ? ['pulls images with it'] : []),
        ]
      : [];
  return [...new Set(found)];
}

/** Secrets are also read by what runs no pods. */
function otherUses(object: JsonObject, name: string): string[] {
  if (object.kind === 'Ingress')
    return list(at(object, 'spec', 'tls')).some(({ secretName }) => secretName === name) ? ['TLS certificate'] : [];
  const pulls = list(object.imagePullSecrets).some((secret) => secret.name === name);
  return pulls ? ['its pods pull images with it'] : [];
}

/** Finds who reads a ConfigMap or Secret of a namespace. Pods that a workload keeps are not named besides it. */
export async function consumersOf(
  kube: Kube,
  { kind, namespace, name }: { kind: Keeper; namespace: string; name: string },
  signal: AbortSignal,
): Promise<Consumer[]> {
  const others: readonly KindName[] = kind === 'Secret' ? ['ServiceAccount', 'Ingress'] : [];
  const sights = await Promise.all([
    ...[...running, ...others].map(async (each) => (await kube.look(each, namespace, signal)).objects),
    rolloutsIn(kube, namespace, signal),
  ]);
  const objects = sights.flatMap((seen) => [...seen].filter((object) => !isKept(object)).sort(byName));
  return objects.flatMap((object) => {
    const isOther = others.some((each) => each === object.kind);
    const uses = isOther ? otherUses(object, name) : usesIn(object, kind, name);
    const ref = { apiVersion: text(object.apiVersion), kind: text(object.kind), namespace, name: nameIn(object) };
    return uses.length > 0 ? [{ ref, uses, object }] : [];
  });
}

/** `Deployment/web, CronJob/report`. */
export const consumersText = (consumers: readonly Consumer[]): string =>
  consumers.map(({ ref }) => `${ref.kind}/${ref.name}`).join(', ');

/** What it needs to be allowed to give them new pods, and to follow these. */
export const restartPermissions = [
  'get,list,watch,patch deployments.apps,statefulsets.apps,daemonsets.apps,rollouts.argoproj.io',
  'list,watch replicasets.apps,pods',
  'get pods/log',
] as const;
/** What it needs to be allowed to find them. */
export const consumerPermissions = [
  'list,watch deployments.apps,statefulsets.apps,daemonsets.apps',
  'list,watch cronjobs.batch,jobs.batch,pods',
  rolloutsPermission,
] as const;
export const secretConsumerPermissions = [
  ...consumerPermissions,
  'list,watch serviceaccounts,ingresses.networking.k8s.io',
] as const;
