import { z } from 'zod';
import { actorId } from '../../src/core/actor.ts';
import { siteOf } from '../../src/core/place.ts';
import { Draft } from '../../src/core/plan.ts';
import { Report } from '../../src/core/report.ts';
import { FaultRecord, isOver, type Run, RunState, StepRecord } from '../../src/core/run.ts';
import { standingOf } from '../../src/core/standing.ts';

const Time = z.iso.datetime();
const time = (ms: number) => new Date(ms).toISOString();

/**
 * A run as REST shows it. Its input and manifest stay inside: they may hold secret values;
 * the plan's changes, where those are masked, say what would happen.
 */
export const RunView = z.object({
  run: z.string().describe('The run’s id'),
  state: RunState,
  link: z.url().describe('Where to ask for the run again'),
  operation: z.string(),
  actor: z.string().describe('Who asked for it'),
  target: z
    .object({ app: z.string().optional(), env: z.string(), cluster: z.string(), namespace: z.string() })
    .optional(),
  createdAt: Time,
  updatedAt: Time,
  plan: z
    .object({
      summary: z.string(),
      digest: z.string().describe('What a decision must name'),
      changes: z.array(z.object({ path: z.string(), from: z.unknown().optional(), to: z.unknown().optional() })),
      image: Draft.shape.image,
      takesOver: Draft.shape.takesOver,
      warnings: Draft.shape.warnings,
    })
    .optional(),
  approval: z
    .object({ rule: z.string(), approvals: z.number(), approvers: z.array(z.string()), expiresAt: Time.optional() })
    .optional(),
  decisions: z.array(
    z.object({
      actor: z.string(),
      kind: z.enum(['approve', 'reject', 'withdraw']),
      digest: z.string(),
      at: Time,
      reason: z.string().optional(),
    }),
  ),
  steps: z.array(
    z.object({
      name: z.string(),
      state: z.enum(['open', ...StepRecord.shape.state.options]),
      note: z.string().optional(),
      startedAt: Time.optional(),
      endedAt: Time.optional(),
    }),
  ),
  cancelled: z.object({ actor: z.string(), at: Time, reason: z.string().optional() }).optional(),
  setAside: z
    .object({ at: Time, workers: z.number().describe('How many were lost with it'), resumedBy: z.string().optional() })
    .optional(),
  waitsFor: z
    .object({ who: z.string(), since: Time })
    .optional()
    .describe('Whom Slack does not say who they are: it goes on once Slack answers, and changes nothing before'),
  breakGlass: z.object({ reason: z.string(), reviewedBy: z.string().optional() }).optional(),
  traffic: z
    .object({ weight: z.number().describe('Its share of the traffic, in per cent') })
    .optional()
    .describe('How much goes to the new version now, where this run shifts it'),
  undo: z.boolean().describe('Whether there is a way back that can be asked for'),
  trace: z.string().optional(),
  report: Report.optional(),
  fault: FaultRecord.optional(),
});
export type RunView = z.output<typeof RunView>;

function planOf({ plan }: Run): RunView['plan'] {
  if (!plan) return undefined;
  const { summary, digest, changes, image, takesOver, warnings } = plan;
  return { summary, digest, changes, image, takesOver, warnings };
}

function approvalOf({ verdict, expiresAt }: Run): RunView['approval'] {
  if (verdict?.kind !== 'needs-approval') return undefined;
  const { rule, approvals, approvers } = verdict;
  return { rule, approvals, approvers, expiresAt: expiresAt === undefined ? undefined : time(expiresAt) };
}

function stepsOf({ checklist, steps }: Run): RunView['steps'] {
  return checklist.map((name) => {
    const step = steps[name];
    if (!step) return { name, state: 'open' };
    const { state, note, startedAt, endedAt } = step;
    return {
      name,
      state,
      note,
      startedAt: time(startedAt),
      endedAt: endedAt === undefined ? undefined : time(endedAt),
    };
  });
}

function waitsForOf({ unidentified, state }: Run): RunView['waitsFor'] {
  if (!unidentified || isOver(state)) return undefined;
  return { who: actorId(unidentified.actor), since: time(unidentified.since) };
}

function trafficOf(run: Run): RunView['traffic'] {
  const standing = standingOf(run, []);
  return standing && { weight: standing.weight };
}

/** The run for an answer; `link` is its own address. */
export function viewOf(run: Run, link: string): RunView {
  const where = siteOf(run);
  return {
    run: run.id,
    state: run.state,
    link,
    operation: run.operation,
    actor: actorId(run.actor),
    target: where && {
      ...(run.place && { app: run.place.app }),
      env: where.env,
      cluster: where.cluster,
      namespace: where.namespace,
    },
    createdAt: time(run.createdAt),
    updatedAt: time(run.updatedAt),
    plan: planOf(run),
    approval: approvalOf(run),
    decisions: run.decisions.map(({ actor, at, ...decision }) => ({
      ...decision,
      actor: actorId(actor),
      at: time(at),
    })),
    steps: stepsOf(run),
    cancelled: run.cancelled && { ...run.cancelled, actor: actorId(run.cancelled.actor), at: time(run.cancelled.at) },
    setAside: run.setAside && {
      at: time(run.setAside.at),
      workers: run.setAside.workers,
      ...(run.setAside.resumed && { resumedBy: actorId(run.setAside.resumed.actor) }),
    },
    waitsFor: waitsForOf(run),
    breakGlass: run.breakGlass && {
      reason: run.breakGlass.reason,
      ...(run.breakGlass.reviewed && { reviewedBy: actorId(run.breakGlass.reviewed.actor) }),
    },
    traffic: trafficOf(run),
    undo: run.plan?.undo !== undefined && run.startedAt !== undefined,
    trace: run.trace,
    report: run.report,
    fault: run.fault,
  };
}
