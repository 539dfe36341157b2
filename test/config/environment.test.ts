import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { ConfigurationError } from '../../src/config/configuration-error.ts';
import { readEnvironment } from '../../src/config/environment.ts';
import { variables } from '../../src/config/variables.ts';

function faultsOf(raw: Record<string, string>): readonly string[] {
  try {
    readEnvironment(raw);
    return [];
  } catch (thrown) {
    if (thrown instanceof ConfigurationError) return thrown.faults;
    throw thrown;
  }
}

const example = await readFile(new URL('../../.env.example', import.meta.url), 'utf8');
const lines = example.split('\n');
const assignment = /^(?:# )?([A-Z][A-Z0-9_]*)=(.*)$/;

describe('.env.example', () => {
  test('names every variable once, and no other', () => {
    const named = lines.flatMap((line) => assignment.exec(line)?.[1] ?? []);
    expect(named.toSorted()).toEqual(Object.keys(variables).toSorted());
  });

  test('says in the line above what each is for', () => {
    const bare = lines.filter(
      (line, index) => assignment.test(line) && !/^# (?!-)[A-Z“a-z].*[.:)0-9]/.test(lines[index - 1] ?? ''),
    );
    expect(bare).toEqual([]);
  });

  test('is a valid environment as it stands, with the defaults that the program has anyway', () => {
    const set = lines.flatMap((line) => (line.startsWith('#') ? [] : (assignment.exec(line)?.slice(1, 3) ?? [])));
    const pairs = Object.fromEntries(
      set.flatMap((name, index) => (index % 2 === 0 ? [[name, set[index + 1] ?? '']] : [])),
    );
    expect(Object.keys(pairs).length).toBeGreaterThan(5);
    expect(readEnvironment(pairs)).toEqual(readEnvironment({}));
  });
});

test('what is left out gets its default; empty is left out; blanks around a value are dropped', () => {
  const environment = readEnvironment({ PORT: ' 8080\n', HOST: '', SLACK_BOT_TOKEN: '  ', PATH: '/bin' });
  expect(environment).toMatchObject({ PORT: 8080, HOST: '0.0.0.0', ROLE: 'all', SLACK_BOT_TOKEN: undefined });
});

test('every fault is listed at once, each with its variable and what it should be', () => {
  const faults = faultsOf({ PORT: 'http', ROLE: 'both', REDIS_URL: 'localhost:6379', JWT_SECRET: 'short' });
  expect(faults).toEqual([
    'PORT is “http”; it should be a port from 0 to 65535.',
    'ROLE is “both”; it should be bot, worker or all.',
    expect.stringMatching(/^REDIS_URL does not look right; it should be a URL/),
    expect.stringMatching(/^JWT_SECRET does not look right; it should be at least 32 characters/),
  ]);
});

test.each([
  ['REDIS_URL', ['127.0.0.1:6379', 'http://127.0.0.1', 'redis://:50%@127.0.0.1', 'redis://127.0.0.1:99999']],
  ['PORT', ['65536', '-1', '1e3', '0x10', '3015;']],
  ['SLACK_BOT_TOKEN', ['xoxp-1', 'xapp-1']],
  ['SLACK_APP_TOKEN', ['xoxb-1']],
  ['SLACK_SIGNING_SECRET', ['xoxb-1234567890', 'short']],
  ['SLACK_API_URL', ['slack.com', 'ftp://slack.com']],
  ['JWKS_URI', ['http://idp.example.com/keys', 'http://localhost.evil.example/keys', 'file:///keys']],
  ['ALERTMANAGER_TOKEN', ['short', 'with a blank in the middle']],
  ['ACCEPT_UNSEALED_UNTIL', ['soon', '31.12.2026', '2026-13-01', '9999-12-31']],
  ['ENCRYPTION_KEY', ['abc', 'z'.repeat(64), 'A'.repeat(44)]],
  ['GITOPS_REPO', ['/tmp/repo', '--upload-pack=touch', 'ext::sh -c id', 'https://-x']],
  ['DOCKER_HOST', ['127.0.0.1:2375', 'ssh://host']],
  ['K8S_ENDPOINT', ['10.0.0.1:6443']],
])('%s refuses what it cannot be', (name, wrong) => {
  for (const value of wrong)
    expect(faultsOf({ [name]: value }).join(), value).toMatch(new RegExp(`${name} (is “|does not look right)`));
});

test.each([
  [{ JWKS_URI: 'http://127.0.0.1:9/keys', JWT_ISSUER: 'me' }],
  [{ ENCRYPTION_KEY: Buffer.alloc(32, 7).toString('base64') }],
  [{ ENCRYPTION_KEY: 'ab'.repeat(32) }],
  [{ GITOPS_REPO: 'git@github.com:example/deployments.git' }],
  [{ SLACK_BOT_TOKEN: 'xoxb-1', SLACK_APP_TOKEN: 'xapp-1' }],
  [{ SLACK_BOT_TOKEN: 'xoxb-1', ROLE: 'worker' }],
])('%j is fine', (raw) => {
  expect(faultsOf(raw)).toEqual([]);
});

test.each([
  [{ SLACK_BOT_TOKEN: 'xoxb-1' }, 'SLACK_SIGNING_SECRET is missing'],
  [{ SLACK_APP_TOKEN: 'xapp-1' }, 'SLACK_BOT_TOKEN is missing'],
  [{ REGISTRY_USERNAME: 'ana' }, 'REGISTRY_PASSWORD is missing'],
  [{ DOCKER_PASSWORD: 'x' }, 'DOCKER_USERNAME is missing'],
  [{ ACCEPT_UNSEALED_UNTIL: '2020-01-01' }, 'ENCRYPTION_KEY is missing'],
  [{ JWKS_URI: 'https://idp.example.com/keys' }, 'JWT_ISSUER is missing'],
  [
    { JWKS_URI: 'https://idp.example.com/keys', JWT_ISSUER: 'x', JWT_SECRET: 'x'.repeat(32) },
    'JWT_SECRET and JWKS_URI are both set',
  ],
])('%j does not go together', (raw, words) => {
  expect(faultsOf(raw).join()).toContain(words);
});

test('no value that may be secret is repeated, however wrong it is', () => {
  const planted = 'S3CR3T p1anted';
  const open = ['PORT', 'HOST', 'NODE_ENV', 'LOG_LEVEL', 'ROLE'];
  const raw = Object.fromEntries(
    Object.keys(variables)
      .filter((name) => !open.includes(name))
      .map((name) => [name, planted]),
  );
  const faults = faultsOf(raw);
  expect(faults.length).toBeGreaterThan(10);
  expect(faults.join('\n')).not.toContain('S3CR3T');
});
