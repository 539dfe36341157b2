import type { AnyMiddlewareArgs, Middleware } from '@slack/bolt';
import type { Deps } from './deps.ts';

/** Longer than the five minutes for which a signature is good. */
const rememberMs = 15 * 60_000;
const farAheadSeconds = 5 * 60;

/**
 * Bolt checks the signature and refuses old requests; it neither remembers what it has seen nor minds a time in the
 * future, with which a recorded request could be kept for later.
 */
export function refuseReplays({ engine, log }: Deps): Middleware<AnyMiddlewareArgs> {
  return async (args) => {
    const { signature, timestamp } = args.context;
    if (typeof signature !== 'string') return await args.next();
    const ahead = Number(timestamp) - engine.now() / 1_000;
    const good =
      ahead < farAheadSeconds && (await engine.store.first(`signature:${signature}`, rememberMs).catch(() => true));
    if (good) return await args.next();
    log.warn({ ahead }, 'a Slack request was refused: sent before, or from the future');
    if ('command' in args && args.command)
      await args.ack({
        response_type: 'ephemeral',
        text: 'That request was received before; nothing was started a second time.',
      });
    else if ('ack' in args && args.ack) await args.ack();
  };
}
