import { setTimeout as sleep } from 'node:timers/promises';
import type { StepContext } from '../core/operation.ts';
import type { Run, StepRecord } from '../core/run.ts';
import { either } from '../core/within.ts';
import { type Lap, Parked, shortMs } from './lap.ts';

const withStep = (run: Run, name: string, change: Partial<StepRecord>): Run => {
  const step = run.steps[name];
  return step ? { ...run, steps: { ...run.steps, [name]: { ...step, ...change } } } : run;
};

/** How a step remembers where it is, waits, and hears what people say to its run. */
export function listening(
  lap: Lap,
  name: string,
  signal: AbortSignal,
  flush: () => Promise<void>,
): Pick<StepContext, 'memo' | 'remember' | 'steers' | 'steeredPast' | 'rest'> {
  const { engine, steering } = lap;
  return {
    memo: () => lap.run().steps[name]?.memo,
    remember: async (memo) => void (await lap.save((run) => withStep(run, name, { memo }))),
    steers: async () => {
      const said = await engine.store.steers(lap.run().id);
      steering.reached(said.length);
      return said;
    },
    steeredPast: steering.past,
    rest: async (ms, heard) => {
      const until = engine.now() + ms;
      if (ms > shortMs) {
        await flush();
        await lap.save((run) => ({ ...withStep(run, name, { state: 'waiting', until }), wakeAt: until }));
        throw new Parked(name);
      }
      const said = steering.past(heard);
      await sleep(ms, undefined, { signal: either(signal, said) }).catch((thrown: unknown) => {
        if (!said.aborted || signal.aborted) throw thrown;
      });
    },
  };
}
