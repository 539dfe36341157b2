import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sparklines } from '../../../handlers/slack/chart/sparkline.ts';
import type { Point } from '../../../src/core/series.ts';

const at = (n: number, canary?: Point['canary'], stable?: Point['stable']): Point => ({
  at: n * 2_000,
  weight: 10,
  ...(canary && { canary }),
  ...(stable && { stable }),
});

test('a course is bars with the last figure behind them, the new version first', () => {
  const series = [0.999, 0.99, 0.96, 0.936].map((rate, n) => at(n, { rate }, { rate: 1 }));
  expect(sparklines(series)).toEqual(['Success rate ▇▆▅▃ *93.6 %* · stable ▇▇▇▇ *100 %*']);
});

test('both sides have one scale, so that what is slower is higher', () => {
  const series = [0, 1].map((n) => at(n, { latency: 200 }, { latency: 50 }));
  expect(sparklines(series)).toEqual(['Latency ▇▇ *200 ms* · stable ▃▃ *50 ms*']);
});

test('what was not measured is a gap, and where nothing was there is no line', () => {
  expect(sparklines([at(0, { rate: 1 }), at(1, {}, { rate: 1 }), at(2, { rate: 1 })])).toEqual([
    'Success rate ▇·▇ *100 %* · stable ▇· *100 %*',
  ]);
  expect(sparklines([at(0), at(1)])).toEqual([]);
  expect(sparklines([])).toEqual([]);
});

test('however long it lasts and whatever was measured, it is a short line that ends with the last point', () => {
  const figures = fc.record({ rate: fc.double({ min: 0, max: 1, noNaN: true }) });
  fc.assert(
    fc.property(fc.array(figures, { minLength: 1, maxLength: 400 }), (rates) => {
      const [line = ''] = sparklines(rates.map((figure, n) => at(n, figure)));
      const bars = /^Success rate ([▁-▇]{1,12}) \*([\d.]+) %\*$/u.exec(line);
      expect(Number(bars?.[2])).toBeCloseTo((rates.at(-1)?.rate ?? 0) * 100, 0);
    }),
    { numRuns: 200, seed: 20261128 },
  );
});
