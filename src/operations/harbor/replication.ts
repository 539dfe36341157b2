import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { fault } from '../../core/errors.ts';
import { at, text } from '../../core/json.ts';
import { defineOperation, type PlanContext, route } from '../../core/operation.ts';
import { agoText, number } from '../docker/reading.ts';
import { endpointsOf, ruleIn, rulesOf } from './endpoint-names.ts';
import { endpointOf, ruleOf, termsOf, wayOf, wayText } from './rule.ts';
import { RuleName } from './rule-fields.ts';
import { startOnce } from './start-once.ts';
import { harborTable } from './table.ts';

const lookMs = 1_000;
const longestMs = 30 * 60_000;
const executions = ['replication', 'executions'];
const over = new Set(['Succeed', 'Success', 'Failed', 'Error', 'Stopped']);

export const harborReplications = harborTable({
  kind: 'replications',
  summary: 'Show Harbor’s replication rules and how each went last',
  routeSummary: 'Replication rules of Harbor',
  title: 'Harbor’s replication rules',
  read: (on, signal) =>
    Promise.all([rulesOf(on, signal), on.harbor.list(executions, { sort: '-start_time' }, 200, signal)]),
  columns: ['Rule', 'Way', 'Images', 'Tags', 'Starts', 'Last', 'When'],
  rows: ([policies, recent], now) =>
    policies.map((policy) => {
      const last = recent.find(({ policy_id: id }) => id === policy.id);
      const ended = last ? `${text(last.status)}, ${number(last.succeed)} of ${number(last.total)}` : 'never';
      const when = agoText(last?.start_time, now);
      const { images, tags, starts, enabled } = ruleOf(policy);
      return [text(policy.name), wayOf(policy), images, tags, enabled ? starts : 'switched off', ended, when];
    }),
});

/** A rule as it is now. */
async function ruleNow(on: PlanContext<'harbor'>['on'], name: string, signal: AbortSignal) {
  const [rules, endpoints] = await Promise.all([rulesOf(on, signal), endpointsOf(on, signal)]);
  const found = ruleIn(rules, name);
  const rule = ruleOf(found);
  return { found, rule, terms: termsOf(found, endpointOf(rule, endpoints)) };
}

export const harborReplicate = defineOperation({
  name: 'harbor-replicate',
  summary: 'Run a replication rule of Harbor now, and follow it',
  effect: 'change',
  input: z.strictObject({ policy: RuleName }),
  usage: '<policy>',
  examples: ['to-dr'],
  routes: [
    route({
      method: 'POST',
      path: '/harbor/replications/:policy/runs',
      summary: 'Run a replication rule',
      request: z.object({ policy: RuleName }),
      input: (request) => request,
    }),
  ],
  needs: ['harbor'],
  steps: ['start', 'wait'],
  limits: { steps: { wait: longestMs + 30_000 }, run: longestMs + 5 * 60_000 },
  target: () => ({}),
  plan: async ({ on, signal }, { policy: name }) => {
    const { found, rule, terms } = await ruleNow(on, name, signal);
    if (found.enabled !== true)
      throw fault('NOT_FOR_KIND', {
        operation: 'harbor replicate',
        what: name,
        why: 'it is switched off',
        instead: `Switch it on: /ship harbor replication set ${name} enabled=yes`,
      });
    return {
      summary: `${name}: ${wayOf(found)}`,
      changes: [
        {
          path: `replication/${name}`,
          to: `${wayText(rule)}, ${rule.images}:${rule.tags}${rule.override ? ', overwrites what is there' : ''}`,
        },
      ],
      harbor: [
        {
          method: 'POST',
          path: executions,
          body: { policy_id: number(found.id) },
          terms,
          done: `replication/${name}: started`,
        },
      ],
      takesOver: [],
    };
  },
  run: async (run, { policy: name }) => {
    const { path = [], body, terms } = run.plan.harbor?.[0] ?? {};
    const policy = String(number(at(body, 'policy_id')));
    const id = await run.step('start', async (step) => {
      const { signal } = step;
      const recent = await run.on.harbor.list(executions, { policy_id: policy, sort: '-start_time' }, 10, signal);
      return await startOnce(step, recent, async () => {
        if (terms !== undefined && (await ruleNow(run.on, name, signal)).terms !== terms)
          throw fault('ANOTHER_BY_NOW', { kind: 'replication rule', name });
        return await run.on.harbor.send({ method: 'POST', path, body }, signal);
      });
    });
    const note = await run.step('wait', async (step) => {
      for (;;) {
        const now = await run.on.harbor.read([...executions, id], {}, step.signal);
        const status = text(at(now, 'status'));
        const counts = `${number(at(now, 'succeed'))} of ${number(at(now, 'total'))} done, ${number(at(now, 'failed'))} failed`;
        if (status.startsWith('Succe')) return counts;
        if (over.has(status))
          throw fault('HARBOR_REFUSED', {
            problem: `it ended as “${status}”: ${counts}. ${text(at(now, 'status_text'))}`,
            hint: `Execution ${id} in Harbor has its log.`,
          });
        step.note(counts);
        if (run.now() - step.startedAt > longestMs)
          throw fault('HARBOR_REFUSED', { problem: 'it is not over after 30 minutes.', hint: 'It goes on in Harbor.' });
        await sleep(lookMs, undefined, { signal: step.signal });
      }
    });
    return { kind: 'changed', objects: [`replication/${name}`], note: `${note}.` };
  },
});
