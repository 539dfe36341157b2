import type { Figures, Point } from '../../../src/core/series.ts';
import { latencyScale, rateScale, type Scale, timeScale } from './scale.ts';

/** What a chart shows: a canary's course, and what was said to it on the way. */
export type Course = {
  title: string;
  subtitle: string;
  series: readonly Point[];
  marks?: readonly { at: number; label: string }[];
};

// Shown at half of this and less on a phone: the letters are large for that. The two colours are blue and vermilion of Okabe
// and Ito, which people tell apart whatever colours they see; stable's line is dashed besides.
const width = 720;
const left = 92;
const right = 28;
const inner = width - left - right;
const ink = '#1d1c1d';
const soft = '#5c5b5d';
const grid = '#e3e3e5';
const colour = { stable: '#0072b2', canary: '#d55e00' };
const sides = ['stable', 'canary'] as const;
type Side = (typeof sides)[number];
const sideNames = { stable: 'stable', canary: 'new version' };

// Controls and what XML cannot hold at all.
const unfit = /\p{Cc}|\p{Bidi_Control}|[\uFFFE\uFFFF]/gu;
const escaped = (text: string) =>
  text
    .toWellFormed()
    .replace(unfit, '')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
const short = (text: string, letters: number) =>
  text.length <= letters ? text : `${text.slice(0, letters - 1).trimEnd()}…`;
const n = (value: number) => String(Math.round(value * 10) / 10);

function words(
  x: number,
  y: number,
  text: string,
  {
    size = 20,
    fill = soft,
    anchor = 'start',
    bold = false,
  }: { size?: number; fill?: string; anchor?: string; bold?: boolean } = {},
): string {
  const weight = bold ? ' font-weight="700"' : '';
  return `<text x="${n(x)}" y="${n(y)}" font-size="${size}" fill="${fill}" text-anchor="${anchor}"${weight}>${escaped(text)}</text>`;
}

type Frame = { top: number; height: number; time: Scale; start: number };
const xOf = ({ time, start }: Frame, at: number) =>
  left + (inner * Math.min(Math.max(at - start, 0), time.to)) / time.to;
const yOf = ({ top, height }: Frame, { from, to }: Scale, value: number) =>
  top + height - (height * (Math.min(Math.max(value, from), to) - from)) / (to - from);

function axes(frame: Frame, scale: Scale): string {
  return scale.ticks
    .map(({ at, label }) => {
      const y = n(yOf(frame, scale, at));
      const line = `<line x1="${left}" y1="${y}" x2="${width - right}" y2="${y}" stroke="${grid}" stroke-width="1.5"/>`;
      return `${line}${words(left - 12, Number(y) + 7, label, { anchor: 'end' })}`;
    })
    .join('');
}

const shareScale: Scale = {
  from: 0,
  to: 100,
  ticks: [0, 50, 100].map((at) => ({ at, label: `${at} %` })),
};

/** Steps: a weight holds until the next point. */
function shareLine(frame: Frame, series: readonly Point[], end: number): string {
  const y = (weight: number) => n(yOf(frame, shareScale, weight));
  const path = series.map(({ at, weight }) => `H${n(xOf(frame, at))}V${y(weight)}`).join('');
  const line = `M${n(xOf(frame, series[0]?.at ?? end))} ${y(0)}${path}H${n(xOf(frame, end))}`;
  return (
    `<path d="${line}V${y(0)}Z" fill="${colour.canary}" fill-opacity="0.16"/>` +
    `<path d="${line}" fill="none" stroke="${colour.canary}" stroke-width="4" stroke-linejoin="round"/>`
  );
}

/** What was measured, with gaps where nothing was; one figure alone is a dot. A point that only tells the share is no gap. */
function measuredLine(frame: Frame, scale: Scale, series: readonly Point[], side: Side, what: keyof Figures): string {
  const parts: string[][] = [[]];
  for (const point of series.filter(({ stable, canary }) => stable !== undefined || canary !== undefined)) {
    const value = point[side]?.[what];
    if (value === undefined || !Number.isFinite(value)) parts.push([]);
    else parts.at(-1)?.push(`${n(xOf(frame, point.at))} ${n(yOf(frame, scale, value))}`);
  }
  const dash = side === 'stable' ? ' stroke-dasharray="10 7"' : '';
  return parts
    .filter((part) => part.length > 0)
    .map((part) => {
      const [x, y] = part[0]?.split(' ') ?? [];
      return part.length === 1
        ? `<circle cx="${x}" cy="${y}" r="5" fill="${colour[side]}"/>`
        : `<polyline points="${part.join(' ')}" fill="none" stroke="${colour[side]}" stroke-width="4" stroke-linejoin="round"${dash}/>`;
    })
    .join('');
}

function legend(y: number): string {
  const key = (side: Side, x: number) => {
    const dash = side === 'stable' ? ' stroke-dasharray="10 7"' : '';
    return `<line x1="${x}" y1="${y - 7}" x2="${x + 44}" y2="${y - 7}" stroke="${colour[side]}" stroke-width="4"${dash}/>${words(x + 54, y, sideNames[side], { fill: ink })}`;
  };
  return key('stable', width - right - 304) + key('canary', width - right - 164);
}

type Marks = NonNullable<Course['marks']>;

function markLines(frame: Frame, marks: Marks): string {
  const down = `V${frame.top + frame.height}`;
  const path = marks.map(({ at }) => `M${n(xOf(frame, at))} ${frame.top - 4}${down}`).join('');
  return `<path d="${path}" stroke="${soft}" stroke-width="2" stroke-dasharray="3 5"/>`;
}

/** What people said, above where they said it; words that would run into the ones before are left out. */
function markWords(frame: Frame, marks: Marks): string {
  let free = left;
  return marks
    .map(({ at, label }) => {
      const wide = label.length * 9.5;
      const from = Math.min(xOf(frame, at), width - right - wide);
      if (from < free) return '';
      free = from + wide + 12;
      return words(from, frame.top - 10, label, { size: 18 });
    })
    .join('');
}

/** In at most two lines. */
function wrapped(text: string, letters: number): string[] {
  if (text.length <= letters) return [text];
  const at = text.lastIndexOf(' ', letters);
  const cut = at > 0 ? at : letters;
  return [text.slice(0, cut), short(text.slice(cut).trimStart(), letters)];
}

const figuresOf = (series: readonly Point[], what: keyof Figures) =>
  series.flatMap((point) =>
    sides.flatMap((side) => {
      const value = point[side]?.[what];
      return value !== undefined && Number.isFinite(value) ? [value] : [];
    }),
  );

/** A canary's course as an SVG: its share of the traffic as steps, and below it what was measured, if anything was. */
export function shareChart({ title, subtitle, series, marks = [] }: Course): string {
  const start = series[0]?.at ?? 0;
  const last = series.at(-1)?.at ?? start;
  // A little beyond the end, so that the last step can be seen.
  const end = last + Math.max(1_000, (last - start) * 0.04);
  const time = timeScale(end - start);
  const panels = [
    { what: 'rate' as const, name: 'Success rate', scaled: rateScale },
    { what: 'latency' as const, name: 'Latency', scaled: latencyScale },
  ].flatMap(({ what, name, scaled }) => {
    const figures = figuresOf(series, what);
    return figures.length === 0 ? [] : [{ what, name, scale: scaled(figures) }];
  });
  const share: Frame = { top: 196, height: 180, time, start };
  const measured = panels.map((panel, index) => ({
    ...panel,
    frame: { ...share, top: share.top + share.height + 66 + index * 196, height: 130 },
  }));
  const bottom = measured.at(-1)?.frame ?? share;
  const axis = bottom.top + bottom.height;
  const height = axis + 52;
  const drawn = [
    words(28, 46, short(title, 44), { size: 30, fill: ink, bold: true }),
    ...wrapped(subtitle, 66).map((line, index) => words(28, 80 + index * 26, line, { size: 20 })),
    words(left, share.top - 36, 'Share of the traffic on the new version', { fill: ink, bold: true }),
    axes(share, shareScale),
    shareLine(share, series, end),
    ...measured.map(({ what, name, scale, frame }, index) =>
      [
        words(left, frame.top - 20, name, { fill: ink, bold: true }),
        index === 0 ? legend(frame.top - 20) : '',
        axes(frame, scale),
        // Stable's dashes lie on top: where both are the same, both can be seen.
        ...sides.toReversed().map((side) => measuredLine(frame, scale, series, side, what)),
      ].join(''),
    ),
    ...(marks.length > 0 ? [share, ...measured.map(({ frame }) => frame)].map((frame) => markLines(frame, marks)) : []),
    markWords(share, marks),
    ...time.ticks.map(({ at, label }) => words(left + (inner * at) / time.to, axis + 34, label, { anchor: 'middle' })),
  ];
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="Lato"><rect width="${width}" height="${height}" fill="#ffffff"/>${drawn.join('')}</svg>`;
}
