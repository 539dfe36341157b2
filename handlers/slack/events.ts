import type { App } from '@slack/bolt';
import type { Deps } from './deps.ts';
import type { createMentions } from './mentions.ts';

/** Mentions: the same grammar, where slash commands don't work (in threads). Slack delivers an event more than once. */
export function registerEvents(app: App, { engine }: Deps, mentions: ReturnType<typeof createMentions>): void {
  app.event('app_mention', async ({ event, body, context }) => {
    if (!event.user) return;
    await mentions.take({
      key: `event:${body.event_id}`,
      at: engine.now(),
      team: context.teamId ?? body.team_id,
      channel: event.channel,
      user: event.user,
      text: event.text.replace(/^\s*<@[^>]+>\s*/, ''),
      ...(event.thread_ts !== undefined && { thread: event.thread_ts }),
      files: event.files ?? [],
    });
  });
}
