import { z } from 'zod';
import { fault } from '../../core/errors.ts';
import { at, isObject, text } from '../../core/json.ts';
import { defineOperation, route } from '../../core/operation.ts';
import { callSteps, doCalls } from './calls.ts';
import { findOrSay } from './find.ts';
import { HostRef, hostOf } from './host.ts';
import { isOwn, NetworkName as Name, subnetsOf } from './network-names.ts';

export const dockerNetworkRemove = defineOperation({
  name: 'docker-network-remove',
  summary: 'Delete a network that nothing is in',
  effect: 'change',
  input: z.strictObject({ name: Name, host: HostRef.optional() }),
  usage: '<name> [on <host>]',
  examples: ['old on build'],
  routes: [
    route({
      method: 'DELETE',
      path: '/docker/hosts/:host/networks/:name',
      summary: 'Delete a network',
      request: z.object({ host: HostRef, name: Name }),
      input: (request) => request,
    }),
  ],
  needs: ['dockerHost'],
  steps: callSteps,
  target: () => ({}),
  plan: async (context, { name, host: asked }) => {
    const host = hostOf(context, asked);
    if (isOwn(name))
      throw fault('PROTECTED', { kind: 'network', name, why: 'it is Docker’s own', way: 'Nothing was changed.' });
    const live = await findOrSay(host, 'network', name, context.signal);
    const users = isObject(live.Containers) ? Object.values(live.Containers).map((each) => text(at(each, 'Name'))) : [];
    if (users.length > 0)
      throw fault('STILL_USED', { kind: 'network', name, users: users.join(', '), way: 'Stop or remove them first.' });
    const subnet = subnetsOf(live);
    const driver = text(live.Driver);
    const again = {
      name,
      host: host.name,
      ...(live.Internal === true && { internal: true }),
      ...(subnet !== '' && !subnet.includes(',') && { subnet }),
    };
    return {
      summary: `network ${name} on ${host.name} → deleted`,
      changes: [{ path: `network/${name}`, from: [driver, subnet].filter(Boolean).join(' '), to: 'deleted' }],
      docker: {
        host: host.name,
        calls: [{ kind: 'remove', object: 'network', id: text(live.Id), name, force: false, volumes: false }],
      },
      takesOver: [],
      ...(driver === 'bridge' && { undo: { operation: 'docker-network-create', input: again } }),
    };
  },
  run: doCalls,
});
