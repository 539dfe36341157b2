import { type Fault, toFault } from '../../src/core/errors.ts';
import type { Redact } from '../../src/core/redact.ts';
import { harmless, type MessageView, section } from './blocks/elements.ts';

/** A fault as only the person who asked sees it: what happened, and what next. */
export function faultView(thrown: unknown, redact: Redact): MessageView & { fault: Fault } {
  const fault = toFault(thrown);
  const [message, hint] = [redact(fault.message), redact(fault.hint)];
  return {
    fault,
    text: `${message} ${hint}`,
    blocks: [section(`:warning: *${harmless(message)}*\n${harmless(hint)}`)],
  };
}
