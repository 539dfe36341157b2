import { z } from 'zod';
import { fault } from '../../core/errors.ts';
import { at, isObject, type JsonObject, text } from '../../core/json.ts';
import { knownKind } from '../../core/kinds.ts';
import { didYouMean } from '../../core/near.ts';
import { defineOperation } from '../../core/operation.ts';
import { EnvRef, ObjectName } from '../../core/place.ts';
import { barOf, shareOf } from '../../core/quantity.ts';
import { Quantity } from '../../core/values.ts';
import { missing, planWrites, runWrites, writeSteps } from '../kubernetes/writes.ts';
import { condition, nameIn, refTo } from './found.ts';

/** Karpenter makes nodes as they are needed; a NodePool's limits end that. https://karpenter.sh/docs/concepts/nodepools/ */

const everywhere = { apiVersion: knownKind('NodePool')?.apiVersion ?? '', kind: 'NodePool', namespace: '' };

const limitsOf = (pool: JsonObject): JsonObject => {
  const limits = at(pool, 'spec', 'limits');
  return isObject(limits) ? limits : {};
};

function usedText(pool: JsonObject, resource: string): string {
  const limit = at(pool, 'spec', 'limits', resource);
  const used = at(pool, 'status', 'resources', resource) ?? '0';
  if (limit === undefined) return `${used}, no limit`;
  return `${barOf(shareOf(String(used), String(limit)))} (${used} of ${limit})`;
}

export const nodepools = defineOperation({
  name: 'nodepools',
  summary: 'Show Karpenter’s node pools with what they use of their limits',
  effect: 'read',
  input: z.strictObject({ env: EnvRef }),
  usage: 'in <env>',
  examples: ['in staging'],
  needs: ['kube'],
  permissions: ['list nodepools.karpenter.sh'],
  steps: ['read'],
  target: ({ env }) => ({ env }),
  plan: async ({ site }) => ({ summary: `node pools of the cluster of ${site.env}`, changes: [], takesOver: [] }),
  run: async (run) => {
    const kube = run.on.kube(run.site.cluster);
    return await run.step('read', async ({ signal }) => {
      const pools = await kube.list(everywhere, signal);
      const rows = pools.map((pool) => [
        nameIn(pool),
        `${at(pool, 'status', 'resources', 'nodes') ?? '?'}`,
        usedText(pool, 'cpu'),
        usedText(pool, 'memory'),
        condition(pool, 'Ready')?.status === 'False'
          ? `not ready: ${text(condition(pool, 'Ready')?.message)}`
          : 'ready',
      ]);
      return {
        kind: 'table' as const,
        title: 'Node pools',
        columns: ['Pool', 'Nodes', 'CPU', 'Memory', 'State'],
        rows,
      };
    });
  },
});

const Limit = z.union([Quantity, z.literal('none')]).describe('The most that all its nodes have together, or none');

const Input = z.strictObject({
  pool: ObjectName.describe('The NodePool'),
  env: EnvRef,
  cpu: Limit.optional(),
  memory: Limit.optional(),
});

export const nodepoolLimit = defineOperation({
  name: 'nodepool-limit',
  summary: 'Limit how much Karpenter may make in a node pool',
  effect: 'change',
  input: Input,
  usage: '<pool> in <env> [cpu=<cpu>] [memory=<memory>]',
  examples: ['default in staging cpu=100 memory=400Gi'],
  needs: ['kube'],
  permissions: ['get,list,patch nodepools.karpenter.sh'],
  steps: writeSteps,
  target: ({ env }) => ({ env }),
  plan: async ({ on, site, signal }, { pool, env, cpu, memory }) => {
    if (cpu === undefined && memory === undefined)
      throw fault('BAD_INPUT', { problem: 'Say which limit: cpu=100, memory=400Gi, or none to lift one.' });
    const kube = on.kube(site.cluster);
    const pools = await kube.list(everywhere, signal);
    const ref = refTo('NodePool', '', pool);
    const live = pools.find((candidate) => nameIn(candidate) === pool);
    if (!live) throw missing(ref, didYouMean(pool, pools.map(nameIn)));
    const given = Object.entries({ cpu, memory }).flatMap(([name, limit]) =>
      limit === undefined ? [] : [[name, limit] as const],
    );
    const limits = Object.fromEntries(given.map(([name, limit]) => [name, limit === 'none' ? null : limit]));
    const planned = await planWrites(kube, [{ kind: 'merge', ref, patch: { spec: { limits } } }], signal);
    const before = Object.fromEntries(given.map(([name]) => [name, String(limitsOf(live)[name] ?? 'none')]));
    const over = given.filter(
      ([name, limit]) => limit !== 'none' && shareOf(String(at(live, 'status', 'resources', name) ?? '0'), limit) > 1,
    );
    const warns = over.map(
      ([name]) => `; it uses ${at(live, 'status', 'resources', name)} ${name} already, and makes no more nodes`,
    );
    const words = given.map(([name, limit]) => `${name} ${limit === 'none' ? 'without a limit' : `up to ${limit}`}`);
    const undo = { operation: 'nodepool-limit', input: { pool, env, ...before } };
    return { summary: `${words.join(', ')}${warns.join('')}`, ...planned, undo };
  },
  run: (run) => runWrites(run),
});
