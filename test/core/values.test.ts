import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Duration, durationMs, Percentage, Quantity } from '../../src/core/values.ts';

describe('durations', () => {
  test.each([
    ['90s', 90_000],
    ['15m', 900_000],
    ['2h30m', 9_000_000],
    ['1.5h', 5_400_000],
    ['45 minutes', 2_700_000],
    ['1 day', 86_400_000],
    ['2 Weeks', 1_209_600_000],
    ['500ms', 500],
  ])('%s is %i ms', (text, ms) => expect(Duration.parse(text)).toBe(ms));

  test.each(['', '5', 'soon', '-5m', '5x', '0s', '10 years', '2d of rest', 'm5'])('“%s” is none', (text) => {
    expect(Duration.safeParse(text).error?.issues[0]?.message).toContain('must be a duration');
  });

  test('what was read is read again as the same', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 365 * 86_400_000 }), (ms) => {
        expect(Duration.parse(ms)).toBe(ms);
        expect(Duration.parse(Duration.parse(`${ms}ms`))).toBe(ms);
      }),
    );
  });

  test('parts add up', () => {
    const amount = fc.integer({ min: 0, max: 50 });
    fc.assert(
      fc.property(amount, amount, amount, (h, m, s) => {
        expect(durationMs(`${h}h${m}m${s}s`)).toBe(h * 3_600_000 + m * 60_000 + s * 1_000);
      }),
    );
  });
});

test('percentages', () => {
  expect(['25%', '12.5 %', 25, 0, 100].map((each) => Percentage.parse(each))).toEqual([25, 12.5, 25, 0, 100]);
  for (const wrong of ['101%', -1, 'half', '', '5 %%']) expect(Percentage.safeParse(wrong).success).toBe(false);
});

test('quantities', () => {
  for (const right of ['100m', '128Mi', '2', '1.5Gi']) expect(Quantity.parse(right)).toBe(right);
  for (const wrong of ['-1', '1GB', 'lots', '1 Gi']) expect(Quantity.safeParse(wrong).success).toBe(false);
});
