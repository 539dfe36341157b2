import { isOver } from '../../src/core/run.ts';
import { answer } from '../../src/engine/answer.ts';
import type { Desk } from './desk.ts';
import { ana, type TestEngine } from './engine.ts';

/** Drives a run to its end: gives the first answer that it takes, and lets the time pass for which it waits. @returns its fault's code, or its state */
export async function toItsEnd(
  engine: TestEngine,
  desk: Desk,
  id: string,
  pass: (ms: number) => void,
): Promise<string> {
  for (let laps = 0; laps < 12; laps++) {
    const run = await desk.lap(id);
    if (isOver(run.state)) return run.fault?.code ?? run.state;
    const waiting = Object.values(run.steps).find(({ state }) => state === 'waiting');
    if (waiting?.asks) await answer(engine, id, ana, waiting.asks.choices[0] ?? '');
    else pass(Math.max(0, (waiting?.until ?? 0) - engine.now()));
  }
  return (await desk.run(id)).state;
}
