import type { Json } from '../../../src/core/json.ts';
import type { Change, Plan } from '../../../src/core/plan.ts';
import { cut } from './elements.ts';

const boring = /^spec\.template\.spec\.|^spec\./;
const longDigest = /sha256:([a-f0-9]{12})[a-f0-9]{52}/g;

/** A message on a phone: so many lines, letters, letters of a value, warnings, and letters of what is taken over. */
const most = { lines: 30, letters: 2_600, value: 140, warnings: 5, takesOver: 1_500 };

// Line ends and tabs are seen; what is not seen, or turns the direction of text around, is written out.
const unseen = /(?![\t\n])\p{C}|\p{Zl}|\p{Zp}/gu;
const visible = (text: string) => text.replace(unseen, (letter) => `\\u{${letter.codePointAt(0)?.toString(16) ?? ''}}`);

const isBare = (value: Json) => typeof value === 'string' && value !== '' && value.trim() === value;

/** Both sides as texts; in quotes where they would read the same without. */
function textsOf({ from, to }: Change): { from?: string; to?: string } {
  const bare = (value: Json) => (typeof value === 'string' && isBare(value) ? value : JSON.stringify(value));
  const alike = from !== undefined && to !== undefined && bare(from) === bare(to);
  const text = (value: Json) => visible(alike ? JSON.stringify(value) : bare(value));
  return { ...(from !== undefined && { from: text(from) }), ...(to !== undefined && { to: text(to) }) };
}

/** How many letters two long texts begin with alike. */
function alikeFor(one: string, other: string): number {
  let index = 0;
  while (index < one.length && one[index] === other[index]) index++;
  return index;
}

/** Short texts of both sides: what differs is in them. */
function brief({ from, to }: { from?: string; to?: string }): { from?: string; to?: string } {
  const alike = from !== undefined && to !== undefined ? alikeFor(from, to) : 0;
  const skip = alike > most.value / 2 ? alike - 20 : 0;
  const short = (text: string) => {
    const line = text.replace(longDigest, 'sha256:$1').replaceAll('\n', '⏎');
    return cut(skip > 0 ? `…${text.replaceAll('\n', '⏎').slice(skip)}` : line, most.value);
  };
  return { ...(from !== undefined && { from: short(from) }), ...(to !== undefined && { to: short(to) }) };
}

/** A value of several lines has each of them behind its sign, further in than any path. */
const signed = (sign: string, text: string) => text.split('\n').join(`\n${sign}     `);

function linesOf(path: string, { from, to }: { from?: string; to?: string }): string[] {
  const name = visible(path.replace(boring, '')).replaceAll('\n', '⏎');
  if (from === undefined) return to === undefined ? [] : [`+ ${name}: ${signed('+', to)}`];
  if (to === undefined) return [`- ${name}: ${signed('-', from)}`];
  return [`  ${name}`, `- ${signed('-', from)}`, `+ ${signed('+', to)}`];
}

const briefly = (changes: readonly Change[]) =>
  changes.flatMap((change) => linesOf(change.path, brief(textsOf(change))));
const whole = (changes: readonly Change[]) =>
  changes.flatMap((change) => linesOf(change.path, textsOf(change))).flatMap((text) => text.split('\n'));

type Told = Pick<Plan, 'changes' | 'takesOver' | 'warnings'>;

const takesText = ({ takesOver }: Told) => takesOver.map(({ field, manager }) => `${manager}: ${field}`).join('\n');

/** All that a plan says, as lines of a text: nothing is cut. */
export function planLines(plan: Told): string[] {
  const warnings = (plan.warnings ?? []).flatMap((each) => ['', ...visible(each).split('\n')]);
  const takes = plan.takesOver.length > 0 ? ['', 'Takes over from', ...visible(takesText(plan)).split('\n')] : [];
  return [...whole(plan.changes), ...warnings, ...takes];
}

/** How many lines of a plan its message shows; all of it where `isAll`. */
export type DiffView = { text: string; shown: number; all: number; isAll: boolean };

/** The changes as a diff that fits a phone; what is too long for a message is in the thread. */
export function diffView(plan: Told): DiffView {
  const lines = briefly(plan.changes);
  const full = whole(plan.changes);
  let letters = 0;
  const room = lines.slice(0, most.lines).findIndex((line) => {
    letters += line.length + 1;
    return letters > most.letters;
  });
  const shown = room < 0 ? lines.slice(0, most.lines) : lines.slice(0, room);
  const isAll =
    shown.length === lines.length &&
    lines.join('\n') === full.join('\n').replace(longDigest, 'sha256:$1') &&
    (plan.warnings ?? []).length <= most.warnings &&
    takesText(plan).length <= most.takesOver;
  return { text: shown.join('\n'), shown: shown.length, all: planLines(plan).length, isAll };
}
