import type { Announced, Subject } from '../../src/core/notices.ts';
import type { Log } from '../../src/core/ports.ts';
import type { Shown } from '../../src/core/shown.ts';
import { closed, SlackError } from './send.ts';

const troubleMs = 5_000;

/** How long to leave Slack alone after a failure; undefined where trying again won't help. */
function backoff(thrown: unknown): number | undefined {
  const error = SlackError.safeParse(thrown).data;
  if (error?.retryAfter !== undefined) return error.retryAfter * 1_000;
  const hopeless = [...closed, 'message_not_found', 'cant_update_message', 'invalid_auth'];
  return error?.data && hopeless.includes(error.data.error) ? undefined : troubleMs;
}

/** What becomes of a subject when Slack refused; `shown` is the part of it that is there all the same. */
export function afterFailure({ log }: { log: Log }, subject: Subject, thrown: unknown, shown?: Shown): Announced {
  const ms = backoff(thrown);
  log.warn({ subject, problem: thrown, ms }, 'Slack did not take a message');
  if (ms !== undefined) return { kind: 'later', ms, shown };
  return shown ? { kind: 'shown', shown } : { kind: 'nothing' };
}
