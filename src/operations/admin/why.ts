import { z } from 'zod';
import { actorId, personOf } from '../../core/actor.ts';
import { fault } from '../../core/errors.ts';
import { defineOperation } from '../../core/operation.ts';
import { ruleText } from '../../core/policy.ts';
import type { Run } from '../../core/run.ts';
import type { Settings } from '../../core/settings.ts';

const time = (ms: number) => new Date(ms).toISOString().slice(0, 19).replace('T', ' ');

function explained(settings: Settings, run: Run): string[][] {
  const name = (actor: Run['actor']) => personOf(settings, actor) ?? actorId(actor);
  const { verdict, breakGlass, fault: problem, cancelled } = run;
  return [
    [time(run.createdAt), `${name(run.actor)} asked for it over ${run.origin.surface}`],
    ...(verdict ? [['', ruleText(settings, verdict)]] : []),
    ...(breakGlass ? [['', `the glass was broken: “${breakGlass.reason}”`]] : []),
    ...run.decisions.map(({ actor, kind, at, reason, digest }) => [
      time(at),
      `${name(actor)}: ${kind} of plan ${digest.slice(0, 12)}${reason ? `, “${reason}”` : ''}`,
    ]),
    ...(cancelled
      ? [
          [
            time(cancelled.at),
            `${name(cancelled.actor)} stopped it${cancelled.reason ? `: “${cancelled.reason}”` : ''}`,
          ],
        ]
      : []),
    ...(breakGlass?.reviewed ? [[time(breakGlass.reviewed.at), `${name(breakGlass.reviewed.actor)} reviewed it`]] : []),
    ...(problem ? [[time(run.updatedAt), `${problem.code}: ${problem.message}`]] : []),
    [time(run.updatedAt), `it is ${run.state}`],
  ];
}

export const why = defineOperation({
  name: 'why',
  summary: 'Explain a run: who decided what, by which rule',
  effect: 'read',
  input: z.strictObject({ run: z.string().min(1).max(64).describe('The run’s id, as its message shows it') }),
  usage: '<run>',
  examples: ['k7m2p9qa'],
  needs: ['runs'],
  steps: ['read'],
  target: () => ({}),
  plan: async (_context, { run }) => ({ summary: `run ${run}`, changes: [], takesOver: [] }),
  run: async (run, { run: id }) => {
    const rows = await run.step('read', async () => {
      const other = await run.on.runs.read(id);
      if (!other) throw fault('UNKNOWN_RUN', { id });
      return explained(run.settings, other);
    });
    return { kind: 'table', title: `Why run ${id} went as it did`, columns: ['when (UTC)', 'what'], rows };
  },
});
