import type { WebClient } from '@slack/web-api';
import { z } from 'zod';
import type { Log } from '../../src/core/ports.ts';
import { type MessageView, section } from './blocks/elements.ts';

type SendDeps = { client: WebClient; log: Log };

/** What Slack's client throws. */
export const SlackError = z.object({
  code: z.string(),
  retryAfter: z.number().optional(),
  data: z
    .object({ error: z.string(), response_metadata: z.object({ messages: z.array(z.string()).optional() }).optional() })
    .optional(),
});

/** What the channel sees where Slack does not take the blocks: never lose the message. */
const plainly = (view: MessageView): MessageView => ({ text: view.text, blocks: [section(view.text)] });

/** Sends a message; where Slack refuses its blocks, as plain text. */
export async function send(
  deps: SendDeps,
  view: MessageView,
  call: (view: MessageView) => Promise<string>,
): Promise<string> {
  try {
    return await call(view);
  } catch (thrown) {
    const error = SlackError.safeParse(thrown);
    if (error.data?.data?.error !== 'invalid_blocks') throw thrown;
    deps.log.error(
      { pointers: error.data.data.response_metadata?.messages },
      'Slack refused the blocks; sent as plain text',
    );
    return await call(plainly(view));
  }
}

/** Where to: the channel, and who is told instead where Shipmate can't post there. */
export type To = { channel: string; user?: string; thread?: string };

/** Answers of Slack that mean: there is no way into that channel. */
export const closed = ['channel_not_found', 'not_in_channel', 'is_archived'];

/** Posts a message to a channel or a person. */
export async function post(
  deps: SendDeps,
  to: string,
  view: MessageView,
  thread?: string,
): Promise<{ channel: string; ts: string }> {
  const posted = { channel: to, ts: '' };
  await send(deps, view, async (as) => {
    const message = { channel: to, ...as, unfurl_links: false };
    const inThread = thread === undefined ? message : { ...message, thread_ts: thread };
    const answer = await deps.client.chat.postMessage(inThread);
    posted.channel = answer.channel ?? to;
    posted.ts = answer.ts ?? '';
    return posted.ts;
  });
  return posted;
}

/** Where the channel is closed to Shipmate, the person gets the message, in the conversation the two have. */
export async function orInPerson<Sent>(
  deps: SendDeps,
  user: string | undefined,
  view: MessageView,
  inChannel: () => Promise<Sent>,
) {
  try {
    return await inChannel();
  } catch (thrown) {
    const error = SlackError.safeParse(thrown).data?.data?.error ?? '';
    if (user === undefined || !closed.includes(error)) throw thrown;
    return await post(deps, user, view);
  }
}
