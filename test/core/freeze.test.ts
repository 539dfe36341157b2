import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Freeze, frozen } from '../../src/core/freeze.ts';

const where = { env: 'production', app: 'web', operation: 'deploy' };
const nobody = () => false;
const at = (iso: string) => Date.parse(iso);
const ask = (freeze: unknown, iso: string, change: Partial<typeof where> = {}, holds = nobody) =>
  frozen([Freeze.parse(freeze)], { ...where, ...change, at: at(iso) }, holds);

const weekend = { name: 'weekend', timeZone: 'Europe/Berlin', weekly: { days: ['fri'], from: '16:00', to: '24:00' } };

describe('a weekly freeze', () => {
  test('holds by the wall clock of its zone, in summer and in winter', () => {
    expect(ask(weekend, '2026-07-03T13:59:00Z')).toBeUndefined();
    expect(ask(weekend, '2026-07-03T14:00:00Z')?.until).toBe(at('2026-07-03T22:00:00Z'));
    expect(ask(weekend, '2026-12-04T14:59:00Z')).toBeUndefined();
    expect(ask(weekend, '2026-12-04T15:00:00Z')?.until).toBe(at('2026-12-04T23:00:00Z'));
  });

  test('may go past midnight', () => {
    const night = { name: 'night', weekly: { days: ['mon'], from: '22:00', to: '06:00' } };
    expect(ask(night, '2026-11-23T23:00:00Z')?.until).toBe(at('2026-11-24T06:00:00Z'));
    expect(ask(night, '2026-11-24T05:59:00Z')).toBeDefined();
    expect(ask(night, '2026-11-24T06:00:00Z')).toBeUndefined();
    expect(ask(night, '2026-11-23T05:00:00Z')).toBeUndefined();
  });

  test('of every day has no end', () => {
    const days = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];
    expect(ask({ name: 'always', weekly: { days } }, '2026-11-23T12:00:00Z')).toMatchObject({ until: undefined });
  });
});

describe('a freeze from one day to another', () => {
  const yearEnd = { name: 'year end', timeZone: 'Pacific/Auckland', from: '2026-12-20T00:00', to: '2027-01-06T00:00' };
  test('holds between them, but for its exceptions', () => {
    expect(ask(yearEnd, '2026-12-19T10:59:00Z')).toBeUndefined();
    expect(ask(yearEnd, '2026-12-19T11:00:00Z')?.until).toBe(at('2027-01-05T11:00:00Z'));
    const soft = { ...yearEnd, except: { operations: ['rollback'], who: ['on-call'], on: ['2026-12-29'] } };
    expect(ask(soft, '2026-12-25T12:00:00Z')).toBeDefined();
    expect(ask(soft, '2026-12-25T12:00:00Z', { operation: 'rollback' })).toBeUndefined();
    expect(ask(soft, '2026-12-25T12:00:00Z', {}, () => true)).toBeUndefined();
    expect(ask(soft, '2026-12-28T12:00:00Z')).toBeUndefined();
  });

  test('and only for what it names', () => {
    const web = { ...yearEnd, apps: ['api'], environments: ['production'] };
    expect(ask(web, '2026-12-25T12:00:00Z')).toBeUndefined();
    expect(ask(web, '2026-12-25T12:00:00Z', { app: 'api' })).toBeDefined();
  });
});

describe('when clocks change', () => {
  test.each([
    ['Europe/Berlin', '2026-03-28T23:00:00Z', 23],
    ['Europe/Berlin', '2026-10-24T22:00:00Z', 25],
    ['Australia/Lord_Howe', '2026-10-03T13:30:00Z', 23.5],
    ['UTC', '2026-03-29T00:00:00Z', 24],
  ])('a day in %s from %s has %d hours', (timeZone, midnight, hours) => {
    const sunday = { name: 'sunday', timeZone, weekly: { days: ['sun'] } };
    const minutes = Array.from({ length: 30 * 60 }, (_, n) => at(midnight) + (n - 120) * 60_000);
    const covered = minutes.filter((ms) => ask(sunday, new Date(ms).toISOString()));
    expect(covered.length / 60).toBe(hours);
    expect(ask(sunday, midnight)?.until).toBe(at(midnight) + hours * 3_600_000);
  });
});

test('the end is the first minute that is free again, whatever the window', () => {
  const two = (n: number) => String(n).padStart(2, '0');
  const time = fc
    .tuple(fc.integer({ min: 0, max: 23 }), fc.integer({ min: 0, max: 59 }))
    .map(([h, m]) => `${two(h)}:${two(m)}`);
  const zone = fc.constantFrom('UTC', 'Europe/Berlin', 'Asia/Kolkata', 'America/St_Johns', 'Pacific/Auckland');
  const moment = fc.date({ min: new Date('2026-01-01'), max: new Date('2027-12-31'), noInvalidDate: true });
  fc.assert(
    fc.property(time, time, zone, moment, (from, to, timeZone, when) => {
      const freeze = Freeze.parse({ name: 'f', timeZone, weekly: { days: ['tue', 'sat'], from, to } });
      const is = (ms: number) => frozen([freeze], { ...where, at: ms }, nobody);
      const found = is(when.getTime());
      if (found?.until === undefined) return;
      expect(is(found.until)).toBeUndefined();
      expect(is(found.until - 1)).toBeDefined();
      expect(found.until).toBeGreaterThan(when.getTime());
    }),
    { numRuns: 200 },
  );
});

test.each([
  [{ name: 'x', timeZone: 'Mars/Base', weekly: { days: ['mon'] } }, 'is not a time zone'],
  [{ name: 'x' }, 'needs either weekly'],
  [{ name: 'x', from: '2026-12-20T00:00', to: '2026-12-19T00:00' }, 'needs either weekly'],
  [{ name: 'x', weekly: { days: ['someday'] } }, 'fri'],
])('%j is refused', (freeze, words) => {
  expect(
    Freeze.safeParse(freeze)
      .error?.issues.map(({ message }) => message)
      .join(),
  ).toContain(words);
});
