import { z } from 'zod';
import { Fault } from '../../core/errors.ts';
import { shortImage } from '../../core/image.ts';
import { at, type JsonObject } from '../../core/json.ts';
import { recordedRun } from '../../core/lost-run.ts';
import { defineOperation, type RunContext, route } from '../../core/operation.ts';
import { AppRef, EnvRef, locate, type Place } from '../../core/place.ts';
import { findWorkload } from '../workloads/find.ts';
import { heldUp } from '../workloads/held-up.ts';
import { seePermissions } from './roll.ts';
import { workloadRef } from './workload.ts';

const Input = z.strictObject({ app: AppRef.optional(), env: EnvRef.optional() });

type StatusRun = RunContext<'kube' | 'runs', string>;

/** Every app in every environment that the question covers. */
function placesOf({ settings }: Pick<StatusRun, 'settings'>, { app, env }: z.output<typeof Input>): Place[] {
  const apps = app === undefined ? Object.keys(settings.apps) : [app];
  const environments = env === undefined ? Object.keys(settings.environments) : [env];
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

/** The app's workload with its counts; where a Deployment would be there may be an Argo Rollout. */
async function readIn({ on, signal }: StatusRun, place: Place) {
  const kube = on.kube(place.cluster);
  const found = await kube.workload(workloadRef(place), signal);
  // An idle Deployment may be no more than the template of a Rollout.
  const idle = at(found?.object, 'spec', 'replicas') === 0;
  if ((found && !idle) || place.kind !== 'Deployment') return found;
  const instead = await findWorkload(kube, place, signal);
  return instead && (await kube.workload(instead.ref, signal));
}

async function statusOf(run: StatusRun, place: Place) {
  const identity = { app: place.app, env: place.env };
  const nothing = { ...identity, replicas: 0, ready: 0, updated: 0 };
  try {
    const found = await readIn(run, place);
    if (!found) return { ...nothing, problem: 'not deployed' };
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

export const status = defineOperation({
  name: 'status',
  summary: 'Show what runs where, and how it does',
  effect: 'read',
  input: Input,
  usage: '[<app>] [in <env>]',
  examples: ['', 'web', 'web in production'],
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
  permissions: seePermissions,
  steps: ['read'],
  target: ({ app, env }) => ({ ...(app !== undefined && { app }), ...(env !== undefined && { env }) }),
  plan: async (context, input) => ({
    summary: `${placesOf(context, input).length} places`,
    changes: [],
    takesOver: [],
  }),
  run: async (run, input) => {
    const apps = await run.step('read', () => Promise.all(placesOf(run, input).map((place) => statusOf(run, place))));
    return { kind: 'status', apps };
  },
});
