import { z } from 'zod';
import { fault } from './errors.ts';
import { isWorkloadKind, kindCalled, workloadKinds } from './kinds.ts';
import { didYouMean } from './near.ts';
import { type AppSettings, type EnvironmentSettings, Label, type Settings } from './settings.ts';

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

function environmentOf(settings: Settings, ref: string): [string, EnvironmentSettings] {
  const named = Object.hasOwn(settings.environments, ref) ? settings.environments[ref] : undefined;
  if (named) return [ref, named];
  const inNamespace = Object.entries(settings.environments).filter(([, env]) => env.namespace === ref);
  const [only] = inNamespace;
  if (only && inNamespace.length === 1) return only;
  const known = Object.keys(settings.environments);
  throw fault('UNKNOWN_ENVIRONMENT', { name: ref, near: didYouMean(ref, known), known: known.join(', ') });
}

/** Whether people depend on an environment, as its settings or else its name say; it counts for all that share its namespace. */
export function isProduction({ environments }: Settings, env: string): boolean {
  const own = environments[env];
  return Object.entries(environments).some(
    ([name, { cluster, namespace, production }]) =>
      (name === env || (cluster === own?.cluster && namespace === own.namespace)) &&
      (production ?? /^(prod|live)/.test(name)),
  );
}

/** Finds the app's settings. @throws Fault UNKNOWN_APP, with the nearest name */
export function appOf(settings: Settings, app: string): AppSettings {
  const found = Object.hasOwn(settings.apps, app) ? settings.apps[app] : undefined;
  if (found) return found;
  const known = Object.keys(settings.apps);
  throw fault('UNKNOWN_APP', { name: app, near: didYouMean(app, known), known: known.join(', ') });
}

/** Resolves an environment. A namespace also names its environment, since REST paths speak of namespaces. */
export function siteCalled(settings: Settings, ref: string): Site {
  const [env, { cluster, namespace, rolloutTimeoutSeconds }] = environmentOf(settings, ref);
  return { env, cluster, namespace, rolloutTimeoutSeconds };
}

/**
 * The app behind `deployment/web`, so that a rule about the app holds however it is called. An Argo Rollout may stand for
 * an app's Deployment.
 */
function appBehind(settings: Settings, kind: string, name: string): string | undefined {
  return Object.entries(settings.apps).find(([app, its]) => {
    const own = its.kind ?? 'Deployment';
    return (own === kind || (own === 'Deployment' && kind === 'Rollout')) && (its.workload ?? app) === name;
  })?.[0];
}

/**
 * Resolves app and environment.
 * @throws Fault UNKNOWN_APP or UNKNOWN_ENVIRONMENT, with the nearest name
 */
export function locate(settings: Settings, target: { app: string; env: string }): Place {
  const [word = '', name] = target.app.split('/');
  const kind = name === undefined ? undefined : kindCalled(word)?.kind;
  const known = name === undefined ? target.app : appBehind(settings, kind ?? '', name);
  const site = siteCalled(settings, target.env);
  const asked = kind !== undefined && isWorkloadKind(kind) ? kind : undefined;
  if (known === undefined && name !== undefined && asked)
    return { ...site, app: target.app, kind: asked, workload: name, container: name };
  const app = appOf(settings, known ?? target.app);
  const workload = app.workload ?? known ?? target.app;
  return {
    ...site,
    app: known ?? target.app,
    kind: asked ?? app.kind ?? 'Deployment',
    workload,
    container: app.container ?? workload,
    repository: app.image,
    ...(app.channel ? { channel: app.channel } : {}),
  };
}
