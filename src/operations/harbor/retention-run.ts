import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { fault } from '../../core/errors.ts';
import { text } from '../../core/json.ts';
import { defineOperation, route } from '../../core/operation.ts';
import { Switch } from '../../core/values.ts';
import { list, number } from '../docker/reading.ts';
import { Project } from './names.ts';
import { policyOf, ruleText, termsOf } from './retention-policy.ts';
import { startOnce } from './start-once.ts';

const lookMs = 1_000;
const longestMs = 10 * 60_000;
const over = new Set(['Success', 'Succeed', 'Error', 'Failed', 'Stopped']);

export const harborRetentionRun = defineOperation({
  name: 'harbor-retention-run',
  summary: 'Run a project’s retention: dry, to see what would go, unless dry=no is said',
  effect: 'change',
  input: z.strictObject({ project: Project, dry: Switch.default(true).describe('“no” deletes for good') }),
  usage: '<project> [dry=<dry>]',
  examples: ['team', 'team dry=no'],
  routes: [
    route({
      method: 'POST',
      path: '/harbor/projects/:project/retention/runs',
      summary: 'Run the retention of a project',
      request: z.object({ project: Project, dry: Switch.optional() }),
      input: (request) => request,
    }),
  ],
  needs: ['harbor'],
  steps: ['start', 'wait', 'report'],
  limits: { steps: { wait: longestMs + 30_000 } },
  target: () => ({}),
  plan: async ({ on, signal }, { project, dry }) => {
    const { id, policy } = await policyOf(on, project, signal);
    const rules = list(policy?.rules).map(ruleText).join('; ');
    if (rules === '') throw fault('NO_SUCH_OBJECT', { kind: 'retention', name: project, where: 'Harbor', near: '' });
    const to = dry ? 'counted only' : 'all other images deleted for good';
    return {
      summary: `${project}: keeps ${rules}; ${to}`,
      changes: [{ path: `retention/${project}`, from: `keeps ${rules}`, to }],
      harbor: [
        {
          method: 'POST',
          path: ['retentions', id, 'executions'],
          body: { dry_run: dry },
          terms: termsOf(policy),
          done: `retention/${project}: started`,
        },
      ],
      takesOver: [],
    };
  },
  run: async (run, { project, dry }) => {
    const { path = [], body, terms } = run.plan.harbor?.[0] ?? {};
    const execution = await run.step('start', async (step) => {
      const { signal } = step;
      const all = await run.on.harbor.list(path, {}, 20, signal);
      const alike = all.filter((each) => (each.dry_run === true) === dry);
      return await startOnce(step, alike, async () => {
        if (terms !== undefined && termsOf((await policyOf(run.on, project, signal)).policy) !== terms)
          throw fault('ANOTHER_BY_NOW', { kind: 'retention', name: project });
        return await run.on.harbor.send({ method: 'POST', path, body }, signal);
      });
    });
    await run.step('wait', async ({ signal, note, startedAt }) => {
      for (;;) {
        const now = (await run.on.harbor.list(path, {}, 20, signal)).find(({ id }) => String(number(id)) === execution);
        const status = text(now?.status);
        if (over.has(status)) return;
        note(status);
        if (run.now() - startedAt > longestMs)
          throw fault('HARBOR_REFUSED', {
            problem: 'the retention is not over after 10 minutes.',
            hint: 'Look at it in Harbor.',
          });
        await sleep(lookMs, undefined, { signal });
      }
    });
    const tasks = await run.step('report', ({ signal }) =>
      run.on.harbor.list([...path, execution, 'tasks'], {}, 200, signal),
    );
    const rows = tasks.map((task) => [
      text(task.repository),
      String(number(task.total)),
      String(number(task.retained)),
      String(number(task.total) - number(task.retained)),
      text(task.status),
    ]);
    const gone = tasks.reduce((sum, task) => sum + number(task.total) - number(task.retained), 0);
    const columns = ['Repository', 'Images', 'Kept', dry ? 'Would go' : 'Gone', 'State'];
    const note = dry ? `${gone} would go. For good: /ship harbor retention run ${project} dry=no` : `${gone} are gone.`;
    return { kind: 'table', title: `Retention of ${project}`, columns, rows, note };
  },
});
