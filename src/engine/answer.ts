import { type Actor, holdsRole, samePerson } from '../core/actor.ts';
import { fault } from '../core/errors.ts';
import type { Run, StepRecord } from '../core/run.ts';
import { change } from './change.ts';
import type { Engine } from './engine.ts';
import { wakeOrLeaveToSweeper } from './request.ts';

function mayAnswer(engine: Engine, run: Run, { asks }: StepRecord, actor: Actor): boolean {
  const settings = engine.settings();
  const own = samePerson(settings, run.actor, actor);
  if (asks?.of === 'requester') return own;
  const approvers = run.verdict?.kind === 'needs-approval' ? run.verdict.approvers : undefined;
  return approvers === undefined ? own : holdsRole(settings, actor, approvers);
}

/**
 * Answers the question that a parked run waits for; it goes on at once.
 * @throws Fault UNKNOWN_RUN; NOTHING_ASKED where it is not (or no longer) asked; NOT_YOURS_TO_ANSWER
 */
export async function answer(engine: Engine, runId: string, actor: Actor, choice: string): Promise<Run> {
  const run = await change(engine, runId, (run, at) => {
    const [name, step] = Object.entries(run.steps).find(([, { state, asks }]) => state === 'waiting' && asks) ?? [];
    if (run.state !== 'running' || !name || !step?.asks?.choices.includes(choice) || at >= (step.until ?? at))
      throw fault('NOTHING_ASKED', { id: runId });
    if (!mayAnswer(engine, run, step, actor)) throw fault('NOT_YOURS_TO_ANSWER', { id: runId });
    const done: StepRecord = { state: 'done', startedAt: step.startedAt, endedAt: at, result: choice };
    return {
      run: { ...run, wakeAt: undefined, steps: { ...run.steps, [name]: done } },
      events: [{ kind: 'step', step: name, text: `answered: ${choice}`, actor }],
    };
  });
  void wakeOrLeaveToSweeper(engine, runId);
  return run;
}

/**
 * Notes that somebody else has looked at a run that broke the glass.
 * @throws Fault UNKNOWN_RUN; NOT_YOURS_TO_REVIEW where there is nothing to review, or for its requester
 */
export async function review(engine: Engine, runId: string, actor: Actor): Promise<Run> {
  return await change(engine, runId, (run, at) => {
    const settings = engine.settings();
    const { breakGlass } = run;
    if (
      !breakGlass ||
      breakGlass.reviewed ||
      samePerson(settings, run.actor, actor) ||
      !holdsRole(settings, actor, settings.breakGlass.reviewers)
    )
      throw fault('NOT_YOURS_TO_REVIEW', { id: runId });
    return {
      run: { ...run, breakGlass: { ...breakGlass, reviewed: { actor, at } } },
      events: [{ kind: 'decision', text: 'reviewed', actor }],
    };
  });
}
