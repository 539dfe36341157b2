import { environmentNames, isEnvironmentNamed } from '../../core/apps.ts';
import { environmentsOf, isSameCluster } from '../../core/effects/sites.ts';
import { Fault } from '../../core/errors.ts';
import { isPattern } from '../../core/name-pattern.ts';
import type { RunContext } from '../../core/operation.ts';
import { type Site, siteCalled } from '../../core/place.ts';
import type { Settings } from '../../core/settings.ts';
import { nameIn } from '../kubernetes/reading.ts';

/** A namespace, with all environments that it stands for. */
export type SharedSite = Site & { envs: string[] };

/** Namespaces, and what could not be asked for them. */
export type Sites = { sites: SharedSite[]; away: string[] };

/** What asks clusters, and may be stopped. */
export type Asking = Pick<RunContext<'kube', string>, 'settings' | 'on' | 'signal'>;

/** Namespaces that patterns may find: more are no list that anybody reads. */
const most = 100;

const shared = (settings: Settings, site: Site): SharedSite => ({
  ...site,
  envs: [...new Set([site.env, ...environmentsOf(settings, site.cluster, site.namespace)])],
});

type Somewhere = Pick<Site, 'env' | 'cluster' | 'namespace'>;

/** Each namespace once, whatever its environments are called, and none of those that are `known`. */
function once<Its extends Somewhere>(
  settings: Settings,
  sites: readonly Its[],
  known: readonly Somewhere[] = [],
): Its[] {
  const isThere = ({ cluster, namespace }: Somewhere, others: readonly Somewhere[]) =>
    others.some((other) => other.namespace === namespace && isSameCluster(settings, other.cluster, cluster));
  return sites.filter((site, index) => !isThere(site, known) && !isThere(site, sites.slice(0, index)));
}

/** The namespaces of a cluster that patterns make environments of; also where two do so alike. */
async function found({ settings, on, signal }: Asking, cluster: string): Promise<Somewhere[]> {
  const { objects } = await on.kube(cluster).look('Namespace', '', signal);
  return objects.map(nameIn).flatMap((namespace) =>
    environmentsOf(settings, cluster, namespace)
      .filter((env) => !isEnvironmentNamed(settings, env))
      .map((env) => ({ env, cluster, namespace })),
  );
}

const patternClusters = ({ environments }: Settings): Set<string> =>
  new Set(Object.entries(environments).flatMap(([name, { cluster }]) => (isPattern(name) ? [cluster] : [])));

/**
 * Every environment that is written out, each by itself, and every other namespace that patterns cover: for what must not miss any.
 * @throws Fault of a cluster that does not say
 */
export async function everySite(asking: Asking): Promise<Somewhere[]> {
  const { settings } = asking;
  const more = await Promise.all([...patternClusters(settings)].map((cluster) => found(asking, cluster)));
  const written = environmentNames(settings).map((env) => siteCalled(settings, env));
  return [...written, ...once(settings, more.flat(), written)];
}

/** All environments: those written out, and the namespaces that patterns cover, as the clusters have them. */
export async function sitesOf(asking: Asking): Promise<Sites> {
  const { settings } = asking;
  const away: string[] = [];
  // One cluster that is away must not hide the others, nor one name that is refused.
  const noted = (thrown: unknown): [] => {
    if (!(thrown instanceof Fault)) throw thrown;
    away.push(thrown.message);
    return [];
  };
  const called = ({ env }: Somewhere): Site[] => {
    try {
      return [siteCalled(settings, env)];
    } catch (thrown) {
      return noted(thrown);
    }
  };
  const more = await Promise.all([...patternClusters(settings)].map((cluster) => found(asking, cluster).catch(noted)));
  const written = environmentNames(settings).map((env) => siteCalled(settings, env));
  const all = once(settings, more.flat(), written);
  if (all.length > most) away.push(`Of ${all.length} environments by pattern, ${most} were looked at.`);
  const sites = [...once(settings, written), ...all.slice(0, most).flatMap(called)];
  return { sites: sites.map((site) => shared(settings, site)), away };
}

/** The one environment that was asked for, or all. */
export async function sitesAsked(asking: Asking, env: string | undefined): Promise<Sites> {
  if (env === undefined) return await sitesOf(asking);
  return { sites: [shared(asking.settings, siteCalled(asking.settings, env))], away: [] };
}
