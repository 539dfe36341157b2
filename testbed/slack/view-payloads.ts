import type { Args } from './answers.ts';
import { actsFrom } from './belonging.ts';
import { sender } from './payloads.ts';
import { appId, botId, type OpenView, type Workspace } from './workspace.ts';

/** Payloads of forms as Slack sends them: https://docs.slack.dev/reference/interaction-payloads/view-interactions-payload */

type Option = { text: { type: string; text: string }; value?: string };
type Field = { type: string; options?: Option[]; option_groups?: { options: Option[] }[] };

const plain = (text: string): Option['text'] => ({ type: 'plain_text', text });

/** What a person filled in, worded by the type of the input. Several choices come separated by commas. */
function filledIn(element: Field, given: string): Record<string, unknown> {
  const { type } = element;
  const options = element.options ?? element.option_groups?.flatMap((group) => group.options) ?? [];
  const option = (value: string) => options.find((known) => known.value === value) ?? { text: plain(value), value };
  const many = given === '' ? [] : given.split(',');
  const one = given === '' ? null : given;
  switch (type) {
    case 'static_select':
    case 'external_select':
    case 'radio_buttons':
      return { type, selected_option: one === null ? null : option(one) };
    case 'multi_static_select':
    case 'checkboxes':
      return { type, selected_options: many.map(option) };
    case 'users_select':
      return { type, selected_user: one };
    case 'conversations_select':
      return { type, selected_conversation: one };
    case 'channels_select':
      return { type, selected_channel: one };
    case 'datepicker':
      return { type, selected_date: one };
    case 'timepicker':
      return { type, selected_time: one };
    default:
      return { type, value: one };
  }
}

function stateOf({ view }: OpenView, values: Record<string, string>) {
  const fields = view.blocks.flatMap((block) => {
    if (block.type !== 'input' || !('element' in block)) return [];
    const { element, block_id = '' } = block;
    return [[block_id, { [element.action_id ?? '']: filledIn(element, values[block_id] ?? '') }] as const];
  });
  return { values: Object.fromEntries(fields) };
}

/** The team of a form is its sender's; the installation stands beside it. https://github.com/slackapi/bolt-js/issues/1614 */
const viewPayload = (space: Workspace, user: string, { view, id, hash }: OpenView, values: Record<string, string>) => ({
  ...view,
  id,
  team_id: actsFrom(space, user),
  hash,
  app_id: appId,
  app_installed_team_id: space.teamId,
  bot_id: botId,
  state: stateOf({ view, id, hash, user: '' }, values),
});

export function viewSubmission(space: Workspace, user: string, open: OpenView, values: Record<string, string>): Args {
  return {
    type: 'view_submission',
    ...sender(space, user, actsFrom(space, user)),
    trigger_id: '',
    view: viewPayload(space, user, open, values),
    response_urls: [],
  };
}

export function viewClosed(space: Workspace, user: string, open: OpenView): Args {
  const view = viewPayload(space, user, open, {});
  return { type: 'view_closed', ...sender(space, user, actsFrom(space, user)), view, is_cleared: false };
}
