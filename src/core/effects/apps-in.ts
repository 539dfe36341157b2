import { appNames, appsBehind, checkNearest } from '../apps.ts';
import { Fault } from '../errors.ts';
import { at, text } from '../json.ts';
import { locate } from '../place.ts';
import type { Settings } from '../settings.ts';
import { type AppObjects, appObjects, type Namespace } from './app-objects.ts';
import type { Touched } from './own-operation.ts';
import { environmentsOf } from './sites.ts';

/** An app in an environment; `unclear` where two patterns cover its name alike: then no change may reach it. */
export type Found = { env: string; app: AppObjects; unclear?: Fault };

/**
 * The apps that there may be in a namespace, each with the workloads that it would be: those written out, and those that a pattern
 * covers, by the names of what runs there and of what a plan touches there.
 */
function namesIn(
  settings: Settings,
  namespace: string,
  { workloads }: Namespace,
  touched: readonly Touched[],
): [app: string, workloads: string[]][] {
  const there = touched.flatMap(({ ref }) => (ref.namespace === namespace ? [ref.name] : []));
  const names = [...workloads.map((object) => text(at(object, 'metadata', 'name'))), ...there];
  const bare = names.map((name) => name.replace(/-(canary|baseline)$/, ''));
  const covered = [...new Set([...names, ...bare])].flatMap((workload) =>
    appsBehind(settings, (its, app) => its.workload ?? app, workload).map((app) => ({ app, workload })),
  );
  const behind = Map.groupBy(covered, ({ app }) => app);
  const all = new Set([...appNames(settings), ...behind.keys()]);
  return [...all].map((app) => [app, (behind.get(app) ?? []).map(({ workload }) => workload)]);
}

/** What an app may be that two patterns cover alike: none of them says of what kind it is. */
const anyKind = ['Deployment', 'StatefulSet', 'DaemonSet'] as const;

/** An app as the cluster has it in an environment. What only stands there must not stop what does not reach it. */
function foundIn(
  settings: Settings,
  { app, env, namespace }: { app: string; env: string; namespace: string },
  workloads: readonly string[],
  pictures: Namespace,
): Found[] {
  try {
    return [{ env, app: appObjects(settings, locate(settings, { app, env }), pictures) }];
  } catch (thrown) {
    if (!(thrown instanceof Fault)) throw thrown;
    // Another name stands for it, and it is judged as that one.
    if (thrown.code === 'OTHER_NAME') return [];
    if (thrown.code !== 'NAMED_ALIKE') throw thrown;
    return workloads.flatMap((workload) =>
      anyKind.map((kind) => ({
        env,
        app: appObjects(settings, { app, env, kind, workload, namespace }, pictures),
        unclear: thrown,
      })),
    );
  }
}

/** The apps of each environment that a namespace stands for, as the cluster has them there. */
export function appsIn(
  settings: Settings,
  cluster: string,
  namespaces: ReadonlyMap<string, Namespace>,
  touched: readonly Touched[],
): Found[] {
  return [...namespaces].flatMap(([namespace, pictures]) =>
    environmentsOf(settings, cluster, namespace).flatMap((env) => {
      checkNearest(settings, 'environments', env);
      return namesIn(settings, namespace, pictures, touched).flatMap(([app, workloads]) =>
        foundIn(settings, { app, env, namespace }, workloads, pictures),
      );
    }),
  );
}
