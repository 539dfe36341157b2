import { type Fault, toFault } from '../../src/core/errors.ts';
import { harmless, type MessageView, section } from './blocks/elements.ts';

/** A fault as only the person who asked sees it: what happened, and what next. */
export function faultView(thrown: unknown): MessageView & { fault: Fault } {
  const fault = toFault(thrown);
  return {
    fault,
    text: `${fault.message} ${fault.hint}`,
    blocks: [section(`:warning: *${harmless(fault.message)}*\n${harmless(fault.hint)}`)],
  };
}
