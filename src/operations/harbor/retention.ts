import { z } from 'zod';
import { at, type Json, type JsonObject, text } from '../../core/json.ts';
import { defineOperation, route } from '../../core/operation.ts';
import { list, number } from '../docker/reading.ts';
import { callSteps, doCalls } from './calls.ts';
import { holds } from './holds.ts';
import { Project } from './names.ts';
import { patternOf, policyOf, ruleText } from './retention-policy.ts';
import { projectTable } from './table.ts';

const Keep = z.number().int().min(1).max(1_000).describe('So many of the newest images of each repository stay');
const Pattern = z
  .string()
  .min(1)
  .max(128)
  .regex(/^[\w.*?{},/-]+$/, 'must be a pattern such as v*')
  .describe('Of which tags');

export const harborRetention = projectTable({
  kind: 'retention',
  summary: 'Show which images a project of Harbor keeps; all others go when its retention runs',
  title: 'Retention',
  read: async (on, project, signal) => (await policyOf(on, project, signal)).policy ?? {},
  columns: ['Keeps', 'Action'],
  rows: ({ rules }) => list(rules).map((rule) => [ruleText(rule), text(rule.action)]),
  note: (policy) => {
    if (list(policy.rules).length === 0) return 'It has no rules: everything stays.';
    const cron = text(at(policy, 'trigger', 'settings', 'cron'));
    return `It runs ${cron === '' ? 'only when asked to' : `at ${cron}`}.`;
  },
});

function ruleOf(keep: number, pattern: string): JsonObject {
  const every = { kind: 'doublestar', pattern: '**' };
  return {
    action: 'retain',
    template: 'latestPushedK',
    params: { latestPushedK: keep },
    tag_selectors: [{ kind: 'doublestar', decoration: 'matches', pattern, extras: '{"untagged":true}' }],
    scope_selectors: { repository: [{ ...every, decoration: 'repoMatches' }] },
  };
}

/** The way back leads to what this operation can say: one rule of its own kind. */
function wayBack(project: string, rules: readonly JsonObject[]) {
  const [rule] = rules;
  const keep = number(at(rule, 'params', 'latestPushedK'));
  if (!rule || !holds([...rules], [ruleOf(keep, patternOf(rule))])) return {};
  return { undo: { operation: 'harbor-retention-set', input: { project, keep, tags: patternOf(rule) } } };
}

export const harborRetentionSet = defineOperation({
  name: 'harbor-retention-set',
  summary: 'Say how many of the newest images each repository of a project keeps; it takes effect at the next run',
  effect: 'change',
  input: z.strictObject({ project: Project, keep: Keep, tags: Pattern.default('**') }),
  usage: '<project> keep=<keep> [tags=<tags>]',
  examples: ['team keep=20', 'team keep=5 tags=v*'],
  routes: [
    route({
      method: 'PUT',
      path: '/harbor/projects/:project/retention',
      summary: 'Set the retention of a project',
      request: z.object({ project: Project, keep: Keep, tags: Pattern.optional() }),
      input: (request) => request,
    }),
  ],
  needs: ['harbor'],
  steps: callSteps,
  target: () => ({}),
  plan: async ({ on, signal }, { project, keep, tags }) => {
    const { id, ref, policy } = await policyOf(on, project, signal);
    const before = list(policy?.rules);
    const rule = ruleOf(keep, tags);
    const [from, to] = [before.map(ruleText).join('; '), ruleText(rule)];
    const trigger: Json = policy?.trigger ?? { kind: 'Schedule', settings: { cron: '' }, references: {} };
    const body = { algorithm: 'or', rules: [rule], trigger, scope: { level: 'project', ref } };
    const done = `retention/${project}: set`;
    return {
      summary: `${project} keeps ${to}`,
      changes: from === to ? [] : [{ path: `retention/${project}`, ...(from !== '' && { from }), to }],
      harbor: policy
        ? [{ method: 'PUT', path: ['retentions', id], body: { ...body, id: Number(id) }, done }]
        : [{ method: 'POST', path: ['retentions'], body, done }],
      takesOver: [],
      ...wayBack(project, before),
    };
  },
  // Harbor takes one policy a project; one that came in between is not overwritten unseen, unless it is this very one.
  run: (run, { project, keep, tags }) =>
    doCalls(run, async (_call, signal) => {
      const { policy } = await policyOf(run.on, project, signal);
      return holds(policy?.rules, [ruleOf(keep, tags)]);
    }),
});
