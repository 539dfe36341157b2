import { expect, test } from 'vitest';
import { HttpCheck, SmokeTest } from '../../src/core/smoke-test.ts';

test.each(['/', '/healthz', '/a/b?c=d&e=%20f'])('%s is a path', (path) => {
  expect(HttpCheck.parse({ path })).toEqual({ path, status: 200 });
});

// The API server would take what climbs out of the Service for a request to itself, in Shipmate's name.
test.each([
  '',
  'healthz',
  '//else/x',
  '/..',
  '/a/../../secrets',
  '/%2e%2e/secrets',
  '/a\\..\\b',
  '/a b',
  '/#x',
  'http://e/',
])('%j leads elsewhere and is refused', (path) => expect(HttpCheck.safeParse({ path }).success).toBe(false));

test('a smoke test tests something', () => {
  expect(SmokeTest.safeParse({}).success).toBe(false);
  expect(SmokeTest.safeParse({ http: [{ path: '/' }] }).success).toBe(true);
});
