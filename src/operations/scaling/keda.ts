import { z } from 'zod';
import { at, text } from '../../core/json.ts';
import { knownKind } from '../../core/kinds.ts';
import { didYouMean } from '../../core/near.ts';
import { defineOperation, type PlanContext } from '../../core/operation.ts';
import { EnvRef, ObjectName } from '../../core/place.ts';
import type { Draft } from '../../core/plan.ts';
import { missing, planWrites, runWrites, writeSteps } from '../kubernetes/writes.ts';
import { listOf, nameIn, refTo } from './found.ts';

/** KEDA stops scaling what bears these annotations. https://keda.sh/docs/latest/concepts/scaling-deployments/#pausing-autoscaling */
const paused = 'autoscaling.keda.sh/paused';
const pausedAt = 'autoscaling.keda.sh/paused-replicas';

const Name = ObjectName.describe('The ScaledObject');
const Count = z.number('must be a whole number').int().min(0).max(1_000).describe('Held at so many pods meanwhile');

const permissions = ['list,get,patch scaledobjects.keda.sh'] as const;

/** The ScaledObject by its own name, or by the name of what it scales. */
async function planAnnotations(
  { on, site, signal }: PlanContext<'kube'>,
  name: string,
  annotations: Record<string, string | null>,
): Promise<{ draft: Draft; name: string }> {
  const kube = on.kube(site.cluster);
  const kind = 'ScaledObject';
  const apiVersion = knownKind(kind)?.apiVersion ?? '';
  const all = await kube.list({ apiVersion, kind, namespace: site.namespace }, signal);
  const found =
    all.find((object) => nameIn(object) === name) ??
    all.find((object) => text(at(object, 'spec', 'scaleTargetRef', 'name')) === name);
  if (!found) throw missing(refTo(kind, site.namespace, name), didYouMean(name, all.map(nameIn)));
  const ref = refTo(kind, site.namespace, nameIn(found));
  const planned = await planWrites(kube, [{ kind: 'merge', ref, patch: { metadata: { annotations } } }], signal);
  const triggers = listOf(at(found, 'spec', 'triggers')).map(({ type }) => text(type));
  const summary = `KEDA ${ref.name} (by ${triggers.join(', ') || 'nothing'})`;
  return { name: ref.name, draft: { summary, ...planned } };
}

export const kedaPause = defineOperation({
  name: 'keda-pause',
  summary: 'Pause a KEDA ScaledObject, with the pods there are or with a number of them',
  effect: 'change',
  input: z.strictObject({ name: Name, env: EnvRef, replicas: Count.optional() }),
  usage: '<name> in <env> [replicas=<replicas>]',
  examples: ['queue-worker in staging'],
  needs: ['kube'],
  permissions,
  steps: writeSteps,
  target: ({ env }) => ({ env }),
  plan: async (context, { name, env, replicas }) => {
    const change: Record<string, string | null> =
      replicas === undefined ? { [paused]: 'true', [pausedAt]: null } : { [pausedAt]: `${replicas}` };
    const { draft, name: found } = await planAnnotations(context, name, change);
    return { ...draft, undo: { operation: 'keda-resume', input: { name: found, env } } };
  },
  run: (run, { replicas }) =>
    runWrites(
      run,
      replicas === undefined ? 'It stays as it is until /ship keda resume.' : `KEDA holds it at ${replicas} pods.`,
    ),
});

export const kedaResume = defineOperation({
  name: 'keda-resume',
  summary: 'Let a paused KEDA ScaledObject scale again',
  effect: 'change',
  input: z.strictObject({ name: Name, env: EnvRef }),
  usage: '<name> in <env>',
  examples: ['night-worker in staging'],
  needs: ['kube'],
  permissions,
  steps: writeSteps,
  target: ({ env }) => ({ env }),
  plan: async (context, { name, env }) => {
    const { draft, name: found } = await planAnnotations(context, name, { [paused]: null, [pausedAt]: null });
    return { ...draft, undo: { operation: 'keda-pause', input: { name: found, env } } };
  },
  run: (run) => runWrites(run),
});
