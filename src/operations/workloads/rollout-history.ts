import { z } from 'zod';
import { type Difference, differences } from '../../core/diff.ts';
import { fault } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json.ts';
import type { Revision } from '../../core/kube.ts';
import { below, type ListTypes } from '../../core/list-types.ts';
import { defineOperation, type RunContext } from '../../core/operation.ts';
import { EnvRef, WorkloadRef } from '../../core/place.ts';
import type { Report } from '../../core/report.ts';
import { calledBy, refuseKind, workloadOf } from './find.ts';
import { minuteText } from './job-words.ts';
import { everyRolling, workloadRoutes } from './routes.ts';
import { imagesOfTemplate, RevisionNumber } from './to-revision.ts';

/** What a template changed against the one before; undefined before the first. */
function changed(template: JsonObject, before: JsonObject | undefined, lists: ListTypes): Difference[] {
  const parts = ({ spec = {}, metadata = {} }: JsonObject) => ({ spec, metadata });
  return differences(before && parts(before), parts(template), below(lists, ['spec', 'template']));
}

const value = (side: unknown) => (typeof side === 'string' ? side : JSON.stringify(side));
const short = (path: string) => path.replace(/^spec\.containers/, '').replace(/^metadata\.annotations\./, '');

/** `[web].image: web:v1 → web:v2`. */
function inLine({ path, from, to }: Difference): string {
  if (from === undefined) return `+ ${short(path)}: ${value(to)}`;
  return to === undefined ? `- ${short(path)}` : `${short(path)}: ${value(from)} → ${value(to)}`;
}

/** A difference as a diff has it: what goes, then what comes. */
function inDiff({ path, from, to }: Difference): string[] {
  return [
    ...(from === undefined ? [] : [`- ${path}: ${value(from)}`]),
    ...(to === undefined ? [] : [`+ ${path}: ${value(to)}`]),
  ];
}

const mostChanges = 5;

function rowOf(
  { revision, template, at, current }: Revision,
  before: Revision | undefined,
  lists: ListTypes,
): string[] {
  const found = before ? changed(template, before.template, lists) : [];
  const rest = found.length > mostChanges ? [`… ${found.length - mostChanges} more`] : [];
  const changes = [...found.slice(0, mostChanges).map(inLine), ...rest].join('\n');
  const number = `${revision}${current ? ' (now)' : ''}`;
  return [number, minuteText(at), imagesOfTemplate(template), before ? changes || 'nothing' : ''];
}

type Where = { app: string; env: string; title: string };

/** One revision against the one before it, as a diff. */
function oneRevision(all: readonly Revision[], revision: number, { app, env, title }: Where, lists: ListTypes): Report {
  const index = all.findIndex((each) => each.revision === revision);
  const [wanted, before] = index < 0 ? [] : all.slice(index, index + 2);
  const known = all.map((each) => each.revision).join(', ') || 'none';
  if (!wanted) throw fault('NO_SUCH_REVISION', { app, env, revision: String(revision), known });
  const text = changed(wanted.template, before?.template, lists).flatMap(inDiff).join('\n');
  const note = before ? `against revision ${before.revision}` : 'the whole template: nothing earlier is known';
  return { kind: 'text', title: `${title}, revision ${revision}`, text, note };
}

async function read(run: RunContext<'kube', 'read'>, revision: number | undefined): Promise<Report> {
  const { place, signal } = run;
  const kube = run.on.kube(place.cluster);
  const found = await workloadOf(kube, place, signal);
  const why = 'Kubernetes keeps no earlier templates of it';
  const instead = `See its runs: /ship jobs in ${place.env}`;
  refuseKind('rollout history', found, { Job: { why, instead }, CronJob: { why, instead } });
  const [all, lists] = await Promise.all([kube.allRevisions(found.ref, signal), kube.listTypes(found.ref, signal)]);
  const title = `Revisions of ${calledBy(place)} in ${place.env}`;
  if (revision !== undefined) return oneRevision(all, revision, { ...place, title }, lists);
  return {
    kind: 'table',
    title,
    columns: ['Revision', 'Since (UTC)', 'Images', 'Changes'],
    rows: all.map((each, index) => rowOf(each, all[index + 1], lists)),
    note: `To go back: /rollback ${place.app} ${place.env} revision=NUMBER`,
  };
}

export const rolloutHistory = defineOperation({
  name: 'rollout-history',
  summary: 'Show the revisions of a workload, and what each changed',
  effect: 'read',
  input: z.strictObject({ app: WorkloadRef, env: EnvRef, revision: RevisionNumber.optional() }),
  usage: '<app> in <env> [revision=<revision>]',
  examples: ['web in staging', 'web in production revision=2'],
  routes: workloadRoutes({
    method: 'GET',
    path: '/history',
    summary: 'Revisions, and what each changed',
    kinds: everyRolling,
    more: { revision: z.coerce.number().pipe(RevisionNumber).optional() },
  }),
  needs: ['kube'],
  permissions: [
    'get,list deployments.apps,statefulsets.apps,daemonsets.apps,rollouts.argoproj.io,jobs.batch,cronjobs.batch',
    'list replicasets.apps,controllerrevisions.apps',
  ],
  steps: ['read'],
  target: ({ app, env }) => ({ app, env }),
  plan: async () => ({ summary: 'looks', changes: [], takesOver: [] }),
  run: (run, { revision }) => run.step('read', () => read(run, revision)),
});
