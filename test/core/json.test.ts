import { expect, test } from 'vitest';
import { inWords, isTooDeep, Json } from '../../src/core/json.ts';

const nested = (levels: number): unknown => JSON.parse(`${'['.repeat(levels)}${']'.repeat(levels)}`);

test('what is nested deeper than anybody writes is no JSON, and nobody walks through it', () => {
  expect(Json.safeParse(nested(500)).success).toBe(true);
  for (const levels of [501, 5_000, 200_000]) expect(Json.safeParse(nested(levels)).success).toBe(false);
});

test.each([
  ['[[[]]]', false],
  [`"${'['.repeat(600)}"`, false],
  [`"\\"${'{'.repeat(600)}"`, false],
  ['['.repeat(500), false],
  ['['.repeat(501), true],
  [`${'{"a":'.repeat(250)}${'['.repeat(251)}`, true],
  ['"\\\\"['.repeat(600), true],
  ['[]'.repeat(600), false],
  [']['.repeat(600), false],
])('whether a text is too deep goes by its brackets outside of quotes: %#', (text, deep) => {
  expect(isTooDeep(text)).toBe(deep);
});

test('an object from outside is put into words without calling anything of its own', () => {
  expect(inWords({ toString: 0 })).toBe('{"toString":0}');
  expect([inWords(1), inWords(null), inWords('a'), inWords(undefined)]).toEqual(['1', 'null', 'a', 'undefined']);
});
