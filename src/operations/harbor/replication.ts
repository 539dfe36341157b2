import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { fault } from '../../core/errors.ts';
import { at, isObject, type JsonObject, text } from '../../core/json.ts';
import { didYouMean } from '../../core/near.ts';
import { defineOperation, route } from '../../core/operation.ts';
import { agoText, number } from '../docker/reading.ts';
import { harborTable } from './table.ts';

const Policy = z
  .string()
  .min(1)
  .max(256)
  .regex(/^[\w][\w. -]*$/, 'must be the name of a replication rule')
  .describe('A replication rule of Harbor')
  .meta({ examples: ['to-dr'] });
const lookMs = 1_000;
const longestMs = 30 * 60_000;
const executions = ['replication', 'executions'];
const over = new Set(['Succeed', 'Success', 'Failed', 'Error', 'Stopped']);

/** A registry that is missing on one side is this Harbor itself. */
const sideOf = (registry: unknown): string =>
  isObject(registry) && text(registry.name) !== '' ? text(registry.name) : 'here';
const wayOf = (policy: JsonObject) => `${sideOf(policy.src_registry)} → ${sideOf(policy.dest_registry)}`;

export const harborReplications = harborTable({
  kind: 'replications',
  summary: 'Show Harbor’s replication rules and how each went last',
  routeSummary: 'Replication rules of Harbor',
  title: 'Harbor’s replication rules',
  read: ({ harbor }, signal) =>
    Promise.all([
      harbor.list(['replication', 'policies'], {}, 200, signal),
      harbor.list(executions, { sort: '-start_time' }, 200, signal),
    ]),
  columns: ['Rule', 'Way', 'Starts', 'Last', 'When'],
  rows: ([policies, recent], now) =>
    policies.map((policy) => {
      const last = recent.find(({ policy_id: id }) => id === policy.id);
      const ended = last ? `${text(last.status)}, ${number(last.succeed)} of ${number(last.total)}` : 'never';
      const when = agoText(last?.start_time, now);
      const starts = policy.enabled === false ? 'switched off' : text(at(policy, 'trigger', 'type')) || 'manual';
      return [text(policy.name), wayOf(policy), starts, ended, when];
    }),
});

export const harborReplicate = defineOperation({
  name: 'harbor-replicate',
  summary: 'Run a replication rule of Harbor now, and follow it',
  effect: 'change',
  input: z.strictObject({ policy: Policy }),
  usage: '<policy>',
  examples: ['to-dr'],
  routes: [
    route({
      method: 'POST',
      path: '/harbor/replications/:policy/runs',
      summary: 'Run a replication rule',
      request: z.object({ policy: Policy }),
      input: (request) => request,
    }),
  ],
  needs: ['harbor'],
  steps: ['start', 'wait'],
  limits: { steps: { wait: longestMs + 30_000 }, run: longestMs + 5 * 60_000 },
  target: () => ({}),
  plan: async ({ on, signal }, { policy: name }) => {
    const all = await on.harbor.list(['replication', 'policies'], {}, 200, signal);
    const found = all.find((each) => each.name === name);
    const near = didYouMean(
      name,
      all.map((each) => text(each.name)),
    );
    if (!found) throw fault('NO_SUCH_OBJECT', { kind: 'replication rule', name, where: 'Harbor', near });
    if (found.enabled === false)
      throw fault('NOT_FOR_KIND', {
        operation: 'harbor replicate',
        what: name,
        why: 'it is switched off',
        instead: 'Switch it on in Harbor.',
      });
    return {
      summary: `${name}: ${wayOf(found)}`,
      changes: [
        {
          path: `replication/${name}`,
          to: `${wayOf(found)}${found.override === true ? ', overwrites what is there' : ''}`,
        },
      ],
      harbor: [
        {
          method: 'POST',
          path: executions,
          body: { policy_id: number(found.id) },
          done: `replication/${name}: started`,
        },
      ],
      takesOver: [],
    };
  },
  run: async (run, { policy: name }) => {
    const { path = [], body } = run.plan.harbor?.[0] ?? {};
    const policy = String(number(at(body, 'policy_id')));
    const id = await run.step('start', async ({ signal, startedAt }) => {
      const recent = await run.on.harbor.list(executions, { policy_id: policy, sort: '-start_time' }, 10, signal);
      // Of one that was started and not noted: a worker was lost in between.
      const own = recent.find((each) => Date.parse(text(each.start_time)) >= startedAt - 1_000);
      if (own) return String(number(own.id));
      const { made, message } = await run.on.harbor.send({ method: 'POST', path, body }, signal);
      if (made === undefined) throw fault('HARBOR_REFUSED', { problem: message, hint: 'Ask again.' });
      return made;
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
