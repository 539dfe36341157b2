import { z } from 'zod';
import { at } from '../../core/json.ts';
import { refOf } from '../../core/kube.ts';
import { didYouMean } from '../../core/near.ts';
import { defineOperation, type PlanContext, route } from '../../core/operation.ts';
import { EnvRef, ObjectName } from '../../core/place.ts';
import type { Draft } from '../../core/plan.ts';
import { nameIn, words } from '../kubernetes/reading.ts';
import { missing, planWrites, runWrites, type Wish, writeSteps } from '../kubernetes/writes.ts';
import { Host, MeshProtocol, rivals, serverEdit, serverOf } from './gateway-servers.ts';
import { editTo, keepersText, meshList, meshObject, meshRef } from './objects.ts';

const Input = z.strictObject({
  name: ObjectName.describe('The Gateway').meta({ examples: ['shop'] }),
  hosts: z.array(Host).min(1, 'needs at least one host').max(100).describe('Hosts, with commas between'),
  env: EnvRef,
  port: z.number().int().min(1).max(65_535).default(443).describe('The port it listens at'),
  protocol: MeshProtocol.optional().describe('HTTPS with a certificate, HTTP without, where it is left out'),
  tls: ObjectName.optional().describe('The Secret with the certificate, where the gateway’s own pods run'),
  redirect: z.boolean().optional().describe('Whether plain HTTP is sent on to HTTPS'),
  selector: z
    .string()
    .regex(/^[\w./-]+=[\w.-]*$/, 'must be a label such as istio=ingressgateway')
    .optional()
    .describe('The label of the gateway’s pods; istio=ingressgateway where it is left out'),
});
type Input = z.output<typeof Input>;

async function plan({ on, site, signal }: PlanContext<'kube'>, input: Input): Promise<Draft> {
  const kube = on.kube(site.cluster);
  const all = await meshList(kube, 'Gateway', site.namespace, signal);
  const live = all.find((gateway) => nameIn(gateway) === input.name);
  const server = serverOf(input);
  const [key = 'istio', value = 'ingressgateway'] = (input.selector ?? 'istio=ingressgateway').split('=');
  const base = live ?? meshObject('Gateway', site.namespace, input.name, { selector: { [key]: value } });
  const edit = serverEdit(base, server, input);
  const edits = [
    ...(live && input.selector !== undefined ? [editTo(base, ['spec', 'selector'], { [key]: value })] : []),
    edit,
  ];
  const wish: Wish = { kind: 'edit', ref: refOf(base), edits, base };
  const planned = await planWrites(kube, [wish], signal);
  const undo = live ? undefined : { operation: 'gateway-delete', input: { name: input.name, env: input.env } };
  return {
    summary: `Gateway/${input.name}: ${input.hosts.join(', ')} at ${input.port}${keepersText([live])}${rivals(all, base, input)}`,
    ...planned,
    ...(undo && { undo }),
  };
}

export const gatewaySet = defineOperation({
  name: 'gateway-set',
  summary: 'Let hosts in at a port of the mesh’s gateway, with or without a certificate',
  effect: 'change',
  input: Input,
  usage:
    '<name> <hosts> in <env> [port=<port>] [tls=<tls>] [protocol=<protocol>] [redirect=<redirect>] [selector=<selector>]',
  examples: [
    'shop shop.example.com in staging port=443 tls=shop-cert',
    'shop shop.example.com in staging port=80 redirect=yes',
  ],
  routes: [
    route({
      method: 'PUT',
      path: '/gateways/:namespace/:name',
      summary: 'Let hosts in at a port of a gateway',
      request: Input.omit({ env: true }).extend({ namespace: EnvRef }),
      input: ({ namespace, ...input }) => ({ ...input, env: namespace }),
    }),
  ],
  needs: ['kube'],
  permissions: ['get,list,create,patch gateways.networking.istio.io'],
  steps: writeSteps,
  target: ({ env }) => ({ env }),
  plan,
  run: (run) => runWrites(run),
});

export const gatewayDelete = defineOperation({
  name: 'gateway-delete',
  summary: 'Delete a Gateway of the mesh',
  effect: 'change',
  input: z.strictObject({ name: ObjectName.describe('The Gateway'), env: EnvRef }),
  usage: '<name> in <env>',
  examples: ['old-shop in staging'],
  needs: ['kube'],
  permissions: ['get,list,delete gateways.networking.istio.io', 'list virtualservices.networking.istio.io'],
  steps: writeSteps,
  target: ({ env }) => ({ env }),
  plan: async ({ on, site, signal }, { name }) => {
    const kube = on.kube(site.cluster);
    const { namespace } = site;
    const [all, routed] = await Promise.all([
      meshList(kube, 'Gateway', namespace, signal),
      meshList(kube, 'VirtualService', namespace, signal),
    ]);
    const ref = meshRef('Gateway', namespace, name);
    if (!all.some((each) => nameIn(each) === name)) throw missing(ref, didYouMean(name, all.map(nameIn)));
    const lost = routed.filter((each) =>
      words(at(each, 'spec', 'gateways')).some((gateway) => gateway === name || gateway === `${namespace}/${name}`),
    );
    const planned = await planWrites(kube, [{ kind: 'remove', ref }], signal);
    const warning =
      lost.length > 0
        ? `; nothing comes in any more by ${lost.map((each) => `VirtualService/${nameIn(each)}`).join(', ')}`
        : '';
    return { summary: `deletes Gateway/${name}${warning}`, ...planned };
  },
  run: (run) => runWrites(run),
});
