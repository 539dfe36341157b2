import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { mask, soundsSecret } from '../../src/core/secret-names.ts';
import { looksSecret } from '../../src/core/secret-shapes.ts';
import { holdsSecret, maskedChange, withoutSecrets } from '../../src/core/secret-values.ts';
import { holdsSecret as manifestHoldsSecret } from '../../src/operations/manifests/source.ts';

test.each([
  ...[
    'DB_PASS',
    'SIGNING_KEY',
    'PASSPHRASE',
    'MYSQL_PWD',
    'dbPassword',
    'DBPASS',
    'PGPASSWORD',
    'api.key',
    'apiKey',
    'APP_KEY',
  ],
  ...[
    'jwt',
    'SENTRY_DSN',
    'aws-secret-access-key',
    'GITHUB_PAT',
    'NPM_AUTH',
    '.dockerconfigjson',
    'SESSION_COOKIE',
    'KEY',
  ],
])('%s sounds secret', (name) => {
  expect(soundsSecret(name)).toBe(true);
});

test.each([
  ...[
    'LOG_LEVEL',
    'PUBLIC_KEY',
    'CACHE_KEY',
    'COMPASS',
    'BYPASS',
    'PWD',
    'KEYBOARD',
    'MONKEY',
    'GREETING',
    'AUTHOR',
    'PATH',
  ],
  ...['KEY_PREFIX', 'PINNED', 'SPAWN', 'REPATCH', 'primary-key'],
])('%s does not', (name) => {
  expect(soundsSecret(name)).toBe(false);
});

test('the settings say what else does, and what does not', () => {
  const settings = { names: ['licence'], shown: ['CACHE_TOKEN_COUNT'] };
  expect(soundsSecret('LICENCE_CODE')).toBe(false);
  expect(soundsSecret('LICENCE_CODE', settings)).toBe(true);
  expect(soundsSecret('CACHE_TOKEN_COUNT')).toBe(true);
  expect(soundsSecret('CACHE_TOKEN_COUNT', settings)).toBe(false);
});

test.each([
  'postgres://app:hunter22@db:5432/app',
  `ghp_${'a1'.repeat(18)}`,
  `sk_live_${'aB3'.repeat(8)}`,
  'Xk29fLq0ZpTr81vNmWb4QyHs',
  'mYq3t6w9zBxCvFnJr4u7Ks2DgHkM5p8A==',
  '-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIA\n-----END EC PRIVATE KEY-----',
])('%j looks secret', (value) => {
  expect(looksSecret(value)).toBe(true);
});

test('random keys look secret however they come out', () => {
  const found = Array.from({ length: 200 }, () => looksSecret(randomBytes(32).toString('base64url')));
  expect(found.filter(Boolean).length).toBeGreaterThan(190);
});

test.each([
  'debug',
  'https://web.example.com/path?x=1',
  'registry.example.com/team/web:v1',
  `sha256:${'0123456789abcdef'.repeat(4)}`,
  '4f2d8c1b-9e3a-4d57-8f6b-2a1c0e9d7b55',
  'd6f1b67c0ffee1234567890abcdefabcdef12345',
  'AVeryLongCamelCaseNameOfSomething',
  'web-7d9c8b6f5-x2x4z',
])('%j does not', (value) => {
  expect(looksSecret(value)).toBe(false);
});

const filled = { kind: 'Secret', apiVersion: 'v1', metadata: { name: 'x' }, stringData: { a: 'b' } };

describe('a secret is found wherever it is:', () => {
  test.each<[string, unknown]>([
    ['a variable of a deploy', { app: 'web', variables: { DB_PASS: 'hunter2' } }],
    ['a key of a ConfigMap', { name: 'app-config', values: ['LOG_LEVEL=debug', 'SIGNING_KEY=abc'] }],
    ['a file', { files: { 'tls.key': '-----BEGIN PRIVATE KEY-----\nMIIE\n' } }],
    ['docker’s env', { env: ['MYSQL_PWD=hunter2'] }],
    ['a command', { command: ['env', 'PGPASSWORD=x', 'psql'] }],
    ['a Secret', filled],
    ['a List', { kind: 'List', items: [{ kind: 'ConfigMap' }, { kind: 'List', items: [filled] }] }],
    ['another object', { kind: 'Template', objects: [{ spec: { template: filled } }] }],
    ['a pod', { spec: { containers: [{ env: [{ name: 'PASSPHRASE', value: 'open sesame' }] }] } }],
    ['a patch', { data: { DB_PASS: 'hunter2' } }],
    ['a token in any text', { reason: `it is ghp_${'a'.repeat(36)}, you know` }],
  ])('%s', (_, value) => {
    expect(holdsSecret(value)).toBe(true);
  });

  test.each<[string, unknown]>([
    ['a reference', { env: [{ name: 'DB_PASS', valueFrom: { secretKeyRef: { name: 'app', key: 'password' } } }] }],
    ['a volume', { volumes: [{ name: 'tls', secret: { secretName: 'web-tls' } }] }],
    ['keys taken away', { ...filled, stringData: { a: null } }],
    ['plain values', { values: ['LOG_LEVEL=debug'], variables: { GREETING: 'hello' } }],
  ])('but not in %s', (_, value) => {
    expect(holdsSecret(value)).toBe(false);
  });
});

test.each([
  'kind: Secret\nstringData: { a: b }',
  'kind: !!str Secret\ndata: { a: Yg== }',
  '{"kind": "\\u0053ecret", "data": {"a": "Yg=="}}',
  'x: &k Secret\nkind: *k\n"d\\x61ta": { a: Yg== }',
  'kind: "Sec\\\n  ret"\nstringData:\n  a: b',
  'kind: List\nitems:\n- kind: >-\n    Secret\n  stringData: { a: b }',
  '? kind\n: Secret\n? stringData\n: { a: b }',
  'kind: SecretList\nitems: [{ data: { a: b } }]',
])('a manifest is taken for one with a Secret, however it is written: %j', (manifest) => {
  expect(manifestHoldsSecret({ env: 'staging', manifest })).toBe(true);
});

test.each([
  'kind: ConfigMap\ndata: { a: b }',
  'kind: Deployment\nspec: { env: [{ valueFrom: { secretKeyRef: { name: a, key: b } } }] }',
  'kind: ExternalSecret\nspec: { data: [] }',
  'kind: SecretStore\nspec: { provider: {} }',
])('%j is not', (manifest) => {
  expect(manifestHoldsSecret({ env: 'staging', manifest })).toBe(false);
});

test.each([
  ['ConfigMap/app-config data.DB_PASS', 'old', 'new', mask, `${mask} (changed)`],
  ['container/web env.MYSQL_PWD', undefined, 'hunter2', undefined, mask],
  ['Deployment/web spec.template.spec.containers[web].env[SIGNING_KEY].value', 'a', 'b', mask, `${mask} (changed)`],
  ['ConfigMap/app-config data.LOG_LEVEL', 'info', 'debug', 'info', 'debug'],
  ['ConfigMap/app-config data.url', 'a', 'postgres://a:hunter2@db/x', mask, `${mask} (changed)`],
  ['spec.replicas', 1, 2, 1, 2],
])('%s is shown as it may be', (path, from, to, shownFrom, shownTo) => {
  const change = { path, ...(from !== undefined && { from }), to };
  expect(maskedChange(change)).toEqual({ path, ...(shownFrom !== undefined && { from: shownFrom }), to: shownTo });
});

test('lists that are shown whole hide what is secret in them', () => {
  const env = [
    { name: 'DB_PASS', value: 'hunter2' },
    { name: 'A', value: 'b' },
  ];
  expect(maskedChange({ path: 'spec.env', to: env })).toEqual({
    path: 'spec.env',
    to: [
      { name: 'DB_PASS', value: mask },
      { name: 'A', value: 'b' },
    ],
  });
  expect(withoutSecrets(['DB_PASS=hunter2', 'A=b'])).toEqual([`DB_PASS=${mask}`, 'A=b']);
});
