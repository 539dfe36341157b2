import { z } from 'zod';
import type { AppSettings } from './app-settings.ts';
import {
  appEntry,
  appNames,
  appsBehind,
  checkNearest,
  environmentEntry,
  environmentNames,
  environmentsBehind,
  isAppNamed,
  isBeside,
  isEnvironmentNamed,
} from './apps.ts';
import { fault } from './errors.ts';
import { isWorkloadKind, kindCalled, workloadKinds } from './kinds.ts';
import { isPattern, Label, NameOrPattern, nearestTo, overlap } from './name-pattern.ts';
import { didYouMean } from './near.ts';
import type { EnvironmentSettings, Settings } from './settings.ts';
import { some } from './some.ts';

/** A namespace of a cluster: what an environment of `shipmate.yaml` stands for. */
export const Site = z.object({
  env: z.string(),
  cluster: z.string(),
  namespace: z.string(),
  rolloutTimeoutSeconds: z.number(),
});
export type Site = z.output<typeof Site>;

/** Where an app lives: the app and environment of a request, resolved through `shipmate.yaml`. */
export const Place = Site.extend({
  /** The app's name; of a workload that `shipmate.yaml` doesn't name, its kind and name: `statefulset/db`. */
  app: z.string(),
  kind: z.enum(workloadKinds).default('Deployment'),
  workload: z.string(),
  container: z.string(),
  /** What images it runs; unknown for what is not an app. */
  repository: z.string().optional(),
  channel: z.string().optional(),
});
export type Place = z.output<typeof Place>;

/** What a run is about, where it is about anything. */
export const siteOf = ({ place, site }: { place?: Place; site?: Site }): Site | undefined => place ?? site;

/** All that a run is about. */
export const placesOf = (run: { place?: Place; site?: Site; places?: Place[] }): Site[] => {
  const one = siteOf(run);
  return run.places ?? (one ? [one] : []);
};

export const AppRef = Label.describe('An app of shipmate.yaml').meta({ examples: ['web'] });
export const EnvRef = Label.describe('An environment of shipmate.yaml, or its namespace').meta({
  examples: ['production'],
});

/** Apps and environments, or patterns for several: what locks are for. */
export const AppPattern = NameOrPattern.describe('An app, or a pattern for several: shop-*').meta({
  examples: ['web'],
});
export const EnvPattern = NameOrPattern.describe('An environment, or a pattern of shipmate.yaml').meta({
  examples: ['production'],
});

/** The name of an object: a DNS subdomain (RFC 1123). */
export const ObjectName = z
  .string()
  .max(253, 'is longer than 253 characters')
  .regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/, 'must be lower-case letters, digits, “-” and “.”')
  .meta({ examples: ['web'] });

const kindsText = workloadKinds.map((kind) => kind.toLowerCase()).join(', ');

/** An app, or a workload that is none, as `KIND/NAME`: `statefulset/db`, `sts/db`. */
export const WorkloadRef = z
  .string()
  .transform((ref, context) => {
    const [word = '', name, ...rest] = ref.split('/');
    if (name === undefined) return ref;
    const kind = kindCalled(word);
    if (kind && isWorkloadKind(kind.kind) && rest.length === 0) return `${kind.kind.toLowerCase()}/${name}`;
    context.addIssue({ code: 'custom', message: `must be an app, or KIND/NAME with one of ${kindsText}` });
    return z.NEVER;
  })
  .refine((ref) => ObjectName.safeParse(ref.split('/').at(-1)).success, 'must be lower-case letters, digits and “-”')
  .describe('An app of shipmate.yaml, or a workload as KIND/NAME')
  .meta({ examples: ['web'] });

/** Several environments at once, as locks are of: of no namespace, and of the cluster of the pattern that they are written by. */
function patternOf(settings: Settings, ref: string): [string, EnvironmentSettings] {
  const key = Object.keys(settings.environments).find((each) => overlap(each, ref));
  const its = key === undefined ? undefined : environmentEntry(settings, key)?.its;
  if (its) return [ref, { ...its, namespace: ref }];
  const known = Object.keys(settings.environments);
  throw fault('UNKNOWN_ENVIRONMENT', { name: ref, near: didYouMean(ref, known), known: known.join(', ') });
}

function environmentOf(settings: Settings, ref: string): [string, EnvironmentSettings] {
  if (isPattern(ref)) return patternOf(settings, ref);
  const behind = environmentsBehind(settings, ref);
  const written = environmentNames(settings).filter((name) => behind.includes(name));
  // Its own entry, the one entry with that namespace, a pattern for the name, a pattern for the namespace: in this order.
  for (const names of [isEnvironmentNamed(settings, ref) ? [ref] : [], written, [ref], behind]) {
    const [name] = names;
    const found =
      name === undefined || names.length > 1 || isPattern(name) ? undefined : environmentEntry(settings, name);
    if (name !== undefined && found) return [name, found.its];
  }
  for (const name of [ref, ...behind]) checkNearest(settings, 'environments', name);
  const known = Object.keys(settings.environments);
  throw fault('UNKNOWN_ENVIRONMENT', { name: ref, near: didYouMean(ref, known), known: known.join(', ') });
}

/** Whether people depend on an environment, as its settings or else its name say; it counts for all that share its namespace. */
export function isProduction(settings: Settings, env: string): boolean {
  const own = environmentEntry(settings, env)?.its;
  const sharing = own ? environmentsBehind(settings, own.namespace) : [];
  return [...new Set([env, ...sharing])].some((name) => {
    const its = environmentEntry(settings, name)?.its;
    return (name === env || its?.cluster === own?.cluster) && (its?.production ?? /^(prod|live)/.test(name));
  });
}

/** Finds the app's settings. @throws Fault UNKNOWN_APP, with the nearest name; NAMED_ALIKE */
export function appOf(settings: Settings, app: string): AppSettings {
  checkNearest(settings, 'apps', app);
  if (!isAppNamed(settings, app) && isBeside(app) && nearestTo(settings.apps, app).kind !== 'none')
    throw fault('BESIDE_AN_APP', { name: app });
  const found = appEntry(settings, app);
  if (found) return found.its;
  throw fault('UNKNOWN_APP', { name: app, near: didYouMean(app, appNames(settings)), known: knownApps(settings) });
}

/**
 * The repository that an app's images are kept in.
 * @throws Fault UNKNOWN_APP, NO_OWN_IMAGE where it runs others' images only
 */
export function homeOf(settings: Settings, app: string): string {
  const { image, images = [] } = appOf(settings, app);
  if (image === undefined) throw fault('NO_OWN_IMAGE', { app, images: images.join(', '), tag: 'TAG' });
  return image;
}

/** What a pattern makes of a name may be longer than Kubernetes takes. @throws Fault BAD_INPUT */
export function checkLength(what: string, made: string, name: string): void {
  if (made.length <= 63) return;
  const problem = `The ${what} of “${name}” would be ${made}, which is longer than 63 letters: take a shorter name.`;
  throw fault('BAD_INPUT', { problem });
}

/** Resolves an environment. A namespace also names its environment, since REST paths speak of namespaces. */
export function siteCalled(settings: Settings, ref: string): Site {
  const [env, { cluster, namespace, rolloutTimeoutSeconds }] = environmentOf(settings, ref);
  checkLength('namespace', namespace, env);
  return { env, cluster, namespace, rolloutTimeoutSeconds };
}

/**
 * The apps behind `deployment/web`, so that a rule about the app holds however it is called: those written out before those that a
 * pattern makes of it. An Argo Rollout may stand for an app's Deployment.
 */
export function appsOfWorkload(settings: Pick<Settings, 'apps'>, kind: string, name: string): string[] {
  const isIts = ({ kind: own = 'Deployment' }: AppSettings) =>
    own === kind || (own === 'Deployment' && kind === 'Rollout');
  const behind = appsBehind(settings, (its, app) => (isIts(its) ? (its.workload ?? app) : undefined), name);
  const written = behind.filter((app) => isAppNamed(settings, app));
  return [...written, ...behind.filter((app) => !written.includes(app))];
}

/** The app whose workload it is that a pattern makes of a name, where that is another one: rules about it would be passed by. */
export function otherName(settings: Pick<Settings, 'apps'>, app: string, asked?: Place['kind']): string | undefined {
  if (isAppNamed(settings, app)) return undefined;
  const { kind = 'Deployment', workload = app } = appEntry(settings, app)?.its ?? {};
  return appsOfWorkload(settings, asked ?? kind, workload).find((each) => each !== app);
}

/** Apps of `shipmate.yaml` as they are told of: the first few, patterns as such. */
function knownApps({ apps }: Pick<Settings, 'apps'>): string {
  const names = Object.keys(apps).map((name) => (isPattern(name) ? `all that fit “${name}”` : name));
  return names.length === 0 ? 'none' : some(names, 20);
}

/**
 * Resolves app and environment.
 * @throws Fault UNKNOWN_APP or UNKNOWN_ENVIRONMENT, with the nearest name
 */
export function locate(settings: Settings, target: { app: string; env: string }): Place {
  const [word = '', name] = target.app.split('/');
  const kind = name === undefined ? undefined : kindCalled(word)?.kind;
  const known = name === undefined ? target.app : appsOfWorkload(settings, kind ?? '', name)[0];
  const site = siteCalled(settings, target.env);
  const asked = kind !== undefined && isWorkloadKind(kind) ? kind : undefined;
  if (known === undefined && name !== undefined && asked)
    return { ...site, app: target.app, kind: asked, workload: name, container: name };
  if (isPattern(target.app) && Object.keys(settings.apps).some((key) => overlap(key, target.app)))
    return { ...site, app: target.app, kind: 'Deployment', workload: target.app, container: target.app };
  const app = appOf(settings, known ?? target.app);
  const workload = app.workload ?? known ?? target.app;
  checkLength('workload', workload, target.app);
  const named = { app: known ?? target.app, kind: asked ?? app.kind ?? 'Deployment', workload };
  const other = otherName(settings, named.app, named.kind);
  if (other !== undefined) throw fault('OTHER_NAME', { name: named.app, workload, app: other });
  return {
    ...site,
    ...named,
    container: app.container ?? workload,
    ...(app.image !== undefined && { repository: app.image }),
    ...(app.channel ? { channel: app.channel } : {}),
  };
}
