import { z } from 'zod';
import type { JsonObject } from '../../core/json.ts';
import { defineOperation, type RunContext, route } from '../../core/operation.ts';
import { EnvRef } from '../../core/place.ts';
import { type Happening, happenings, objectOf, whenText } from './event-rows.ts';
import { findPermissions, findPods, podsOfWorkload } from './find.ts';
import { nameIn } from './raw.ts';
import { podNamed, Subject, targetOf } from './subject.ts';

/** A table takes 99 rows; nobody reads as many. */
const most = 40;

type EventsRun = Pick<RunContext<'kube', string>, 'on' | 'place' | 'site' | 'signal'>;

/** Of a workload: about itself, what it makes, and its pods, also those that are gone by now. */
async function eventsOf(run: EventsRun, app: string | undefined): Promise<JsonObject[]> {
  const { site, signal } = run;
  const kube = run.on.kube(site.cluster);
  const all = () => kube.list({ apiVersion: 'v1', kind: 'Event', namespace: site.namespace }, signal);
  if (app === undefined) return await all();
  if (podNamed(app) !== undefined) {
    const [events, { pods }] = await Promise.all([all(), findPods(run, { app })]);
    return events.filter((event) => objectOf(event) === `Pod/${pods.map(nameIn)[0]}`);
  }
  const { kind, workload } = run.place;
  const [events, { pods, middles }] = await Promise.all([all(), podsOfWorkload(kube, run.place, signal)]);
  const names = new Set(pods.map(nameIn));
  const makers = middles.length === 0 ? [workload] : middles;
  const isIts = (event: JsonObject) => {
    const [of = '', name = ''] = objectOf(event).split('/');
    const maker = makers.find((each) => name.startsWith(`${each}-`)) ?? '';
    // A pod that is gone by now is known by its name: its maker's, and one part more.
    const gonePod = of === 'Pod' && maker !== '' && !name.slice(maker.length + 1).includes('-');
    return (of === kind && name === workload) || middles.includes(name) || gonePod || names.has(name);
  };
  return events.filter(isIts);
}

const rowOf = (one: Happening, now: number): string[] => [
  whenText(one, now),
  one.warning ? `⚠ ${one.reason}` : one.reason,
  one.object,
  one.message,
];

export const events = defineOperation({
  name: 'events',
  summary: 'Show what happened to an app, a pod or in an environment',
  effect: 'read',
  input: z.strictObject({ app: Subject.optional(), env: EnvRef }),
  usage: '[<app>] in <env>',
  examples: ['web in staging', 'pod/db-0 in staging', 'in staging'],
  routes: [
    route({
      method: 'GET',
      path: '/pods/:namespace/events',
      summary: 'Events of a namespace, an app or a pod',
      request: z.object({ namespace: EnvRef, app: Subject.optional() }),
      input: ({ namespace, app }) => ({ env: namespace, ...(app !== undefined && { app }) }),
    }),
  ],
  needs: ['kube'],
  permissions: [...findPermissions, 'list events'],
  steps: ['read'],
  target: targetOf,
  plan: async (_context, { app = 'everything', env }) => ({ summary: `${app} in ${env}`, changes: [], takesOver: [] }),
  run: async (run, { app, env }) => {
    const { rows, left } = await run.step('read', async () => {
      const found = happenings(await eventsOf(run, app));
      return { rows: found.slice(-most).map((one) => rowOf(one, run.now())), left: Math.max(0, found.length - most) };
    });
    const older =
      left > 0 ? `${left} older ones are left out.` : 'The newest is last. Clusters forget events after an hour or so.';
    return {
      kind: 'table',
      title: `Events ${app === undefined ? '' : `of ${app} `}in ${env}`,
      columns: ['when', 'what', 'to what', 'message'],
      rows,
      note: rows.length === 0 ? 'There are no events: clusters forget them after an hour or so.' : older,
    };
  },
});
