import type { App, BlockAction, ButtonAction, ViewSubmitAction } from '@slack/bolt';
import { z } from 'zod';
import type { Actor } from '../../src/core/actor.ts';
import type { Outcome } from '../../src/core/approval.ts';
import { fault } from '../../src/core/errors.ts';
import type { Run } from '../../src/core/run.ts';
import { answer, review } from '../../src/engine/answer.ts';
import { decide } from '../../src/engine/decide.ts';
import { resume } from '../../src/engine/resume.ts';
import { stop } from '../../src/engine/stop.ts';
import { type Asker, askFor } from './ask.ts';
import { type MessageView, section } from './blocks/elements.ts';
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
import { askForm, formInput, rejectForm, rejectModal } from './modal.ts';
import { refusalText } from './refusal-text.ts';

const AskValue = z.object({ operation: z.string(), input: z.record(z.string(), z.unknown()) });
const RejectMetadata = z.object({ run: z.string(), digest: z.string(), channel: z.string() });
const AskMetadata = z.object({ operation: z.string(), channel: z.string() });

function askerOf(body: BlockAction<ButtonAction>): Asker {
  // The user's own team, not the workspace's: in a shared channel strangers can click.
  return { team: body.user.team_id ?? body.team?.id ?? '', channel: body.channel?.id ?? '', user: body.user.id };
}

const viewAsker = (body: ViewSubmitAction, channel: string): Asker => ({
  team: body.user.team_id ?? body.team?.id ?? '',
  channel,
  user: body.user.id,
});

function ballotOf(value: string): { run: string; digest: string } {
  const [run = '', digest = ''] = value.split(' ');
  return { run, digest };
}

async function castVote(
  deps: Deps,
  asker: Asker,
  kind: 'approve' | 'reject',
  on: { run: string; digest: string },
  reason?: string,
) {
  await deps.members.check(asker.user, asker.team);
  const actor = { kind: 'slack' as const, team: asker.team, user: asker.user };
  return await decide(deps.engine, on.run, { actor, kind, digest: on.digest, ...(reason && { reason }) });
}

function refusalView(deps: Deps, { outcome, run }: { outcome: Outcome; run: Run }): MessageView | undefined {
  if (outcome.kind !== 'refused') return undefined;
  const text = refusalText(outcome, run, deps.engine.settings());
  return { text, blocks: [section(`:no_entry_sign: ${text}`)] };
}

type Click = { body: BlockAction<ButtonAction>; action: ButtonAction; trigger: string };

/** Acknowledges, does it, and tells the person alone where it was refused. */
function onClick(
  app: App,
  deps: Deps,
  action: string | RegExp,
  act: (click: Click, open: App['client']) => Promise<MessageView | undefined>,
): void {
  app.action<BlockAction<ButtonAction>>(
    { type: 'block_actions', action_id: action },
    async ({ ack, body, action: clicked, client }) => {
      const tell = (view: MessageView) =>
        client.chat.postEphemeral({
          channel: askerOf(body).channel,
          user: body.user.id,
          text: view.text,
          blocks: view.blocks,
        });
      await ack();
      try {
        const view = await act({ body, action: clicked, trigger: body.trigger_id }, client);
        if (view) await tell(view);
      } catch (thrown) {
        deps.log.warn({ problem: thrown }, 'a click was refused');
        await tell(faultView(thrown, deps.engine.redact));
      }
    },
  );
}

/** Approve, Reject, and every button that asks for an operation. */
export function registerActions(app: App, deps: Deps): void {
  onClick(app, deps, approveAction, async ({ body, action }) =>
    refusalView(deps, await castVote(deps, askerOf(body), 'approve', ballotOf(action.value ?? ''))),
  );
  onClick(app, deps, rejectAction, async ({ body, action, trigger }, client) => {
    const asker = askerOf(body);
    await deps.members.check(asker.user, asker.team);
    const view = rejectModal({ ...ballotOf(action.value ?? ''), channel: asker.channel });
    await client.views.open({ trigger_id: trigger, view });
    return undefined;
  });
  onClick(app, deps, new RegExp(`^${askAction}_`), async ({ body, action }) => {
    const asker = askerOf(body);
    const wish = AskValue.safeParse(JSON.parse(action.value ?? '{}'));
    if (!wish.success) throw fault('BAD_INPUT', { problem: 'That button is from another version of Shipmate.' });
    // One button asks once, however often and by whomever it is clicked.
    const key = `button:${asker.channel}:${body.message?.ts ?? ''}:${action.action_id}:${action.value}`;
    const before = deps.engine.now();
    const run = await askFor(deps, asker, wish.data.operation, wish.data.input, key);
    if (run.createdAt >= before) return undefined;
    const text = `That button was used already: run ${run.id} (${run.state}).`;
    return { text, blocks: [section(text)] };
  });
  registerRunButtons(app, deps);
  registerForms(app, deps);
}

/** Stop, the answers to a parked run's question, and the review of a broken glass. */
function registerRunButtons(app: App, deps: Deps): void {
  const actorIn = async (body: BlockAction<ButtonAction>): Promise<Actor> => {
    const { user, team } = askerOf(body);
    await deps.members.check(user, team);
    return { kind: 'slack', team, user };
  };
  onClick(app, deps, stopAction, async ({ body, action }) => {
    await stop(deps.engine, action.value ?? '', { actor: await actorIn(body) });
    return undefined;
  });
  onClick(app, deps, new RegExp(`^${answerAction}_`), async ({ body, action }) => {
    const value = action.value ?? '';
    const [run = ''] = value.split(' ', 1);
    await answer(deps.engine, run, await actorIn(body), value.slice(run.length + 1));
    return undefined;
  });
  onClick(app, deps, resumeAction, async ({ body, action }) => {
    await resume(deps.engine, action.value ?? '', await actorIn(body));
    return undefined;
  });
  onClick(app, deps, reviewAction, async ({ body, action }) => {
    await review(deps.engine, action.value ?? '', await actorIn(body));
    return undefined;
  });
}

function registerForms(app: App, deps: Deps): void {
  app.view<ViewSubmitAction>(rejectForm, async ({ ack, body, view, client }) => {
    const metadata = RejectMetadata.parse(JSON.parse(view.private_metadata));
    const asker = viewAsker(body, metadata.channel);
    const { reason } = formInput(view.state.values);
    await ack();
    const result = await castVote(deps, asker, 'reject', metadata, typeof reason === 'string' ? reason : undefined)
      .then((cast) => refusalView(deps, cast))
      .catch((thrown: unknown) => faultView(thrown, deps.engine.redact));
    if (result)
      await client.chat.postEphemeral({
        channel: asker.channel,
        user: asker.user,
        text: result.text,
        blocks: result.blocks,
      });
  });
  app.view<ViewSubmitAction>(askForm, async ({ ack, body, view }) => {
    const { operation, channel } = AskMetadata.parse(JSON.parse(view.private_metadata));
    try {
      await askFor(deps, viewAsker(body, channel), operation, formInput(view.state.values), `form:${view.id}`);
      await ack();
    } catch (thrown) {
      const { fault: problem, text } = faultView(thrown, deps.engine.redact);
      const [field = 'app'] = Object.keys(view.state.values).filter((name) => problem.message.includes(`${name}:`));
      await ack({ response_action: 'errors', errors: { [field]: text } });
    }
  });
}
