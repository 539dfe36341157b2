import type { Report } from '../../../src/core/report.ts';
import { context, harmless, header, type MessageView, preformatted, spokenText } from './elements.ts';

type Text = Extract<Report, { kind: 'text' }>;

const most = { lines: 20, letters: 2_800 };

/** The end of a text as it is, so far as a message has room; what came last tells most. */
export const endOfText = (text: string): string => text.split('\n').slice(-most.lines).join('\n').slice(-most.letters);

/** Whether a message shows all of a text. */
export const isWhole = (text: string): boolean => endOfText(text) === text;

/** The end of a text; `more` says where all of it is. */
export function textMessage({ title, text, note }: Text, more?: string): MessageView {
  const lines = text.split('\n');
  const end = endOfText(text);
  const notes = [note, isWhole(text) ? undefined : `here is the end of ${lines.length} lines`, more];
  const said = notes.filter(Boolean).join(' · ');
  return {
    text: spokenText([title, note ?? lines.at(-1)].filter(Boolean).join(': ')),
    blocks: [
      header(title),
      ...(end === '' ? [] : [preformatted(end)]),
      ...(said === '' ? [] : [context(harmless(said))]),
    ],
  };
}
