import type { App } from '@slack/bolt';
import type { KnownBlock } from '@slack/types';

const plain = (text: string) => ({ type: 'plain_text' as const, text });
const steps = (done: boolean): KnownBlock => ({
  type: 'plan',
  title: done ? 'Done' : 'Running',
  tasks: [
    { type: 'task_card', task_id: 'apply', title: 'Apply the plan', status: 'complete' },
    { type: 'task_card', task_id: 'settle', title: 'Wait for the pods', status: done ? 'complete' : 'in_progress' },
  ],
});
const title: KnownBlock = { type: 'header', text: plain('Deploy web to production') };
const card: KnownBlock[] = [
  title,
  { type: 'section', text: { type: 'mrkdwn', text: ':raised_hand: *Waiting for approval* · asked by <@U0ANA>' } },
  {
    type: 'actions',
    elements: [
      {
        type: 'button',
        action_id: 'approve',
        text: plain('Approve'),
        style: 'primary',
        confirm: {
          title: plain('Deploy web?'),
          text: plain('v1 → v2'),
          confirm: plain('Approve'),
          deny: plain('Cancel'),
        },
      },
    ],
  },
];

/** A small app with an approval, a form and a thread, for the page to be tried on. */
export function listen(app: App): void {
  app.command('/deploy', async ({ ack, command, client }) => {
    if (command.text === 'wep') return void (await ack({ text: 'Did you mean `web`?' }));
    await ack();
    if (command.text !== '')
      return void (await client.chat.postMessage({ channel: command.channel_id, text: 'waiting', blocks: card }));
    await client.views.open({
      trigger_id: command.trigger_id,
      view: {
        type: 'modal',
        callback_id: 'ask',
        title: plain('Scale'),
        submit: plain('Scale it'),
        blocks: [
          {
            type: 'input',
            block_id: 'app',
            label: plain('App'),
            element: { type: 'static_select', action_id: 'app', options: [{ text: plain('web'), value: 'web' }] },
          },
          {
            type: 'input',
            block_id: 'replicas',
            label: plain('Replicas'),
            element: { type: 'number_input', action_id: 'replicas', is_decimal_allowed: false },
          },
        ],
      },
    });
  });
  app.view('ask', async ({ ack, view, client }) => {
    const { app: chosen, replicas } = view.state.values;
    const count = replicas?.replicas?.value;
    if (count === '-1') return void (await ack({ response_action: 'errors', errors: { replicas: 'At least 0.' } }));
    await ack();
    const text = `Scaled ${chosen?.app?.selected_option?.value} to ${count}`;
    await client.chat.postMessage({ channel: 'C0SHIP', text });
  });
  app.action('approve', async ({ ack, body, client, respond }) => {
    await ack();
    if (body.type !== 'block_actions' || !body.message || !body.channel) return;
    if (body.user.id === 'U0ANA')
      return void (await respond({ text: 'You asked for this yourself.', replace_original: false }));
    const at = { channel: body.channel.id, ts: body.message.ts };
    await client.chat.update({ ...at, text: 'running', blocks: [title, steps(false)] });
    await client.chat.postMessage({ channel: at.channel, thread_ts: at.ts, text: '12:00:01 applied' });
    await client.chat.update({ ...at, text: 'done', blocks: [title, steps(true)] });
  });
}
