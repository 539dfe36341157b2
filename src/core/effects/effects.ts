import { appsOfRepository, checkNearest, environmentEntry } from '../apps.ts';
import type { ImageCall } from '../build.ts';
import { parseImage, repositoryOf } from '../image.ts';
import { at, text } from '../json.ts';
import { isNamespace, type ObjectRef } from '../kube.ts';
import type { Place, Site } from '../place.ts';
import type { Draft } from '../plan.ts';
import type { Settings } from '../settings.ts';
import type { Found } from './apps-in.ts';
import { type Facts, factsOf, isOwn, ownOperationsFor, replicasOf, type Touched } from './own-operation.ts';
import { beyond } from './pod-security.ts';
import { environmentsOf, guardsOf } from './sites.ts';
import type { Touch } from './touch.ts';

/** What was asked for, and of what: that is judged by itself already. */
export type Asked = { operation: string; place?: Place; site?: Site; places?: readonly Place[] };

/** Namespaces that something is changed in, or that it leads to. */
export function namespacesOf(touched: readonly Touched[]): string[] {
  const found = touched
    .map(factsOf)
    .flatMap(({ ref, named }) => [
      isNamespace(ref) ? ref.name : ref.namespace,
      ...named.map(({ namespace }) => namespace),
    ]);
  return [...new Set(found)].filter(Boolean);
}

type Replicas = NonNullable<Touch['replicas']>;

/**
 * A touch for each change of size: all are judged, since no one of them is the largest for every rule.
 * @example 9 to 1 is more than a rule for small changes allows, and 1 to 0 is what a rule about the last pod is for
 */
function sized(touch: Omit<Touch, 'replicas'>, sizes: readonly Replicas[]): Touch[] {
  const different = new Map(sizes.map((size) => [`${size.from} ${size.to}`, size]));
  return different.size === 0 ? [touch] : [...different.values()].map((replicas) => ({ ...touch, replicas }));
}

function touchesOf(asked: Asked, { env, app, unclear }: Found, facts: readonly Facts[]): Touch[] {
  const its = facts.map((each) => ({ each, own: ownOperationsFor(app, each) })).filter(({ own }) => own.length > 0);
  if (its.length === 0) return [];
  if (unclear) throw unclear;
  const routed = [...(asked.places ?? []), ...(asked.place ? [asked.place] : [])].filter(
    (each) => each.app === app.app,
  );
  if (routed.some((each) => each.env === env)) return [];
  // The app that was asked for, in another environment that stands for the same namespace: what was asked for is its own.
  const own = routed.length > 0 ? [] : its.flatMap((each) => each.own).filter((each) => !isOwn(each, asked.operation));
  const sizes = its.flatMap(({ each }) => replicasOf(each) ?? []).filter(({ from, to }) => from !== to);
  return sized({ app: app.app, env, operations: [asked.operation, ...new Set(own)] }, sizes);
}

/** The apps that a plan changes, beside those that were asked for. */
export function appsTouched(asked: Asked, apps: readonly Found[], touched: readonly Touched[]): Touch[] {
  const facts = touched.map(factsOf);
  return apps.flatMap((found) => touchesOf(asked, found, facts));
}

/** The environments that an object is in, or that judge it where it is in none. */
function environmentsFor(settings: Settings, cluster: string, ref: ObjectRef): string[] {
  const there = environmentsOf(settings, cluster, isNamespace(ref) ? ref.name : ref.namespace);
  return there.length > 0 ? there : guardsOf(settings, cluster);
}

/** The app that was asked for, where what is written is written for it. */
function askedApp({ place }: Asked, { namespace }: ObjectRef): string | undefined {
  return place && namespace === place.namespace ? place.app : undefined;
}

/** What of an object goes beyond the level of an environment, each by the object's name: for each app that it is of. */
function beyondIn(settings: Settings, asked: Asked, env: string, touched: Touched, apps: readonly Found[]): Touch[] {
  const { ref, before = touched.like, after } = touched;
  const { namespace: home, podSecurity = 'baseline' } = environmentEntry(settings, env)?.its ?? {};
  const found = beyond({ ...(before && { before }), ...(after && { after }) }, podSecurity);
  if (found.length === 0) return [];
  const named = [ref.kind, ref.name].filter(Boolean).join('/');
  const where = ref.namespace === '' || ref.namespace === home ? '' : ` in ${ref.namespace}`;
  const facts = factsOf(touched);
  const owners = apps.filter((each) => each.env === env && ownOperationsFor(each.app, facts).length > 0);
  const subjects = owners.length > 0 ? owners.map(({ app }) => app.app) : [askedApp(asked, ref)];
  return subjects.map((app) => ({
    ...(app !== undefined && { app }),
    env,
    operations: [asked.operation],
    beyond: found.map((problem) => `${named}${where}: ${problem}`),
  }));
}

/**
 * The environments that a plan reaches beside the one that was asked for: by its namespace, under whatever name, and by what
 * lives in the cluster itself. With what pods there would be beyond what each takes.
 */
export function environmentsTouched(
  settings: Settings,
  asked: Asked,
  touched: readonly Touched[],
  apps: readonly Found[],
): Touch[] {
  const site = asked.place ?? asked.site;
  if (!site) return [];
  return touched.flatMap((each) =>
    environmentsFor(settings, site.cluster, each.ref).flatMap((env): Touch[] => {
      checkNearest(settings, 'environments', env);
      const app = askedApp(asked, each.ref);
      const other = { ...(app !== undefined && { app }), env, operations: [asked.operation] };
      return [...(env === site.env ? [] : [other]), ...beyondIn(settings, asked, env, each, apps)];
    }),
  );
}

/** The apps whose images lie in a repository. */
export function appsOfImage(settings: Pick<Settings, 'apps'>, reference: string): string[] {
  const repository = repositoryIn(reference);
  return repository === undefined ? [] : appsOfRepository(settings, repository);
}

function repositoryIn(reference: string): string | undefined {
  try {
    return repositoryOf(parseImage(reference));
  } catch {
    return undefined;
  }
}

/** The images that a plan runs on a Docker host. */
export function dockerImages({ docker }: Pick<Draft, 'docker'>): string[] {
  const images = (docker?.calls ?? []).map((call) =>
    call.kind === 'create' && call.object === 'container' ? text(at(call.body, 'Image')) : '',
  );
  return [...new Set(images.filter(Boolean))];
}

/** The image that a call in a registry gives a name, or deletes, and the operation that is just that. */
function namedBy(call: ImageCall): { image: string; own: string }[] {
  switch (call.kind) {
    case 'copy':
      return [{ image: call.to, own: 'tag' }];
    case 'push':
      return [{ image: call.image, own: 'tag' }];
    case 'delete':
      return [{ image: call.repository, own: 'image-delete' }];
    case 'sign':
      return [];
    default:
      return call satisfies never;
  }
}

/** The apps whose images a plan makes, names, deletes or runs outside of clusters. */
export function imagesTouched(settings: Settings, asked: Asked, draft: Draft): Touch[] {
  const { build, images = [], docker } = draft;
  const env = docker && settings.dockerHosts[docker.host]?.env;
  const changed = [
    ...(build ? [{ image: build.image, own: 'build' }] : []),
    ...images.flatMap(namedBy),
    ...dockerImages(draft).map((image) => ({ image, own: 'deploy' })),
  ];
  const routed = (app: string) => asked.place?.app === app || asked.places?.some((each) => each.app === app);
  const apps = changed.flatMap(({ image, own }) =>
    appsOfImage(settings, image)
      .filter((app) => !routed(app))
      .map((app): Touch => {
        const also = isOwn(own, asked.operation) || (docker && env === undefined) ? [] : [own];
        return { app, ...(env !== undefined && { env }), operations: [asked.operation, ...also] };
      }),
  );
  const there: Touch[] = env === undefined ? [] : [{ env, operations: [asked.operation] }];
  return [...there, ...apps];
}

/**
 * Each app and environment once, with all that is asked of it; as often as its size changes differently, where it does. Pods
 * beyond their level are apart: a rule about those is about the operation that was asked for, and not about what else it is like.
 */
export function merged(touches: readonly Touch[]): Touch[] {
  const subjects = Map.groupBy(touches, ({ app, env, beyond: pods }) => JSON.stringify([app, env, pods !== undefined]));
  const all = [...subjects.values()].flatMap((same) => {
    const [{ replicas: _, ...subject } = { operations: [] }] = same;
    const operations = [...new Set(same.flatMap((touch) => touch.operations))];
    const problems = [...new Set(same.flatMap(({ beyond: each }) => each ?? []))];
    return sized(
      { ...subject, operations, ...(problems.length > 0 && { beyond: problems }) },
      same.flatMap(({ replicas }) => replicas ?? []),
    );
  });
  return all.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
}
