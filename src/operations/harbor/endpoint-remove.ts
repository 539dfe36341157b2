import { z } from 'zod';
import { fault } from '../../core/errors.ts';
import { type JsonObject, text } from '../../core/json.ts';
import { defineOperation, route } from '../../core/operation.ts';
import type { Settings } from '../../core/settings.ts';
import { number } from '../docker/reading.ts';
import { callSteps, doCalls } from './calls.ts';
import { EndpointName, endpointIn, endpointState, endpointsOf, loginFor, rulesOf, usersOf } from './endpoint-names.ts';

/** The way back leads to what can be said of it again: its password must be at hand, and a certificate of its own is not. */
function wayBack(settings: Settings, found: JsonObject) {
  const { url, insecure, account } = endpointState(found);
  if ((loginFor(settings, url) ?? '') !== account || text(found.ca_certificate) !== '') return {};
  const input = { endpoint: text(found.name), url, type: text(found.type), insecure };
  return { undo: { operation: 'harbor-endpoint-create', input } };
}

export const harborEndpointRemove = defineOperation({
  name: 'harbor-endpoint-remove',
  summary: 'Delete an endpoint of Harbor that no rule uses; what was copied stays',
  effect: 'change',
  input: z.strictObject({ endpoint: EndpointName }),
  usage: '<endpoint>',
  examples: ['hub'],
  routes: [
    route({
      method: 'DELETE',
      path: '/harbor/endpoints/:endpoint',
      summary: 'Delete an endpoint of Harbor',
      request: z.object({ endpoint: EndpointName }),
      input: (request) => request,
    }),
  ],
  needs: ['harbor'],
  steps: callSteps,
  target: () => ({}),
  plan: async ({ on, settings, signal }, { endpoint }) => {
    const [endpoints, rules, projects] = await Promise.all([
      endpointsOf(on, signal),
      rulesOf(on, signal),
      on.harbor.list(['projects'], {}, 500, signal),
    ]);
    const found = endpointIn(endpoints, endpoint);
    const inUse = (why: string, way: string) => fault('PROTECTED', { kind: 'endpoint', name: endpoint, why, way });
    const users = usersOf(found, rules);
    const [first] = users;
    if (first !== undefined)
      throw inUse(
        `replicated by ${users.join(', ')}`,
        `Delete what uses it first: /ship harbor replication remove ${first}`,
      );
    const proxies = projects
      .filter(({ registry_id: id }) => number(id) === number(found.id))
      .map(({ name }) => text(name));
    if (proxies.length > 0)
      throw inUse(
        `${proxies.join(', ')} fetches through it what it does not have`,
        'Delete what uses it first, in Harbor.',
      );
    const { url } = endpointState(found);
    return {
      summary: `endpoint ${endpoint} (${url}) → deleted`,
      changes: [{ path: `endpoint/${endpoint}`, from: url, to: 'deleted' }],
      harbor: [
        { method: 'DELETE', path: ['registries', String(number(found.id))], done: `endpoint/${endpoint}: deleted` },
      ],
      takesOver: [],
      ...wayBack(settings, found),
    };
  },
  run: (run) => doCalls(run),
});
