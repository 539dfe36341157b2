import { z } from 'zod';
import { fault } from '../../core/errors.ts';
import type { HarborCall } from '../../core/harbor.ts';
import { defineOperation, route } from '../../core/operation.ts';
import { number } from '../docker/reading.ts';
import { callSteps, doCalls } from './calls.ts';
import { endpointsOf, ruleIn, rulesOf } from './endpoint-names.ts';
import { bodyOf, checkRule, endpointOf, losesFilters, type Rule, ruleOf, wayText } from './rule.ts';
import { ruleChanges, ruleWarnings } from './rule-changes.ts';
import { ruleFields, ruleUsage } from './rule-fields.ts';

const Input = z.strictObject(ruleFields);
type Asked = Omit<z.output<typeof Input>, 'policy'>;

/** What is not said stays. A rule has one other side, so another one takes the place of what was there. */
function changed({ to, from, ...before }: Rule, asked: Asked): Rule {
  const sides = asked.to ?? asked.from;
  return { ...before, ...(sides === undefined && { ...(to && { to }), ...(from && { from }) }), ...asked };
}

export const harborReplicationSet = defineOperation({
  name: 'harbor-replication-set',
  summary: 'Change a replication rule of Harbor, or switch it on or off; what is not said stays',
  effect: 'change',
  input: Input,
  usage: ruleUsage,
  examples: ['to-dr starts=push', 'to-dr enabled=no', 'to-dr images=team/** tags=v*'],
  routes: [
    route({
      method: 'PUT',
      path: '/harbor/replications/:policy',
      summary: 'Change a replication rule',
      request: z.object(ruleFields),
      input: (request) => request,
    }),
  ],
  needs: ['harbor'],
  steps: callSteps,
  target: () => ({}),
  plan: async ({ on, signal }, { policy, ...asked }) => {
    const [rules, endpoints] = await Promise.all([rulesOf(on, signal), endpointsOf(on, signal)]);
    const found = ruleIn(rules, policy);
    const before = ruleOf(found);
    const after = changed(before, asked);
    checkRule(after);
    const endpoint = endpointOf(after, endpoints);
    if (losesFilters(found))
      throw fault('NOT_FOR_KIND', {
        operation: 'harbor replication set',
        what: policy,
        why: 'it has several filters of a kind, and all but one would be lost',
        instead: 'Change it in Harbor.',
      });
    const body = bodyOf(policy, after, endpoint, found);
    const several = found.single_active_replication === true && !body.single_active_replication;
    const changes = [
      ...ruleChanges(policy, after, before),
      // Harbor has it so for rules that start on pushes.
      ...(several ? [{ path: `replication/${policy} one at a time`, from: true, to: false }] : []),
    ];
    const call: HarborCall = {
      method: 'PUT',
      path: ['replication', 'policies', String(number(found.id))],
      body,
      done: `replication/${policy}: changed`,
    };
    const warnings = ruleWarnings(after);
    return {
      summary: changes.length === 0 ? `${policy} is so already` : `replication rule ${policy}: ${wayText(after)}`,
      changes,
      ...(warnings.length > 0 && { warnings }),
      harbor: changes.length === 0 ? [] : [call],
      takesOver: [],
      undo: { operation: 'harbor-replication-set', input: { policy, ...before } },
    };
  },
  run: (run) => doCalls(run),
});
