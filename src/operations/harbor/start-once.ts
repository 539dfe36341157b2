import { fault } from '../../core/errors.ts';
import type { HarborAnswer } from '../../core/harbor.ts';
import type { JsonObject } from '../../core/json.ts';
import type { StepContext } from '../../core/operation.ts';
import { number } from '../docker/reading.ts';

/**
 * Starts an execution in Harbor, once. Which one was the newest before is remembered first: where a worker is lost before it
 * heard the answer, the next one knows its own by the number, whatever the clocks of Harbor and Shipmate say.
 * @returns the execution's number
 */
export async function startOnce(
  step: StepContext,
  found: readonly JsonObject[],
  start: () => Promise<HarborAnswer>,
): Promise<string> {
  const ids = found.map(({ id }) => number(id));
  const before = step.memo();
  const own = typeof before === 'number' ? ids.filter((id) => id > before) : [];
  if (own.length > 0) return String(Math.min(...own));
  if (before === undefined) await step.remember(Math.max(0, ...ids));
  const { made, message } = await start();
  if (made === undefined) throw fault('HARBOR_REFUSED', { problem: message, hint: 'Ask again.' });
  return made;
}
