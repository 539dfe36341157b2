import { z } from 'zod';
import { covers, guards } from './name-pattern.ts';

const days = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const;
const minuteMs = 60_000;
const quarterMs = 15 * minuteMs;
const dayMs = 86_400_000;
const farthestMs = 400 * dayMs;

function isZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

const Moment = z
  .string()
  .regex(/^\d{4}-(0[1-9]|1[0-2])-([0-2]\d|3[01])T([01]\d|2[0-3]):[0-5]\d$/, 'must be like 2026-12-20T18:00');
const TimeOfDay = z.string().regex(/^(([01]\d|2[0-3]):[0-5]\d|24:00)$/, 'must be a time such as 16:00');

/** A time in which nothing is changed: once, from one wall-clock moment to another, or every week on some days. */
export const Freeze = z
  .strictObject({
    name: z.string().min(1),
    environments: z.array(z.string()).default(['*']),
    apps: z.array(z.string()).default(['*']),
    /** An IANA time zone: what the times below are read by. */
    timeZone: z.string().refine(isZone, 'is not a time zone such as Europe/Berlin').default('UTC'),
    from: Moment.optional(),
    to: Moment.optional(),
    /** A `to` at or before `from` is meant on the next day. */
    weekly: z
      .strictObject({
        days: z.array(z.enum(days)).min(1),
        from: TimeOfDay.default('00:00'),
        to: TimeOfDay.default('24:00'),
      })
      .optional(),
    /** Operations, roles and days (2026-12-24) that it does not hold for. */
    except: z
      .strictObject({
        operations: z.array(z.string()).default([]),
        who: z.array(z.string()).default([]),
        on: z.array(z.iso.date()).default([]),
      })
      .default({ operations: [], who: [], on: [] }),
  })
  .refine(
    ({ from, to, weekly }) => (weekly ? !from && !to : from !== undefined && to !== undefined && from < to),
    'needs either weekly, or from and a later to',
  );
export type Freeze = z.output<typeof Freeze>;

type Wall = { day: (typeof days)[number]; date: string; time: string };

const formats = new Map<string, Intl.DateTimeFormat>();

/** What clock and calendar on a wall in the zone show: by comparing those, changes of the clock are right by themselves. */
function wallOf(at: number, timeZone: string): Wall {
  const format =
    formats.get(timeZone) ??
    new Intl.DateTimeFormat('en-US', {
      timeZone,
      hourCycle: 'h23',
      weekday: 'short',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
    });
  formats.set(timeZone, format);
  const found = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, value]));
  const day = days.find((name) => name === found.weekday?.toLowerCase()) ?? 'sun';
  return {
    day,
    date: `${found.year?.padStart(4, '0')}-${found.month}-${found.day}`,
    time: `${found.hour}:${found.minute}`,
  };
}

const dayBefore = (day: Wall['day']) => days[(days.indexOf(day) + 6) % 7];

/** Whether the freeze's window, without its exceptions, covers the moment. */
function inWindow({ timeZone, from, to, weekly, except }: Freeze, at: number): boolean {
  const { day, date, time } = wallOf(at, timeZone);
  if (except.on.includes(date)) return false;
  if (!weekly) return from !== undefined && to !== undefined && `${date}T${time}` >= from && `${date}T${time}` < to;
  const overnight = weekly.to <= weekly.from;
  const today = weekly.days.includes(day) && time >= weekly.from && (overnight || time < weekly.to);
  const sinceYesterday = overnight && weekly.days.some((name) => name === dayBefore(day)) && time < weekly.to;
  return today || sinceYesterday;
}

/** The first moment that is not covered, looked for in steps; undefined where there is none before `limit`. */
function firstFree(freeze: Freeze, from: number, step: number, limit: number): number | undefined {
  for (let at = from; at <= limit; at += step) if (!inWindow(freeze, at)) return at;
  return undefined;
}

/** The next moment, to the minute, that the window does not cover; undefined where it has no end in sight. */
function endOfWindow(freeze: Freeze, at: number): number | undefined {
  const minute = Math.floor(at / minuteMs) * minuteMs;
  // A weekly window has an end within the week; one by dates has no gap but whole days.
  const [step, limit] = freeze.weekly ? [quarterMs, minute + 8 * dayMs] : [dayMs / 2, minute + farthestMs];
  const coarse = firstFree(freeze, minute, step, limit);
  if (coarse === undefined) return undefined;
  // Every change of a clock is a multiple of a quarter of an hour.
  const near = firstFree(freeze, Math.max(minute, coarse - step), quarterMs, coarse) ?? coarse;
  return firstFree(freeze, Math.max(minute, near - quarterMs), minuteMs, near) ?? near;
}

/**
 * The freeze that forbids a change now, and when it ends. `holds` says whether the asker holds one of the roles that it
 * makes an exception for.
 */
export function frozen(
  freezes: readonly Freeze[],
  question: { at: number; env: string; app: string | undefined; operation: string },
  holds: (roles: readonly string[]) => boolean,
): { freeze: Freeze; until: number | undefined } | undefined {
  const { at, env, app, operation } = question;
  const freeze = freezes.find(
    (candidate) =>
      covers(candidate.environments, env) &&
      guards(candidate.apps, app) &&
      !candidate.except.operations.includes(operation) &&
      inWindow(candidate, at) &&
      !(candidate.except.who.length > 0 && holds(candidate.except.who)),
  );
  return freeze && { freeze, until: endOfWindow(freeze, at) };
}
