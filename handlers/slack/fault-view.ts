import { type Fault, toFault } from '../../src/core/errors.ts';
import type { Redact } from '../../src/core/redact.ts';
import { harmless, type MessageView, plain, section, spokenText } from './blocks/elements.ts';

/** A fault as only the person who asked sees it: what happened, and what next; `words` for where Slack reads no markup. */
export function faultView(thrown: unknown, redact: Redact): MessageView & { fault: Fault; words: string } {
  const fault = toFault(thrown);
  const [message, hint] = [redact(fault.message), redact(fault.hint)];
  return {
    fault,
    words: plain(`${message} ${hint}`),
    text: spokenText(`${message} ${hint}`),
    blocks: [section(`:warning: *${harmless(message)}*\n${harmless(hint)}`)],
  };
}
