import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createSeal, keysOf } from '../../src/store/seal.ts';

const [old, fresh] = [randomBytes(32), randomBytes(32)];
const seal = createSeal([old]);

test('what was sealed opens, and only where it belongs', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const stored = seal.seal(text, 'run:a');
      expect(seal.open(stored, 'run:a')).toBe(text);
      expect(() => seal.open(stored, 'run:b')).toThrow(expect.objectContaining({ code: 'SEAL_BROKEN' }));
    }),
  );
});

test('the same text is sealed differently each time', () => {
  expect(seal.seal('text', 'a')).not.toBe(seal.seal('text', 'a'));
});

test('any changed byte is found', () => {
  const stored = seal.seal('a deploy of web to production', 'run:a');
  const at = stored.lastIndexOf(':') + 1;
  fc.assert(
    fc.property(fc.integer({ min: at, max: stored.length - 2 }), (n) => {
      const changed = `${stored.slice(0, n)}${stored[n] === 'A' ? 'B' : 'A'}${stored.slice(n + 1)}`;
      expect(() => seal.open(changed, 'run:a')).toThrow(expect.objectContaining({ code: 'SEAL_BROKEN' }));
    }),
  );
});

test('a key is changed by putting the new one first; without the old one its records stay shut', () => {
  const stored = seal.seal('text', 'a');
  const rotated = createSeal(keysOf(`${fresh.toString('hex')}, ${old.toString('base64')}`));
  expect(rotated.open(stored, 'a')).toBe('text');
  const again = rotated.seal('text', 'a');
  expect(createSeal([fresh]).open(again, 'a')).toBe('text');
  expect(() => createSeal([fresh]).open(stored, 'a')).toThrow(expect.objectContaining({ code: 'SEALED_ELSEWHERE' }));
  expect(() => createSeal([]).open(stored, 'a')).toThrow(expect.objectContaining({ code: 'SEALED_ELSEWHERE' }));
});

test.each(['{"id":"a"}', '', 'sealed:2:x:y'])(
  'with a key, %j is believed only until the day that was named',
  (stored) => {
    const until = Date.UTC(2026, 11, 31);
    const at = (now: number) => createSeal([old], until, () => now).open(stored, 'run:a');
    expect(at(until - 1)).toBe(stored);
    expect(() => at(until)).toThrow(expect.objectContaining({ code: 'UNSEALED' }));
    expect(() => seal.open(stored, 'run:a')).toThrow(expect.objectContaining({ code: 'UNSEALED' }));
  },
);

test('without a key everything is stored and read as it is', () => {
  expect(createSeal([]).seal('plain', 'a')).toBe('plain');
  expect(createSeal([]).open('plain', 'a')).toBe('plain');
});
