import { setTimeout as sleep } from 'node:timers/promises';
import { Fault } from '../core/errors.ts';
import { Json } from '../core/json.ts';
import type { StepContext } from '../core/operation.ts';
import type { StepRecord } from '../core/run.ts';
import { replayed } from '../core/trust.ts';
import type { Lap } from './lap.ts';
import { createProgress } from './progress.ts';

/** Waits between the tries of a step that met a fault which may pass. */
const patienceMs = [1_000, 2_000, 4_000, 8_000, 16_000];

function setStep(lap: Lap, name: string, record: StepRecord, text: string): Promise<unknown> {
  return lap.save((run) => ({ ...run, steps: { ...run.steps, [name]: record } }), [{ kind: 'step', step: name, text }]);
}

async function patiently<Result>(
  lap: Lap,
  step: StepContext,
  act: (step: StepContext) => Promise<Result>,
): Promise<Result> {
  for (let tries = 0; ; tries++) {
    try {
      return await act(step);
    } catch (thrown) {
      const wait = patienceMs[tries];
      if (!(thrown instanceof Fault) || thrown.retry === 'never' || wait === undefined || lap.signal.aborted)
        throw thrown;
      step.note(`${thrown.message} Trying again in ${wait / 1_000} s.`);
      await sleep(wait, undefined, { signal: lap.signal });
    }
  }
}

/**
 * Does a step once and remembers its result. That it was started is stored before it acts, so that a run taken up
 * elsewhere knows that something may have been done already.
 * @throws LeaseLost; whatever the step throws, after the fault is stored as the step's end
 */
export async function doStep<Result>(
  lap: Lap,
  name: string,
  act: (step: StepContext) => Promise<Result>,
): Promise<Result> {
  lap.signal.throwIfAborted();
  const before = lap.run().steps[name];
  if (before?.state === 'done') return replayed<Result>(before.result);
  const startedAt = before?.startedAt ?? lap.engine.now();
  await setStep(lap, name, { state: 'started', startedAt }, before ? 'taken up again' : 'started');
  const end = async (state: 'done' | 'failed', result?: unknown) => {
    const note = lap.run().steps[name]?.note;
    const record: StepRecord = { state, startedAt, endedAt: lap.engine.now(), ...(note !== undefined && { note }) };
    await setStep(
      lap,
      name,
      result === undefined ? record : { ...record, result: Json.parse(JSON.parse(JSON.stringify(result))) },
      state,
    );
  };
  const progress = createProgress(lap, name, startedAt);
  try {
    const result = await patiently(lap, progress.context, act).finally(progress.flush);
    await end('done', result);
    return result;
  } catch (thrown) {
    // Stopped from outside: the step is not over, another worker takes it up.
    if (!lap.signal.aborted && thrown instanceof Fault) await end('failed');
    throw thrown;
  }
}
