import type { KnownBlock } from '@slack/types';
import { endText, rolledBackText } from '../../../src/core/end-text.ts';
import { spanText } from '../../../src/core/moments.ts';
import type { Report } from '../../../src/core/report.ts';
import type { Run } from '../../../src/core/run.ts';
import type { Settings } from '../../../src/core/settings.ts';
import { type Standing, seriesSoFar, standingOf } from '../../../src/core/standing.ts';
import type { Steer, SteerWish } from '../../../src/core/steer.ts';
import { troubleText } from '../../../src/core/trouble-text.ts';
import { sparklines } from '../chart/sparkline.ts';
import { countdown, cut, harmless, moment, picture, preformatted, section } from './elements.ts';
import { nameOf } from './people.ts';

/** What a message of a run that shifts traffic shows beside the run itself: what was said to it, and its chart. */
export type Canary = { steers: readonly Steer[]; picture?: { file: string; alt: string } | undefined };

export type CourseReport = Extract<Report, { kind: 'promoted' | 'rolled-back' }>;
export const isCourse = (report: Report | undefined): report is CourseReport =>
  report?.kind === 'promoted' || report?.kind === 'rolled-back';

const cells = 20;

/** A share as a bar. However little it is, some of it shows, and 99 % is not all. */
export function shareBar(weight: number): string {
  const exact = (weight * cells) / 100;
  const full = weight > 0 && weight < 100 ? Math.min(cells - 1, Math.max(1, Math.round(exact))) : Math.round(exact);
  return `${'█'.repeat(full)}${'░'.repeat(cells - full)}`;
}

function nextWords({ phase, weight, to, nextAt }: Standing, held: string): string {
  const next = to === undefined ? 'the promotion' : `${to} %`;
  switch (phase) {
    case 'preparing':
      return `The new version is put up beside the old one. Next: ${next}`;
    case 'moving':
      return `On its way to ${next}`;
    case 'baking':
      return `Next: ${next}${nextAt === undefined ? '' : ` ${countdown(nextAt)}`}`;
    case 'held':
      return `:hand: *Paused*${held}. It stays so until it is resumed, promoted or aborted`;
    case 'manual':
      return `:hand: *Waits to be promoted*. Next: ${next}`;
    case 'unsure':
      return `:hourglass: *Holds*: what was measured does not decide it yet. Next: ${next}`;
    case 'promoting':
      return 'Stable’s pods get the new version, a few at a time';
    case 'back':
      return ':rewind: *All traffic goes back to stable*';
    case 'cleared':
      return weight === 0 ? 'All traffic is back on stable' : 'All traffic is on the new version';
    default:
      return phase satisfies never;
  }
}

/** Where the traffic goes now, and what comes next and when. */
export function standingBlocks(run: Run, { steers, picture: drawn }: Canary, settings: Settings): KnownBlock[] {
  const standing = standingOf(run, steers);
  if (!standing) return [];
  const pause = steers.findLast(({ wish }) => wish.kind === 'pause');
  const held = pause ? ` by ${nameOf(pause.actor, settings)} ${moment(pause.at)}` : '';
  const share = `${shareBar(standing.weight)} *${standing.weight} %* of the traffic on the new version`;
  return [
    section([share, nextWords(standing, held), ...sparklines(seriesSoFar(run))].join('\n')),
    ...(drawn ? [picture(drawn.file, drawn.alt)] : []),
  ];
}

function saidWords(wish: SteerWish): string {
  switch (wish.kind) {
    case 'promote':
      return wish.full ? ':fast_forward: Promoted in full' : ':arrow_forward: Promoted to the next share';
    case 'pause':
      return ':hand: Paused';
    case 'resume':
      return ':arrow_forward: Resumed';
    case 'weight':
      return `:control_knobs: Given ${wish.weight} %`;
    case 'abort':
      return ':rewind: Aborted';
    default:
      return wish satisfies never;
  }
}

const mostSteers = 8;

/** Who steered it, the last ones. */
export function steerLines({ steers }: Canary, settings: Settings): string[] {
  const lines = steers.slice(-mostSteers).map(({ wish, actor, at }) => {
    const reason = wish.kind === 'abort' && wish.reason !== undefined ? `: “${harmless(wish.reason)}”` : '';
    return `${saidWords(wish)} by ${nameOf(actor, settings)} ${moment(at)}${reason}`;
  });
  const before = steers.length - lines.length;
  return before > 0 ? [`… and ${before} more before`, ...lines] : lines;
}

/**
 * What a share's card says below its title: how long it lasted, and what the analysis says. Its note also has the share and
 * a countdown, as REST shows them; here the message itself says both, and an edit a second would be too many.
 */
export function shareDetails({ note, state, startedAt, endedAt }: Run['steps'][string]): string | undefined {
  const said = (note ?? '').split(' · ').filter((part) => !/^\d+ %$| left$|^giving it /.test(part) && part !== '');
  const over = state === 'done' && endedAt !== undefined;
  // What was still to be learned is nothing to be said of a share that is over.
  const open = /^(paused|waits|holds)\b|: (about \d+ more requests|no (request|number) yet)/;
  const kept = over ? said.flatMap((part) => part.split('; ')).filter((part) => !open.test(part)) : said;
  return [...(over ? [`for ${spanText(endedAt - startedAt)}`] : []), ...kept].join(' · ') || undefined;
}

/** `10 % for 5 min → 25 % for 5 min`. */
export const courseText = ({ stages }: Pick<CourseReport, 'stages'>): string =>
  stages.map(({ weight, since, until }) => `${weight} % for ${spanText(until - since)}`).join(' → ');

/** How it ended, what decided, and which way it went. */
export function courseBlocks(report: CourseReport, canary: Canary, settings: Settings): KnownBlock[] {
  const by = report.kind === 'rolled-back' && report.by ? nameOf(report.by, settings) : undefined;
  const end =
    report.kind === 'rolled-back' && by !== undefined
      ? // Who it was is a mention; everything else is foreign.
        rolledBackText({ ...report, detail: harmless(report.detail), trouble: undefined }, by)
      : harmless(endText(report));
  const [first, last] = [report.stages[0], report.stages.at(-1)];
  const took = first && last ? ` (${spanText(last.until - first.since)} in all)` : '';
  const course = first ? `\n${courseText(report)}${took}` : '';
  const trouble = report.kind === 'rolled-back' ? report.trouble : undefined;
  const next = trouble ? `\n${troubleText(trouble).next}` : '';
  const logs = trouble?.logs ?? [];
  return [
    section(
      [`*${cut(end, 1_500)}*${course}${next}`, ...(canary.picture ? [] : sparklines(report.series ?? []))].join('\n'),
    ),
    ...(logs.length > 0 ? [preformatted(logs.slice(-10).join('\n'))] : []),
    ...(canary.picture ? [picture(canary.picture.file, canary.picture.alt)] : []),
  ];
}
