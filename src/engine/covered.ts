import { appEntry, environmentEntry } from '../core/apps.ts';
import { fault } from '../core/errors.ts';
import { knownKind } from '../core/kinds.ts';
import { contradiction } from '../core/marks.ts';
import type { Operation } from '../core/operation.ts';
import type { Place, Site } from '../core/place.ts';
import { isSystemNamespace } from '../core/system-namespaces.ts';
import type { Lap } from './lap.ts';

/** What a pattern makes of a name may be where the cluster itself lives. @throws Fault NAMESPACE_OF_OTHERS */
export function checkSites({ engine }: Pick<Lap, 'engine'>, operation: Operation, sites: readonly Site[]): void {
  if (operation.effect === 'read' || operation.aside) return;
  for (const { env, namespace } of sites) {
    const pattern = environmentEntry(engine.settings(), env)?.key ?? env;
    if (pattern === env || !isSystemNamespace(namespace)) continue;
    throw fault('NAMESPACE_OF_OTHERS', { env, namespace, pattern, why: 'the cluster itself lives there' });
  }
}

/**
 * A pattern covers whatever has a fitting name: what says of itself that it is another app, or somebody else's, is not meant. One
 * read for an app that a pattern covers; what is written out by name was written by whoever knew.
 * @throws Fault COVERS_OTHER
 */
export async function checkCovered({ engine, signal }: Lap, operation: Operation, places: readonly Place[]) {
  if (operation.effect === 'read' || operation.aside) return;
  await Promise.all(
    places.map(async (place) => {
      const { app, kind, workload, cluster, namespace } = place;
      const entry = appEntry(engine.settings(), app);
      if (!entry || entry.key === app) return;
      const ref = { apiVersion: knownKind(kind)?.apiVersion ?? 'apps/v1', kind, namespace, name: workload };
      const live = await engine.clients.kube(cluster).read(ref, signal);
      const other = contradiction(live, app, entry.its.owner);
      if (!other) return;
      throw fault('COVERS_OTHER', {
        workload: `${kind.toLowerCase()}/${workload}`,
        env: place.env,
        pattern: entry.key,
        ...other,
      });
    }),
  );
}
