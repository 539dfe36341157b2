import { Fault, fault } from '../../core/errors.ts';
import type { HarborCall } from '../../core/harbor.ts';
import type { RunContext, StepContext } from '../../core/operation.ts';
import type { Report } from '../../core/report.ts';

export const callSteps = ['do'] as const;

/** Whether what a call would make is there: this run made it, before its worker was lost. */
type Settled = (call: HarborCall, signal: AbortSignal) => Promise<boolean>;

async function doCall(run: RunContext<'harbor', string>, call: HarborCall, settled: Settled, signal: AbortSignal) {
  const { done, ...request } = call;
  if (call.method === 'POST' && (await settled(call, signal))) return done;
  const { status, message } = await run.on.harbor.send(request, signal);
  if (status === 404 && call.method !== 'DELETE')
    throw fault('HARBOR_REFUSED', { problem: message, hint: 'It was there when this was planned. Ask again.' });
  if (status === 409) throw fault('HARBOR_REFUSED', { problem: message, hint: 'Correct it and ask again.' });
  return status === 404 ? `${done} (was gone already)` : done;
}

/**
 * Sends the plan's calls one after the other.
 * @throws Fault PARTLY_APPLIED, which says exactly what was done, where one fails after others were done
 */
export async function doCalls(
  run: RunContext<'harbor', 'do'>,
  settled: Settled = async () => false,
  note?: string,
): Promise<Report> {
  const calls = run.plan.harbor ?? [];
  const objects = await run.step('do', async ({ signal, log }: StepContext) => {
    const finished: string[] = [];
    for (const call of calls) {
      try {
        log(await doCall(run, call, settled, signal));
      } catch (thrown) {
        if (!(thrown instanceof Fault) || finished.length === 0 || thrown.retry === 'later') throw thrown;
        const left = calls
          .slice(finished.length)
          .map(({ done }) => done)
          .join(', ');
        throw fault('PARTLY_APPLIED', { done: finished.join(', '), left, problem: thrown.message }, thrown);
      }
      finished.push(call.done);
    }
    return finished;
  });
  return { kind: 'changed', objects, ...(note !== undefined && { note }) };
}
