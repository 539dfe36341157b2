import { z } from 'zod';
import { fault } from '../../core/errors.ts';
import { text } from '../../core/json.ts';
import { defineOperation, route } from '../../core/operation.ts';
import { Switch } from '../../core/values.ts';
import { callSteps, doCalls } from './calls.ts';
import { all, find } from './find.ts';
import { HostRef, hostOf } from './host.ts';
import { isOwn, NetworkName as Name, subnetsOf } from './network-names.ts';
import { ageOf } from './reading.ts';
import { hostTable } from './table.ts';

const Cidr = z
  .cidrv4('must be a range of addresses such as 10.60.0.0/24')
  .describe('Its range of addresses')
  .meta({ examples: ['10.60.0.0/24'] });
const fields = {
  name: Name,
  driver: z.enum(['bridge', 'overlay']).default('bridge'),
  subnet: Cidr.optional(),
  internal: Switch.default(false).describe('Cut off from the outside'),
};
export const dockerNetworks = hostTable({
  kind: 'networks',
  summary: 'Show a Docker host’s networks',
  read: (host, signal) => all(host, 'network', signal),
  columns: ['Name', 'Driver', 'Subnets', 'Outside', 'Age'],
  rows: (networks, now) =>
    networks.map((network) => [
      text(network.Name),
      text(network.Driver),
      subnetsOf(network),
      network.Internal === true ? 'internal' : '',
      ageOf(Date.parse(text(network.Created)) / 1_000, now),
    ]),
});

export const dockerNetworkCreate = defineOperation({
  name: 'docker-network-create',
  summary: 'Make a network on a Docker host',
  effect: 'change',
  input: z.strictObject({ ...fields, host: HostRef.optional() }),
  usage: '<name> [on <host>] [subnet=<subnet>] [internal=<internal>] [driver=<driver>]',
  examples: ['backend on build internal=yes', 'backend on build subnet=10.60.0.0/24'],
  routes: [
    route({
      method: 'POST',
      path: '/docker/hosts/:host/networks',
      summary: 'Make a network',
      request: z.object({ ...fields, host: HostRef }),
      input: (request) => request,
    }),
  ],
  needs: ['dockerHost'],
  steps: callSteps,
  target: () => ({}),
  plan: async (context, { name, host: asked, driver, subnet, internal }) => {
    const host = hostOf(context, asked);
    if (isOwn(name) || (await find(host, 'network', name, context.signal)))
      throw fault('OBJECT_EXISTS', { kind: 'network', name, where: host.name });
    const body = {
      Driver: driver,
      Internal: internal,
      CheckDuplicate: true,
      ...(subnet !== undefined && { IPAM: { Config: [{ Subnet: subnet }] } }),
    };
    const path = `network/${name}`;
    return {
      summary: `network ${name} on ${host.name}`,
      changes: [
        { path: `${path} driver`, to: driver },
        ...(internal ? [{ path: `${path} internal`, to: true }] : []),
        ...(subnet === undefined ? [] : [{ path: `${path} subnet`, to: subnet }]),
      ],
      docker: { host: host.name, calls: [{ kind: 'create', object: 'network', name, body }] },
      takesOver: [],
      undo: { operation: 'docker-network-remove', input: { name, host: host.name } },
    };
  },
  run: doCalls,
});
