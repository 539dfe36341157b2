import { environmentEntry, environmentNames, environmentsBehind } from '../../core/apps.ts';
import { at, text } from '../../core/json.ts';
import { isPattern } from '../../core/name-pattern.ts';
import type { PlanContext } from '../../core/operation.ts';
import { type Site, siteCalled } from '../../core/place.ts';

/**
 * Every environment that there is: those written out by name, and those of patterns whose namespace the cluster has.
 * @throws Fault of a cluster that does not say
 */
export async function environmentsThere({
  on,
  settings,
  signal,
}: Pick<PlanContext<'kube'>, 'on' | 'settings' | 'signal'>): Promise<Site[]> {
  const patterns = Object.entries(settings.environments).filter(([name]) => isPattern(name));
  const clusters = [...new Set(patterns.map(([, { cluster }]) => cluster))];
  const found = await Promise.all(
    clusters.map(async (cluster) => {
      const { objects } = await on.kube(cluster).look('Namespace', '', signal);
      const behind = objects.flatMap((each) => environmentsBehind(settings, text(at(each, 'metadata', 'name'))));
      return behind.filter((env) => environmentEntry(settings, env)?.its.cluster === cluster);
    }),
  );
  return [...new Set([...environmentNames(settings), ...found.flat()])].map((env) => siteCalled(settings, env));
}
