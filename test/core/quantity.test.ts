import { expect, test } from 'vitest';
import { barOf, billionths, compareQuantities, shareOf, sumOf } from '../../src/core/quantity.ts';

test.each([
  ['1', 1_000_000_000n],
  ['100m', 100_000_000n],
  ['.5', 500_000_000n],
  ['1.', 1_000_000_000n],
  ['1Ki', 1_024_000_000_000n],
  ['1.5Gi', 1_610_612_736_000_000_000n],
  ['1e3', 1_000_000_000_000n],
  ['1E3', 1_000_000_000_000n],
  ['2E', 2_000_000_000_000_000_000_000_000_000n],
  ['5e-1', 500_000_000n],
  ['0.0000000001', 1n],
  ['250n', 250n],
])('%s', (quantity, expected) => expect(billionths(quantity)).toBe(expected));

test.each(['', '.', 'm', '1 Gi', '-1', '1gi', '1mm', 'abc', '1e'])('“%s” is no quantity', (quantity) =>
  expect(billionths(quantity)).toBeUndefined(),
);

test('they are compared across units', () => {
  expect(compareQuantities('1Gi', '1G')).toBe(1);
  expect(compareQuantities('1000m', '1')).toBe(0);
  expect(compareQuantities('999Mi', '1Gi')).toBe(-1);
});

test('they are summed without the errors of floating point', () => {
  expect(sumOf(['100m', '200m'])).toBe('300m');
  expect(sumOf(['0.1', '0.2', '0.7'])).toBe('1');
  expect(sumOf(['512Mi', '1Gi'])).toBe('1.5Gi');
  expect(sumOf(['1Ki', '1'])).toBe('1Ki');
  expect(sumOf([])).toBe('0');
});

test('a bar tells nothing from a little, and a little less than all from all', () => {
  expect(barOf(shareOf('62', '100'))).toBe('▓▓▓▓▓▓░░░░ 62 %');
  expect(barOf(shareOf('0', '4'))).toBe('░░░░░░░░░░ 0 %');
  expect(barOf(shareOf('1m', '4'))).toBe('▓░░░░░░░░░ 0 %');
  expect(barOf(shareOf('3999m', '4'))).toBe('▓▓▓▓▓▓▓▓▓░ 99 %');
  expect(barOf(shareOf('6', '4'))).toBe('▓▓▓▓▓▓▓▓▓▓ 150 %');
  expect(shareOf('0', '0')).toBe(1);
});
