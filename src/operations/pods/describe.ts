import { z } from 'zod';
import { at, isObject, type JsonObject, text } from '../../core/json.ts';
import { spanText } from '../../core/moments.ts';
import { defineOperation, type RunContext, route } from '../../core/operation.ts';
import { EnvRef, ObjectName } from '../../core/place.ts';
import { happenings, objectOf, whenText } from './event-rows.ts';
import { ageOf, type ContainerFacts, containersOf, exitText, imageText, nodeOf, stateOf, troubleOf } from './facts.ts';
import { ageNote, controllerOf, findPermissions, findPods } from './find.ts';
import { condition, momentIn, nameIn, number } from './raw.ts';
import { PodPart, Subject, targetOf } from './subject.ts';

/** So many pods are described one by one, those in trouble first; `pods` lists them all. */
const mostPods = 5;
const mostEvents = 8;

const ago = (ms: number | undefined, now: number) => (ms === undefined ? '' : `${spanText(now - ms)} ago`);

/** `GET :8080/ready every 10 s, 3 failures allowed`. */
function probeText(probe: JsonObject): string {
  const { httpGet, tcpSocket, exec, grpc, periodSeconds, failureThreshold } = probe;
  const what = isObject(httpGet)
    ? `GET :${String(httpGet.port)}${text(httpGet.path) || '/'}`
    : isObject(tcpSocket)
      ? `connects to :${String(tcpSocket.port)}`
      : isObject(grpc)
        ? `gRPC :${String(grpc.port)}`
        : isObject(exec) && Array.isArray(exec.command)
          ? exec.command.join(' ')
          : 'a probe';
  return `${what} every ${number(periodSeconds) || 10} s, fails after ${number(failureThreshold) || 3}`;
}

function probesOf({ spec }: ContainerFacts): string[] {
  return ['startup', 'readiness', 'liveness'].flatMap((kind) => {
    const probe = spec[`${kind}Probe`];
    return isObject(probe) ? [`${kind}: ${probeText(probe)}`] : [];
  });
}

function containerRows(container: ContainerFacts, now: number): string[][] {
  const { name, role, image, digest, restarts, running, ended, before, waiting, ready } = container;
  const since = momentIn(running?.startedAt) ?? momentIn(ended?.finishedAt);
  const goes = running
    ? ready || role !== 'own'
      ? 'runs'
      : 'runs, but is not ready'
    : ended
      ? exitText(ended)
      : text(waiting?.reason) || 'not started';
  const state = [troubleOf(container) ?? goes, since === undefined ? '' : `since ${spanText(now - since)}`];
  const last = before ? `the run before ${exitText(before)} ${ago(momentIn(before.finishedAt), now)}` : '';
  const which = role === 'own' ? `container ${name}` : `${role} container ${name}`;
  return [
    [which, state.filter(Boolean).join(', ')],
    ['image', [imageText(image), digest?.slice(0, 'sha256:'.length + 12)].filter(Boolean).join(' ')],
    ...(restarts > 0 ? [['restarts', [String(restarts), last].filter(Boolean).join('; ')]] : []),
    ...(probesOf(container).length > 0 ? [['probes', probesOf(container).join('; ')]] : []),
  ];
}

/** Why it is not ready, where the pod says so itself. */
function whyNot(pod: JsonObject): string {
  const ready = condition(pod, 'Ready');
  return ready?.status === 'False' ? [text(ready.reason), text(ready.message)].filter(Boolean).join(': ') : '';
}

function podRows(pod: JsonObject, events: readonly JsonObject[], now: number): string[][] {
  const { words, well } = stateOf(pod, now);
  const changed = momentIn(condition(pod, 'Ready')?.lastTransitionTime);
  const owner = controllerOf(pod);
  const happened = happenings(events.filter((event) => objectOf(event) === `Pod/${nameIn(pod)}`));
  const rows = [
    ['pod', nameIn(pod)],
    ['state', changed === undefined ? words : `${words}, since ${spanText(now - changed)}`],
    ...(!well && whyNot(pod) !== '' ? [['why', whyNot(pod)]] : []),
    ['node', [nodeOf(pod) || 'none yet', text(at(pod, 'status', 'podIP'))].filter(Boolean).join(', ')],
    ['made', [`${ageOf(pod, now)} ago`, owner && `by ${owner.kind} ${owner.name}`].filter(Boolean).join(' ')],
    ...containersOf(pod).flatMap((container) => containerRows(container, now)),
    ...happened.slice(-mostEvents).map((one) => [whenText(one, now), `${one.reason}: ${one.message}`]),
  ];
  return rows;
}

async function described(run: RunContext<'kube', string>, { app, pod }: { app: string; pod?: string | undefined }) {
  const kube = run.on.kube(run.site.cluster);
  const selection = { apiVersion: 'v1', kind: 'Event', namespace: run.site.namespace };
  const [found, events] = await Promise.all([findPods(run, { app, pod }), kube.list(selection, run.signal)]);
  const bad = found.pods.filter((each) => !stateOf(each, run.now()).well);
  const chosen = [...bad, ...found.pods.filter((each) => !bad.includes(each))].slice(0, mostPods);
  const left = found.pods.length - chosen.length;
  const notes = [
    `${found.pods.length - bad.length} of ${found.pods.length} pods are well.`,
    left > 0 ? `${left} more are not shown here.` : undefined,
    ageNote(found.asOf, run.now()),
  ];
  return {
    rows: chosen.flatMap((each) => podRows(each, events, run.now())),
    note: notes.filter(Boolean).join(' '),
  };
}

export const describe = defineOperation({
  name: 'describe',
  summary: 'Tell how a pod or an app’s pods are: state, why, restarts, probes, events',
  effect: 'read',
  input: z.strictObject({ app: Subject, env: EnvRef, pod: PodPart.optional() }),
  usage: '<app> in <env> [pod=<pod>]',
  examples: ['web in staging', 'web in staging pod=x2v8k', 'pod/db-0 in production'],
  routes: [
    route({
      method: 'GET',
      path: '/pods/:namespace/:name',
      summary: 'A pod in a person’s words',
      request: z.object({ namespace: EnvRef, name: ObjectName }),
      input: ({ namespace, name }) => ({ env: namespace, app: `pod/${name}` }),
    }),
  ],
  needs: ['kube'],
  permissions: [...findPermissions, 'list events'],
  steps: ['read'],
  target: targetOf,
  plan: async (_context, { app, env }) => ({ summary: `${app} in ${env}`, changes: [], takesOver: [] }),
  run: async (run, input) => ({
    kind: 'table',
    title: `${input.app} in ${input.env}`,
    columns: ['what', 'how'],
    ...(await run.step('read', () => described(run, input))),
  }),
});
