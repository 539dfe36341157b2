import { z } from 'zod';
import { defineOperation, type PlanContext } from '../../core/operation.ts';
import { EnvRef } from '../../core/place.ts';
import type { Draft } from '../../core/plan.ts';
import { planWrites, runWrites, writeSteps } from '../kubernetes/writes.ts';
import { refTo } from './found.ts';
import { NodeName, nodeCalled } from './node.ts';

const Input = z.strictObject({ node: NodeName, env: EnvRef });

async function plan(
  { on, site, signal }: PlanContext<'kube'>,
  { node, env }: z.output<typeof Input>,
  unschedulable: true | null,
): Promise<Draft> {
  const kube = on.kube(site.cluster);
  await nodeCalled(kube, node, signal);
  const ref = refTo('Node', '', node);
  const planned = await planWrites(kube, [{ kind: 'merge', ref, patch: { spec: { unschedulable } } }], signal);
  const undo = { operation: unschedulable ? 'uncordon' : 'cordon', input: { node, env } };
  const summary = unschedulable ? `${node} takes no new pods` : `${node} takes pods again`;
  return { summary, ...planned, undo };
}

const common = {
  effect: 'change' as const,
  input: Input,
  needs: ['kube'] as const,
  permissions: ['get,list,patch nodes'] as const,
  steps: writeSteps,
};

export const cordon = defineOperation({
  ...common,
  name: 'cordon',
  summary: 'Let a node take no new pods; those that run stay',
  usage: '<node> in <env>',
  examples: ['node-1 in staging'],
  target: ({ env }) => ({ env }),
  plan: (context, input) => plan(context, input, true),
  run: (run) => runWrites(run, 'What runs there stays; /ship drain moves it.'),
});

export const uncordon = defineOperation({
  ...common,
  name: 'uncordon',
  summary: 'Let a node take pods again',
  usage: '<node> in <env>',
  examples: ['node-2 in staging'],
  target: ({ env }) => ({ env }),
  plan: (context, input) => plan(context, input, null),
  run: (run) => runWrites(run),
});
