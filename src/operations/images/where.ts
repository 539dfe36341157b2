import { fewAtATime } from '../../core/few-at-a-time.ts';
import { at, isObject, type Json, type JsonObject, text } from '../../core/json.ts';
import type { KindName } from '../../core/kinds.ts';
import type { Permission, PlanContext } from '../../core/operation.ts';
import { some } from '../../core/some.ts';
import { rolloutsIn, rolloutsPermission } from '../kubernetes/list-known.ts';
import { everySite } from '../workloads/sites.ts';

/** An image that a pod runs, or that a workload would run in its next one. */
export type Use = { env: string; what: string; image: string; digest?: string };

/** So many namespaces are looked at at a time. */
const together = 8;
const templated = ['Deployment', 'StatefulSet', 'DaemonSet', 'CronJob', 'Job'] as const satisfies readonly KindName[];

/** What finding uses needs to be allowed. */
export const wherePermissions = [
  'list,watch namespaces',
  'get,list,watch pods',
  'get,list,watch deployments.apps,statefulsets.apps,daemonsets.apps',
  'get,list,watch cronjobs.batch,jobs.batch',
  rolloutsPermission,
] as const satisfies readonly Permission[];

const list = (value: Json | undefined): JsonObject[] => (Array.isArray(value) ? value.filter(isObject) : []);
const digestIn = (said: string): string | undefined => /sha256:[0-9a-f]{64}/.exec(said)?.[0];

function usesOfSpec(env: string, what: string, spec: Json | undefined): Use[] {
  const containers = [...list(at(spec, 'containers')), ...list(at(spec, 'initContainers'))];
  return containers.map(({ image }) => {
    const digest = digestIn(text(image));
    return { env, what, image: text(image), ...(digest !== undefined && { digest }) };
  });
}

/** What a pod's containers were pulled as counts besides what they were asked for. */
function usesOfPod(env: string, pod: JsonObject): Use[] {
  const phase = text(at(pod, 'status', 'phase'));
  if (phase === 'Succeeded' || phase === 'Failed') return [];
  const what = text(at(pod, 'metadata', 'name'));
  const states = [...list(at(pod, 'status', 'containerStatuses')), ...list(at(pod, 'status', 'initContainerStatuses'))];
  const pulled = states.flatMap(({ image, imageID }) => {
    const digest = digestIn(text(imageID));
    return digest === undefined ? [] : [{ env, what, image: text(image), digest }];
  });
  return [...usesOfSpec(env, what, at(pod, 'spec')), ...pulled];
}

const templateIn = (object: JsonObject): Json | undefined =>
  at(object, 'spec', 'template', 'spec') ?? at(object, 'spec', 'jobTemplate', 'spec', 'template', 'spec');

const isOver = (object: JsonObject): boolean =>
  object.kind === 'Job' && at(object, 'status', 'completionTime') !== undefined;

/**
 * All images that run, or would, in any environment of shipmate.yaml. Where a cluster does not say, nor does this: what is not
 * known to be unused is used.
 * @throws Fault of the cluster that does not answer
 */
export async function allUses({
  on,
  settings,
  signal,
}: Pick<PlanContext<'kube'>, 'on' | 'settings' | 'signal'>): Promise<Use[]> {
  const sites = await everySite({ on, settings, signal });
  const found = await fewAtATime(sites, together, async ({ env, cluster, namespace }) => {
    const kube = on.kube(cluster);
    const look = async (kind: KindName) => (await kube.look(kind, namespace, signal)).objects;
    const [pods, ...workloads] = await Promise.all([
      look('Pod'),
      ...templated.map(look),
      rolloutsIn(kube, namespace, signal),
    ]);
    const named = (object: JsonObject) => `${text(object.kind).toLowerCase()}/${text(at(object, 'metadata', 'name'))}`;
    return [
      ...(pods ?? []).flatMap((pod) => usesOfPod(env, pod)),
      ...workloads
        .flat()
        .filter((object) => !isOver(object))
        .flatMap((object) => usesOfSpec(env, named(object), templateIn(object))),
    ];
  });
  return found.flat();
}

/** Those of the uses that are of an image: by any of its digests, or by a tag that is its own. */
export function usesOf(uses: readonly Use[], image: { digests: readonly string[]; names: readonly string[] }): Use[] {
  return uses.filter(
    ({ digest, image: said }) =>
      (digest !== undefined && image.digests.includes(digest)) ||
      image.names.includes(said) ||
      (!said.includes(':', said.lastIndexOf('/')) && image.names.includes(`${said}:latest`)),
  );
}

/** `production (web-6d4f9c6b7-x2v8k, …)`: environments, each with what runs it there. */
export function usesText(uses: readonly Use[]): string {
  const byEnv = Map.groupBy(uses, ({ env }) => env);
  return [...byEnv]
    .map(([env, own]) => {
      const names = [...new Set(own.map(({ what }) => what))];
      return `${env} (${some(names, 3)})`;
    })
    .join(', ');
}
