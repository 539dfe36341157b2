import { appEntry, environmentEntry } from '../apps.ts';
import { at, isObject, type Json, type JsonObject, text } from '../json.ts';
import { type Labels, labelsOf, selects } from '../label-selector.ts';
import { isForAll } from '../new-workloads.ts';
import type { Place } from '../place.ts';
import type { Settings } from '../settings.ts';
import { podSpecsIn, type Reads, readsOf } from './pod-specs.ts';

/** What is an app's own in a namespace: by the names that `shipmate.yaml` gives it, and by what its pods bear and read. */
export type AppObjects = {
  app: string;
  namespace: string;
  kind: string;
  /** Its workload's name, and those of the canary and the baseline that may stand beside it. */
  names: ReadonlySet<string>;
  /** Labels that its pods bear, once for each workload. */
  labels: readonly Labels[];
  /** Selectors of its workloads. */
  selectors: readonly Json[];
  services: ReadonlySet<string>;
  /** What its Services choose their pods by, but for those that are meant for all. */
  serviceSelectors: readonly Labels[];
  reads: Reads;
  /** The names that a StatefulSet gives the claims of its pods begin so. */
  claims: readonly string[];
};

/** What the cluster has in the namespace: workloads of all kinds that run pods for ever, and Services. */
export type Namespace = { workloads: readonly JsonObject[]; services: readonly JsonObject[] };

/** What it takes to know a namespace: needed for every change of a cluster, since each is judged by what it changes. */
export const judgingPermissions = [
  'list deployments.apps,statefulsets.apps,daemonsets.apps,rollouts.argoproj.io',
  'list services',
] as const;

const nameIn = (object: JsonObject) => text(at(object, 'metadata', 'name'));

/** The names that an app's workload, or what shifts its traffic, may have. */
export const namesOf = (workload: string): string[] => [workload, `${workload}-canary`, `${workload}-baseline`];

/** Whether a selector of a Service chooses pods with these labels; one without any chooses none. */
export function choosesPods(selector: Json | undefined, labels: Labels): boolean {
  return isObject(selector) && Object.keys(selector).length > 0 && selects({ matchLabels: selector }, labels);
}

function claimsOf(workload: JsonObject): string[] {
  const templates = at(workload, 'spec', 'volumeClaimTemplates');
  return (Array.isArray(templates) ? templates.filter(isObject) : []).map(
    (template) => `${nameIn(template)}-${nameIn(workload)}-`,
  );
}

/** The names that an app's Services may have: what `shipmate.yaml` says, or else the workload's. */
export function serviceNames(
  settings: Pick<Settings, 'apps' | 'environments'>,
  { app, env, workload }: Pick<Place, 'app' | 'env' | 'workload'>,
): Set<string> {
  const its = appEntry(settings, app)?.its.rollout;
  const called = its?.service ?? environmentEntry(settings, env)?.its.rollout?.service ?? workload;
  return new Set([...namesOf(called), ...namesOf(workload)]);
}

/** An app's objects in one place, as the cluster has them now. */
export function appObjects(
  settings: Pick<Settings, 'apps' | 'environments'>,
  { app, env, kind, workload, namespace }: Pick<Place, 'app' | 'env' | 'kind' | 'workload' | 'namespace'>,
  { workloads, services }: Namespace,
): AppObjects {
  const names = new Set(namesOf(workload));
  const own = workloads.filter((object) => names.has(nameIn(object)) && isKind(kind, text(object.kind)));
  const labels = own.map((object) => labelsOf(at(object, 'spec', 'template', 'metadata', 'labels')));
  const known = serviceNames(settings, { app, env, workload });
  const rules = environmentEntry(settings, env)?.its.newWorkloads;
  // Its own by name counts too where it leads to no pods yet: whoever joins it gets what is sent to the app.
  const selecting = services.filter(
    (service) =>
      known.has(nameIn(service)) || labels.some((each) => choosesPods(at(service, 'spec', 'selector'), each)),
  );
  return {
    app,
    namespace,
    kind,
    names,
    labels,
    selectors: own.flatMap((object) => at(object, 'spec', 'selector') ?? []),
    services: new Set([...selecting.map(nameIn), ...known]),
    serviceSelectors: selecting
      .filter((service) => !isForAll(rules, service, ...known))
      .map((service) => labelsOf(at(service, 'spec', 'selector'))),
    reads: readsOf(own.flatMap((object) => podSpecsIn(object).map(({ spec }) => spec))),
    claims: own.flatMap(claimsOf),
  };
}

/** Whether a workload of that kind is the app's: an Argo Rollout, and a canary's Deployment, may stand for its own. */
export const isKind = (own: string, kind: string): boolean =>
  own === kind || kind === 'Deployment' || (own === 'Deployment' && kind === 'Rollout');
