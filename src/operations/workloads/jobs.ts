import { at, isObject, type JsonObject } from '../../core/json.ts';
import type { PlanContext } from '../../core/operation.ts';
import type { Report } from '../../core/report.ts';
import { showsEnvironment } from '../kubernetes/shows-environment.ts';
import { jobSpan, jobState, minuteText } from './job-words.ts';

const most = 50;
const nameOf = (object: JsonObject) => String(at(object, 'metadata', 'name'));

function cronRow(cron: JsonObject): string[] {
  const status = cron.status ?? {};
  const active = at(status, 'active');
  const running = Array.isArray(active) ? active.length : 0;
  const state = at(cron, 'spec', 'suspend') === true ? 'suspended' : running > 0 ? `${running} running` : 'waits';
  const success = minuteText(at(status, 'lastSuccessfulTime'));
  const what = `“${String(at(cron, 'spec', 'schedule'))}”${success === '' ? '' : `, last success ${success}`}`;
  return [`CronJob/${nameOf(cron)}`, state, minuteText(at(status, 'lastScheduleTime')), what];
}

function ownerOf(job: JsonObject): string {
  const owners = at(job, 'metadata', 'ownerReferences');
  const owner = (Array.isArray(owners) ? owners : []).filter(isObject).find(({ kind }) => kind === 'CronJob');
  return owner ? `of CronJob/${String(owner.name)}` : '';
}

function jobRow(job: JsonObject): string[] {
  const took = jobSpan(job);
  const about = [took === '' ? '' : `took ${took}`, ownerOf(job)].filter(Boolean).join(', ');
  return [`Job/${nameOf(job)}`, jobState(job), minuteText(at(job, 'status', 'startTime')), about];
}

async function read({ on, site }: PlanContext<'kube'>, signal: AbortSignal): Promise<Report> {
  const kube = on.kube(site.cluster);
  const { namespace } = site;
  const [crons, jobs] = await Promise.all([
    kube.list({ apiVersion: 'batch/v1', kind: 'CronJob', namespace }, signal),
    kube.look('Job', namespace, signal),
  ]);
  const age = (job: JsonObject) => String(at(job, 'metadata', 'creationTimestamp') ?? '');
  const newest = jobs.objects.toSorted((a, b) => age(b).localeCompare(age(a)));
  const rest = newest.length - most;
  const failed = newest.filter((job) => jobState(job) === 'failed').length;
  const counts = `${crons.length} CronJobs, ${newest.length} Jobs, ${failed} of them failed`;
  return {
    kind: 'table',
    title: `Jobs in ${site.env}`,
    columns: ['What', 'State', 'Started (UTC)', 'About'],
    rows: [...crons.map(cronRow), ...newest.slice(0, most).map(jobRow)],
    note: rest > 0 ? `${counts}; the newest ${most} are shown` : counts,
  };
}

export const jobs = showsEnvironment({
  name: 'jobs',
  summary: 'Show CronJobs and Jobs, and how they went',
  rest: { path: '/jobs/:namespace', summary: 'CronJobs and Jobs, and how they went' },
  permissions: ['list cronjobs.batch', 'list,watch jobs.batch'],
  look: read,
});
