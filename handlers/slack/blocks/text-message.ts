import type { Report } from '../../../src/core/report.ts';
import { context, harmless, header, type MessageView, preformatted } from './elements.ts';

type Text = Extract<Report, { kind: 'text' }>;

const most = { lines: 20, letters: 2_800 };

/** The end of a text as it is: what came last tells most. */
export function textMessage({ title, text, note }: Text): MessageView {
  const lines = text.split('\n');
  const end = lines.slice(-most.lines).join('\n').slice(-most.letters);
  const left = lines.length - most.lines;
  const notes = [note, left > 0 ? `the last ${most.lines} of ${lines.length} lines` : undefined].filter(Boolean);
  return {
    text: [title, note ?? lines.at(-1)].filter(Boolean).join(': '),
    blocks: [
      header(title),
      ...(end === '' ? [] : [preformatted(end)]),
      ...(notes.length > 0 ? [context(harmless(notes.join(' · ')))] : []),
    ],
  };
}
