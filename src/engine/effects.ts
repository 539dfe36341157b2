import { appEntry } from '../core/apps.ts';
import { isKind, type Namespace, namesOf } from '../core/effects/app-objects.ts';
import { appsIn, type Found } from '../core/effects/apps-in.ts';
import {
  type Asked,
  appsOfImage,
  appsTouched,
  dockerImages,
  environmentsTouched,
  imagesTouched,
  merged,
  namespacesOf,
} from '../core/effects/effects.ts';
import { isOfNamespace, type Touched } from '../core/effects/own-operation.ts';
import { beyond, type PodSecurityLevel } from '../core/effects/pod-security.ts';
import { freshImages } from '../core/effects/pod-specs.ts';
import { levelOf } from '../core/effects/restricted.ts';
import { environmentsOf } from '../core/effects/sites.ts';
import type { Touch } from '../core/effects/touch.ts';
import { at, isObject, type JsonObject } from '../core/json.ts';
import { type ObjectRef, refOfWrite } from '../core/kube.ts';
import { placeKey } from '../core/lock.ts';
import type { Operation } from '../core/operation.ts';
import { type Place, siteOf } from '../core/place.ts';
import type { Draft, Write } from '../core/plan.ts';
import type { Settings } from '../core/settings.ts';
import { admitImages, type Wanted } from '../images/admit.ts';
import { pinnedImage } from '../images/pinned.ts';
import { checkTouched, uncovered } from './covered.ts';
import { imagesElsewhere } from './elsewhere.ts';
import type { Lap } from './lap.ts';
import { namespaceIn, touchedIn } from './touched.ts';

/** Whether an object is the very workload that was asked for: what is changed in it is judged by the asking itself. */
const isAsked =
  (settings: Settings, place: Place | undefined) =>
  ({ kind, namespace, name }: ObjectRef): boolean =>
    place !== undefined &&
    appEntry(settings, place.app) !== undefined &&
    namespace === place.namespace &&
    namesOf(place.workload).includes(name) &&
    isKind(place.kind, kind);

const templates = ['template', 'jobTemplate'];
const hasTemplate = (object: JsonObject) => templates.some((field) => at(object, 'spec', field) !== undefined);

/**
 * Whether a write of a workload plainly leaves its pods as they are, or within the level: nothing has to be read for it. What may
 * make it has to be looked at under any level: new pods may be among those that somebody else's Service chooses.
 */
function isPlain(write: Write, level: PodSecurityLevel): boolean {
  switch (write.kind) {
    case 'apply':
      return !hasTemplate(write.manifest);
    case 'create':
      return !hasTemplate(write.manifest) && beyond({ after: write.manifest }, level).length === 0;
    case 'merge':
      if (level === 'privileged') return true;
      return isObject(write.patch.spec ?? {}) && !hasTemplate(write.patch);
    case 'edit':
      if (level === 'privileged') return true;
      return write.edits.every(
        ({ path: [part, field] }) => part !== 'spec' || (field !== undefined && !templates.includes(String(field))),
      );
    case 'remove':
      return true;
    default:
      return write satisfies never;
  }
}

/**
 * Whether a manifest lays over a workload nothing that goes beyond, and what is there does not either: then they don't together,
 * and no dry run is needed. What restricted asks for may be taken away by leaving it out.
 */
function isWithin(write: Write, before: JsonObject, level: PodSecurityLevel): boolean {
  if (level === 'privileged') return true;
  if (write.kind !== 'apply' || level === 'restricted') return false;
  return [before, write.manifest].every((after) => beyond({ after }, level).length === 0);
}

/** Under its other names the same namespace may ask for more. */
function elsewhere(settings: Settings, { operation, place }: Asked, { manifest, writes, command }: Draft): Touch[] {
  if (!place || !(manifest ?? writes ?? command)) return [];
  const { app, cluster, namespace } = place;
  const others = environmentsOf(settings, cluster, namespace).filter((env) => env !== place.env);
  return others.map((env) => ({ app, env, operations: [operation] }));
}

/** A deploy asks for its own environment by itself; those that share its namespace are asked for here. */
const deployed = ({ image }: Draft, touches: readonly Touch[]): Wanted[] =>
  touches.flatMap(({ app = '', env }) =>
    image && env !== undefined ? [{ image: pinnedImage(image.reference, image.digest).pinned, app, env }] : [],
  );

/** What a plan changes besides what was asked for, of that what is no app's, the images that it would run there, and what to tell of those. */
export type Effects = {
  touches: readonly Touch[];
  uncovered: readonly Touch[];
  images: readonly Wanted[];
  warnings: readonly string[];
};

const appOf = (settings: Settings, image: string) => appsOfImage(settings, image)[0] ?? '';

/** Images that objects would run and do not yet, in each environment that their namespace stands for. */
function imagesOf(settings: Settings, cluster: string, touched: readonly Touched[]): Wanted[] {
  return touched.flatMap((each) => {
    const fresh = freshImages(each);
    return environmentsOf(settings, cluster, each.ref.namespace).flatMap((env) =>
      fresh.map((image) => ({ image, app: appOf(settings, image), env })),
    );
  });
}

/**
 * Images on a Docker host: those that its environment takes. Where it belongs to none, what is asked of all images is asked
 * there, and of an app's image whatever any environment asks.
 */
function imagesOnHost(settings: Settings, draft: Draft): Wanted[] {
  const { docker } = draft;
  if (!docker) return [];
  const own = settings.dockerHosts[docker.host]?.env;
  return dockerImages(draft).flatMap((image) => {
    const app = appOf(settings, image);
    if (own !== undefined) return [{ image, app, env: own }];
    const all = app === '' ? [] : Object.keys(settings.environments);
    return [`the Docker host ${docker.host}`, ...all].map((env) => ({ image, app, env }));
  });
}

/** Whether an app is one of those that a plan changes. */
function isAmong(touches: readonly Touch[]): (found: Found) => boolean {
  const keys = new Set(touches.map(placeKey));
  return ({ env, app: { app } }) => keys.has(placeKey({ app, env }));
}

/** Asks of all images that a plan would run what a deploy asks of its own. @returns what whoever approves should know */
export async function admitted({ engine, signal }: Lap, { images }: Effects): Promise<string[]> {
  return await admitImages({ on: engine.clients, settings: engine.settings(), now: engine.now, signal }, images);
}

/**
 * Finds out what a plan changes besides what it was asked for, whatever the route by which it was asked.
 * The cluster is read in Shipmate's own name: what an asker may not see counts too.
 * @throws Fault COVERS_OTHER
 */
export async function effectsOf(
  { engine, signal }: Pick<Lap, 'engine' | 'signal'>,
  { name, effect, aside, judgedAs = name }: Operation,
  where: Omit<Asked, 'operation'>,
  draft: Draft,
): Promise<Effects> {
  if (effect === 'read' || aside) return { touches: [], uncovered: [], images: [], warnings: [] };
  const settings = engine.settings();
  const asked: Asked = { ...where, operation: judgedAs };
  const site = siteOf(where);
  const besides = imagesTouched(settings, asked, draft);
  const onHost = imagesOnHost(settings, draft);
  if (!site) return { touches: merged(besides), uncovered: [], images: onHost, warnings: [] };
  const others = elsewhere(settings, asked, draft);
  const own = isAsked(settings, where.place);
  const kube = engine.clients.kube(site.cluster);
  const level = levelOf(settings, site);
  const known = {
    whole: (write: Write) => own(refOfWrite(write)) && isPlain(write, level),
    laid: (write: Write, before: JsonObject) => own(refOfWrite(write)) && isWithin(write, before, level),
  };
  const touched = await touchedIn(kube, draft, site.namespace, known, signal);
  // What was asked for is no change besides; what its pods may do is asked of all.
  const beside = touched.filter(({ ref }) => !own(ref));
  // But that it is there at all is one, to whoever's Service would lead to its pods.
  const isFirst = ({ ref, before }: Touched) => !before && ref.name === where.place?.workload;
  const judged = touched.filter((each) => !own(each.ref) || isFirst(each));
  const namespaces = namespacesOf(judged).filter((each) => environmentsOf(settings, site.cluster, each).length > 0);
  const pictures = await Promise.all(
    namespaces.map(async (each): Promise<[string, Namespace]> => [each, await namespaceIn(kube, each, signal)]),
  );
  const apps = await appsIn(settings, site.cluster, new Map(pictures), touched);
  const wide = judged.filter(isOfNamespace);
  const aimed = judged.filter((each) => !isOfNamespace(each));
  const ofAimed = appsTouched(asked, apps, aimed);
  const changed = apps.filter(isAmong(ofAimed)).map(({ app }) => app);
  checkTouched(
    settings,
    site.cluster,
    beside,
    pictures.flatMap(([, { workloads }]) => workloads),
    // Whoever's pods are on a node leave it when it is drained: that changes nothing of theirs.
    draft.evicts ? [] : changed,
  );
  const reached = [
    ...ofAimed,
    ...appsTouched(asked, apps, wide),
    ...environmentsTouched(settings, asked, touched, apps),
  ];
  return {
    touches: merged([...besides, ...others, ...reached]),
    uncovered: uncovered(settings, site.cluster, judgedAs, beside),
    images: [...deployed(draft, others), ...imagesOf(settings, site.cluster, beside)],
    warnings: imagesElsewhere(settings, changed, beside),
  };
}
