import { setTimeout as sleep } from 'node:timers/promises';
import type { Edit } from '../../core/edits.ts';
import { Fault } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json.ts';
import type { Kube, ObjectRef } from '../../core/kube.ts';
import { momentText } from '../../core/moments.ts';
import type { StepContext } from '../../core/operation.ts';
import { doEdit } from '../kubernetes/edit-write.ts';

/** With the API server away it is tried until it is back: an end that did not come would be an outage. */
export async function clear(
  kube: Kube,
  ref: ObjectRef,
  edits: (live: JsonObject) => Edit[],
  run: string,
  step: StepContext,
): Promise<boolean> {
  for (;;) {
    try {
      const live = await kube.read(ref, step.signal);
      const made = live ? edits(live) : [];
      if (made.length > 0) await doEdit(kube, run, { kind: 'edit', ref, edits: made }, step.signal);
      return made.length > 0;
    } catch (thrown) {
      const passing = thrown instanceof Fault && (thrown.retry === 'later' || thrown.code === 'FIELD_CHANGED');
      if (!passing) throw thrown;
      step.note(`${thrown.message} Trying again.`);
      await sleep(5_000, undefined, { signal: step.signal });
    }
  }
}

/** Waits for its end, holding no worker; answers with whether somebody stopped it before. */
export async function held(step: StepContext, until: number, now: () => number): Promise<boolean> {
  for (;;) {
    const said = await step.steers();
    if (said.some(({ wish }) => wish.kind === 'abort')) return true;
    const left = until - now();
    if (left <= 0) return false;
    step.note(momentText(until));
    await step.rest(left, said.length);
  }
}
