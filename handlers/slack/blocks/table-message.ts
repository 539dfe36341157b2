import type { TableBlock } from '@slack/types';
import type { Report } from '../../../src/core/report.ts';
import { context, cut, harmless, header, type MessageView, plain, section, spokenText } from './elements.ts';

type Table = Extract<Report, { kind: 'table' }>;

// https://docs.slack.dev/reference/block-kit/blocks/table-block
const most = { rows: 99, cell: 200 };

const cell = (text: string) => ({ type: 'raw_text' as const, text: cut(plain(text), most.cell) || '–' });

/** What was looked up, as a table. */
export function tableMessage({ title, columns, rows, note }: Table): MessageView {
  const table: TableBlock = { type: 'table', rows: [columns, ...rows.slice(0, most.rows)].map((row) => row.map(cell)) };
  return {
    text: spokenText([title, note ?? `${rows.length} lines`].join(': ')),
    blocks: [
      header(title),
      ...(rows.length > 0 ? [table] : []),
      ...(rows.length > most.rows ? [context(`… and ${rows.length - most.rows} more lines`)] : []),
      ...(note === undefined ? [] : [rows.length > 0 ? context(harmless(note)) : section(harmless(note))]),
    ],
  };
}
