import { at, type JsonObject, text } from '../../core/json.ts';
import { didYouMean } from '../../core/near.ts';
import { condition, countOf, isComplete } from '../../core/observed.ts';
import type { Place } from '../../core/place.ts';
import type { Evidence, Next, Report } from '../../core/report.ts';
import { type Finding, imageName, kubectl, kubectlName, nameOf } from './finding.ts';
import type { Picture } from './picture.ts';

export type Explanation = Extract<Report, { kind: 'explanation' }>;
type Words = Omit<Explanation, 'kind' | 'app' | 'env' | 'evidence' | 'logs' | 'next'>;

/** What is younger than this may still be on its way. */
const youngMs = 60_000;

function impact({ workload, place }: Picture): string {
  const { replicas, ready } = countOf(workload);
  if (place.kind === 'Job') return `${ready} of ${replicas} done`;
  if (place.kind === 'CronJob') return 'its newest job';
  return `${ready} of ${replicas} pods ready`;
}

/** `web in staging: the image can’t be pulled (0 of 2 pods ready).` */
const headlineOf = (picture: Picture, what: string) =>
  `${picture.place.app} in ${picture.place.env}: ${what} (${impact(picture)}).`;

/** When the youngest of what is to run was made or changed (ms since the epoch). */
function changedAt({ workload, pods }: Picture): number {
  const times = [workload, ...pods].map((object) => Date.parse(text(at(object, 'metadata', 'creationTimestamp'))));
  const updated = Date.parse(text(condition(workload, 'Progressing')?.lastUpdateTime));
  return Math.max(...[...times, updated].filter(Number.isFinite), 0);
}

function imageWords({ template }: Picture): string {
  const image = text(at(template, 'spec', 'containers', 0, 'image'));
  return image === '' ? '' : ` of ${imageName(image)}`;
}

function well(picture: Picture): Words {
  const { place, workload } = picture;
  const { replicas, ready } = countOf(workload);
  const cause =
    place.kind === 'CronJob'
      ? 'Its newest job did not fail.'
      : `${ready} of ${replicas} pods${imageWords(picture)} ${place.kind === 'Job' ? 'done' : 'ready'}; its Services, volumes, quota, budgets and autoscalers are in order.`;
  const headline = `${place.app} in ${place.env} is well.`;
  return { state: 'well', headline, cause, remedy: 'Nothing needs to be done.', others: [] };
}

function starting(picture: Picture): Words {
  return {
    state: 'starting',
    headline: headlineOf(picture, 'it is starting'),
    cause: 'It was changed less than a minute ago, and nothing is wrong so far.',
    remedy: 'Wait a moment and look again.',
    others: [],
  };
}

const lookedAt =
  'pods and their containers, events, probes, images, scheduling, quota, volumes, Services and endpoints, budgets and autoscalers';

function unknown(picture: Picture): Words {
  return {
    state: 'unknown',
    headline: headlineOf(picture, 'it is not ready, and I don’t know why'),
    cause: `I looked at its ${lookedAt}, and none of them explains it.`,
    remedy: 'See its logs and the events below:',
    command: kubectl(picture, 'describe', kubectlName(picture)),
    others: [],
  };
}

/** Whether all is there that is meant to be. A job may take its time. */
const isDone = ({ workload, job }: Picture) =>
  isComplete(workload) || (job !== undefined && condition(job, 'Failed')?.status !== 'True');

const short = ({ code, what }: Finding) => ({ code, what });

/** What is said: the first of the findings, and what else there is in short. */
export function wordsFor(picture: Picture, findings: readonly Finding[]): Words {
  const [first, ...rest] = findings;
  const done = isDone(picture);
  const young = picture.now - changedAt(picture) < youngMs;
  if (!done && young && (!first || first.risk)) return { ...starting(picture), others: findings.map(short) };
  if (!first) return done ? well(picture) : unknown(picture);
  const { code, what, cause, remedy, command, risk } = first;
  return {
    state: risk && done ? 'risk' : 'trouble',
    code,
    headline: headlineOf(picture, what),
    cause,
    remedy,
    ...(command !== undefined && { command }),
    others: rest.map(short),
  };
}

/** What one would ask for next; what this Shipmate does not know, or can't do here, is left out by whoever shows it. */
export function nextFor({ place, hasEarlier }: Picture, first: Finding | undefined): Next[] {
  const input = { app: place.app, env: place.env };
  const back: Next[] = first?.goBack && hasEarlier ? [{ label: 'Roll back', operation: 'rollback', input }] : [];
  const logs: Next[] = [{ label: 'Logs', operation: 'logs', input }];
  return [...back, ...(first?.next ?? []), ...logs, lookAgain(place)];
}

export const lookAgain = ({ app, env }: Place): Next => ({
  label: 'Look again',
  operation: 'why',
  input: { what: app, env },
});

/** What could not be seen may be just what matters. */
export const unseenRows = (unseen: readonly string[]): Evidence[] =>
  unseen.map((part) => ({ what: 'not seen', detail: part }));

/** An app that is not there. `siblings` are the workloads of its kind that are. */
export function absent(
  place: Place,
  namespace: JsonObject | undefined,
  siblings: readonly JsonObject[],
): Pick<Finding, 'code' | 'what' | 'cause' | 'remedy' | 'command'> {
  const near = didYouMean(place.workload, siblings.map(nameOf));
  const cause = `${kubectlName({ place })} is not in the namespace ${place.namespace}.${near}`;
  if (!namespace)
    return {
      code: 'no-namespace',
      what: `the namespace ${place.namespace} does not exist`,
      cause: `The environment ${place.env} stands for the namespace ${place.namespace}, which the cluster ${place.cluster} lacks.`,
      remedy: 'Create it, then deploy:',
      command: `kubectl create namespace ${place.namespace}`,
    };
  return {
    code: 'not-deployed',
    what: 'it is not deployed',
    cause,
    remedy: place.repository === undefined ? 'Check the name; these are there:' : 'Deploy it:',
    command:
      place.repository === undefined
        ? kubectl({ place }, 'get', place.kind.toLowerCase())
        : `/deploy ${place.app}:TAG ${place.env}`,
  };
}
