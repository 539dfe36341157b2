import { setTimeout as sleep } from 'node:timers/promises';
import type { Fault } from '../core/errors.ts';
import type { Lap } from './lap.ts';

/** Time for a person to mend a record, or for a worker of the version that wrote it to come: no worker is kept busy meanwhile. */
const unreadableMs = 5_000;

/** A record that a run needs cannot be read. It is not ended for that, and a canary not left half shifted; people are told. */
export async function waitForRecord(lap: Lap, { message, hint }: Fault): Promise<void> {
  const { engine, signal } = lap;
  engine.log.error({ runId: lap.run().id, problem: message }, 'a run waits for a record that cannot be read');
  if (lap.run().unreadable !== message)
    await lap.save((run) => ({ ...run, unreadable: message }), [{ kind: 'note', text: `waits: ${message} ${hint}` }]);
  await sleep(unreadableMs, undefined, { signal }).catch(() => {});
}
