import { z } from 'zod';
import type { Edit } from '../../core/edits.ts';
import { fault } from '../../core/errors.ts';
import { at, type JsonObject, text } from '../../core/json.ts';
import { didYouMean } from '../../core/near.ts';
import { defineOperation, type PlanContext, route } from '../../core/operation.ts';
import { EnvRef, ObjectName } from '../../core/place.ts';
import type { Draft } from '../../core/plan.ts';
import { labelsText, list, nameIn, words } from '../kubernetes/reading.ts';
import { missing, planWrites, refOf, runWrites, type Wish, writeSteps } from '../kubernetes/writes.ts';
import { editTo, keepersText, meshList, meshObject, meshRef } from './objects.ts';

/** `shop.example.com`, `*.example.com`, or `*`. */
export const Host = z
  .string()
  .max(253)
  .regex(
    /^(\*|(\*\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)+)$/,
    'must be a host such as shop.example.com or *.example.com',
  );

const protocols = ['HTTP', 'HTTPS', 'HTTP2', 'GRPC', 'TCP', 'TLS'] as const;
export const MeshProtocol = z.preprocess(
  (word) => (typeof word === 'string' ? word.toUpperCase() : word),
  z.enum(protocols, `must be of ${protocols.join(', ')}`),
);

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

/** @throws Fault BAD_INPUT for what istiod’s own check would refuse, also where it is not there to */
function serverOf({ port, protocol = undefined, tls, redirect, hosts }: Input): JsonObject {
  const as = protocol ?? (tls === undefined ? 'HTTP' : 'HTTPS');
  const secure = as === 'HTTPS' || as === 'TLS';
  if (secure && tls === undefined) throw fault('BAD_INPUT', { problem: `${as} needs a certificate: tls=SECRET.` });
  if (!secure && tls !== undefined)
    throw fault('BAD_INPUT', { problem: `${as} takes no certificate: use HTTPS or TLS.` });
  if (redirect && as !== 'HTTP') throw fault('BAD_INPUT', { problem: 'Only plain HTTP can be sent on to HTTPS.' });
  const security: JsonObject = secure
    ? { tls: { mode: 'SIMPLE', credentialName: tls ?? '' } }
    : redirect
      ? { tls: { httpsRedirect: true } }
      : {};
  return { port: { number: port, name: `${as.toLowerCase()}-${port}`, protocol: as }, hosts, ...security };
}

/** The server of this port and host is changed; others at the same port, with certificates of their own, stay. */
function serverEdit(gateway: JsonObject, server: JsonObject, { port, hosts }: Input): Edit {
  const all = list(at(gateway, 'spec', 'servers'));
  const index = all.findIndex(
    (each) => at(each, 'port', 'number') === port && words(each.hosts).some((host) => hosts.includes(host)),
  );
  const live = all[index];
  // A port keeps the name that it has: routes may speak of it.
  if (live) {
    const name = at(live, 'port', 'name') ?? at(server, 'port', 'name') ?? '';
    const kept: JsonObject = { ...live, ...server, port: { ...Object(server.port), name } };
    return editTo(gateway, ['spec', 'servers', index], server.tls === undefined ? without(kept, 'tls') : kept);
  }
  const taken = new Set(all.map((each) => at(each, 'port', 'name')));
  const name = text(at(server, 'port', 'name'));
  const free = taken.has(name) ? `${name}-${all.length}` : name;
  const named: JsonObject = { ...Object(server.port), name: free };
  return editTo(gateway, ['spec', 'servers', { port: named }], { ...server, port: named });
}

const without = (object: JsonObject, key: string): JsonObject =>
  Object.fromEntries(Object.entries(object).filter(([name]) => name !== key));

/** The same host and port at two gateways of the same pods: which of them answers is chance. */
function rivals(all: readonly JsonObject[], mine: JsonObject, { port, hosts }: Input): string {
  const found = all.filter(
    (each) =>
      nameIn(each) !== nameIn(mine) &&
      labelsText(at(each, 'spec', 'selector')) === labelsText(at(mine, 'spec', 'selector')) &&
      list(at(each, 'spec', 'servers')).some(
        (server) => at(server, 'port', 'number') === port && words(server.hosts).some((host) => hosts.includes(host)),
      ),
  );
  return found.length > 0
    ? `; ${found.map(nameIn).join(', ')} has the same host and port, and one of them will not be heard`
    : '';
}

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
