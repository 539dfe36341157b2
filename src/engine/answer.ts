import { type Actor, actorId, differentPeople, holdsRole, samePerson } from '../core/actor.ts';
import { fault } from '../core/errors.ts';
import type { Run, RunEvent, StepRecord } from '../core/run.ts';
import type { Engine } from './engine.ts';
import { wakeOrLeaveToSweeper } from './request.ts';

/** Stores a change that a person makes to a run outside its laps: again and again until nobody else's came between. */
async function change(
  engine: Engine,
  runId: string,
  make: (run: Run, at: number) => { run: Run; events: Omit<RunEvent, 'at'>[] },
): Promise<Run> {
  for (;;) {
    const run = await engine.store.read(runId);
    if (!run) throw fault('UNKNOWN_RUN', { id: runId });
    const at = engine.now();
    const made = make(run, at);
    const next = { ...made.run, version: run.version + 1, updatedAt: at };
    const events = made.events.map((event) => ({ at, ...event }));
    if ((await engine.store.commit({ run: next, events })) === 'ok') return next;
  }
}

/** Lets only those pass who are surely somebody other than the run's requester. @throws Fault NOT_TOLD_APART */
function checkOther(engine: Engine, run: Run, actor: Actor): void {
  if (!differentPeople(engine.settings(), run.actor, actor))
    throw fault('NOT_TOLD_APART', { other: actorId(run.actor), you: actorId(actor) });
}

function mayAnswer(engine: Engine, run: Run, { asks }: StepRecord, actor: Actor): boolean {
  const settings = engine.settings();
  const own = samePerson(settings, run.actor, actor);
  if (asks?.of === 'requester') return own;
  const approvers = run.verdict?.kind === 'needs-approval' ? run.verdict.approvers : undefined;
  if (approvers === undefined) return own;
  if (own || !holdsRole(settings, actor, approvers)) return false;
  checkOther(engine, run, actor);
  return true;
}

/**
 * Answers the question that a parked run waits for; it goes on at once.
 * @throws Fault UNKNOWN_RUN; NOTHING_ASKED where it is not (or no longer) asked; NOT_YOURS_TO_ANSWER; NOT_TOLD_APART
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
 * @throws Fault UNKNOWN_RUN; NOT_YOURS_TO_REVIEW where there is nothing to review, or for its requester; NOT_TOLD_APART for
 * whoever may be the requester under another identity
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
    checkOther(engine, run, actor);
    return {
      run: { ...run, breakGlass: { ...breakGlass, reviewed: { actor, at } } },
      events: [{ kind: 'decision', text: 'reviewed', actor }],
    };
  });
}
