import { z } from 'zod';
import { text } from '../../core/json.ts';
import { defineOperation, route } from '../../core/operation.ts';
import { number } from '../docker/reading.ts';
import {
  accountText,
  EndpointName,
  endpointIn,
  endpointState,
  endpointsOf,
  rulesOf,
  usersOf,
} from './endpoint-names.ts';
import { harborTable } from './table.ts';

export const harborEndpoints = harborTable({
  kind: 'endpoints',
  summary: 'Show the registries that Harbor replicates with, and which rules use them',
  routeSummary: 'Endpoints of Harbor',
  title: 'Harbor’s endpoints',
  read: (on, signal) => Promise.all([endpointsOf(on, signal), rulesOf(on, signal)]),
  columns: ['Endpoint', 'Type', 'Address', 'Account', 'State', 'Rules'],
  rows: ([endpoints, rules]) =>
    endpoints.map((endpoint) => {
      const { url, insecure, account } = endpointState(endpoint);
      const address = insecure ? `${url} (certificate not checked)` : url;
      const used = usersOf(endpoint, rules).join(', ');
      return [text(endpoint.name), text(endpoint.type), address, accountText(account), text(endpoint.status), used];
    }),
});

export const harborEndpointTest = defineOperation({
  name: 'harbor-endpoint-test',
  summary: 'Have Harbor try whether it reaches an endpoint, with the account that it has for it',
  effect: 'read',
  input: z.strictObject({ endpoint: EndpointName }),
  usage: '<endpoint>',
  examples: ['dr'],
  routes: [
    route({
      method: 'GET',
      path: '/harbor/endpoints/:endpoint/test',
      summary: 'Whether Harbor reaches an endpoint',
      request: z.object({ endpoint: EndpointName }),
      input: (request) => request,
    }),
  ],
  needs: ['harbor'],
  steps: ['read'],
  target: () => ({}),
  plan: async (_context, { endpoint }) => ({ summary: `test of ${endpoint}`, changes: [], takesOver: [] }),
  run: async (run, { endpoint: name }) =>
    await run.step('read', async ({ signal }) => {
      const endpoint = endpointIn(await endpointsOf(run.on, signal), name);
      const body = { id: number(endpoint.id) };
      await run.on.harbor.send({ method: 'POST', path: ['registries', 'ping'], body }, signal);
      const { url, account } = endpointState(endpoint);
      const note = `Harbor reaches ${name} at ${url} ${account === '' ? 'without an account' : `as ${account}`}.`;
      return { kind: 'text', title: name, text: note, note };
    }),
});
