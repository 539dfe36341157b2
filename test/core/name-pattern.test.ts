import { describe, expect, test } from 'vitest';
import { covers, filledIn, fitsName, nameBehind, nearestTo, overlap } from '../../src/core/name-pattern.ts';

describe('a pattern', () => {
  test.each([
    ['*', 'web', true],
    ['shop-*', 'shop-cart', true],
    ['shop-*', 'shop-', false],
    ['shop-*', 'shop', false],
    ['*-api', 'cart-api', true],
    ['a*a', 'a', false],
    ['a*a', 'aa', false],
    ['a*a', 'aba', true],
    ['web', 'web', true],
    ['web', 'webs', false],
  ])('%s is for %s: %s', (pattern, name, fits) => {
    expect(fitsName(pattern, name)).toBe(fits);
  });

  test('in a list is for names, and only * for what has none', () => {
    expect(covers(['shop-*'], undefined)).toBe(false);
    expect(covers(['*'], undefined)).toBe(true);
    expect(covers(['api', 'shop-*'], 'shop-cart')).toBe(true);
    // A wider pattern holds a narrower one, and not the other way round.
    expect([covers(['shop-*'], 'shop-c*'), covers(['shop-c*'], 'shop-*')]).toEqual([true, false]);
  });

  test.each([
    ['shop-*', '*-api', true],
    ['shop-*', 'pay-*', false],
    ['*-web', '*-api', false],
    ['*', 'x-*', true],
    ['shop-*', 'shop-cart', true],
    ['shop-*', 'web', false],
  ])('%s and %s share names: %s', (one, other, shared) => {
    expect([overlap(one, other), overlap(other, one)]).toEqual([shared, shared]);
  });
});

const keptBy = (keys: string[]) => Object.fromEntries(keys.map((key) => [key, {}]));

describe('the nearest', () => {
  const keys = ['*', 'shop-*', 'shop-cart', '*-cart'];
  test.each([
    ['shop-cart', { kind: 'one', key: 'shop-cart' }],
    ['shop-search', { kind: 'one', key: 'shop-*' }],
    ['web', { kind: 'one', key: '*' }],
    ['old-cart', { kind: 'one', key: '*-cart' }],
    ['shop-x-cart', { kind: 'one', key: 'shop-*' }],
    ['statefulset/db', { kind: 'none' }],
    ['A', { kind: 'none' }],
    ['a'.repeat(64), { kind: 'none' }],
  ])('of %s', (name, nearest) => {
    const found = nearestTo(keptBy(name === 'shop-x-cart' ? ['*', 'shop-*', '*-x-y'] : keys), name);
    expect(found).toEqual(nearest);
  });

  test('are two where neither is nearer', () => {
    expect(nearestTo(keptBy(['*', 'shop-*', '*-cart']), 'shop-x-cart')).toEqual({
      kind: 'alike',
      keys: ['shop-*', '*-cart'],
    });
  });
});

describe('a blank', () => {
  test('is filled in all texts, however deep', () => {
    const settings = { image: 'r.io/{app}', build: { args: { NAME: '{app}-{tag}' }, platforms: ['{app}'] }, n: 1 };
    expect(filledIn(settings, '{app}', 'cart')).toEqual({
      image: 'r.io/cart',
      build: { args: { NAME: 'cart-{tag}' }, platforms: ['cart'] },
      n: 1,
    });
  });

  test.each([
    ['r.io/team/{app}', 'r.io/team/cart', 'cart'],
    ['r.io/{app}/{app}', 'r.io/cart/cart', 'cart'],
    ['r.io/{app}/{app}', 'r.io/cart/card', undefined],
    ['{app}-server', 'cart-server', 'cart'],
    ['{app}-server', '-server', undefined],
    ['r.io/{app}', 'r.io/a/b', undefined],
    ['r.io/web', 'r.io/web', undefined],
  ])('of %s is found again in %s: %s', (template, text, name) => {
    expect(nameBehind(template, '{app}', text)).toBe(name);
  });
});
