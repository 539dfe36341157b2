import { z } from 'zod';
import { at, type JsonObject, text } from '../../core/json.ts';
import { spanText } from '../../core/moments.ts';
import { defineOperation, route } from '../../core/operation.ts';
import { EnvRef } from '../../core/place.ts';
import { barOf, compareQuantities, shareOf, sumOf } from '../../core/quantity.ts';
import { cpuText, memoryText } from './amounts.ts';
import { condition, listOf, nameIn } from './found.ts';
import { isCordoned, taintsOf } from './node.ts';

const columns = ['Node', 'State', 'Version', 'Pods', 'CPU asked for', 'Memory asked for', 'Taints', 'Age'];

const pressures = {
  MemoryPressure: 'short of memory',
  DiskPressure: 'short of disk',
  PIDPressure: 'short of process ids',
  NetworkUnavailable: 'no network',
};

function stateOf(node: JsonObject): string {
  const ready = condition(node, 'Ready');
  const words = [
    ready?.status === 'True' ? 'ready' : `not ready: ${text(ready?.message) || text(ready?.reason) || 'says nothing'}`,
    ...Object.entries(pressures).flatMap(([type, word]) => (condition(node, type)?.status === 'True' ? [word] : [])),
    ...(isCordoned(node) ? ['cordoned'] : []),
  ];
  return words.join(', ');
}

type Resource = 'cpu' | 'memory';

const requestOf = (container: JsonObject, resource: Resource) =>
  text(at(container, 'resources', 'requests', resource)) || '0';

/** Containers that only set up count as far as one asks for more than all that run afterwards. */
function podRequest(pod: JsonObject, resource: Resource): string {
  const inits = listOf(at(pod, 'spec', 'initContainers'));
  const beside = inits.filter(({ restartPolicy }) => restartPolicy === 'Always');
  const running = [...listOf(at(pod, 'spec', 'containers')), ...beside].map((each) => requestOf(each, resource));
  const alone = inits.map((each) => requestOf(each, resource));
  const most = [sumOf(running), ...alone].sort(compareQuantities).at(-1) ?? '0';
  const overhead = text(at(pod, 'spec', 'overhead', resource));
  return sumOf([most, ...(overhead === '' ? [] : [overhead])]);
}

const isOver = (pod: JsonObject) => ['Succeeded', 'Failed'].includes(text(at(pod, 'status', 'phase')));

function askedFor(node: JsonObject, pods: readonly JsonObject[], resource: Resource): string {
  const asked = sumOf(pods.map((pod) => podRequest(pod, resource)));
  const all = text(at(node, 'status', 'allocatable', resource)) || '0';
  const said = resource === 'cpu' ? cpuText : memoryText;
  return `${barOf(shareOf(asked, all))} (${said(asked)} of ${said(all)})`;
}

function rowOf(node: JsonObject, all: readonly JsonObject[], now: number): string[] {
  const pods = all.filter((pod) => at(pod, 'spec', 'nodeName') === nameIn(node) && !isOver(pod));
  return [
    nameIn(node),
    stateOf(node),
    text(at(node, 'status', 'nodeInfo', 'kubeletVersion')),
    `${pods.length} of ${text(at(node, 'status', 'allocatable', 'pods')) || '?'}`,
    askedFor(node, pods, 'cpu'),
    askedFor(node, pods, 'memory'),
    taintsOf(node).join(', '),
    spanText(Math.max(0, now - Date.parse(text(at(node, 'metadata', 'creationTimestamp'))) || 0)),
  ];
}

export const nodes = defineOperation({
  name: 'nodes',
  summary: 'Show the nodes of an environment’s cluster: how they are, and how full',
  effect: 'read',
  input: z.strictObject({ env: EnvRef }),
  usage: 'in <env>',
  examples: ['in staging'],
  routes: [
    route({
      method: 'GET',
      path: '/nodes/:namespace',
      summary: 'Nodes of the cluster that a namespace is in',
      request: z.object({ namespace: EnvRef }),
      input: ({ namespace }) => ({ env: namespace }),
    }),
  ],
  needs: ['kube'],
  permissions: ['list nodes', 'list pods everywhere'],
  steps: ['read'],
  target: ({ env }) => ({ env }),
  plan: async ({ site }) => ({ summary: `nodes of the cluster of ${site.env}`, changes: [], takesOver: [] }),
  run: async (run) => {
    const kube = run.on.kube(run.site.cluster);
    return await run.step('read', async ({ signal }) => {
      const [found, pods] = await Promise.all([
        kube.list({ apiVersion: 'v1', kind: 'Node', namespace: '' }, signal),
        kube.list({ apiVersion: 'v1', kind: 'Pod', namespace: '' }, signal),
      ]);
      const well = found.filter((node) => condition(node, 'Ready')?.status === 'True' && !isCordoned(node)).length;
      const rows = found.map((node) => rowOf(node, pods, run.now()));
      const note = `${well} of ${found.length} take new pods`;
      return { kind: 'table' as const, title: `Nodes of ${run.site.env}`, columns, rows, note };
    });
  },
});
