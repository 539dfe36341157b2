import { environmentEntry, environmentNames, isEnvironmentNamed } from '../../core/apps.ts';
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

/** Each namespace once, whatever its environments are called. */
function once(settings: Settings, sites: readonly Site[]): SharedSite[] {
  return sites
    .filter(
      ({ cluster, namespace }, index) =>
        sites.findIndex((other) => other.namespace === namespace && isSameCluster(settings, other.cluster, cluster)) ===
        index,
    )
    .map((site) => shared(settings, site));
}

/** The environments that a pattern makes of the namespaces of its cluster. */
async function found({ settings, on, signal }: Asking, cluster: string): Promise<Site[]> {
  const { objects } = await on.kube(cluster).look('Namespace', '', signal);
  return objects.flatMap((object) =>
    environmentsOf(settings, cluster, nameIn(object))
      .filter((env) => !isEnvironmentNamed(settings, env) && environmentEntry(settings, env) !== undefined)
      .map((env) => siteCalled(settings, env)),
  );
}

const patternClusters = ({ environments }: Settings): Set<string> =>
  new Set(Object.entries(environments).flatMap(([name, { cluster }]) => (isPattern(name) ? [cluster] : [])));

/**
 * Every environment that there is, each by itself: for what must not miss any.
 * @throws Fault of a cluster that does not say
 */
export async function everySite(asking: Asking): Promise<Site[]> {
  const { settings } = asking;
  const more = await Promise.all([...patternClusters(settings)].map((cluster) => found(asking, cluster)));
  return [...environmentNames(settings).map((env) => siteCalled(settings, env)), ...more.flat()];
}

/** All environments: those written out, and the namespaces that patterns cover, as the clusters have them. */
export async function sitesOf(asking: Asking): Promise<Sites> {
  const { settings } = asking;
  const clusters = patternClusters(settings);
  const away: string[] = [];
  const more = await Promise.all(
    [...clusters].map((cluster) =>
      found(asking, cluster).catch((thrown: unknown) => {
        // One cluster that is away must not hide the others.
        if (!(thrown instanceof Fault)) throw thrown;
        away.push(thrown.message);
        return [];
      }),
    ),
  );
  const written = environmentNames(settings).map((env) => siteCalled(settings, env));
  const all = more.flat();
  if (all.length > most) away.push(`Of ${all.length} environments by pattern, ${most} were looked at.`);
  return { sites: once(settings, [...written, ...all.slice(0, most)]), away };
}

/** The one environment that was asked for, or all. */
export async function sitesAsked(asking: Asking, env: string | undefined): Promise<Sites> {
  if (env === undefined) return await sitesOf(asking);
  return { sites: [shared(asking.settings, siteCalled(asking.settings, env))], away: [] };
}
