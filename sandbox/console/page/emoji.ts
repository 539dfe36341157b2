import { nameToEmoji } from 'gemoji';

/** Slack's names where GitHub's differ. */
const slackNames: Record<string, string> = {
  large_green_circle: '🟢',
  large_yellow_circle: '🟡',
  large_orange_circle: '🟠',
  large_purple_circle: '🟣',
  large_brown_circle: '🟤',
  large_red_square: '🟥',
  large_green_square: '🟩',
  large_yellow_square: '🟨',
  thinking_face: '🤔',
  slightly_smiling_face: '🙂',
  hugging_face: '🤗',
  simple_smile: '🙂',
  party: '🥳',
  mag_right: '🔎',
  female_sign: '♀️',
  male_sign: '♂️',
  woman_shrugging: '🤷‍♀️',
  man_shrugging: '🤷‍♂️',
};

export const emojiOf = (name: string): string | undefined => slackNames[name] ?? nameToEmoji[name];

/** In plain text that allows emoji: `:rocket:` is drawn, unknown names stay as they are. */
export const withEmoji = (text: string): string =>
  text.replace(/:([\w+'-]+):/g, (whole, name) => emojiOf(name) ?? whole);
