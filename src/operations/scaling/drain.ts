import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { fault } from '../../core/errors.ts';
import { at, type JsonObject, text } from '../../core/json.ts';
import type { Kube } from '../../core/kube.ts';
import { labelsOf } from '../../core/label-selector.ts';
import { defineOperation, type PlanContext, type StepContext } from '../../core/operation.ts';
import { EnvRef } from '../../core/place.ts';
import type { Draft, Plan } from '../../core/plan.ts';
import { some } from '../../core/some.ts';
import { Duration } from '../../core/values.ts';
import { doWrites, planWrites } from '../kubernetes/writes.ts';
import { type Group, groupsOf, lossOf, makerOf, namespaceIn, podName, podsOf, tightBudgets } from './drain-pods.ts';
import { nameIn, refTo } from './found.ts';
import { NodeName, nodeCalled } from './node.ts';

/** While pods go it looks again soon; where nothing moves, ever more seldom. */
const pauses = { first: 50, most: 1_000 };
const usualMs = 15 * 60_000;

const Input = z.strictObject({
  node: NodeName,
  env: EnvRef,
  force: z.boolean().optional().describe('Also pods that nothing makes anew, and data in emptyDir volumes'),
  within: Duration.optional().describe('Gives up after so long; 15m where it is left out'),
});
type Input = z.output<typeof Input>;

const becomes: Record<'pod' | 'data' | 'none', string> = {
  pod: 'gone for good: nothing makes it anew',
  data: 'evicted; what is in their emptyDir volumes is lost',
  none: 'evicted',
};

const shown = (names: readonly string[]) => some(names, 8);

/** What of it would be lost for good, in words; undefined where nothing would. */
function lossIn(groups: readonly Group[]): string | undefined {
  const losing = groups.filter(({ loss }) => loss !== undefined);
  const what = losing.map(({ who, loss }) =>
    loss === 'pod' ? `${who}, which nothing makes anew` : `the emptyDir of ${who}`,
  );
  return what.length > 0 ? shown(what) : undefined;
}

/** Whose loss was agreed to: the plan says so of them. */
const agreedIn = ({ changes }: Pick<Plan, 'changes'>): ReadonlySet<string> =>
  new Set(changes.flatMap(({ path, to }) => (to === becomes.pod || to === becomes.data ? [path] : [])));

async function plan({ on, site, signal }: PlanContext<'kube'>, { node, env, force }: Input): Promise<Draft> {
  const kube = on.kube(site.cluster);
  const budgetsOf = { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', namespace: '' };
  const [, pods, budgets] = await Promise.all([
    nodeCalled(kube, node, signal),
    podsOf(kube, node, signal),
    kube.list(budgetsOf, signal),
  ]);
  const groups = groupsOf(pods);
  const loss = lossIn(groups);
  if (!force && loss !== undefined) throw fault('DRAIN_NEEDS_FORCE', { node, what: loss });
  const ref = refTo('Node', '', node);
  const wish = { kind: 'merge' as const, ref, patch: { spec: { unschedulable: true } } };
  const planned = await planWrites(kube, [wish], signal);
  const moves = groups.map(({ who, loss, count }) => ({
    path: who,
    from: count === 1 ? '1 pod' : `${count} pods`,
    to: becomes[loss ?? 'none'],
  }));
  const tight = tightBudgets(budgets, pods);
  const waits =
    tight.length > 0 ? `; waits for ${shown(tight)}, which allow${tight.length > 1 ? '' : 's'} none to go now` : '';
  const undo = { undo: { operation: 'uncordon', input: { node, env } } };
  return {
    summary: `${pods.length} pods leave ${node}${waits}`,
    writes: planned.writes,
    changes: [...planned.changes, ...moves],
    takesOver: [],
    evicts: pods.map((pod) => ({
      namespace: namespaceIn(pod),
      name: nameIn(pod),
      labels: { ...labelsOf(at(pod, 'metadata', 'labels')) },
    })),
    ...undo,
  };
}

/** Asks for one pod to go. @returns why it may not, where it may not now */
async function evict(kube: Kube, pod: JsonObject, { log, signal }: StepContext): Promise<string | undefined> {
  if (at(pod, 'metadata', 'deletionTimestamp') !== undefined) return 'is ending';
  const ref = { ...refTo('Pod', namespaceIn(pod), nameIn(pod)), uid: text(at(pod, 'metadata', 'uid')) };
  const answer = await kube.evict(ref, signal);
  if (answer.kind === 'evicted') log(`${podName(pod)}: evicted`);
  return answer.kind === 'blocked' ? answer.why : answer.kind === 'evicted' ? 'is ending' : undefined;
}

/**
 * Evicts until nothing is left but what stays. It knows nothing but the node as it is, so a worker that takes it up again
 * goes on where the killed one was. The pod objects are what it waits for: a new pod of the same name is elsewhere.
 */
async function empty(
  kube: Kube,
  { node, within = usualMs }: Input,
  agreed: ReadonlySet<string>,
  step: StepContext,
): Promise<number> {
  const seen = new Set<string>();
  const deadline = step.startedAt + within;
  let [pause, before] = [pauses.first, ''];
  for (;;) {
    const pods = await podsOf(kube, node, step.signal);
    // What came after the plan, and would be lost: nobody agreed to that.
    const mayGo = pods.filter((pod) => lossOf(pod) === undefined || agreed.has(makerOf(pod)));
    const loss = lossIn(groupsOf(pods.filter((pod) => !mayGo.includes(pod))));
    if (loss !== undefined) throw fault('DRAIN_CAME_SINCE', { node, what: loss });
    for (const pod of mayGo) seen.add(text(at(pod, 'metadata', 'uid')));
    if (mayGo.length === 0) return seen.size;
    const whys = await Promise.all(mayGo.map((pod) => evict(kube, pod, step)));
    const left = mayGo.flatMap((pod, index) => (whys[index] === undefined ? [] : [`${podName(pod)} (${whys[index]})`]));
    step.note(`${seen.size - left.length} of ${seen.size} pods gone${left.length > 0 ? `; ${shown(left)}` : ''}`);
    if (Date.now() >= deadline)
      throw fault('DRAIN_STUCK', { node, minutes: `${Math.round(within / 6_000) / 10}`, left: shown(left) });
    pause = left.join() === before ? Math.min(pause * 2, pauses.most) : pauses.first;
    before = left.join();
    await sleep(pause, undefined, { signal: step.signal });
  }
}

export const drain = defineOperation({
  name: 'drain',
  summary: 'Empty a node: cordon it and move its pods elsewhere, as PodDisruptionBudgets allow',
  effect: 'change',
  input: Input,
  usage: '<node> in <env> [within=<within>] [force=<force>]',
  examples: ['node-1 in staging within=10m'],
  needs: ['kube'],
  permissions: [
    'get,list,patch nodes',
    'list pods everywhere',
    'create pods/eviction everywhere',
    'list poddisruptionbudgets.policy everywhere',
  ],
  steps: ['cordon', 'evict'],
  limits: { run: 26 * 3_600_000, steps: { evict: 25 * 3_600_000 } },
  target: ({ env }) => ({ env }),
  plan,
  run: async (run, input) => {
    const kube = run.on.kube(run.site.cluster);
    await run.step('cordon', (step) => doWrites(run, kube, step));
    const gone = await run.step('evict', (step) => empty(kube, input, agreedIn(run.plan), step));
    const note = `It is empty: ${gone} pods left it. /ship uncordon ${input.node} lets it take pods again.`;
    return { kind: 'changed', objects: [`Node/${input.node}`], note };
  },
});
