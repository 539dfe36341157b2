import { z } from 'zod';
import { fault } from './errors.ts';
import { didYouMean } from './near.ts';
import { type EnvironmentSettings, Label, type Settings } from './settings.ts';

/** Where an app lives: the app and environment of a request, resolved through `shipmate.yaml`. */
export const Place = z.object({
  app: z.string(),
  env: z.string(),
  cluster: z.string(),
  namespace: z.string(),
  workload: z.string(),
  container: z.string(),
  repository: z.string(),
  channel: z.string().optional(),
  rolloutTimeoutSeconds: z.number(),
});
export type Place = z.output<typeof Place>;

export const AppRef = Label.describe('An app of shipmate.yaml').meta({ examples: ['web'] });
export const EnvRef = Label.describe('An environment of shipmate.yaml, or its namespace').meta({
  examples: ['production'],
});

function environmentOf(settings: Settings, ref: string): [string, EnvironmentSettings] {
  const named = Object.hasOwn(settings.environments, ref) ? settings.environments[ref] : undefined;
  if (named) return [ref, named];
  const inNamespace = Object.entries(settings.environments).filter(([, env]) => env.namespace === ref);
  const [only] = inNamespace;
  if (only && inNamespace.length === 1) return only;
  const known = Object.keys(settings.environments);
  throw fault('UNKNOWN_ENVIRONMENT', { name: ref, near: didYouMean(ref, known), known: known.join(', ') });
}

/** Finds the app's settings. @throws Fault UNKNOWN_APP, with the nearest name */
export function appOf(settings: Settings, app: string) {
  const found = Object.hasOwn(settings.apps, app) ? settings.apps[app] : undefined;
  if (found) return found;
  const known = Object.keys(settings.apps);
  throw fault('UNKNOWN_APP', { name: app, near: didYouMean(app, known), known: known.join(', ') });
}

/**
 * Resolves app and environment. A namespace also names its environment, since REST paths speak of namespaces.
 * @throws Fault UNKNOWN_APP or UNKNOWN_ENVIRONMENT, with the nearest name
 */
export function locate(settings: Settings, target: { app: string; env: string }): Place {
  const app = appOf(settings, target.app);
  const [env, environment] = environmentOf(settings, target.env);
  const workload = app.workload ?? target.app;
  return {
    app: target.app,
    env,
    cluster: environment.cluster,
    namespace: environment.namespace,
    workload,
    container: app.container ?? workload,
    repository: app.image,
    ...(app.channel ? { channel: app.channel } : {}),
    rolloutTimeoutSeconds: environment.rolloutTimeoutSeconds,
  };
}
