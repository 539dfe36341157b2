import { z } from 'zod';
import { fault } from '../../core/errors.ts';
import { at, type JsonObject, text } from '../../core/json.ts';
import { refOf } from '../../core/kube.ts';
import { didYouMean } from '../../core/near.ts';
import { defineOperation, type PlanContext, route } from '../../core/operation.ts';
import { isOurs } from '../../core/ours.ts';
import { EnvRef, ObjectName } from '../../core/place.ts';
import type { Draft } from '../../core/plan.ts';
import { ageOf, byName, list, nameIn, words } from '../kubernetes/reading.ts';
import { missing, planWrites, runWrites, type Wish, writeSteps } from '../kubernetes/writes.ts';
import { Host, MeshProtocol } from './gateway-servers.ts';
import { editTo, keepersText, meshList, meshObject, meshRef } from './objects.ts';

const Input = z.strictObject({
  hosts: z
    .array(Host)
    .min(1)
    .max(100)
    .describe('Hosts outside the mesh, with commas between')
    .meta({ examples: [['api.example.com']] }),
  env: EnvRef,
  port: z.number().int().min(1).max(65_535).default(443).describe('The port they are called at'),
  protocol: MeshProtocol.optional().describe('TLS at 443, HTTP at 80, else TCP, where it is left out'),
  name: ObjectName.optional().describe('The ServiceEntry, where it is not named after the first host'),
});
type Input = z.output<typeof Input>;

const usual: Record<number, string> = { 443: 'TLS', 80: 'HTTP' };

/** The ServiceEntry that has one of the hosts already, or the one of this name. */
function entryFor(all: readonly JsonObject[], { hosts, name }: Input): JsonObject | undefined {
  if (name !== undefined) return all.find((each) => nameIn(each) === name);
  return all.find((each) => words(at(each, 'spec', 'hosts')).some((host) => hosts.includes(host)));
}

async function plan({ on, site, signal }: PlanContext<'kube'>, input: Input): Promise<Draft> {
  const { hosts, port } = input;
  const [first = ''] = hosts;
  if (hosts.includes('*'))
    throw fault('BAD_INPUT', { problem: '“*” would be all of the world: name hosts, such as *.example.com.' });
  const kube = on.kube(site.cluster);
  const all = await meshList(kube, 'ServiceEntry', site.namespace, signal);
  const live = entryFor(all, input);
  const protocol = input.protocol ?? usual[port] ?? 'TCP';
  const name = input.name ?? first.replace('*', 'any').replaceAll('.', '-');
  // A wildcard has no addresses that could be asked for.
  const resolution = hosts.some((host) => host.startsWith('*')) ? 'NONE' : 'DNS';
  const base = live ?? meshObject('ServiceEntry', site.namespace, name, { location: 'MESH_EXTERNAL', resolution });
  const known = list(at(base, 'spec', 'ports')).find((each) => each.number === port);
  const named: JsonObject = { number: port, name: text(known?.name) || `${protocol.toLowerCase()}-${port}`, protocol };
  const wanted = [...new Set([...words(at(base, 'spec', 'hosts')), ...hosts])];
  const edits = [
    editTo(base, ['spec', 'hosts'], wanted),
    editTo(base, ['spec', 'ports', { number: port }], { ...known, ...named }),
  ];
  const wish: Wish = { kind: 'edit', ref: refOf(base), edits, base };
  const planned = await planWrites(kube, [wish], signal);
  return {
    summary: `${hosts.join(', ')} at ${port} (${protocol}) may be called, by ServiceEntry/${nameIn(base)}${keepersText([live])}`,
    ...planned,
    ...(!live && { undo: { operation: 'external-delete', input: { name: nameIn(base), env: input.env } } }),
  };
}

export const externalSet = defineOperation({
  name: 'external-set',
  summary: 'Let pods of the mesh call hosts outside of it',
  effect: 'change',
  input: Input,
  usage: '<hosts> in <env> [port=<port>] [protocol=<protocol>] [name=<name>]',
  examples: ['api.example.com in staging', 'db.example.com in staging port=5432 protocol=tcp'],
  routes: [
    route({
      method: 'PUT',
      path: '/externals/:namespace',
      summary: 'Let pods call hosts outside the mesh',
      request: Input.omit({ env: true }).extend({ namespace: EnvRef }),
      input: ({ namespace, ...input }) => ({ ...input, env: namespace }),
    }),
  ],
  needs: ['kube'],
  permissions: ['get,list,create,patch serviceentries.networking.istio.io'],
  steps: writeSteps,
  target: ({ env }) => ({ env }),
  plan,
  run: (run) => runWrites(run, 'Where the mesh lets out only what is registered, these can be called now.'),
});

export const externalDelete = defineOperation({
  name: 'external-delete',
  summary: 'Take hosts outside the mesh out of its registry',
  effect: 'change',
  input: z.strictObject({ name: ObjectName.describe('The ServiceEntry'), env: EnvRef }),
  usage: '<name> in <env>',
  examples: ['old-example-com in staging'],
  needs: ['kube'],
  permissions: ['get,list,delete serviceentries.networking.istio.io'],
  steps: writeSteps,
  target: ({ env }) => ({ env }),
  plan: async ({ on, site, signal }, { name }) => {
    const kube = on.kube(site.cluster);
    const all = await meshList(kube, 'ServiceEntry', site.namespace, signal);
    const ref = meshRef('ServiceEntry', site.namespace, name);
    const live = all.find((each) => nameIn(each) === name);
    if (!live) throw missing(ref, didYouMean(name, all.map(nameIn)));
    const planned = await planWrites(kube, [{ kind: 'remove', ref }], signal);
    return { summary: `${words(at(live, 'spec', 'hosts')).join(', ')}: not in the registry any more`, ...planned };
  },
  run: (run) => runWrites(run),
});

export const externals = defineOperation({
  name: 'externals',
  summary: 'List the hosts outside the mesh that its pods know',
  effect: 'read',
  input: z.strictObject({ env: EnvRef }),
  usage: 'in <env>',
  examples: ['in staging'],
  needs: ['kube'],
  permissions: ['list serviceentries.networking.istio.io'],
  steps: ['read'],
  target: ({ env }) => ({ env }),
  plan: async () => ({ summary: 'looks', changes: [], takesOver: [] }),
  run: async (run) =>
    run.step('read', async ({ signal }) => {
      const all = await meshList(run.on.kube(run.site.cluster), 'ServiceEntry', run.site.namespace, signal);
      const portText = ({ number, protocol }: JsonObject) => `${String(number)} ${text(protocol)}`;
      const rows = all.sort(byName).map((entry) => [
        nameIn(entry),
        words(at(entry, 'spec', 'hosts')).join(', '),
        list(at(entry, 'spec', 'ports'))
          .map(portText)
          .join(', '),
        text(at(entry, 'spec', 'resolution')) || 'NONE',
        isOurs(entry) ? 'Shipmate' : '',
        ageOf(entry, run.now()),
      ]);
      const columns = ['ServiceEntry', 'Hosts', 'Ports', 'Found by', 'Made by', 'Age'];
      return { kind: 'table' as const, title: `Hosts outside the mesh, in ${run.site.env}`, columns, rows };
    }),
});
