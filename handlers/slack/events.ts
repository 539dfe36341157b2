import type { App } from '@slack/bolt';
import { answerLine } from './ask.ts';
import type { ReadAttached } from './attached.ts';
import type { Deps } from './deps.ts';
import { faultView } from './fault-view.ts';
import { usageOf } from './grammar.ts';

const redeliveryMs = 60 * 60_000;
/** For all files of a mention together. */
const filesMs = 20_000;

/** Mentions: the same grammar, where slash commands don't work (in threads). Slack delivers an event more than once. */
export function registerEvents(app: App, deps: Deps, readAttached: ReadAttached): void {
  app.event('app_mention', async ({ event, body, client, context }) => {
    if (!event.user || !(await deps.engine.store.first(`event:${body.event_id}`, redeliveryMs))) return;
    const asker = { team: context.teamId ?? body.team_id, channel: event.channel, user: event.user };
    const text = event.text.replace(/^\s*<@[^>]+>\s*/, '');
    const reply = (view: { text: string; blocks: ReturnType<typeof faultView>['blocks'] }) =>
      client.chat.postEphemeral({ channel: asker.channel, user: asker.user, ...view, thread_ts: event.thread_ts });
    const attached = event.files ?? [];
    const files = () => readAttached(attached, AbortSignal.timeout(filesMs));
    try {
      const line = { command: '', text, key: `event:${body.event_id}`, ...(attached.length > 0 && { files }) };
      const answer = await answerLine(deps, asker, line);
      if (answer.kind === 'help') await reply(answer.view);
      if (answer.kind === 'told') await reply({ text: answer.text, blocks: [] });
      // A mention brings no trigger, and so no form: the usage has to do.
      if (answer.kind === 'form') await reply({ text: `Usage: ${usageOf(answer.operation)}`, blocks: [] });
    } catch (thrown) {
      await reply(faultView(thrown, deps.engine.redact));
    }
  });
}
