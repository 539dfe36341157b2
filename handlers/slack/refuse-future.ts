import type { AnyMiddlewareArgs, Middleware } from '@slack/bolt';
import type { Deps } from './deps.ts';

const farAheadSeconds = 5 * 60;

/**
 * Bolt checks the signature and refuses old requests, but does not mind a time in the future, with which a recorded
 * request could be kept for later. What is sent twice needs no memory here: each request has a key of its own
 * (trigger, view, button, event), and the store takes each key once.
 */
export function refuseFuture({ engine, log }: Deps): Middleware<AnyMiddlewareArgs> {
  return async (args) => {
    const { timestamp } = args.context;
    const ahead = timestamp === undefined ? 0 : Number(timestamp) - engine.now() / 1_000;
    if (ahead < farAheadSeconds) return await args.next();
    log.warn({ ahead }, 'a Slack request was refused: its time is in the future');
    if ('command' in args && args.command)
      await args.ack({
        response_type: 'ephemeral',
        text: 'The time of that request is in the future; nothing was started.',
      });
    else if ('ack' in args && args.ack) await args.ack();
  };
}
