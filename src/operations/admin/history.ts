import { z } from 'zod';
import { actorId, personOf } from '../../core/actor.ts';
import { environmentEntry, environmentNames } from '../../core/apps.ts';
import { placeKey } from '../../core/lock.ts';
import { defineOperation, type RunContext } from '../../core/operation.ts';
import { AppRef, EnvRef, locate } from '../../core/place.ts';
import { mayRead } from '../../core/reading.ts';

const most = 20;
const mostRecent = 500;

/** Where it may have been changed: environments of patterns are known by what was done there lately. */
async function environmentsOf({ on, settings }: Pick<RunContext<'runs', 'read'>, 'on' | 'settings'>, app: string) {
  const lately = (await on.runs.recent(mostRecent)).flatMap(({ place }) => (place?.app === app ? [place.env] : []));
  return [...new Set([...environmentNames(settings), ...lately])].filter((env) => environmentEntry(settings, env));
}

export const history = defineOperation({
  name: 'history',
  summary: 'Show what was done with an app, newest first',
  effect: 'read',
  input: z.strictObject({ app: AppRef, env: EnvRef.optional() }),
  usage: '<app> [in <env>]',
  examples: ['web', 'web in production'],
  needs: ['order', 'runs'],
  steps: ['read'],
  target: ({ app, env }) => ({ app, env }),
  plan: async (_context, { app }) => ({ summary: `history of ${app}`, changes: [], takesOver: [] }),
  run: async (run, { app, env }) => {
    const rows = await run.step('read', async () => {
      const environments = env === undefined ? await environmentsOf(run, app) : [env];
      const places = environments.map((name) => locate(run.settings, { app, env: name }));
      const runs = await Promise.all(places.map((place) => run.on.order.history(placeKey(place), most)));
      const readable = runs.flat().filter((other) => mayRead(run, other, run.actor));
      const newest = readable.sort((a, b) => b.updatedAt - a.updatedAt);
      return newest
        .slice(0, most)
        .map(({ updatedAt, place, operation, plan, actor, state, id }) => [
          new Date(updatedAt).toISOString().slice(0, 16).replace('T', ' '),
          place?.env ?? '',
          `${operation}: ${plan?.summary ?? ''}`,
          personOf(run.settings, actor) ?? actorId(actor),
          state,
          id,
        ]);
    });
    return {
      kind: 'table',
      title: `History of ${app}`,
      columns: ['when (UTC)', 'where', 'what', 'who', 'end', 'run'],
      rows,
      ...(rows.length === 0 && { note: 'Nothing was changed yet that Shipmate knows of and you may see.' }),
    };
  },
});
