import { z } from 'zod';
import { Fault } from '../../core/errors.ts';
import { at, isObject, type JsonObject } from '../../core/json.ts';
import { defineOperation, type RunContext } from '../../core/operation.ts';
import type { Settings } from '../../core/settings.ts';
import { within } from '../../core/within.ts';

/** A cluster that takes longer counts as away: one of many must not hold up the answer about the others. */
const patienceMs = 5_000;

/** Each cluster that an environment is in, or that has a name of its own, with the environments in it. */
function clustersOf({ clusters, environments }: Settings): Map<string, string[]> {
  const found = new Map<string, string[]>(Object.keys(clusters).map((name) => [name, []]));
  for (const [env, { cluster }] of Object.entries(environments))
    found.set(cluster, [...(found.get(cluster) ?? []), env]);
  return found;
}

function isReady(node: JsonObject): boolean {
  const conditions = at(node, 'status', 'conditions');
  const ready = (Array.isArray(conditions) ? conditions : []).find((entry) => at(entry, 'type') === 'Ready');
  return isObject(ready) && ready.status === 'True';
}

type Health = { health: string; version: string; latency: string; nodes: string };

async function healthOf(run: RunContext<'kube', 'read'>, cluster: string): Promise<Health> {
  const signal = within(run.signal, patienceMs);
  try {
    const kube = run.on.kube(cluster);
    const began = run.now();
    const version = await kube.version(signal);
    const latency = `${run.now() - began} ms`;
    const nodes = await kube.look('Node', '', signal).then(({ objects }) => objects, sayWhy);
    if (typeof nodes === 'string') return { health: 'well', version, latency, nodes };
    const ready = nodes.filter(isReady).length;
    const cordoned = nodes.filter((node) => at(node, 'spec', 'unschedulable') === true).length;
    const health = ready === nodes.length ? 'well' : `${nodes.length - ready} nodes not ready`;
    const words = `${ready} of ${nodes.length} ready${cordoned > 0 ? `, ${cordoned} cordoned` : ''}`;
    return { health, version, latency, nodes: words };
  } catch (thrown) {
    return { health: sayWhy(thrown), version: '', latency: '', nodes: '' };
  }
}

/** A fault in words; anything else is no fault of the cluster's. */
function sayWhy(thrown: unknown): string {
  if (thrown instanceof Fault) return thrown.message;
  throw thrown;
}

export const clusters = defineOperation({
  name: 'clusters',
  summary: 'Show the clusters: version, latency, nodes, health',
  effect: 'read',
  input: z.strictObject({}),
  usage: '',
  examples: [''],
  routes: [],
  needs: ['kube'],
  permissions: ['list,watch nodes'],
  steps: ['read'],
  target: () => ({}),
  plan: async ({ settings }) => ({ summary: `${clustersOf(settings).size} clusters`, changes: [], takesOver: [] }),
  run: async (run) => {
    const rows = await run.step('read', () =>
      Promise.all(
        [...clustersOf(run.settings)].map(async ([cluster, environments]) => {
          const { health, version, latency, nodes } = await healthOf(run, cluster);
          return [cluster, health, version, latency, nodes, environments.join(', ')];
        }),
      ),
    );
    const columns = ['cluster', 'health', 'version', 'latency', 'nodes', 'environments'];
    return { kind: 'table', title: 'Clusters', columns, rows };
  },
});
