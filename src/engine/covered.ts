import { appEntry } from '../core/apps.ts';
import { Fault, fault } from '../core/errors.ts';
import type { JsonObject } from '../core/json.ts';
import { knownKind } from '../core/kinds.ts';
import type { Kube } from '../core/kube.ts';
import { contradiction } from '../core/marks.ts';
import type { Operation } from '../core/operation.ts';
import type { Place } from '../core/place.ts';
import type { Lap } from './lap.ts';

/** What may be meant by a place: where a Deployment would be there may be an Argo Rollout, unless that is none of Shipmate's business. */
async function liveAt(kube: Kube, { kind, namespace, workload }: Place, signal: AbortSignal): Promise<JsonObject[]> {
  const read = (each: Place['kind']) =>
    kube.read({ apiVersion: knownKind(each)?.apiVersion ?? 'apps/v1', kind: each, namespace, name: workload }, signal);
  const rollout = async () => {
    try {
      return await read('Rollout');
    } catch (thrown) {
      if (thrown instanceof Fault && thrown.code === 'CLUSTER_FORBIDDEN') return undefined;
      throw thrown;
    }
  };
  const found = await Promise.all([read(kind), kind === 'Deployment' ? rollout() : undefined]);
  return found.filter((each) => each !== undefined);
}

/**
 * A pattern covers whatever has a fitting name: what says of itself that it is another app, or somebody else's, is not meant. One or two
 * reads for an app that a pattern covers; what is written out by name was written by whoever knew.
 * @throws Fault COVERS_OTHER
 */
export async function checkCovered({ engine, signal }: Lap, operation: Operation, places: readonly Place[]) {
  if (operation.effect === 'read' || operation.aside) return;
  await Promise.all(
    places.map(async (place) => {
      const { app, kind, workload, cluster } = place;
      const entry = appEntry(engine.settings(), app);
      if (!entry || entry.key === app) return;
      const live = await liveAt(engine.clients.kube(cluster), place, signal);
      const other = live.map((each) => contradiction(each, app, entry.its.owner)).find((each) => each !== undefined);
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
