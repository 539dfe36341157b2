import type { App } from '@slack/bolt';
import { type Answer, type Asker, answerLine } from './ask.ts';
import type { MessageView } from './blocks/elements.ts';
import type { Deps } from './deps.ts';
import { faultView } from './fault-view.ts';
import { operationModal } from './modal.ts';

const onlyYou = (view: MessageView) => ({
  response_type: 'ephemeral' as const,
  text: view.text,
  blocks: view.blocks,
});

/** Slash commands: the request is stored before it is acknowledged, so what could not be stored is said at once. */
export function registerCommands(app: App, deps: Deps, commands: readonly string[]): void {
  for (const name of commands) {
    app.command(name, async ({ command, ack, client }) => {
      const asker: Asker = { team: command.team_id, channel: command.channel_id, user: command.user_id };
      const line = { command: command.command, text: command.text ?? '', key: `command:${command.trigger_id}` };
      const began = deps.engine.now();
      try {
        const answer = await answerLine(deps, asker, line);
        if (answer.kind === 'form')
          await client.views.open({
            trigger_id: command.trigger_id,
            view: operationModal(answer.operation, deps.engine.settings(), asker.channel),
          });
        await ack(ackOf(answer, began));
      } catch (thrown) {
        const view = faultView(thrown);
        if (view.fault.code === 'INTERNAL') deps.log.error({ problem: thrown }, 'a command met an unexpected fault');
        await ack(onlyYou(view));
      }
    });
  }
}

/** A change is everybody's business: the command itself is shown in the channel. A question is not. */
function ackOf(answer: Answer, began: number) {
  switch (answer.kind) {
    case 'help':
      return onlyYou(answer.view);
    case 'form':
      return undefined;
    case 'asked':
      if (answer.run.createdAt < began)
        return {
          response_type: 'ephemeral' as const,
          text: 'That request was received before; nothing was started a second time.',
        };
      return answer.operation.effect === 'change' ? { response_type: 'in_channel' as const } : undefined;
    default:
      return answer satisfies never;
  }
}
