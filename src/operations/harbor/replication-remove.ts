import { z } from 'zod';
import { defineOperation, route } from '../../core/operation.ts';
import { number } from '../docker/reading.ts';
import { callSteps, doCalls } from './calls.ts';
import { endpointsOf, ruleIn, rulesOf } from './endpoint-names.ts';
import { endpointOf, isSayable, ruleOf, wayText } from './rule.ts';
import { RuleName } from './rule-fields.ts';

export const harborReplicationRemove = defineOperation({
  name: 'harbor-replication-remove',
  summary: 'Delete a replication rule of Harbor, and the record of how it went; what it copied stays',
  effect: 'change',
  input: z.strictObject({ policy: RuleName }),
  usage: '<policy>',
  examples: ['to-dr'],
  routes: [
    route({
      method: 'DELETE',
      path: '/harbor/replications/:policy',
      summary: 'Delete a replication rule',
      request: z.object({ policy: RuleName }),
      input: (request) => request,
    }),
  ],
  needs: ['harbor'],
  steps: callSteps,
  target: () => ({}),
  plan: async ({ on, signal }, { policy }) => {
    const [rules, endpoints] = await Promise.all([rulesOf(on, signal), endpointsOf(on, signal)]);
    const found = ruleIn(rules, policy);
    const rule = ruleOf(found);
    const endpoint = endpointOf(rule, endpoints);
    return {
      summary: `replication rule ${policy} → deleted`,
      changes: [
        { path: `replication/${policy}`, from: `${wayText(rule)}, ${rule.images}:${rule.tags}`, to: 'deleted' },
      ],
      harbor: [
        {
          method: 'DELETE',
          path: ['replication', 'policies', String(number(found.id))],
          done: `replication/${policy}: deleted`,
        },
      ],
      takesOver: [],
      ...(isSayable(found, endpoint) && {
        undo: { operation: 'harbor-replication-create', input: { policy, ...rule } },
      }),
    };
  },
  run: (run) => doCalls(run),
});
