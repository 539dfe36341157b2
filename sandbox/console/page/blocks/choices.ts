import type {
  ChannelsSelect,
  ConversationsSelect,
  MultiStaticSelect,
  Overflow,
  RadioButtons,
  StaticSelect,
  UsersSelect,
} from '@slack/types';
import { useDesk } from '../desk.ts';
import { withEmoji } from '../emoji.ts';

export type Menu = StaticSelect | UsersSelect | ChannelsSelect | ConversationsSelect | Overflow;
type Listed = Menu | MultiStaticSelect | RadioButtons;
export type Choice = { value: string; label: string };

/** What an element itself offers, and what is chosen at first. */
export function choicesOf(element: Listed): { listed: Choice[]; initial: string } {
  const options = 'options' in element ? (element.options ?? []) : [];
  const grouped = 'option_groups' in element ? (element.option_groups ?? []) : [];
  const all = [...options, ...grouped.flatMap((group) => group.options)];
  return {
    listed: all.map(({ value = '', text }) => ({ value, label: withEmoji(text.text) })),
    initial: 'initial_option' in element ? (element.initial_option?.value ?? '') : '',
  };
}

/** What there is to choose from: options, people or channels. */
export function useChoices(element: Listed): Choice[] {
  const { space } = useDesk();
  switch (element.type) {
    case 'users_select':
      return space.users
        .filter(({ bot, deleted }) => !bot && !deleted)
        .map(({ id, realName }) => ({ value: id, label: realName }));
    case 'channels_select':
    case 'conversations_select':
      return space.channels.map(({ id, name }) => ({ value: id, label: `#${name}` }));
    default:
      return choicesOf(element).listed;
  }
}
