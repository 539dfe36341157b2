import { expect, test } from 'vitest';
import { preferenceOf } from '../../../handlers/http/prefer.ts';

test.each([
  ['wait=30', 30],
  ['wait=0', 0],
  ['Wait = 5', 5],
  ['wait="10"', 10],
  ['respond-async, wait=10', 10],
  ['return=minimal; foo="a,b;wait=1", wait=7', 7],
  ['handling=lenient,wait=3;x=y', 3],
  ['wait=61', 60],
  [`wait=${'9'.repeat(400)}`, 60],
  ['wait=4, wait=9', 4],
])('%j is a wait of %d seconds', (header, wait) => {
  expect(preferenceOf(header).wait).toBe(wait);
});

test.each([
  undefined,
  '',
  'wait',
  'wait=',
  'wait=soon',
  'wait=-1',
  'wait=1.5',
  'wait=1=2',
  'wait=1 2',
  'wait="',
  'wait="5',
  'waiting=5',
  'x="wait=5',
  'x="a\\", wait=5"',
  'wait=soon, wait=5',
  ';;,,==',
])('%j is none: what is not understood is as if it were not there', (header) => {
  expect(preferenceOf(header)).toEqual({ respondAsync: false });
});

test.each(['respond-async', 'Respond-Async; x=1', 'wait=1, respond-async', 'respond-async=""'])(
  '%j is not to wait',
  (header) => {
    expect(preferenceOf(header).respondAsync).toBe(true);
  },
);

test('a header that is there twice counts as one', () => {
  expect(preferenceOf(['respond-async', 'wait=10'])).toEqual({ wait: 10, respondAsync: true });
});
