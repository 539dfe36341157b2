import type { ImageCall } from '../build.ts';
import { parseImage, repositoryOf } from '../image.ts';
import { at, text } from '../json.ts';
import type { Place, Site } from '../place.ts';
import { locate } from '../place.ts';
import type { Draft } from '../plan.ts';
import type { Settings } from '../settings.ts';
import { type AppObjects, appObjects, type Namespace } from './app-objects.ts';
import { type Facts, factsOf, isOwn, ownOperationsFor, replicasOf, type Touched } from './own-operation.ts';
import { environmentsOf } from './sites.ts';
import type { Touch } from './touch.ts';

/** What was asked for, and of what: that is judged by itself already. */
export type Asked = { operation: string; place?: Place; site?: Site; places?: readonly Place[] };

/** Namespaces that something is changed in, or that it leads to. */
export function namespacesOf(touched: readonly Touched[]): string[] {
  const found = touched
    .map(factsOf)
    .flatMap(({ ref, named }) => [
      ref.kind === 'Namespace' ? ref.name : ref.namespace,
      ...named.map(({ namespace }) => namespace),
    ]);
  return [...new Set(found)].filter(Boolean);
}

type Found = { env: string; app: AppObjects };

function touchOf(asked: Asked, { env, app }: Found, facts: readonly Facts[]): Touch | undefined {
  const its = facts.map((each) => ({ each, own: ownOperationsFor(app, each) })).filter(({ own }) => own.length > 0);
  if (its.length === 0) return undefined;
  const routed = [...(asked.places ?? []), ...(asked.place ? [asked.place] : [])].filter(
    (each) => each.app === app.app,
  );
  if (routed.some((each) => each.env === env)) return undefined;
  // The app that was asked for, in another environment that stands for the same namespace: what was asked for is its own.
  const own = routed.length > 0 ? [] : its.flatMap((each) => each.own).filter((each) => !isOwn(each, asked.operation));
  const replicas = its.map(({ each }) => replicasOf(each)).find((each) => each !== undefined && each.from !== each.to);
  return {
    app: app.app,
    env,
    operations: [asked.operation, ...new Set(own)],
    ...(replicas && { replicas }),
  };
}

/** The apps that a plan changes, in each environment that the namespace stands for, beside those that were asked for. */
export function appsTouched(
  settings: Settings,
  asked: Asked,
  cluster: string,
  touched: readonly Touched[],
  namespaces: ReadonlyMap<string, Namespace>,
): Touch[] {
  const facts = touched.map(factsOf);
  return [...namespaces].flatMap(([namespace, pictures]) =>
    environmentsOf(settings, cluster, namespace).flatMap((env) =>
      Object.keys(settings.apps).flatMap((name) => {
        const app = appObjects(settings, locate(settings, { app: name, env }), pictures);
        return touchOf(asked, { env, app }, facts) ?? [];
      }),
    ),
  );
}

/** The apps whose images lie in a repository. */
export function appsOfImage({ apps }: Pick<Settings, 'apps'>, reference: string): string[] {
  try {
    const repository = repositoryOf(parseImage(reference));
    return Object.entries(apps).flatMap(([app, { image }]) => (image === repository ? [app] : []));
  } catch {
    return [];
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

/** Each app and environment once, with all that is asked of it. */
export function merged(touches: readonly Touch[]): Touch[] {
  const found = new Map<string, Touch>();
  for (const touch of touches) {
    const key = `${touch.app ?? '*'}@${touch.env ?? '*'}`;
    const known = found.get(key);
    const operations = [...new Set([...(known?.operations ?? []), ...touch.operations])];
    found.set(key, { ...known, ...touch, operations });
  }
  return [...found.values()].sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
}
