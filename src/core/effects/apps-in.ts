import { appNames, appsBehind, checkNearest, isAppNamed, stableBeside } from '../apps.ts';
import { Fault } from '../errors.ts';
import { at, type JsonObject, text } from '../json.ts';
import { labelsOf } from '../label-selector.ts';
import { locate, otherName } from '../place.ts';
import type { Settings } from '../settings.ts';
import { type AppObjects, appObjects, type Namespace, namesOf, serviceNames } from './app-objects.ts';
import { type Facts, factsOf, type Touched } from './own-operation.ts';
import { environmentsOf } from './sites.ts';

/** An app in an environment; `unclear` where it can't be said which app it is: then no change may reach it. */
export type Found = { env: string; app: AppObjects; unclear?: Fault };

/** The names in a namespace that an object has to do with: its own, those that it leads to, and what it calls pods. */
function namesOfTouched(namespace: string, { ref, named, called }: Facts): string[] {
  const own = ref.namespace === namespace ? [ref.name, ...called] : [];
  return [...own, ...named.flatMap((each) => (each.namespace === namespace ? [each.name] : []))];
}

/**
 * The apps that there may be in a namespace, each with the workloads that it would be: those written out, and those that a pattern
 * covers, by the names of what runs there and of what a plan has to do with there.
 */
function namesIn(
  settings: Settings,
  namespace: string,
  { workloads }: Namespace,
  touched: readonly Facts[],
): [app: string, workloads: string[]][] {
  const there = touched.flatMap((each) => namesOfTouched(namespace, each));
  const names = [...workloads.map(nameIn), ...there];
  const stable = names.flatMap((name) => stableBeside(name) ?? []);
  const covered = [...new Set([...names, ...stable])].flatMap((workload) =>
    [
      ...appsBehind(settings, (its, app) => its.workload ?? app, workload),
      ...appsBehind(settings, ({ rollout }) => rollout?.service, workload),
    ].map((app) => ({ app, workload })),
  );
  const behind = Map.groupBy(covered, ({ app }) => app);
  const all = new Set([...appNames(settings), ...behind.keys()]);
  return [...all].map((app) => [app, (behind.get(app) ?? []).map(({ workload }) => workload)]);
}

/** What an app may be of which it can't be said what it is. */
const anyKind = ['Deployment', 'StatefulSet', 'DaemonSet'] as const;

/** A namespace's workloads and Services by name, and the Services by the first label that they choose pods by: each app has to do with few. */
type Index = {
  workloads: Map<string, JsonObject[]>;
  called: Map<string, JsonObject[]>;
  choosing: Map<string, JsonObject[]>;
};

const pairText = ([key, value]: [string, unknown]) => `${key}=${String(value)}`;

function indexOf({ workloads, services }: Namespace): Index {
  const firstPair = (service: JsonObject) => {
    const [first] = Object.entries(labelsOf(at(service, 'spec', 'selector')));
    return first ? pairText(first) : '';
  };
  return {
    workloads: Map.groupBy(workloads, nameIn),
    called: Map.groupBy(services, nameIn),
    choosing: Map.groupBy(services, firstPair),
  };
}

type Located = Parameters<typeof appObjects>[1];

/** What of a namespace can be an app's: what bears its names, and the Services that may choose its pods. */
function partOf(settings: Settings, { workloads, called, choosing }: Index, place: Located): Namespace {
  const own = namesOf(place.workload).flatMap((name) => workloads.get(name) ?? []);
  const pairs = own.flatMap((object) => Object.entries(labelsOf(at(object, 'spec', 'template', 'metadata', 'labels'))));
  const services = [
    ...[...serviceNames(settings, place)].flatMap((name) => called.get(name) ?? []),
    ...pairs.flatMap((pair) => choosing.get(pairText(pair)) ?? []),
  ];
  return { workloads: own, services: [...new Set(services)] };
}

const found = (settings: Settings, index: Index, place: Located): AppObjects =>
  appObjects(settings, place, partOf(settings, index, place));

const nameIn = (object: JsonObject) => text(at(object, 'metadata', 'name'));

/** An app as the cluster has it in an environment. What only stands there must not stop what does not reach it. */
function foundIn(
  settings: Settings,
  { app, env, namespace }: { app: string; env: string; namespace: string },
  workloads: readonly string[],
  index: Index,
): Found[] {
  try {
    return [{ env, app: found(settings, index, locate(settings, { app, env })) }];
  } catch (thrown) {
    if (!(thrown instanceof Fault)) throw thrown;
    // What is written out under another name is judged as that one.
    if (isAppNamed(settings, otherName(settings, app) ?? '')) return [];
    return workloads.flatMap((workload) =>
      anyKind.map((kind) => ({
        env,
        app: found(settings, index, { app, env, kind, workload, namespace }),
        unclear: thrown,
      })),
    );
  }
}

/** So many apps are looked at in one go. */
const atOnce = 100;

/** The apps of each environment that a namespace stands for, as the cluster has them there. */
export async function appsIn(
  settings: Settings,
  cluster: string,
  namespaces: ReadonlyMap<string, Namespace>,
  touched: readonly Touched[],
): Promise<Found[]> {
  const facts = touched.map(factsOf);
  const all: Found[] = [];
  for (const [namespace, pictures] of namespaces)
    for (const env of environmentsOf(settings, cluster, namespace)) {
      checkNearest(settings, 'environments', env);
      const index = indexOf(pictures);
      for (const [n, [app, workloads]] of namesIn(settings, namespace, pictures, facts).entries()) {
        if (n % atOnce === 0) await new Promise((resolve) => setImmediate(resolve));
        all.push(...foundIn(settings, { app, env, namespace }, workloads, index));
      }
    }
  return all;
}
