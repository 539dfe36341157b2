/** A line of a log: when it was written, by whom, and what it says. */
export type LogLine = { seconds: number; nanos: number; from: string; text: string };

const stamp = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d) ?/;
/** No line of a log is longer than this without having lost its purpose. */
const longest = 100_000;

/** The beginning of a text, up to a blank where one is near: half a word may be half a secret, which is known to nobody. */
export function atBlank(text: string, most: number): string {
  if (text.length <= most) return text;
  const end = Math.max(text.lastIndexOf(' ', most), text.lastIndexOf('\n', most));
  return text.slice(0, end > most - 5_000 && end > 0 ? end : most);
}

const keyBegins = /-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----/;
const keyEnds = /-----END [A-Z ]{0,30}PRIVATE KEY-----/;
const keyLines = 200;

/**
 * Takes out private keys that go over many lines: later each line stands alone, and their middle looks like nothing.
 * A reader of one stream; it remembers whether it is inside of a key.
 */
export function withoutKeys(): (text: string) => string | undefined {
  let inside = 0;
  return (text) => {
    const begins = keyBegins.test(text);
    const wasInside = inside > 0;
    if (begins) {
      // The end of one key may stand before the beginning of the next.
      inside = keyEnds.test(text.slice(text.lastIndexOf('-----BEGIN '))) ? 0 : keyLines;
      return wasInside ? '[redacted]' : text.replace(/-----BEGIN [\s\S]*/, '[redacted]');
    }
    if (wasInside) {
      inside = keyEnds.test(text) ? 0 : inside - 1;
      return undefined;
    }
    return text;
  };
}

/** Reads the lines of one stream, each with the kubelet's time in front. Within a stream time never runs back. */
export function lineReader(from: string): (raw: string) => LogLine | undefined {
  const clean = withoutKeys();
  let [seconds, nanos] = [0, 0];
  return (raw) => {
    const found = stamp.exec(raw);
    if (found) {
      const [, date = '', fraction = '', zone = ''] = found;
      const own = Math.floor(Date.parse(`${date}${zone}`) / 1_000);
      const ownNanos = Number(fraction.padEnd(9, '0'));
      if (own > seconds || (own === seconds && ownNanos > nanos)) [seconds, nanos] = [own, ownNanos];
    }
    const text = clean(raw.slice(found?.[0].length ?? 0).replace(/\r$/, ''));
    if (text === undefined) return undefined;
    const kept = atBlank(text, longest);
    const left = text.length - kept.length;
    return { seconds, nanos, from, text: left > 0 ? `${kept}… and ${left} letters more` : text };
  };
}

/** Lines of many streams in the order of time; lines of the same moment stay as they came. */
export const inOrder = (lines: readonly LogLine[]): LogLine[] =>
  [...lines].sort((a, b) => a.seconds - b.seconds || a.nanos - b.nanos);

/** As people read it: the time of day, who wrote it where there are several, and the text. */
export function lineText({ seconds, nanos, from, text }: LogLine): string {
  const clock =
    seconds === 0
      ? ''
      : `${new Date(seconds * 1_000).toISOString().slice(11, 19)}.${String(nanos).padStart(9, '0').slice(0, 3)} `;
  return `${clock}${from === '' ? '' : `${from}  `}${text}`;
}

/** The newest lines, as many as fit both bounds. */
export function newest(lines: readonly LogLine[], most: { lines: number; letters: number }): LogLine[] {
  let letters = 0;
  let first = lines.length;
  while (first > 0 && lines.length - first < most.lines) {
    letters += lineText(lines[first - 1] ?? { seconds: 0, nanos: 0, from: '', text: '' }).length + 1;
    if (letters > most.letters) break;
    first -= 1;
  }
  return lines.slice(first);
}
