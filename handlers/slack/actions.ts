import type { App, BlockAction, ButtonAction, ViewSubmitAction } from '@slack/bolt';
import { z } from 'zod';
import type { Outcome } from '../../src/core/approval.ts';
import { fault } from '../../src/core/errors.ts';
import type { Run } from '../../src/core/run.ts';
import { answer, review } from '../../src/engine/answer.ts';
import { decide } from '../../src/engine/decide.ts';
import { resume } from '../../src/engine/resume.ts';
import { stop } from '../../src/engine/stop.ts';
import type { Admission } from './admission.ts';
import { type Asker, askFor } from './ask.ts';
import { harmless, type MessageView, section } from './blocks/elements.ts';
import {
  answerAction,
  approveAction,
  askAction,
  rejectAction,
  resumeAction,
  reviewAction,
  stopAction,
} from './blocks/run-buttons.ts';
import type { Deps } from './deps.ts';
import { faultView } from './fault-view.ts';
import { actorOf } from './members.ts';
import { askForm, formInput, rejectForm, rejectModal } from './modal.ts';
import { refusalText } from './refusal-text.ts';

const AskValue = z.object({ operation: z.string(), input: z.record(z.string(), z.unknown()) });
const RejectMetadata = z.object({ run: z.string(), digest: z.string(), channel: z.string() });
const AskMetadata = z.object({ operation: z.string(), channel: z.string() });

function ballotOf(value: string): { run: string; digest: string } {
  const [run = '', digest = ''] = value.split(' ');
  return { run, digest };
}

async function castVote(
  deps: Deps,
  { member }: Asker,
  kind: 'approve' | 'reject',
  on: { run: string; digest: string },
  reason?: string,
) {
  return await decide(deps.engine, on.run, {
    actor: actorOf(member),
    kind,
    digest: on.digest,
    ...(reason && { reason }),
  });
}

function refusalView(deps: Deps, { outcome, run }: { outcome: Outcome; run: Run }): MessageView | undefined {
  if (outcome.kind !== 'refused') return undefined;
  const text = refusalText(outcome, run, deps.engine.settings());
  return { text, blocks: [section(`:no_entry_sign: ${text}`)] };
}

/** Where listeners are hung up, and what they need. */
type Surface = { app: App; deps: Deps; admission: Admission };
type Click = { asker: Asker; body: BlockAction<ButtonAction>; action: ButtonAction; trigger: string };

/** Acknowledges, does it, and tells the person alone where it was refused. */
function onClick(
  { app, deps, admission }: Surface,
  action: string | RegExp,
  act: (click: Click, open: App['client']) => Promise<MessageView | undefined>,
): void {
  app.action<BlockAction<ButtonAction>>(
    { type: 'block_actions', action_id: action },
    async ({ ack, body, action: clicked, client, context }) => {
      const asker = { member: admission.memberOf(context), channel: body.channel?.id ?? '' };
      const tell = (view: MessageView) =>
        client.chat.postEphemeral({
          channel: asker.channel,
          user: asker.member.user,
          text: view.text,
          blocks: view.blocks,
        });
      await ack();
      try {
        const view = await act({ asker, body, action: clicked, trigger: body.trigger_id }, client);
        if (view) await tell(view);
      } catch (thrown) {
        deps.log.warn({ problem: thrown }, 'a click was refused');
        await tell(faultView(thrown, deps.engine.redact));
      }
    },
  );
}

/** Approve, Reject, and every button that asks for an operation. */
export function registerActions(app: App, deps: Deps, admission: Admission): void {
  const surface = { app, deps, admission };
  onClick(surface, approveAction, async ({ asker, action }) =>
    refusalView(deps, await castVote(deps, asker, 'approve', ballotOf(action.value ?? ''))),
  );
  onClick(surface, rejectAction, async ({ asker, action, trigger }, client) => {
    const view = rejectModal({ ...ballotOf(action.value ?? ''), channel: asker.channel });
    await client.views.open({ trigger_id: trigger, view });
    return undefined;
  });
  onClick(surface, new RegExp(`^${askAction}_`), async ({ asker, body, action }) => {
    const wish = AskValue.safeParse(JSON.parse(action.value ?? '{}'));
    if (!wish.success) throw fault('BAD_INPUT', { problem: 'That button is from another version of Shipmate.' });
    // One button asks once, however often and by whomever it is clicked.
    const key = `button:${asker.channel}:${body.message?.ts ?? ''}:${action.action_id}:${action.value}`;
    const before = deps.engine.now();
    const run = await askFor(deps, asker, wish.data.operation, wish.data.input, key);
    if (run.createdAt >= before) return undefined;
    const text = harmless(`That button was used already: run ${run.id} (${run.state}).`);
    return { text, blocks: [section(text)] };
  });
  registerRunButtons(surface);
  registerForms(surface);
}

/** Stop, the answers to a parked run's question, and the review of a broken glass. */
function registerRunButtons(surface: Surface): void {
  const { deps } = surface;
  onClick(surface, stopAction, async ({ asker, action }) => {
    await stop(deps.engine, action.value ?? '', { actor: actorOf(asker.member) });
    return undefined;
  });
  onClick(surface, new RegExp(`^${answerAction}_`), async ({ asker, action }) => {
    const value = action.value ?? '';
    const [run = ''] = value.split(' ', 1);
    await answer(deps.engine, run, actorOf(asker.member), value.slice(run.length + 1));
    return undefined;
  });
  onClick(surface, resumeAction, async ({ asker, action }) => {
    await resume(deps.engine, action.value ?? '', actorOf(asker.member));
    return undefined;
  });
  onClick(surface, reviewAction, async ({ asker, action }) => {
    await review(deps.engine, action.value ?? '', actorOf(asker.member));
    return undefined;
  });
}

function registerForms({ app, deps, admission }: Surface): void {
  app.view<ViewSubmitAction>(rejectForm, async ({ ack, view, client, context }) => {
    const metadata = RejectMetadata.parse(JSON.parse(view.private_metadata));
    const asker = { member: admission.memberOf(context), channel: metadata.channel };
    const { reason } = formInput(view.state.values);
    await ack();
    const result = await castVote(deps, asker, 'reject', metadata, typeof reason === 'string' ? reason : undefined)
      .then((cast) => refusalView(deps, cast))
      .catch((thrown: unknown) => faultView(thrown, deps.engine.redact));
    if (result)
      await client.chat.postEphemeral({
        channel: asker.channel,
        user: asker.member.user,
        text: result.text,
        blocks: result.blocks,
      });
  });
  app.view<ViewSubmitAction>(askForm, async ({ ack, view, context }) => {
    const { operation, channel } = AskMetadata.parse(JSON.parse(view.private_metadata));
    const asker = { member: admission.memberOf(context), channel };
    try {
      await askFor(deps, asker, operation, formInput(view.state.values), `form:${view.id}`);
      await ack();
    } catch (thrown) {
      const { fault: problem, words } = faultView(thrown, deps.engine.redact);
      const [field = 'app'] = Object.keys(view.state.values).filter((name) => problem.message.includes(`${name}:`));
      await ack({ response_action: 'errors', errors: { [field]: words } });
    }
  });
}
