import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Edit, edited, isDone, misfit, pathText, valueAt } from '../../src/core/edits.ts';
import type { JsonObject } from '../../src/core/json.ts';

const object: JsonObject = {
  spec: {
    hosts: ['web'],
    http: [
      { match: [{ uri: { prefix: '/a' } }], route: [{ weight: 1 }] },
      { name: 'main', timeout: '1s', retries: { attempts: 3 } },
    ],
  },
};
const main = ['spec', 'http', { name: 'main' }] as const;

describe('an edit changes the one field, and nothing besides', () => {
  test.each<[string, Edit, (http: JsonObject[]) => unknown]>([
    [
      'a field of an entry by name',
      { path: [...main, 'timeout'], from: '1s', to: '5s' },
      ([a, b]) => [a, { ...b, timeout: '5s' }],
    ],
    [
      'a field of an entry by number',
      { path: ['spec', 'http', 0, 'route', 0, 'weight'], from: 1, to: 9 },
      ([a, b]) => [{ ...a, route: [{ weight: 9 }] }, b],
    ],
    [
      'fields that are not there yet',
      { path: [...main, 'fault', 'abort', 'httpStatus'], to: 503 },
      ([a, b]) => [a, { ...b, fault: { abort: { httpStatus: 503 } } }],
    ],
    [
      'a field away, and what it leaves empty',
      { path: [...main, 'retries', 'attempts'], from: 3 },
      ([a]) => [a, { name: 'main', timeout: '1s' }],
    ],
    [
      'an entry before another',
      { path: ['spec', 'http', { name: 'x' }], to: { name: 'x' }, before: { name: 'main' } },
      ([a, b]) => [a, { name: 'x' }, b],
    ],
    [
      'an entry at the end',
      { path: ['spec', 'http', { name: 'x' }], to: { name: 'x' } },
      ([a, b]) => [a, b, { name: 'x' }],
    ],
    ['an entry away', { path: ['spec', 'http', { name: 'main' }], from: {} }, ([a]) => [a]],
    ['what is not there away', { path: [...main, 'mirror', 'host'] }, (http) => http],
  ])('%s', (_, edit, expected) => {
    const http = object.spec && valueAt(object, ['spec', 'http']);
    const list = Array.isArray(http) ? http.filter((each): each is JsonObject => typeof each === 'object') : [];
    expect(edited(object, [edit])).toEqual({ spec: { hosts: ['web'], http: expected(list) } });
  });
});

test('what was edited is done, and what somebody else changed is a misfit', () => {
  const edits: Edit[] = [{ path: [...main, 'timeout'], from: '1s', to: '5s' }];
  expect([misfit(object, edits), isDone(object, edits)]).toEqual([undefined, false]);
  const after = edited(object, edits);
  expect([misfit(after, edits), isDone(after, edits)]).toEqual([undefined, true]);
  expect(misfit(edited(object, [{ path: [...main, 'timeout'], to: '9s' }]), edits)).toBe(edits[0]);
  const guard: Edit[] = [{ path: ['spec', 'hosts'], from: ['web'], to: ['web'] }];
  expect(misfit({ spec: { hosts: ['shop'] } }, guard)).toBe(guard[0]);
});

test('paths are read by people', () => {
  expect(pathText([...main, 'retries', 'attempts'])).toBe('spec.http[main].retries.attempts');
  expect(pathText(['spec', 'http', 2, 'timeout'])).toBe('spec.http[2].timeout');
});

test('an edit and its reverse leave all as it was, whatever else there is', () => {
  const leaf = fc.oneof(fc.string(), fc.integer(), fc.boolean());
  const keys = fc.array(fc.stringMatching(/^[a-z]{1,3}$/), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(
      fc.dictionary(fc.stringMatching(/^[A-Z]{1,3}$/), leaf, { minKeys: 1 }),
      keys,
      leaf,
      (other, path, to) => {
        const before: JsonObject = { ...other, list: [{ name: 'a', kept: 1 }, { name: 'b' }] };
        const whole = ['list', { name: 'a' }, ...path];
        const after = edited(before, [{ path: whole, to }]);
        expect(valueAt(after, whole)).toEqual(to);
        expect(edited(after, [{ path: whole, from: to }])).toEqual(before);
      },
    ),
  );
});
