import { Fault } from '../../core/errors.ts';
import { isObject, type JsonObject } from '../../core/json.ts';
import { knownKind } from '../../core/kinds.ts';
import type { Kube, ObjectRef } from '../../core/kube.ts';
import { placeKey } from '../../core/lock.ts';
import type { Catalogue, Permission, RunContext } from '../../core/operation.ts';
import type { Place } from '../../core/place.ts';
import { mayRead } from '../../core/reading.ts';
import type { Next, Report } from '../../core/report.ts';
import { lastChanges, lastWarnings } from './changes.ts';
import { namespaceGoes } from './deletion.ts';
import { absent, lookAgain, nextFor, unseenRows, wordsFor } from './explanation.ts';
import type { Finding } from './finding.ts';
import { findingsIn } from './findings.ts';
import { pictureOf, type Reading, read } from './picture.ts';
import { knowingLogs } from './starts.ts';

type Context = Pick<RunContext<'kube' | 'order', string>, 'on' | 'actor' | 'place' | 'settings' | 'catalogue' | 'now'>;

/** What it looks at; what it may not see it leaves out, and says so. */
export const explainPermissions: readonly Permission[] = [
  'get deployments.apps,statefulsets.apps,daemonsets.apps,jobs.batch,cronjobs.batch,rollouts.argoproj.io',
  'list deployments.apps,statefulsets.apps,daemonsets.apps,cronjobs.batch,rollouts.argoproj.io',
  'list,watch pods,services,replicasets.apps,jobs.batch,endpointslices.discovery.k8s.io',
  'list events,resourcequotas,persistentvolumeclaims',
  'list horizontalpodautoscalers.autoscaling,poddisruptionbudgets.policy',
  'get pods/log',
  'get namespaces everywhere',
];

const logLines = 10;
const runsBack = 5;
const buttonsAtMost = 4;

function refOf({ kind, namespace, workload }: Place): ObjectRef {
  return { apiVersion: knownKind(kind)?.apiVersion ?? 'apps/v1', kind, namespace, name: workload };
}

async function linesOf(lines: AsyncIterable<string>): Promise<string[]> {
  const found: string[] = [];
  for await (const line of lines) found.push(line.replace(/^\d{4}-\d\d-\d\dT\S+Z ?/, ''));
  return found.slice(-logLines);
}

/** The last words of a container that crashed, in its run before this one where it began anew since. */
async function lastWords(
  kube: Kube,
  namespace: string,
  crashed: Finding['crashed'],
  signal: AbortSignal,
): Promise<string[]> {
  if (!crashed) return [];
  const { pod, container } = crashed;
  const ref = { apiVersion: 'v1', kind: 'Pod', namespace, name: pod };
  for (const previous of [!crashed.ended, crashed.ended])
    try {
      return await linesOf(kube.logs(ref, { container, previous, tailLines: logLines }, signal));
    } catch (thrown) {
      // A log that can't be read is no reason to keep the rest back.
      if (!(thrown instanceof Fault)) throw thrown;
    }
  return [];
}

/** Only what this Shipmate knows and takes is offered. */
const offered = (catalogue: Catalogue, next: readonly Next[]) =>
  next
    .filter(({ operation, input }) => catalogue.get(operation)?.input.safeParse(input).success)
    .slice(0, buttonsAtMost);

async function explainAbsent(context: Context, kube: Kube, reading: Reading, signal: AbortSignal): Promise<Report> {
  const { place, catalogue } = context;
  const unsure = reading.unseen.some((part) => part.startsWith('Namespace'));
  const namespace: JsonObject | undefined = reading.namespace ?? (unsure ? {} : undefined);
  const goes = namespaceGoes({ namespace, place });
  // With the namespace its permissions go too, so a refusal is explained by that; else it stands as it is.
  if (reading.refusal && namespace && !goes) throw reading.refusal;
  const { apiVersion, kind } = refOf(place);
  const siblings = namespace && !goes ? await kube.list({ apiVersion, kind, namespace: place.namespace }, signal) : [];
  const { code, what, cause, remedy, command } = goes ?? absent(place, namespace, siblings);
  return {
    kind: 'explanation',
    app: place.app,
    env: place.env,
    state: 'trouble',
    code,
    headline: `${place.app} in ${place.env}: ${what}.`,
    cause,
    remedy,
    ...(command !== undefined && { command }),
    logs: [],
    others: [],
    evidence: unseenRows(reading.unseen),
    next: offered(catalogue, [lookAgain(place)]),
  };
}

/** Looks at an app and all around it, and says what is wrong, why, and what to do. */
export async function explainApp(context: Context, signal: AbortSignal): Promise<Report> {
  const { place, settings, catalogue } = context;
  const kube = context.on.kube(place.cluster);
  const [reading, history] = await Promise.all([
    read(kube, refOf(place), signal),
    context.on.order.history(placeKey(place), runsBack),
  ]);
  const { workload } = reading;
  if (!isObject(workload)) return await explainAbsent(context, kube, reading, signal);
  const picture = pictureOf({ ...reading, workload }, { now: context.now(), place, history });
  const [first, ...others] = findingsIn(picture);
  const logs = await lastWords(kube, place.namespace, first?.crashed, signal);
  const seen = history.filter((run) => mayRead(context, run, context.actor));
  const findings = first ? [knowingLogs(first, logs), ...others] : [];
  return {
    kind: 'explanation',
    app: place.app,
    env: place.env,
    ...wordsFor(picture, findings),
    logs,
    evidence: [
      ...lastChanges({ workload, history: seen }, settings),
      ...lastWarnings(picture),
      ...unseenRows(reading.unseen),
    ],
    next: offered(catalogue, nextFor(picture, findings[0])),
  };
}
