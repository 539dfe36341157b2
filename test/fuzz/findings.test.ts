import { createHmac } from 'node:crypto';
import { expect, test } from 'vitest';
import { createTokenCheck } from '../../handlers/http/tokens.ts';
import { rulesIn } from '../../src/clients/docker/ignore.ts';
import { SarifReport } from '../../src/clients/trivy/report.ts';
import { WebHook } from '../../src/core/analysis/template.ts';
import { Block } from '../../src/core/cidr.ts';
import { HarborSettings } from '../../src/core/host-settings.ts';
import { selectorText } from '../../src/core/label-selector.ts';
import { inPath } from '../../src/core/url-part.ts';
import { withoutKeys } from '../../src/operations/pods/log-lines.ts';

/** What the fuzzing has found, each as small as it got; see docs/decisions/0025. */

test.each([':2376', 'https://', 'a b', '//x'])(
  'an address that is none is refused by its schema, and thrown at nobody: %s',
  (url) => {
    expect(HarborSettings.safeParse({ url }).success).toBe(false);
    expect(WebHook.safeParse({ kind: 'web-hook', name: 'a', url }).success).toBe(false);
  },
);

test.each(['::/NaN', '::/', '::/1e1', '::/ 8', '10.0.0.0/NaN'])(
  'a block whose length is no number is none: %s',
  (block) => {
    expect(Block.safeParse(block).success).toBe(false);
  },
);

test('a selector whose key is an object with a toString of its own is told in words', () => {
  const expression = { key: [{ toString: 0 }], operator: 'In', values: [{ toString: null }, 'a'] };
  expect(selectorText({ matchExpressions: [expression] })).toBe('[{"toString":0}] in ({"toString":null}, a)');
});

test.each([[{ toString: null }], [{ toString: 0, valueOf: 0 }], [7]])(
  'a token whose scope is no text names nobody else: %j',
  async (scope) => {
    const [secret, encode] = [
      's'.repeat(32),
      (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url'),
    ];
    const body = `${encode({ alg: 'HS256' })}.${encode({ sub: 'ana', exp: 4_000_000_000, scope })}`;
    const token = `${body}.${createHmac('sha256', secret).update(body).digest('base64url')}`;
    const { actor } = await createTokenCheck({ secret })(`Bearer ${token}`);
    expect(actor).toEqual({ kind: 'token', subject: 'ana' });
  },
);

test('half a letter goes into an address as the sign for what cannot be read', () => {
  expect(inPath('a/\ud800')).toBe('a%2F%EF%BF%BD');
  expect(SarifReport.safeParse({ Results: [{ Target: '\udfff/a' }] }).success).toBe(true);
});

test('a letter of two halves is one letter to “?”', () => {
  const { ignores, mayMatch } = rulesIn('/**/?');
  expect([ignores('\u{10000}'), mayMatch('\u{10000}'), ignores('ab')]).toEqual([true, true, false]);
});

test.each([
  ['-----END RSA PRIVATE KEY----- -----BEGIN RSA PRIVATE KEY-----'],
  ['-----BEGIN PRIVATE KEY-----x-----END PRIVATE KEY----------BEGIN PRIVATE KEY-----'],
])('a key that begins behind the end of another is taken out: %s', (line) => {
  const clean = withoutKeys();
  clean(line);
  expect(clean('c2VjcmV0')).toBeUndefined();
  clean('-----END PRIVATE KEY-----');
  expect(clean('ready')).toBe('ready');
});
