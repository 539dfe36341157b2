import { type Actor, actorId, personOf } from '../core/actor.ts';
import { fitted } from '../core/answer-size.ts';
import { fault } from '../core/errors.ts';
import type { Report } from '../core/report.ts';
import { isOver, type Run } from '../core/run.ts';
import type { Settings } from '../core/settings.ts';
import type { Engine } from './engine.ts';

/** Limits go by person: all identities of one that `shipmate.yaml` lists share them, and one that it does not list has its own. */
export function whoOf(settings: Settings, actor: Actor): string {
  const person = personOf(settings, actor);
  return person === undefined ? actorId(actor) : `person:${person}`;
}

/**
 * Lets questions of one request in, or refuses them: so that nobody's questions take the store, or the workers, from all others.
 * @throws Fault TOO_MANY_QUESTIONS
 */
export async function letIn(engine: Engine, runs: readonly Run[]): Promise<void> {
  const asked = runs.filter(({ effect, partOf }) => effect === 'read' && !partOf);
  const [first] = asked;
  if (!first) return;
  const settings = engine.settings();
  const { perMinute, atOnce, megabytes, hours } = settings.reads;
  const said = await engine.store.letIn(
    whoOf(settings, first.actor),
    asked.map(({ id }) => id),
    { perMinute, atOnce, bytes: megabytes * 1_048_576, keptMs: hours * 3_600_000 },
  );
  if (said === 'too-fast') throw fault('TOO_MANY_QUESTIONS', { problem: `${perMinute} questions within a minute` });
  if (said === 'too-many')
    throw fault('TOO_MANY_QUESTIONS', { problem: `${atOnce} questions that are not answered yet` });
}

/** How long a run is kept after its end, where that is shorter than for others: what was read is soon out of date. */
export function keptMs(settings: Settings, { effect, state }: Run): { keptMs?: number } {
  return effect === 'read' && isOver(state) ? { keptMs: settings.reads.hours * 3_600_000 } : {};
}

/** While a question is worked on it may have more in hand than its answer will show. */
const inHand = 8;

/** @throws Fault ANSWER_TOO_LARGE where a step of a question found more than anybody would want to be told */
export function checkFound({ kilobytes }: Settings['reads'], { effect }: Pick<Run, 'effect'>, json: string): void {
  const limit = kilobytes * inHand;
  if (effect === 'read' && Buffer.byteLength(json) > limit * 1_024)
    throw fault('ANSWER_TOO_LARGE', { limit: String(limit) });
}

/** The answer to a question, cut where it is too long to be kept. @throws Fault ANSWER_TOO_LARGE where it cannot be cut */
export function boundedAnswer({ kilobytes }: Settings['reads'], { effect }: Run, report: Report): Report {
  if (effect !== 'read') return report;
  const found = fitted(report, kilobytes * 1_024);
  if (!found) throw fault('ANSWER_TOO_LARGE', { limit: String(kilobytes) });
  return found;
}
