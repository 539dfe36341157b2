import { appEntry, isAppNamed, stableBeside } from '../../core/apps.ts';
import { Fault } from '../../core/errors.ts';
import { shortImage } from '../../core/image.ts';
import { at, type JsonObject, text } from '../../core/json.ts';
import type { KindName } from '../../core/kinds.ts';
import type { Kube } from '../../core/kube.ts';
import { contradiction, markOf } from '../../core/marks.ts';
import { nearestTo } from '../../core/name-pattern.ts';
import { countOf } from '../../core/observed.ts';
import { oneLine } from '../../core/one-line.ts';
import type { Permission } from '../../core/operation.ts';
import { appsOfWorkload } from '../../core/place.ts';
import type { Settings } from '../../core/settings.ts';
import { rolloutsIn, rolloutsPermission } from '../kubernetes/list-known.ts';
import { byName, list, nameIn, podSpecOf } from '../kubernetes/reading.ts';
import type { Asking, SharedSite } from './sites.ts';

/** What runs, and whether it is an app: by the name that is written out, by a pattern, or by nothing, and then perhaps why. */
export type Standing =
  | { state: 'known'; app: string }
  | { state: 'found'; app: string; pattern: string }
  | { state: 'unknown'; why: string };

/** What a workload says of itself in labels and annotations; empty where it says nothing. */
export type Said = Record<'name' | 'instance' | 'partOf' | 'app' | 'channel' | 'owner' | 'repository', string>;

/** A workload that runs in a namespace. */
export type Discovered = Standing & {
  kind: (typeof kinds)[number] | 'Rollout';
  name: string;
  object: JsonObject;
  said: Said;
  /** As people say them: `web:v2`. */
  images: string[];
  replicas: number;
  ready: number;
};

const kinds = ['Deployment', 'StatefulSet', 'DaemonSet'] as const satisfies readonly KindName[];

export const discoverPermissions = [
  'list,watch deployments.apps,statefulsets.apps,daemonsets.apps',
  rolloutsPermission,
] as const satisfies readonly Permission[];

/** Of a namespace so many workloads are told of. */
const most = 1_000;

const own = 'kubernetes.io/cluster-service';
const addon = 'addonmanager.kubernetes.io/mode';

/** What a cluster made to be one: its proxies and its name service. */
export const isSystem = (object: JsonObject): boolean =>
  /^kube-/.test(text(at(object, 'metadata', 'namespace'))) ||
  at(object, 'metadata', 'labels', own) === 'true' ||
  at(object, 'metadata', 'labels', addon) !== undefined;

/** What a canary or blue-green deploy has beside an app's workload: it is no app of its own, unless it is written out. */
const isBeside = (settings: Settings, { kind, name }: Live, all: readonly Live[]): boolean => {
  const stable = stableBeside(name);
  return (
    stable !== undefined &&
    all.some((other) => other.name === stable) &&
    !appsOfWorkload(settings, kind, name).some((app) => isAppNamed(settings, app))
  );
};

type Live = Pick<Discovered, 'kind' | 'name' | 'object'>;

/** Where a Rollout has its template from a Deployment, that one runs nothing of its own. */
const templateOf = (rollout: JsonObject, all: readonly Live[]): Live | undefined =>
  all.find(
    ({ kind, name }) =>
      kind === at(rollout, 'spec', 'workloadRef', 'kind') && name === at(rollout, 'spec', 'workloadRef', 'name'),
  );

function saidBy(object: JsonObject): Said {
  const label = (name: string) => text(at(object, 'metadata', 'labels', `app.kubernetes.io/${name}`));
  return {
    name: label('name'),
    instance: label('instance'),
    partOf: label('part-of'),
    app: markOf(object, 'app'),
    channel: markOf(object, 'channel'),
    owner: markOf(object, 'owner'),
    repository: markOf(object, 'repository'),
  };
}

/** An image in a few letters; as it is where it can't be read. */
function short(image: string): string {
  try {
    return shortImage(image);
  } catch (thrown) {
    if (thrown instanceof Fault) return oneLine(image);
    throw thrown;
  }
}

export const imagesIn = (object: JsonObject): string[] =>
  list(at(podSpecOf(object), 'containers')).map(({ image }) => text(image));

/** What a workload is by one of the names that a pattern makes of it. */
function byPattern(settings: Settings, app: string, object: JsonObject): Standing {
  const entry = appEntry(settings, app);
  if (!entry) {
    const nearest = nearestTo(settings.apps, app);
    const keys = nearest.kind === 'alike' ? nearest.keys.map((key) => `“${key}”`).join(' and ') : 'several patterns';
    return { state: 'unknown', why: `${keys} cover it alike` };
  }
  const other = contradiction(object, app, entry.its.owner);
  if (!other) return { state: 'found', app, pattern: entry.key };
  return { state: 'unknown', why: `“${entry.key}” fits, but it says that it is ${other.says} (${other.mark})` };
}

/** Who keeps a workload as it is, where that is not people: to change it would be to be set back. */
function keeperOf(object: JsonObject): string {
  const [keeper] = list(at(object, 'metadata', 'ownerReferences')).filter(({ controller }) => controller === true);
  return keeper ? `it is kept by ${text(keeper.kind)}/${text(keeper.name)}` : '';
}

/** What a workload is: several apps where several are written out for it. */
export function standingsOf(settings: Settings, { kind, name, object }: Live): Standing[] {
  const apps = appsOfWorkload(settings, kind, name);
  const written = apps.filter((app) => isAppNamed(settings, app));
  if (written.length > 0) return written.map((app) => ({ state: 'known', app }));
  const tried = apps.map((app) => byPattern(settings, app, object));
  const covered = tried.filter(({ state }) => state === 'found');
  if (covered.length > 0) return covered;
  const whys = tried.flatMap((each) => (each.state === 'unknown' ? [each.why] : []));
  return [{ state: 'unknown', why: whys.join('; ') || keeperOf(object) }];
}

/** Argo Rollouts, where a cluster has any, and they are Shipmate's to see. */
async function argoIn(kube: Kube, namespace: string, signal: AbortSignal): Promise<JsonObject[]> {
  try {
    return await rolloutsIn(kube, namespace, signal);
  } catch (thrown) {
    if (thrown instanceof Fault && thrown.code === 'CLUSTER_FORBIDDEN') return [];
    throw thrown;
  }
}

async function liveIn(kube: Kube, namespace: string, signal: AbortSignal): Promise<Live[]> {
  const [rollouts, ...sights] = await Promise.all([
    argoIn(kube, namespace, signal),
    ...kinds.map(async (kind) => ({ kind, objects: (await kube.look(kind, namespace, signal)).objects })),
  ]);
  return [...sights, { kind: 'Rollout' as const, objects: rollouts }].flatMap(({ kind, objects }) =>
    [...objects].sort(byName).map((object) => ({ kind, name: nameIn(object), object: { ...object, kind } })),
  );
}

/** All that runs in a namespace for good, with the app that it is: one list a kind, from the watch that all who look share. */
export async function discoverIn({ settings, on, signal }: Asking, site: SharedSite): Promise<Discovered[]> {
  const all = await liveIn(on.kube(site.cluster), site.namespace, signal);
  const templates = new Set(
    all.flatMap(({ kind, object }) => (kind === 'Rollout' ? (templateOf(object, all) ?? []) : [])),
  );
  return all
    .filter((live) => !templates.has(live) && !isSystem(live.object) && !isBeside(settings, live, all))
    .slice(0, most)
    .flatMap((live) => {
      const { replicas, ready } = countOf(live.object);
      const shown = live.kind === 'Rollout' ? (templateOf(live.object, all)?.object ?? live.object) : live.object;
      const images = [...new Set(imagesIn(shown).map(short))];
      const facts = { ...live, said: saidBy(live.object), images, replicas, ready };
      return standingsOf(settings, live).map((standing) => ({ ...facts, ...standing }));
    });
}
