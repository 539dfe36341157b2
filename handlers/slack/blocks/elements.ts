import type {
  ActionsBlock,
  Button,
  ContextBlock,
  HeaderBlock,
  ImageBlock,
  KnownBlock,
  PlanBlock,
  RichTextBlock,
  SectionBlock,
  TaskCardBlock,
} from '@slack/types';
import { z } from 'zod';

const Mrkdwn = z.string().brand<'Mrkdwn'>();
/** Text in Slack's markup, in which all that is foreign was made harmless. This file alone makes it. */
export type Mrkdwn = z.output<typeof Mrkdwn>;

/**
 * A message: `text` is what notifications and screen readers get, so it always says the essential. Slack reads it as markup
 * too, and calls the whole channel for a `<!channel>` in it.
 */
export type MessageView = { text: Mrkdwn; blocks: KnownBlock[] };

// Slack's limits: https://docs.slack.dev/reference/block-kit/blocks
const limit = { text: 3_000, header: 150, section: 3_000, context: 2_000, button: 75, preformatted: 2_900, alt: 2_000 };

/** Cut to `length`, with an ellipsis where something was cut. */
export function cut(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}

// Cc but for tab and newline, and the characters that turn the direction of text around.
const invisible = /(?![\t\n])\p{Cc}|\p{Bidi_Control}/gu;

/** Foreign text without control and bidi characters. */
export function plain(text: string): string {
  return text.replace(invisible, '');
}

/** Foreign text made harmless for mrkdwn: no mention, link or formatting of its own. */
export function harmless(text: string): Mrkdwn {
  return Mrkdwn.parse(plain(text).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;'));
}

/** Words of our own with what was made harmless between them: text that was not does not compile. */
export function mrkdwn(words: TemplateStringsArray, ...values: (Mrkdwn | number)[]): Mrkdwn {
  return Mrkdwn.parse(String.raw({ raw: words }, ...values));
}

export const joined = (parts: readonly Mrkdwn[], between: string): Mrkdwn => Mrkdwn.parse(parts.join(between));

/** The mention of somebody here. */
export const mention = (user: string): Mrkdwn =>
  /^[A-Z0-9]+$/.test(user) ? Mrkdwn.parse(`<@${user}>`) : harmless(user);

/** Foreign text as the text of a message: no longer than it can grow to. */
export const spokenText = (text: string): Mrkdwn => harmless(cut(text, limit.text));

/** Foreign text as inline code. */
export function code(text: string): Mrkdwn {
  return Mrkdwn.parse(`\`${harmless(text).replaceAll('`', 'ʼ')}\``);
}

export function header(text: string): HeaderBlock {
  return { type: 'header', text: { type: 'plain_text', text: cut(plain(text), limit.header), emoji: true } };
}

export function section(mrkdwn: string): SectionBlock {
  return { type: 'section', text: { type: 'mrkdwn', text: cut(mrkdwn, limit.section) } };
}

export function context(mrkdwn: string): ContextBlock {
  return { type: 'context', elements: [{ type: 'mrkdwn', text: cut(mrkdwn, limit.context) }] };
}

export function preformatted(text: string): RichTextBlock {
  const shown = cut(plain(text), limit.preformatted);
  return {
    type: 'rich_text',
    elements: [{ type: 'rich_text_preformatted', elements: [{ type: 'text', text: shown }] }],
  };
}

export function richText(text: string): RichTextBlock {
  const shown = cut(plain(text), limit.preformatted);
  return { type: 'rich_text', elements: [{ type: 'rich_text_section', elements: [{ type: 'text', text: shown }] }] };
}

export type ButtonSpec = {
  action: string;
  text: string;
  value: string;
  style?: 'primary' | 'danger';
  /** Asked before the click counts. */
  confirm?: { title: string; text: string; yes: string };
};

function button({ action, text, value, style, confirm }: ButtonSpec): Button {
  return {
    type: 'button',
    action_id: action,
    text: { type: 'plain_text', text: cut(plain(text), limit.button), emoji: true },
    value,
    ...(style && { style }),
    ...(confirm && {
      confirm: {
        title: { type: 'plain_text', text: cut(confirm.title, 100) },
        text: { type: 'plain_text', text: cut(plain(confirm.text), 300) },
        confirm: { type: 'plain_text', text: confirm.yes },
        deny: { type: 'plain_text', text: 'Cancel' },
        ...(style && { style }),
      },
    }),
  };
}

export function actions(buttons: ButtonSpec[]): ActionsBlock {
  return { type: 'actions', elements: buttons.map(button) };
}

export type Task = { id: string; title: string; status: TaskCardBlock['status']; details?: string; output?: string };

export function checklist(title: string, tasks: Task[]): PlanBlock {
  const card = ({ id, title: name, status, details, output }: Task): TaskCardBlock => ({
    type: 'task_card',
    task_id: id,
    title: cut(plain(name), 200),
    status,
    ...(details && { details: richText(details) }),
    ...(output && { output: richText(output) }),
  });
  return { type: 'plan', title: cut(plain(title), 200), tasks: tasks.map(card) };
}

/** A moment, shown in each reader's own time zone. */
export function moment(ms: number): Mrkdwn {
  const fallback = new Date(ms).toISOString().slice(0, 16).replace('T', ' ');
  return Mrkdwn.parse(`<!date^${Math.floor(ms / 1_000)}^{date_short_pretty} {time}|${fallback} UTC>`);
}

/** A moment that comes soon, with the time that is left until then: Slack counts it down, so no edit has to. */
export function countdown(ms: number): string {
  const fallback = new Date(ms).toISOString().slice(11, 19);
  return `<!date^${Math.floor(ms / 1_000)}^{ago}, at {time_secs}|at ${fallback} UTC>`;
}

/** A file of the workspace as a picture; `alt` is what those get who do not see it. */
export function picture(file: string, alt: string): ImageBlock {
  return { type: 'image', slack_file: { id: file }, alt_text: cut(plain(alt), limit.alt) };
}
