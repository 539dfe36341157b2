import type { App } from '@slack/bolt';
import type { Admission } from './admission.ts';
import type { Deps } from './deps.ts';
import type { createMentions } from './mentions.ts';

/** Mentions: the same grammar, where slash commands don't work (in threads). Slack delivers an event more than once. */
export function registerEvents(
  app: App,
  { engine }: Deps,
  { memberOf }: Admission,
  mentions: ReturnType<typeof createMentions>,
): void {
  app.event('app_mention', async ({ event, body, context }) => {
    const { team, user } = memberOf(context);
    await mentions.take({
      key: `event:${body.event_id}`,
      at: engine.now(),
      team,
      channel: event.channel,
      user,
      text: event.text.replace(/^\s*<@[^>]+>\s*/, ''),
      ...(event.thread_ts !== undefined && { thread: event.thread_ts }),
      files: event.files ?? [],
    });
  });
}
