import { writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { pngOf } from '../../../handlers/slack/chart/picture.ts';
import { latencyScale, rateScale, timeScale } from '../../../handlers/slack/chart/scale.ts';
import { shareChart } from '../../../handlers/slack/chart/share-chart.ts';
import { type Point, seriesOf } from '../../../src/core/series.ts';

const start = Date.UTC(2026, 10, 25, 7);
const minute = 60_000;
const stages = [10, 25, 50].map((weight, index) => ({
  weight,
  since: start + index * 5 * minute,
  until: start + (index + 1) * 5 * minute,
}));
const measured: Point[] = Array.from({ length: 61 }, (_, n) => ({
  at: start + n * 15_000,
  weight: n === 60 ? 0 : ([10, 25, 50][Math.floor(n / 20)] ?? 0),
  stable: { rate: 0.999, latency: 80 },
  ...(n > 1 && n < 60 && { canary: { rate: n < 40 ? 0.998 : 0.998 - (n - 40) * 0.0035, latency: 90 + n * 2 } }),
}));
const course = { title: 'Deploy web to production', subtitle: 'Rolled back: success rate 93.1 %', series: measured };

/** Where the line of the share goes, as numbers. */
const shareOf = (svg: string) => /<path d="(M[^"]*)" fill="none"/.exec(svg)?.[1] ?? '';
const heightOf = (png: Buffer) => png.readUInt32BE(20);

test('what was measured is the course; without it the stages are, and how it ended', () => {
  expect(seriesOf({ kind: 'rolled-back', stages, series: measured })).toEqual(measured);
  const told = seriesOf({ kind: 'rolled-back', stages, series: [] });
  expect(told.map(({ at, weight }) => [(at - start) / minute, weight])).toEqual([
    [0, 10],
    [5, 25],
    [10, 50],
    [15, 0],
  ]);
  expect(seriesOf({ kind: 'promoted', stages }).at(-1)).toMatchObject({ weight: 100 });
  expect(seriesOf({ kind: 'rolled-back', stages: [] })).toEqual([]);
});

test('the share goes up in steps, and back to nothing where it was rolled back', () => {
  const back = shareOf(shareChart({ ...course, series: seriesOf({ kind: 'rolled-back', stages }) }));
  // Across and down only: nothing is slanted, as no share comes bit by bit.
  expect(back).toMatch(/^M[\d.]+ [\d.]+(H[\d.]+V[\d.]+)+H[\d.]+$/);
  const heights = [...back.matchAll(/V([\d.]+)/g)].map(([, y]) => Number(y));
  expect(heights).toHaveLength(4);
  const [ten = 0, quarter = 0, half = 0, none = 0] = heights;
  expect(quarter).toBeLessThan(ten);
  expect((none - half) / (none - ten)).toBeCloseTo(5);
  expect((none - quarter) / (none - ten)).toBeCloseTo(2.5);
});

test('only what was measured has a place, and where nothing was there is a gap', () => {
  const bare = shareChart({ ...course, series: seriesOf({ kind: 'promoted', stages }) });
  expect(bare).not.toMatch(/Success rate|Latency|stable/);
  const both = shareChart(course);
  expect(both).toMatch(/Success rate.*new version.*Latency/);
  const holed = measured.map((point, n) =>
    n === 30 ? { at: point.at, weight: point.weight, stable: {}, canary: {} } : point,
  );
  const lines = (svg: string) => svg.match(/<polyline/g)?.length;
  expect(lines(both)).toBe(4);
  expect(lines(shareChart({ ...course, series: holed }))).toBe(8);
  // Where a share begins is no gap in what was measured.
  const marked = measured.flatMap((point, n) => (n === 30 ? [{ at: point.at, weight: 25 }, point] : [point]));
  expect(lines(shareChart({ ...course, series: marked }))).toBe(4);
});

test('stable and the new version are told apart without colours too', () => {
  const [stable, canary] = [/<polyline[^>]*#0072b2[^>]*>/, /<polyline[^>]*#d55e00[^>]*>/].map(
    (line) => line.exec(shareChart(course))?.[0],
  );
  expect(stable).toContain('stroke-dasharray');
  expect(canary).not.toContain('stroke-dasharray');
});

test('what people said stands where they said it, and no word runs into another', () => {
  const marks = [5.5, 5.6, 10].map((at, index) => ({
    at: start + at * minute,
    label: ['paused', 'resumed', 'promoted'][index] ?? '',
  }));
  const svg = shareChart({ ...course, marks });
  expect(svg).toContain('>paused<');
  expect(svg).not.toContain('>resumed<');
  expect(svg).toContain('>promoted<');
});

test('axes have few, round numbers, and 99 % does not look like 99.9 %', () => {
  expect(timeScale(26 * minute).ticks.map(({ label }) => label)).toEqual([
    '0',
    '5 min',
    '10 min',
    '15 min',
    '20 min',
    '25 min',
  ]);
  expect(timeScale(40_000).ticks.map(({ label }) => label)).toEqual(['0', '10 s', '20 s', '30 s', '40 s']);
  expect(rateScale([0.999, 0.991])).toMatchObject({
    from: 0.99,
    ticks: [{ label: '99 %' }, { label: '99.5 %' }, { label: '100 %' }],
  });
  expect(rateScale([0.2]).from).toBe(0);
  expect(latencyScale([210]).ticks.map(({ label }) => label)).toEqual(['0', '150 ms', '300 ms']);
  expect(latencyScale([1_700]).ticks.map(({ label }) => label)).toEqual(['0', '1 s', '2 s']);
  expect(latencyScale([0.4]).to).toBeCloseTo(0.4);
});

test('the picture has letters, whatever machine draws it', async () => {
  const [wide, narrow] = await Promise.all(
    ['WWWWWWWW', 'iiiiiiii'].map((title) => pngOf(shareChart({ ...course, title }))),
  );
  expect(wide?.subarray(1, 4).toString()).toBe('PNG');
  expect(wide?.readUInt32BE(16)).toBe(1_440);
  expect(wide?.equals(narrow ?? Buffer.of())).toBe(false);
  if (process.env.CHART) writeFileSync(process.env.CHART, await pngOf(shareChart(course)));
});

test('whatever it is called and whatever was measured, it can be drawn', { timeout: 60_000 }, async () => {
  const figure = fc.record(
    { rate: fc.double({ min: 0, max: 1 }), latency: fc.double({ min: 0, max: 1e7 }) },
    { requiredKeys: [] },
  );
  const point = fc.record(
    {
      at: fc.integer({ min: start, max: start + 1e9 }),
      weight: fc.integer({ min: 0, max: 100 }),
      stable: figure,
      canary: figure,
    },
    { requiredKeys: ['at', 'weight'] },
  );
  await fc.assert(
    fc.asyncProperty(
      fc.string({ unit: 'binary', maxLength: 100 }),
      fc.array(point, { minLength: 1, maxLength: 12 }),
      async (title, points) => {
        const series = seriesOf({ kind: 'promoted', stages: [], series: points });
        const svg = shareChart({
          title,
          subtitle: `${title}<&"\u0000\ufffe`,
          series,
          marks: [{ at: start, label: title }],
        });
        expect(svg).not.toMatch(/NaN|Infinity|undefined/);
        expect(heightOf(await pngOf(svg))).toBeGreaterThan(700);
      },
    ),
    { numRuns: 30, seed: 20261125 },
  );
});
