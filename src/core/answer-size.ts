import type { Report } from './report.ts';

const bytesOf = (value: unknown) => Buffer.byteLength(JSON.stringify(value) ?? '');

/** The longest beginning of a list of parts that has room. */
function beginning(parts: readonly unknown[], room: number): number {
  let bytes = 0;
  const end = parts.findIndex((part) => {
    bytes += bytesOf(part) + 1;
    return bytes > room;
  });
  return end < 0 ? parts.length : end;
}

const noted = (note: string | undefined, more: string) => (note === undefined ? more : `${note} ${more}`);

/**
 * An answer in so many bytes: the beginning of a text, the first rows of a table, with a word on what is missing. Undefined
 * where what is left would say something else than the whole.
 */
export function fitted(report: Report, bytes: number): Report | undefined {
  const tooMuch = bytesOf(report) - bytes;
  if (tooMuch <= 0) return report;
  const room = bytes - 1_024;
  if (report.kind === 'text') {
    const lines = report.text.split('\n');
    const kept = beginning(lines, room - bytesOf({ ...report, text: '' }));
    const more = `${lines.length - kept} more lines are left out: the answer is too long. Ask for less.`;
    return kept === 0
      ? undefined
      : { ...report, text: lines.slice(0, kept).join('\n'), note: noted(report.note, more) };
  }
  if (report.kind !== 'table') return undefined;
  const kept = beginning(report.rows, room - bytesOf({ ...report, rows: [] }));
  const more = `${report.rows.length - kept} more rows are left out: the answer is too long. Ask for less.`;
  return { ...report, rows: report.rows.slice(0, kept), note: noted(report.note, more) };
}
