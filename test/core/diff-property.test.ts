import fc from 'fast-check';
import { expect, test } from 'vitest';
import { differences } from '../../src/core/diff.ts';
import { isObject, type Json, type JsonObject } from '../../src/core/json.ts';
import type { ListTypes } from '../../src/core/list-types.ts';
import { withShown } from '../support/with-shown.ts';

/** Few names and values, so that lists have entries in common, twins, and other orders. */
const name = fc.constantFrom('a', 'b', 'c', 'd.e', 'x/y', '[0]');
const plain: fc.Arbitrary<Json> = fc.oneof(
  fc.constantFrom('p', 'q', '0', '1', ''),
  fc.integer({ min: 0, max: 2 }),
  fc.boolean(),
  fc.constant(null),
);
const { value } = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    plain,
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(name, tie('value'), { maxKeys: 3 }),
    // What lists of the API are mostly made of.
    fc.array(fc.record({ a: fc.constantFrom('p', 'q', 'r'), b: tie('value') }), { maxLength: 4 }),
  ),
}));
const object: fc.Arbitrary<JsonObject> = fc.dictionary(name, value, { maxKeys: 4 });

/** Any cluster: its lists are maps by some keys, sets, or neither, each as its path has it. */
const lists: fc.Arbitrary<ListTypes> = fc.func<[readonly string[]], ReturnType<ListTypes>>(
  fc.constantFrom<ReturnType<ListTypes>>(
    { kind: 'map', keys: ['a'] },
    { kind: 'map', keys: ['a', 'b'] },
    { kind: 'set' },
    { kind: 'atomic' },
  ),
);

/** The same but for what is empty where nothing was: the server keeps neither. */
const asJson = (of: Json): Json => JSON.parse(JSON.stringify(of));

test('whoever has the object as it was, and the lines, has the object as it will be', () => {
  fc.assert(
    fc.property(object, object, lists, (before, after, types) => {
      expect(withShown(before, differences(before, after, types), { after, types })).toEqual(asJson(after));
    }),
    { numRuns: 3_000 },
  );
});

test('what is the same shows no line, and each line says something', () => {
  fc.assert(
    fc.property(object, lists, (before, types) => {
      expect(differences(before, before, types)).toEqual([]);
    }),
  );
});

test('no two lines are of one place', () => {
  fc.assert(
    fc.property(object, object, lists, (before, after, types) => {
      const places = differences(before, after, types).map(({ path, from, to }) =>
        JSON.stringify([path, from === undefined, to === undefined]),
      );
      expect(new Set(places).size).toBe(places.length);
    }),
  );
});

/** A field that is hidden differs where its mask does. */
test('a secret value that changes is a line, and neither value is in it', () => {
  const secret = (token: string): JsonObject => ({ kind: 'Secret', data: { token } });
  const pod = (token: string): JsonObject => ({ kind: 'Pod', spec: { env: [{ name: 'API_TOKEN', value: token }] } });
  const pairs = fc.tuple(fc.base64String({ minLength: 8 }), fc.base64String({ minLength: 8 }));
  fc.assert(
    fc.property(pairs, fc.constantFrom(secret, pod), lists, ([from, to], of, types) => {
      const found = differences(of(from), of(to), types);
      expect(found).toHaveLength(from === to ? 0 : 1);
      expect(JSON.stringify(found)).not.toContain(from);
      expect(JSON.stringify(found)).not.toContain(to);
    }),
  );
});

test('objects are plain: a field called like one of JavaScript’s own is a field', () => {
  const odd: JsonObject = JSON.parse('{"constructor": 1, "__proto__": {"a": 2}}');
  expect(differences({}, odd, () => ({ kind: 'atomic' }))).toEqual([
    { path: 'constructor', to: 1 },
    { path: '__proto__.a', to: 2 },
  ]);
  expect(isObject(odd)).toBe(true);
});
