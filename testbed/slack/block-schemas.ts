import { z } from 'zod';
import { Accessory, Actionable, AnyText, Button, Image, Input, Mrkdwn, PlainText } from './element-schemas.ts';

/** Slack's limits on blocks, and where each may stand: https://docs.slack.dev/reference/block-kit/blocks */

const base = { block_id: z.string().max(255).optional() };
const block = <Type extends string, Shape extends z.ZodRawShape>(type: Type, shape: Shape) =>
  z.strictObject({ ...base, type: z.literal(type), ...shape });

const Inline = z.looseObject({
  type: z.enum(['text', 'link', 'emoji', 'user', 'usergroup', 'channel', 'broadcast', 'date', 'color', 'team']),
  text: z.string().min(1).optional(),
});
const line = { elements: z.array(Inline).min(1) };
const border = { border: z.number().optional() };
const RichText = block('rich_text', {
  elements: z
    .array(
      z.discriminatedUnion('type', [
        z.strictObject({ type: z.literal('rich_text_section'), ...line }),
        z.strictObject({
          type: z.literal('rich_text_preformatted'),
          ...line,
          ...border,
          language: z.string().optional(),
        }),
        z.strictObject({ type: z.literal('rich_text_quote'), ...line, ...border }),
        z.strictObject({
          type: z.literal('rich_text_list'),
          style: z.enum(['bullet', 'ordered']),
          elements: z.array(z.strictObject({ type: z.literal('rich_text_section'), ...line })).min(1),
          indent: z.number().min(0).max(8).optional(),
          offset: z.number().optional(),
          ...border,
        }),
      ]),
    )
    .min(1),
});

const Actions = block('actions', { elements: z.array(Actionable).min(1).max(25) });
const Context = block('context', {
  elements: z
    .array(z.discriminatedUnion('type', [Image, PlainText(2_000), Mrkdwn(2_000)]))
    .min(1)
    .max(10),
});
const Divider = block('divider', {});
const Header = block('header', { text: PlainText(150), level: z.number().min(1).max(4).optional() });
const ImageBlock = block('image', {
  image_url: z.url().max(3_000).optional(),
  slack_file: z.union([z.strictObject({ id: z.string().min(1) }), z.strictObject({ url: z.url() })]).optional(),
  alt_text: z.string().min(1).max(2_000),
  title: PlainText(2_000).optional(),
});
const InputBlock = block('input', {
  label: PlainText(2_000),
  element: Input,
  dispatch_action: z.boolean().optional(),
  hint: PlainText(2_000).optional(),
  optional: z.boolean().optional(),
});
const Section = block('section', {
  text: AnyText(3_000).optional(),
  fields: z.array(AnyText(2_000)).min(1).max(10).optional(),
  accessory: Accessory.optional(),
  expand: z.boolean().optional(),
});
const everywhere = [Actions, Context, Divider, Header, ImageBlock, InputBlock, RichText, Section] as const;

const Cell = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('raw_text'), text: z.string().min(1) }),
  z.looseObject({ type: z.literal('raw_number') }),
  RichText,
]);
const Table = block('table', {
  rows: z.array(z.array(Cell).min(1).max(20)).min(1).max(100),
  column_settings: z
    .array(
      z.strictObject({ align: z.enum(['left', 'center', 'right']).optional(), is_wrapped: z.boolean().optional() }),
    )
    .max(20)
    .optional(),
});
const DataTable = block('data_table', {
  rows: z.array(z.array(Cell).min(1).max(20)).min(1).max(100),
  caption: z.string().min(1),
  page_size: z.number().min(1).max(100).optional(),
  row_header_column_index: z.number().min(0).optional(),
});
const TaskCard = block('task_card', {
  task_id: z.string().min(1),
  title: z.string().min(1),
  status: z.enum(['pending', 'in_progress', 'complete', 'error']),
  details: RichText.optional(),
  output: RichText.optional(),
  sources: z.array(z.looseObject({ type: z.literal('url'), url: z.url() })).optional(),
});
const Plan = block('plan', { title: z.string().min(1), tasks: z.array(TaskCard).max(50).optional() });
const Markdown = block('markdown', { text: z.string().min(1).max(12_000) });
const Card = block('card', {
  hero_image: Image.optional(),
  icon: Image.optional(),
  title: Mrkdwn(150).optional(),
  subtitle: Mrkdwn(150).optional(),
  body: Mrkdwn(200).optional(),
  actions: z.array(Button).max(5).optional(),
});
const Container = block('container', {
  title: PlainText(150).optional(),
  rich_text_title: RichText.optional(),
  subtitle: AnyText(150).optional(),
  icon: Image.optional(),
  child_blocks: z
    .array(z.discriminatedUnion('type', [...everywhere, Table]))
    .min(1)
    .max(10),
  width: z.enum(['narrow', 'standard', 'wide', 'full']).optional(),
  is_collapsible: z.boolean().optional(),
  default_collapsed: z.boolean().optional(),
  has_header_divider: z.boolean().optional(),
});
const Chart = block('data_visualization', {
  title: z.string().min(1).max(50),
  chart: z.looseObject({ type: z.string() }),
});
const Alert = block('alert', {
  text: AnyText(3_000),
  level: z.enum(['default', 'info', 'warning', 'error', 'success']).optional(),
});

export const surfaces = {
  message: z
    .array(
      z.discriminatedUnion('type', [
        ...everywhere,
        Card,
        Chart,
        Container,
        DataTable,
        Markdown,
        Plan,
        Table,
        TaskCard,
        block('carousel', { elements: z.array(Card).min(1).max(10) }),
        block('context_actions', {
          elements: z
            .array(z.looseObject({ type: z.string() }))
            .min(1)
            .max(5),
        }),
      ]),
    )
    .max(50),
  modal: z.array(z.discriminatedUnion('type', [...everywhere, Card, Alert])).max(100),
  home: z.array(z.discriminatedUnion('type', [...everywhere, Card])).max(100),
};
export type Surface = keyof typeof surfaces;
