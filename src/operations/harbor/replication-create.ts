import { z } from 'zod';
import { fault } from '../../core/errors.ts';
import { defineOperation, route } from '../../core/operation.ts';
import { callSteps, doCalls } from './calls.ts';
import { endpointsOf, rulesOf } from './endpoint-names.ts';
import { holds } from './holds.ts';
import { bodyOf, checkRule, endpointOf, plainRule, type Rule, wayText } from './rule.ts';
import { ruleChanges, ruleWarnings } from './rule-changes.ts';
import { ruleFields, ruleUsage } from './rule-fields.ts';

export const harborReplicationCreate = defineOperation({
  name: 'harbor-replication-create',
  summary:
    'Make a rule by which Harbor copies images to an endpoint, or from one; by hand and replacing nothing, unless said otherwise',
  effect: 'change',
  input: z.strictObject(ruleFields),
  usage: ruleUsage,
  examples: ['nightly to dr images=team/** starts="0 30 3 * * *"', 'library from hub images=library/nginx into=base'],
  routes: [
    route({
      method: 'POST',
      path: '/harbor/replications',
      summary: 'Make a replication rule',
      request: z.object(ruleFields),
      input: (request) => request,
    }),
  ],
  needs: ['harbor'],
  steps: callSteps,
  target: () => ({}),
  plan: async ({ on, signal }, { policy, ...asked }) => {
    const rule: Rule = { ...plainRule, ...asked };
    checkRule(rule);
    const [rules, endpoints] = await Promise.all([rulesOf(on, signal), endpointsOf(on, signal)]);
    if (rules.some(({ name }) => name === policy))
      throw fault('OBJECT_EXISTS', { kind: 'replication rule', name: policy, where: 'Harbor' });
    const endpoint = endpointOf(rule, endpoints);
    const warnings = ruleWarnings(rule);
    return {
      summary: `replication rule ${policy}: ${wayText(rule)}, ${rule.images}`,
      changes: ruleChanges(policy, rule),
      ...(warnings.length > 0 && { warnings }),
      harbor: [
        {
          method: 'POST',
          path: ['replication', 'policies'],
          body: bodyOf(policy, rule, endpoint),
          done: `replication/${policy}: created`,
        },
      ],
      takesOver: [],
      undo: { operation: 'harbor-replication-remove', input: { policy } },
    };
  },
  // It was not there when this was planned, so one that is the very same is this run's own.
  run: (run) =>
    doCalls(run, async ({ body = {} }, signal) => (await rulesOf(run.on, signal)).some((found) => holds(found, body))),
});
