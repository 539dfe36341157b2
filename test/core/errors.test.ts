import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { type Fault, fault, faultCodes, toFault } from '../../src/core/errors.ts';

const page = new URL('../../docs/errors.md', import.meta.url);

test('docs/errors.md lists exactly the codes that there are', async () => {
  const listed = [...(await readFile(page, 'utf8')).matchAll(/^\| `([A-Z_]+)` \|/gm)].map(([, code]) => code);
  expect(listed).toEqual([...faultCodes]);
});

test('a fault says what happened, to what, and what next', () => {
  const found: Fault = fault('UNKNOWN_APP', { name: 'wep', near: ' Did you mean “web”?', known: 'web, api' });
  expect(found).toMatchObject({
    code: 'UNKNOWN_APP',
    status: 404,
    retry: 'never',
    message: 'There is no app “wep” in shipmate.yaml. Did you mean “web”?',
    hint: expect.stringMatching(/^Known apps: web, api\. \/ship apps shows all that runs\./),
  });
});

test('what is thrown by accident becomes INTERNAL, a fault stays itself', () => {
  const known = fault('STORE_DOWN', {});
  expect(toFault(known)).toBe(known);
  expect(toFault(new TypeError('x is undefined'), 'r1')).toMatchObject({
    code: 'INTERNAL',
    message: expect.stringContaining('x is undefined'),
  });
});
