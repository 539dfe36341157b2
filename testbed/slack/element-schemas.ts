import { z } from 'zod';

/**
 * Slack's limits on the parts of blocks: https://docs.slack.dev/reference/block-kit/block-elements
 * and https://docs.slack.dev/reference/block-kit/composition-objects
 */

const mark = { emoji: z.boolean().optional(), verbatim: z.boolean().optional() };
export const PlainText = (most: number) =>
  z.strictObject({ type: z.literal('plain_text'), text: z.string().min(1).max(most), ...mark });
export const Mrkdwn = (most: number) =>
  z.strictObject({ type: z.literal('mrkdwn'), text: z.string().min(1).max(most), ...mark });
export const AnyText = (most: number) => z.discriminatedUnion('type', [PlainText(most), Mrkdwn(most)]);

const style = z.enum(['primary', 'danger']).optional();
const Confirm = z.strictObject({
  title: PlainText(100),
  text: AnyText(300),
  confirm: PlainText(30),
  deny: PlainText(30),
  style,
});

const actionable = { action_id: z.string().max(255).optional(), confirm: Confirm.optional() };
const typed = { ...actionable, focus_on_load: z.boolean().optional(), placeholder: PlainText(150).optional() };

export const Button = z.strictObject({
  ...actionable,
  type: z.literal('button'),
  text: PlainText(75),
  value: z.string().max(2_000).optional(),
  url: z.url().max(3_000).optional(),
  style,
  accessibility_label: z.string().max(75).optional(),
});

const picture = { alt_text: z.string().max(2_000), slack_file: z.unknown().optional() };
export const Image = z.strictObject({
  ...picture,
  type: z.literal('image'),
  image_url: z.url().max(3_000).optional(),
});

const Option = z.strictObject({
  text: AnyText(75),
  value: z.string().min(1).max(150),
  description: AnyText(75).optional(),
  url: z.url().max(3_000).optional(),
});
const options = (most: number) => z.array(Option).min(1).max(most);
const grouped = {
  options: options(100).optional(),
  option_groups: z
    .array(z.strictObject({ label: PlainText(75), options: options(100) }))
    .max(100)
    .optional(),
};
const chosen = { initial_option: Option.optional() };
const chosenMany = {
  initial_options: z.array(Option).min(1).optional(),
  max_selected_items: z.number().min(1).optional(),
};

const selects = [
  z.strictObject({ ...typed, ...grouped, ...chosen, type: z.literal('static_select') }),
  z.strictObject({ ...typed, ...grouped, ...chosenMany, type: z.literal('multi_static_select') }),
  z.looseObject({ ...typed, type: z.literal('external_select') }),
  z.looseObject({ ...typed, type: z.literal('users_select') }),
  z.looseObject({ ...typed, type: z.literal('multi_users_select') }),
  z.looseObject({ ...typed, type: z.literal('conversations_select') }),
  z.looseObject({ ...typed, type: z.literal('channels_select') }),
] as const;
const pickers = [
  z.strictObject({ ...typed, type: z.literal('datepicker'), initial_date: z.iso.date().optional() }),
  z.looseObject({ ...typed, type: z.literal('timepicker') }),
  z.looseObject({ ...typed, type: z.literal('datetimepicker') }),
  z.looseObject({ ...typed, type: z.literal('checkboxes'), options: options(10) }),
  z.looseObject({ ...typed, type: z.literal('radio_buttons'), options: options(10), ...chosen }),
] as const;
const Overflow = z.strictObject({ ...actionable, type: z.literal('overflow'), options: options(5) });

export const Accessory = z.discriminatedUnion('type', [Button, Image, Overflow, ...selects, ...pickers]);
export const Actionable = z.discriminatedUnion('type', [Button, Overflow, ...selects, ...pickers]);

const length = z.number().int().min(0).max(3_000).optional();
const dispatched = { ...typed, initial_value: z.string().optional(), dispatch_action_config: z.unknown().optional() };
export const Input = z.discriminatedUnion('type', [
  z.strictObject({
    ...dispatched,
    type: z.literal('plain_text_input'),
    multiline: z.boolean().optional(),
    min_length: length,
    max_length: length,
  }),
  z.strictObject({
    ...dispatched,
    type: z.literal('number_input'),
    is_decimal_allowed: z.boolean(),
    min_value: z.string().optional(),
    max_value: z.string().optional(),
  }),
  z.strictObject({ ...dispatched, type: z.literal('email_text_input') }),
  z.strictObject({ ...dispatched, type: z.literal('url_text_input') }),
  z.looseObject({ ...typed, type: z.literal('file_input') }),
  ...selects,
  ...pickers,
]);
