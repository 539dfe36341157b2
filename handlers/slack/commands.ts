import type { App } from '@slack/bolt';
import type { WebClient } from '@slack/web-api';
import type { Operation } from '../../src/core/operation.ts';
import type { Admission } from './admission.ts';
import { type Answer, type Asker, answerLine } from './ask.ts';
import { harmless, type MessageView } from './blocks/elements.ts';
import type { Deps } from './deps.ts';
import { faultView } from './fault-view.ts';
import { usageOf } from './grammar.ts';
import { operationModal } from './modal.ts';

const onlyYou = (view: MessageView) => ({
  response_type: 'ephemeral' as const,
  text: view.text,
  blocks: view.blocks,
});

/** Slash commands: the request is stored before it is acknowledged, so what could not be stored is said at once. */
export function registerCommands(app: App, deps: Deps, { memberOf }: Admission, commands: readonly string[]): void {
  for (const name of commands) {
    app.command(name, async ({ command, ack, client, context }) => {
      const asker: Asker = { member: memberOf(context), channel: command.channel_id };
      const line = { command: command.command, text: command.text ?? '', key: `command:${command.trigger_id}` };
      const began = deps.engine.now();
      try {
        const answer = await answerLine(deps, asker, line);
        await ack(ackOf(answer, began));
        if (answer.kind === 'form') await openForm(client, command.trigger_id, answer.operation, asker, deps);
      } catch (thrown) {
        const view = faultView(thrown, deps.engine.redact);
        if (view.fault.code === 'INTERNAL') deps.log.error({ problem: thrown }, 'a command met an unexpected fault');
        await ack(onlyYou(view));
      }
    });
  }
}

/** After the acknowledgement, so that Slack being slow with the form does not make the command fail. */
async function openForm(
  client: WebClient,
  trigger: string,
  operation: Operation,
  asker: Asker,
  deps: Deps,
): Promise<void> {
  const { channel, member } = asker;
  await client.views
    .open({ trigger_id: trigger, view: operationModal(operation, deps.engine.settings(), channel) })
    .catch(async (problem: unknown) => {
      deps.log.warn({ problem }, 'a form could not be opened');
      const text = harmless(`Slack did not open the form. Write it out: ${usageOf(operation)}`);
      await client.chat.postEphemeral({ channel, user: member.user, text });
    });
}

/** A change is everybody's business: the command itself is shown in the channel. A question is not. */
function ackOf(answer: Answer, began: number) {
  switch (answer.kind) {
    case 'help':
      return onlyYou(answer.view);
    case 'told':
      return { response_type: 'ephemeral' as const, text: answer.text };
    case 'form':
      return undefined;
    case 'asked':
      if (answer.run.createdAt < began)
        return {
          response_type: 'ephemeral' as const,
          text: 'That request was received before; nothing was started a second time.',
        };
      // Slack shows the channel what was typed: never where that holds secret values.
      if (answer.run.salt !== undefined)
        return {
          response_type: 'ephemeral' as const,
          text: 'What you typed stays between us; the plan is on its way.',
        };
      return answer.operation.effect === 'change' ? { response_type: 'in_channel' as const } : undefined;
    default:
      return answer satisfies never;
  }
}
