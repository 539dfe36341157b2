import { z } from 'zod';

/**
 * Slack's limits on blocks, checked offline: https://docs.slack.dev/reference/block-kit/blocks
 * The answers are worded as Slack's own pointers are, so that a test fails where Slack would refuse.
 */

const Text = (type: 'plain_text' | 'mrkdwn', most: number) =>
  z.strictObject({
    type: z.literal(type),
    text: z.string().min(1).max(most),
    emoji: z.boolean().optional(),
    verbatim: z.boolean().optional(),
  });
const AnyText = (most: number) => z.union([Text('plain_text', most), Text('mrkdwn', most)]);
const base = { block_id: z.string().max(255).optional() };
const style = z.enum(['primary', 'danger']).optional();

const Confirm = z.strictObject({
  title: Text('plain_text', 100),
  text: AnyText(300),
  confirm: Text('plain_text', 30),
  deny: Text('plain_text', 30),
  style,
});
const Button = z.strictObject({
  type: z.literal('button'),
  action_id: z.string().max(255),
  text: Text('plain_text', 75),
  value: z.string().max(2_000).optional(),
  url: z.url().max(3_000).optional(),
  style,
  confirm: Confirm.optional(),
});
const Option = z.strictObject({ text: Text('plain_text', 75), value: z.string().min(1).max(150) });
const Input = z.discriminatedUnion('type', [
  z.looseObject({
    type: z.literal('plain_text_input'),
    action_id: z.string().max(255),
    max_length: z.number().max(3_000).optional(),
  }),
  z.looseObject({ type: z.literal('number_input'), action_id: z.string().max(255), is_decimal_allowed: z.boolean() }),
  z.looseObject({
    type: z.literal('static_select'),
    action_id: z.string().max(255),
    options: z.array(Option).min(1).max(100),
  }),
]);

const RichText = z.strictObject({
  ...base,
  type: z.literal('rich_text'),
  elements: z
    .array(
      z.looseObject({
        type: z.enum(['rich_text_section', 'rich_text_preformatted', 'rich_text_quote', 'rich_text_list']),
        elements: z.array(z.looseObject({ type: z.string(), text: z.string().min(1).optional() })).min(1),
      }),
    )
    .min(1),
});

const TaskCard = z.strictObject({
  ...base,
  type: z.literal('task_card'),
  task_id: z.string().min(1),
  title: z.string().min(1),
  status: z.enum(['pending', 'in_progress', 'complete', 'error']),
  details: RichText.optional(),
  output: RichText.optional(),
});

const shared = [
  z.strictObject({ ...base, type: z.literal('header'), text: Text('plain_text', 150) }),
  z.strictObject({
    ...base,
    type: z.literal('section'),
    text: AnyText(3_000).optional(),
    fields: z.array(AnyText(2_000)).min(1).max(10).optional(),
    accessory: Button.optional(),
  }),
  z.strictObject({ ...base, type: z.literal('context'), elements: z.array(AnyText(2_000)).min(1).max(10) }),
  z.strictObject({ ...base, type: z.literal('divider') }),
  z.strictObject({ ...base, type: z.literal('actions'), elements: z.array(Button).min(1).max(25) }),
  RichText,
] as const;

const MessageBlock = z.discriminatedUnion('type', [
  ...shared,
  z.strictObject({ ...base, type: z.literal('plan'), title: z.string().min(1), tasks: z.array(TaskCard).optional() }),
  TaskCard,
]);

const ViewBlock = z.discriminatedUnion('type', [
  ...shared,
  z.strictObject({
    ...base,
    type: z.literal('input'),
    label: Text('plain_text', 2_000),
    element: Input,
    optional: z.boolean().optional(),
    hint: Text('plain_text', 2_000).optional(),
  }),
]);

const surfaces = {
  message: z.array(MessageBlock).max(50),
  modal: z.array(ViewBlock).max(100),
};

/** What Slack would object to in these blocks; empty where it would take them. */
export function checkBlocks(surface: keyof typeof surfaces, blocks: unknown): string[] {
  const parsed = surfaces[surface].safeParse(blocks);
  const limits = parsed.success
    ? []
    : parsed.error.issues.map(({ path, message }) => `[ERROR] ${message} [json-pointer:/blocks/${path.join('/')}]`);
  return [...limits, ...repeatedActions(blocks)];
}

const Actions = z.looseObject({
  type: z.literal('actions'),
  elements: z.array(z.looseObject({ action_id: z.string() })),
});

/** Two buttons of one block must not bear the same action_id. */
function repeatedActions(blocks: unknown): string[] {
  return (Array.isArray(blocks) ? blocks : []).flatMap((block, index) => {
    const ids = Actions.safeParse(block).data?.elements.map(({ action_id }) => action_id) ?? [];
    return new Set(ids).size === ids.length
      ? []
      : [`[ERROR] action_id repeated [json-pointer:/blocks/${index}/elements]`];
  });
}
