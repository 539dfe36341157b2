import { withEmoji } from './emoji.ts';
import type { Space } from './use-workspace.ts';

export type Completion = {
  /** What stands in the text afterwards. */
  text: string;
  label: string;
  hint: string;
  detail: string;
};

export type Completing = { from: number; options: Completion[] };

const most = 8;

/** What could come at the caret: a command at the start, a person after `@`, a channel after `#`. */
export function completionsAt(space: Space, text: string, caret: number): Completing | undefined {
  const before = text.slice(0, caret);
  const word = /(?:^|\s)([/@#][\w-]*)$/.exec(before)?.[1];
  if (word === undefined) return undefined;
  const from = caret - word.length;
  const wanted = word.slice(1).toLowerCase();
  const options = optionsFor(space, word.charAt(0), from === 0).filter(({ label, detail }) =>
    [label.slice(1), detail].some((name) => name.toLowerCase().startsWith(wanted)),
  );
  return options.length > 0 ? { from, options: options.slice(0, most) } : undefined;
}

function optionsFor(space: Space, sign: string, atStart: boolean): Completion[] {
  if (sign === '@')
    return space.users
      .filter(({ deleted }) => !deleted)
      .map(({ name, realName, title }) => ({ text: `@${name} `, label: `@${name}`, hint: title, detail: realName }));
  if (sign === '#')
    return space.channels.map(({ name, topic }) => ({ text: `#${name} `, label: `#${name}`, hint: topic, detail: '' }));
  if (!atStart) return [];
  return space.commands.map(({ command, description, usage_hint = '' }) => ({
    text: `${command} `,
    label: command,
    hint: usage_hint,
    detail: withEmoji(description),
  }));
}

/** What the command that is being written takes. */
export function usageOf({ commands }: Space, text: string): string | undefined {
  const [, command] = /^(\/\S+)\s/.exec(text) ?? [];
  return commands.find((known) => known.command === command)?.usage_hint;
}
