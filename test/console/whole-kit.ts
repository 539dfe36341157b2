import type { KnownBlock } from '@slack/types';

const plain = (text: string) => ({ type: 'plain_text' as const, text });
const mrkdwn = (text: string) => ({ type: 'mrkdwn' as const, text });
const words = (text: string): KnownBlock & { type: 'rich_text' } => ({
  type: 'rich_text',
  elements: [{ type: 'rich_text_section', elements: [{ type: 'text', text }] }],
});
const at = Math.floor(Date.now() / 1_000) - 7_200;

/** One of every block that the page draws. */
export const wholeKit: KnownBlock[] = [
  { type: 'header', text: plain(':rocket: The whole kit') },
  {
    type: 'section',
    text: mrkdwn(
      [
        '*bold* _italic_ ~strike~ `code` <https://example.com|link> <!here> <!subteam^S0ENGINEERS> <#C0ALERTS>',
        `<!date^${at}^{date} at {time}, {ago}|long ago>; snake_case_name and 2*3*4 stay`,
        '&gt; a quote &amp; more\n&gt; two lines',
        '```a block of\n  code```',
      ].join('\n'),
    ),
    accessory: { type: 'button', action_id: 'open', text: plain('Open') },
  },
  { type: 'section', fields: ['*App*\nweb', '*Environment*\nproduction', '*Strategy*\nrolling'].map(mrkdwn) },
  { type: 'divider' },
  {
    type: 'rich_text',
    elements: [
      {
        type: 'rich_text_section',
        elements: [
          { type: 'text', text: 'bold', style: { bold: true } },
          { type: 'text', text: ' by ' },
          { type: 'user', user_id: 'U0ANA' },
          { type: 'text', text: ' ' },
          { type: 'emoji', name: 'tada' },
        ],
      },
      {
        type: 'rich_text_list',
        style: 'bullet',
        elements: [{ type: 'rich_text_section', elements: [{ type: 'text', text: 'one' }] }],
      },
      { type: 'rich_text_quote', elements: [{ type: 'text', text: 'quoted' }] },
      { type: 'rich_text_preformatted', elements: [{ type: 'text', text: '- image: web:v1\n+ image: web:v2' }] },
    ],
  },
  {
    type: 'plan',
    title: 'Deploying',
    tasks: [
      { type: 'task_card', task_id: '1', title: 'Apply', status: 'complete' },
      { type: 'task_card', task_id: '2', title: 'Settle', status: 'in_progress', details: words('1 of 3 pods ready') },
      { type: 'task_card', task_id: '3', title: 'Bake', status: 'pending' },
      { type: 'task_card', task_id: '4', title: 'Notify', status: 'error', output: words('no such channel') },
    ],
  },
  {
    type: 'table',
    column_settings: [{}, { align: 'right' }],
    rows: [
      ['App', 'Ready'],
      ['web', '3/3'],
    ].map((row) => row.map((text) => ({ type: 'raw_text' as const, text }))),
  },
  { type: 'markdown', text: '**Markdown** with `code`\n\n- [x] a task\n\n| a | b |\n|---|---|\n| 1 | 2 |' },
  { type: 'container', title: plain('The diff'), is_collapsible: true, child_blocks: [words('folded')] },
  { type: 'card', title: mrkdwn('*A card*'), body: mrkdwn('with a body') },
  {
    type: 'actions',
    elements: [
      { type: 'button', action_id: 'go', text: plain('Go'), style: 'primary' },
      { type: 'button', action_id: 'stop', text: plain('Stop'), style: 'danger' },
      {
        type: 'static_select',
        action_id: 'env',
        placeholder: plain('Environment'),
        options: [{ text: plain('staging'), value: 'staging' }],
      },
    ],
  },
  {
    type: 'context',
    elements: [mrkdwn('small print :white_check_mark: :hourglass_flowing_sand: :large_green_circle: :not_one:')],
  },
];
