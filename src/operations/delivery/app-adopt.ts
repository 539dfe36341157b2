import { z } from 'zod';
import { appEntry, environmentEntry } from '../../core/apps.ts';
import { fault } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json.ts';
import { Label } from '../../core/name-pattern.ts';
import { defineOperation, type RunContext, route } from '../../core/operation.ts';
import { EnvRef, ObjectName, WorkloadRef } from '../../core/place.ts';
import type { Report } from '../../core/report.ts';
import type { Origin } from '../../core/run.ts';
import type { Settings } from '../../core/settings.ts';
import { type Standing, standingsOf } from '../workloads/discover.ts';
import { workloadOf } from '../workloads/find.ts';
import { scalersOf } from '../workloads/scaler.ts';
import { entryFor } from './app-entry.ts';
import { type Running, runningOf } from './app-image.ts';

/** A channel that an app can tell of itself in: what is said between two is for them alone. */
const channelOf = (origin: Origin): string | undefined =>
  origin.surface === 'slack' && /^[CG]/.test(origin.channel) ? origin.channel : undefined;

const adoptable = ['Deployment', 'StatefulSet', 'DaemonSet', 'Rollout'] as const;

/** @throws Fault NOT_FOR_KIND where no entry can be about it */
function kindOf(kind: string, name: string): (typeof adoptable)[number] {
  const found = adoptable.find((each) => each === kind);
  if (found && Label.safeParse(name).success) return found;
  const why = found ? 'an app’s workload has no dot in its name' : 'an app runs for good, and this comes to its end';
  const instead = 'It can be looked at by KIND/NAME as it is.';
  throw fault('NOT_FOR_KIND', { operation: 'app adopt', what: `${kind}/${name}`, why, instead });
}

/** How a new version of what runs is deployed; where it is of a repository that is none of the app's, that it is not. */
function deployText(settings: Settings, app: string, env: string, running: Running | undefined): string {
  const works = (what: string) => `Nothing has to be added; this works at once:\n/deploy ${what}`;
  switch (running?.of) {
    case 'none':
      return `But what runs is of ${running.repository}, which its images may not come from: have that named under its image or images first.`;
    case 'other':
      return works(`${app} ${env} image=${running.repository}:TAG`);
    default: {
      // What has no repository of its own is deployed by the whole name of an image.
      const isOwn = appEntry(settings, app)?.its.image !== undefined;
      return works(isOwn ? `${app}:TAG ${env}` : `${app} ${env} image=IMAGE`);
    }
  }
}

/** What covers it already, and how it is deployed. */
function coveredText(settings: Settings, standing: Standing, env: string, template: JsonObject): string {
  if (standing.state === 'unknown') return '';
  const by =
    standing.state === 'known'
      ? `It is the app “${standing.app}”, which is written out under apps in shipmate.yaml.`
      : `It is the app “${standing.app}”: the pattern “${standing.pattern}” under apps in shipmate.yaml covers it.`;
  return `${by}\n${deployText(settings, standing.app, env, runningOf(settings, standing.app, template))}`;
}

/** The entry for a workload that is no app yet; or what covers it already. */
async function adoption(run: RunContext<'kube', 'read'>, signal: AbortSignal): Promise<Report> {
  const { settings, place, origin } = run;
  const kube = run.on.kube(place.cluster);
  kindOf(place.kind, place.workload);
  const found = await workloadOf(kube, place, signal);
  const { name } = found.ref;
  const kind = kindOf(found.ref.kind, name);
  const what = `${kind.toLowerCase()}/${name}`;
  const standings = standingsOf(settings, { kind, name, object: found.live });
  const template = found.template?.live ?? found.live;
  const covered = standings.map((each) => coveredText(settings, each, place.env, template)).filter(Boolean);
  if (covered.length > 0) return { kind: 'text', title: `${what} is an app already`, text: covered.join('\n') };
  const [services, scalers] = await Promise.all([
    kube.list({ apiVersion: 'v1', kind: 'Service', namespace: place.namespace }, signal),
    scalersOf(kube, found.ref, signal),
  ]);
  const entry = entryFor(settings, {
    kind,
    object: found.live,
    template,
    services,
    scalers,
    environment: environmentEntry(settings, place.env)?.its,
    channel: channelOf(origin),
  });
  const whys = standings.flatMap((each) => (each.state === 'unknown' && each.why ? [`${each.why}.`] : []));
  const note = [
    ...whys,
    `Paste it into shipmate.yaml, below the apps that are there: ${what} is then the app “${entry.name}”.`,
  ];
  return { kind: 'text', title: `Entry for ${what}`, text: entry.text, note: note.join(' ') };
}

export const appAdopt = defineOperation({
  name: 'app-adopt',
  summary: 'Show the entry of shipmate.yaml that would make a workload an app',
  effect: 'read',
  input: z.strictObject({ workload: WorkloadRef, env: EnvRef }),
  usage: '<workload> in <env>',
  examples: ['deployment/api in staging', 'statefulset/db in production'],
  routes: [
    route({
      method: 'GET',
      path: '/apps/:namespace/:kind/:name/entry',
      summary: 'The entry of shipmate.yaml that would make a workload an app',
      request: z.object({ namespace: EnvRef, kind: z.string().max(63), name: ObjectName }),
      input: ({ namespace, kind, name }) => ({ workload: `${kind}/${name}`, env: namespace }),
    }),
  ],
  needs: ['kube'],
  permissions: [
    'get,list deployments.apps,statefulsets.apps,daemonsets.apps,rollouts.argoproj.io',
    'list services',
    'list horizontalpodautoscalers.autoscaling,scaledobjects.keda.sh',
  ],
  steps: ['read'],
  target: ({ workload, env }) => ({ app: workload, env }),
  plan: async (_context, { workload }) => ({ summary: workload, changes: [], takesOver: [] }),
  run: (run) => run.step('read', ({ signal }) => adoption(run, signal)),
});
