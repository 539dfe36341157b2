import { appEntry, environmentEntry, isAppNamed } from '../core/apps.ts';
import type { AppObjects } from '../core/effects/app-objects.ts';
import { factsOf, type Touched } from '../core/effects/own-operation.ts';
import { environmentsOf } from '../core/effects/sites.ts';
import type { Touch } from '../core/effects/touch.ts';
import { Fault, fault } from '../core/errors.ts';
import { at, type JsonObject, text } from '../core/json.ts';
import { isWorkloadKind, knownKind } from '../core/kinds.ts';
import type { Kube } from '../core/kube.ts';
import { contradiction } from '../core/marks.ts';
import type { Operation } from '../core/operation.ts';
import { appsOfWorkload, type Place, type Site } from '../core/place.ts';
import type { Settings } from '../core/settings.ts';
import { isSystemNamespace } from '../core/system-namespaces.ts';
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
 * A pattern covers whatever has a fitting name: what says of itself that it is another app, or somebody else's, is not meant. What is
 * written out by name was written by whoever knew.
 */

type Workload = { kind: string; workload: string; env: string };

/** Why a workload is not the app that a pattern makes of its name; undefined where it is, or where no pattern does. */
function refusal(
  settings: Settings,
  { kind, workload, env }: Workload,
  app: string,
  live: JsonObject,
): Fault | undefined {
  const entry = appEntry(settings, app);
  if (!entry || entry.key === app) return undefined;
  const other = contradiction(live, app, entry.its.owner);
  const what = `${kind.toLowerCase()}/${workload}`;
  return other && fault('COVERS_OTHER', { workload: what, env, pattern: entry.key, ...other });
}

/**
 * Judges what was asked for, before it is planned: one read for an app that a pattern covers.
 * @throws Fault COVERS_OTHER
 */
export async function checkCovered({ engine, signal }: Lap, operation: Operation, places: readonly Place[]) {
  if (operation.effect === 'read' || operation.aside) return;
  await Promise.all(
    places.map(async (place) => {
      const { app, cluster } = place;
      const entry = appEntry(engine.settings(), app);
      if (!entry || entry.key === app) return;
      const live = await liveAt(engine.clients.kube(cluster), place, signal);
      const refused = live
        .map((each) => refusal(engine.settings(), place, app, each))
        .find((each) => each !== undefined);
      if (refused) throw refused;
    }),
  );
}

/** The workloads that a plan changes, and those that what it changes names, as a scaler does: each as it is now. */
function aimedAt(touched: readonly Touched[], workloads: readonly JsonObject[]): JsonObject[] {
  const named = touched.flatMap((each) => factsOf(each).named);
  const isNamed = (object: JsonObject) =>
    named.some(
      ({ kind, namespace, name }) =>
        namespace === at(object, 'metadata', 'namespace') &&
        name === at(object, 'metadata', 'name') &&
        (kind === '' || kind === object.kind),
    );
  return [
    ...touched.flatMap(({ ref, before }) => (before ? [{ ...before, kind: ref.kind }] : [])),
    ...workloads.filter(isNamed),
  ];
}

/** Where a workload is: `staging/web`. */
const siteKey = (object: JsonObject) =>
  `${text(at(object, 'metadata', 'namespace'))}/${text(at(object, 'metadata', 'name'))}`;

/**
 * Judges what a plan changes, by whatever route: what a workload says of itself before the change counts, whatever it is made to say.
 * `reached` are the apps whose Services, routes, policies, ConfigMaps and the like are changed: what runs under their names counts too.
 * @throws Fault COVERS_OTHER
 */
export function checkTouched(
  settings: Settings,
  cluster: string,
  touched: readonly Touched[],
  workloads: readonly JsonObject[],
  reached: readonly AppObjects[],
): void {
  const called = Map.groupBy(
    reached.flatMap(({ app, namespace, names }) => [...names].map((name) => ({ app, key: `${namespace}/${name}` }))),
    ({ key }) => key,
  );
  for (const live of [...aimedAt(touched, workloads), ...workloads.filter((each) => called.has(siteKey(each)))]) {
    const [kind, name] = [text(live.kind), text(at(live, 'metadata', 'name'))];
    // What stands beside an app while it is judged is that app's.
    const bare = name.replace(/-(canary|baseline)$/, '');
    const behind = [name, bare].flatMap((each) => appsOfWorkload(settings, kind, each));
    const apps = [...new Set([...behind, ...(called.get(siteKey(live)) ?? []).map(({ app }) => app)])];
    const [env] = environmentsOf(settings, cluster, text(at(live, 'metadata', 'namespace')));
    if (env === undefined || apps.some((app) => isAppNamed(settings, app))) continue;
    const refusals = apps.map((app) => refusal(settings, { kind, workload: name, env }, app, live));
    const [first] = refusals;
    // By one of the names that patterns make of it, it may be just what it says.
    if (first && refusals.every((each) => each !== undefined)) throw first;
  }
}

/**
 * Workloads that a plan changes or leads to and that are no app's, by KIND/NAME: locks and freezes hold for those as well, though no
 * rule is asked about them.
 */
export function uncovered(settings: Settings, cluster: string, name: string, touched: readonly Touched[]): Touch[] {
  const reached = touched.map(factsOf).flatMap(({ ref, named }) => [ref, ...named]);
  return reached
    .filter((each) => isWorkloadKind(each.kind) && appsOfWorkload(settings, each.kind, each.name).length === 0)
    .flatMap((each) =>
      environmentsOf(settings, cluster, each.namespace).map((env) => ({
        app: `${each.kind.toLowerCase()}/${each.name}`,
        env,
        operations: [name],
      })),
    );
}
