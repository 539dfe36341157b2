import { z } from 'zod';
import { appNames, environmentNames, isAppNamed, isEnvironmentNamed } from '../../core/apps.ts';
import { Fault, fault } from '../../core/errors.ts';
import { fewAtATime } from '../../core/few-at-a-time.ts';
import { shortImage } from '../../core/image.ts';
import { at, type JsonObject } from '../../core/json.ts';
import { recordedRun } from '../../core/lost-run.ts';
import { isPattern } from '../../core/name-pattern.ts';
import { defineOperation, type RunContext, route } from '../../core/operation.ts';
import { AppRef, EnvRef, locate, type Place, WorkloadRef } from '../../core/place.ts';
import { placesText, type Report } from '../../core/report.ts';
import { type Discovered, discoverIn } from '../workloads/discover.ts';
import { findWorkload } from '../workloads/find.ts';
import { heldUp } from '../workloads/held-up.ts';
import { isAnEnvironment, meantBy } from '../workloads/meant.ts';
import { type SharedSite, sitesAsked, sitesOf } from '../workloads/sites.ts';
import { seePermissions } from './roll.ts';
import { workloadRef } from './workload.ts';

const Input = z.strictObject({ app: WorkloadRef.optional(), env: EnvRef.optional() });

type Line = Extract<Report, { kind: 'status' }>['apps'][number];
type StatusRun = RunContext<'kube' | 'runs', string>;

type Asked = z.output<typeof Input>;

/** Every app that is written out, or the one asked for, in every environment that is, or in the one asked for. */
function placesOf({ settings }: Pick<StatusRun, 'settings'>, { app, env }: Asked): Place[] {
  const apps = app === undefined ? appNames(settings) : [app];
  const environments = env === undefined ? environmentNames(settings) : [env];
  return environments.flatMap((inEnv) => apps.map((name) => locate(settings, { app: name, env: inEnv })));
}

/**
 * A Redis that failed over to a replica that lagged behind lacks the newest runs. The cluster still names them.
 * A record that is there and can't be opened is not lost.
 */
async function lostRunOf({ on, now }: StatusRun, object: JsonObject): Promise<string | undefined> {
  const id = recordedRun(object, now());
  if (id === undefined) return undefined;
  const lost = await on.runs.read(id).then(
    (record) => record === undefined,
    () => false,
  );
  return lost ? id : undefined;
}

/** The app's workload with its counts, unless it was `seen`; where a Deployment would be there may be an Argo Rollout. */
async function readIn({ on, signal }: StatusRun, place: Place, seen?: Discovered) {
  const kube = on.kube(place.cluster);
  if (seen) return await kube.workload(workloadRef({ ...place, kind: seen.kind }), signal, seen.object);
  const found = await kube.workload(workloadRef(place), signal);
  // An idle Deployment may be no more than the template of a Rollout.
  const idle = at(found?.object, 'spec', 'replicas') === 0;
  if ((found && !idle) || place.kind !== 'Deployment') return found;
  const instead = await findWorkload(kube, place, signal);
  return instead && (await kube.workload(instead.ref, signal));
}

const none = { replicas: 0, ready: 0, updated: 0 };
const absent = 'not deployed';
const isThere = ({ problem }: Line): boolean => problem !== absent;

async function statusOf(run: StatusRun, place: Place, seen?: Discovered): Promise<Line> {
  const identity = { app: place.app, env: place.env };
  const nothing = { ...identity, ...none };
  try {
    const found = await readIn(run, place, seen);
    if (!found) return { ...nothing, problem: absent };
    const { replicas, ready, updated, image, trouble, object } = found;
    const since = at(object, 'metadata', 'creationTimestamp');
    const lostRun = await lostRunOf(run, object);
    return {
      ...identity,
      replicas,
      ready,
      updated,
      ...(image !== undefined && { image: shortImage(image) }),
      ...(typeof since === 'string' && { since }),
      ...(trouble && { trouble }),
      ...(heldUp(object) && { held: heldUp(object) }),
      ...(lostRun !== undefined && { lostRun }),
    };
  } catch (thrown) {
    // One cluster that is away must not hide the others.
    if (thrown instanceof Fault) return { ...nothing, problem: thrown.message };
    throw thrown;
  }
}

/** Of an environment so many apps by pattern are read: `/ship apps` lists them all. */
const most = 100;
/** So many are asked about at a time. */
const together = 8;

/** The apps that run in a namespace and are wanted, in each of the environments that it stands for. */
async function foundIn(
  run: StatusRun,
  site: SharedSite,
  envs: readonly string[],
  isWanted: (seen: { app: string; env: string }) => boolean,
): Promise<Line[]> {
  try {
    const all = await discoverIn(run, site);
    const fresh = envs.flatMap((env) =>
      all.flatMap((seen) =>
        seen.state !== 'unknown' && isWanted({ app: seen.app, env }) ? [{ env, app: seen.app, seen }] : [],
      ),
    );
    const lines = await fewAtATime(fresh.slice(0, most), together, ({ app, env, seen }) =>
      statusOf(run, locate(run.settings, { app, env }), seen),
    );
    const problem = `${fresh.length - most} more, which /ship apps in ${site.env} lists`;
    const more = fresh.length > most ? [{ app: '*', env: site.env, ...none, problem }] : [];
    return [...lines, ...more];
  } catch (thrown) {
    if (thrown instanceof Fault) return [{ app: '*', env: site.env, ...none, problem: thrown.message }];
    throw thrown;
  }
}

const linesOf = (away: readonly string[]): Line[] => away.map((problem) => ({ app: '*', env: '*', ...none, problem }));

/** One app in the environments of patterns: nobody said that it should run in each of them. */
async function oneBeside(run: StatusRun, app: string): Promise<Line[]> {
  const { sites, away } = await sitesOf(run);
  const beside = sites.filter(({ env }) => !isEnvironmentNamed(run.settings, env));
  const isIt = (seen: { app: string }) => seen.app === app;
  // By the watches that all who look share: to read it in each namespace would take requests for each where it is not.
  const lines = await fewAtATime(beside, together, (site) => foundIn(run, site, [site.env], isIt));
  return [...lines.flat(), ...linesOf(away)];
}

/** What patterns make apps of, beside those that are read by name. */
async function foundBeside(run: StatusRun, { app, env }: Asked, read: readonly Place[]): Promise<Line[]> {
  const { apps, environments } = run.settings;
  if (app !== undefined) return env === undefined ? await oneBeside(run, app) : [];
  if (![apps, environments].some((all) => Object.keys(all).some(isPattern))) return [];
  const { sites, away } = await sitesAsked(run, env);
  const known = new Set(read.map((place) => `${place.app}@${place.env}`));
  const isFresh = (seen: { app: string; env: string }) => !known.has(`${seen.app}@${seen.env}`);
  const lines = await fewAtATime(sites, together, (site) =>
    foundIn(run, site, env === undefined ? site.envs : [site.env], isFresh),
  );
  return [...lines.flat(), ...linesOf(away)];
}

/** Why there is nothing to tell of an app that only a pattern makes one. */
async function nothingOf(run: StatusRun, app: string, env: string | undefined): Promise<Fault> {
  // Of one environment the engine itself names an app that is near there.
  const meant = env === undefined || isEnvironmentNamed(run.settings, app) ? await meantBy(run, app) : undefined;
  if (meant?.kind === 'environment') return isAnEnvironment(app);
  if (env !== undefined) return fault('NOT_DEPLOYED', locate(run.settings, { app, env }));
  return fault('NOTHING_RUNS', { app, near: meant?.kind === 'nothing' ? meant.near : '' });
}

/** @throws Fault NOT_DEPLOYED, NOTHING_RUNS of an app by pattern; BAD_INPUT where it is the name of an environment */
async function linesAsked(run: StatusRun, input: Asked): Promise<Line[]> {
  const { app, env } = input;
  const places = placesOf(run, input);
  const [read, found] = await Promise.all([
    Promise.all(places.map((place) => statusOf(run, place))),
    foundBeside(run, input, places),
  ]);
  const lines = [...read, ...found];
  if (app === undefined || app.includes('/') || isAppNamed(run.settings, app)) return lines;
  const there = lines.filter(isThere);
  if (there.length === 0) throw await nothingOf(run, app, env);
  return there;
}

export const status = defineOperation({
  name: 'status',
  summary: 'Show what runs where, and how it does',
  effect: 'read',
  input: Input,
  usage: '[<app>] [in <env>]',
  examples: ['', 'web', 'web in production', 'deployment/api in staging'],
  routes: [
    route({
      method: 'GET',
      path: '/deployments/:namespace/:name',
      summary: 'Status of a deployment',
      request: z.object({ namespace: EnvRef, name: AppRef }),
      input: ({ name, namespace }) => ({ app: name, env: namespace }),
    }),
  ],
  needs: ['kube', 'runs'],
  permissions: [...seePermissions, 'get jobs.batch,cronjobs.batch', 'list,watch namespaces'],
  steps: ['read'],
  target: ({ app, env }) => ({ ...(app !== undefined && { app }), ...(env !== undefined && { env }) }),
  plan: async (context, input) => ({
    summary: placesText(placesOf(context, input).length),
    changes: [],
    takesOver: [],
  }),
  run: async (run, input) => {
    const apps = await run.step('read', () => linesAsked(run, input));
    return { kind: 'status', apps };
  },
});
