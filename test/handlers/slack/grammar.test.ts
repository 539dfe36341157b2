import { describe, expect, test } from 'vitest';
import { readInput, readLine, written } from '../../../handlers/slack/grammar.ts';
import type { Operation } from '../../../src/core/operation.ts';
import { catalogue } from '../../../src/operations/catalogue.ts';

function operation(name: string): Operation {
  const found = catalogue.get(name);
  if (!found) throw new Error(`no operation ${name}`);
  return found;
}

describe('a line of words becomes the input of an operation', () => {
  test.each([
    ['deploy', 'web:v2 production', { app: 'web', tag: 'v2', env: 'production' }],
    ['deploy', 'web:v2 to production', { app: 'web', tag: 'v2', env: 'production' }],
    [
      'deploy',
      'web to production image=127.0.0.1:5000/web:v2',
      { app: 'web', env: 'production', image: '127.0.0.1:5000/web:v2' },
    ],
    ['deploy', 'image=web:v2 web production', { app: 'web', env: 'production', image: 'web:v2' }],
    ['deploy', 'web:v2 production --replicas=3', { app: 'web', tag: 'v2', env: 'production', replicas: 3 }],
    ['deploy', 'web:v2 production —replicas 3', { app: 'web', tag: 'v2', env: 'production', replicas: 3 }],
    ['deploy', 'web:v2 production ports=8080,9090', { app: 'web', tag: 'v2', env: 'production', ports: [8080, 9090] }],
    ['deploy', 'app=web env=production tag=v2', { app: 'web', tag: 'v2', env: 'production' }],
    ['scale', 'web 5 production', { app: 'web', replicas: '5', env: 'production' }],
    ['scale', 'web in production to 5', { app: 'web', replicas: '5', env: 'production' }],
    ['scale', 'web to 5 in production', { app: 'web', replicas: '5', env: 'production' }],
    ['scale', 'web to many in production', { app: 'web', replicas: 'many', env: 'production' }],
    ['scale', '“web” to 5 in ‘production’', { app: 'web', replicas: '5', env: 'production' }],
    ['status', '', {}],
    ['status', 'web', { app: 'web' }],
    ['status', 'in staging', { env: 'staging' }],
    ['build', 'web v2', { app: 'web', tag: 'v2' }],
    [
      'retries',
      'web attempts=3 per-try=2s in staging',
      { service: 'web', attempts: '3', perTry: '2s', env: 'staging' },
    ],
    [
      'fault',
      'web delay=2s percent=10 for 10m in staging',
      { service: 'web', delay: '2s', percent: 10, for: '10m', env: 'staging' },
    ],
    ['fault', 'web in staging for=10m', { service: 'web', for: '10m', env: 'staging' }],
    ['telemetry', 'in staging --access-log on', { env: 'staging', accessLog: true }],
    [
      'harbor-endpoint-create',
      'dr at <https://dr.example.com/a?b&amp;c>',
      { endpoint: 'dr', url: 'https://dr.example.com/a?b&c' },
    ],
    [
      'docker-build',
      '<https://github.com/team/web.git#main> as <http://registry.example.com/web:v2|registry.example.com/web:v2>',
      { context: 'https://github.com/team/web.git#main', tag: 'registry.example.com/web:v2' },
    ],
    ['harbor-endpoint-create', 'dr at &lt;https://a|b&gt;', { endpoint: 'dr', url: '<https://a|b>' }],
    [
      'harbor-replication-create',
      'nightly to dr starts=“0 30 3 * * *” images=team/**',
      { policy: 'nightly', to: 'dr', starts: '0 30 3 * * *', images: 'team/**' },
    ],
  ])('%s %s', (name, text, input) => {
    expect(readInput(operation(name), text)).toEqual(input);
  });
});

describe('a line that cannot be read is refused with the usage', () => {
  test.each([
    ['deploy', 'web:v2', 'needs <env>'],
    ['deploy', 'web:v2 production now', 'don’t know what to do with “now”'],
    ['deploy', 'web:v2 production replcias=3', 'has no “replcias”. Did you mean “replicas”?'],
    ['deploy', 'web:v2 production variables=x', 'cannot be given in a command'],
    ['scale', 'web "5', 'quote is not closed'],
  ])('%s %s', (name, text, problem) => {
    expect(() => readInput(operation(name), text)).toThrow(problem);
  });
});

test('quotes hold words together, and Slack’s escapes are undone', () => {
  expect(written('a "b c" d=\'e f\' x &amp;&lt;y&gt;').map(({ word }) => word)).toEqual([
    'a',
    'b c',
    'd=e f',
    'x',
    '&<y>',
  ]);
});

test('every example of the catalogue can be read and fits its schema', () => {
  for (const known of catalogue.values())
    for (const example of known.examples)
      expect(known.input.safeParse(readInput(known, example))).toMatchObject({ success: true });
});

test.each([
  ['web:v2 production --break-glass "the shop is down"', 'the shop is down'],
  ['web:v2 production —break-glass “the shop is down”', 'the shop is down'],
  ['--break-glass=outage web:v2 production', 'outage'],
  ["web:v2 --break-glass 'db down' production", 'db down'],
  ['web:v2 production', undefined],
])('%s', (text, breakGlass) => {
  const line = readLine(operation('deploy'), text);
  expect(line).toEqual({ input: { app: 'web', tag: 'v2', env: 'production' }, ...(breakGlass && { breakGlass }) });
});

test.each([
  [
    'exec',
    'web in staging -- deployer --break-glass "it is down"',
    ['deployer', '--break-glass', 'it is down'],
    undefined,
  ],
  ['exec', 'web in staging — tool --break-glass=why x', ['tool', '--break-glass=why', 'x'], undefined],
  [
    'exec',
    'web in staging --break-glass "shop is down" -- tool --break-glass',
    ['tool', '--break-glass'],
    'shop is down',
  ],
  ['exec', 'web in staging --break-glass "a -- b" -- cat x', ['cat', 'x'], 'a -- b'],
  ['docker-exec', 'web on build -- sh --break-glass now', ['sh', '--break-glass', 'now'], undefined],
])('%s %s: behind `--` nothing is a flag of ours, before it everything is', (name, text, command, breakGlass) => {
  const line = readLine(operation(name), text);
  expect(line.input.command).toEqual(command);
  expect(line.breakGlass).toBe(breakGlass);
});

test.each([
  ['stop', '"do not --break-glass today please"', { reason: 'do not --break-glass today please' }],
  ['lock', 'web production "--break-glass is off"', { app: 'web', env: 'production', reason: '--break-glass is off' }],
])('%s %s: what stands in quotes is what somebody says, and no flag', (name, text, input) => {
  expect(readLine(operation(name), text)).toEqual({ input });
});

test.each([
  ['deploy', 'web:v2 production --break-glass one --break-glass two'],
  ['deploy', 'web:v2 production -- --break-glass "the shop is down"'],
])('%s %s is refused', (name, text) => {
  expect(() => readLine(operation(name), text)).toThrow();
});

test.each([
  [
    'lock',
    'web production "migrating the db" for=90m',
    { app: 'web', env: 'production', reason: 'migrating the db', for: '90m' },
  ],
  ['deploy', 'web:v2 production canaryWeight=25%', { app: 'web', env: 'production', tag: 'v2', canaryWeight: '25%' }],
  ['away', 'to ben for="2 weeks"', { to: 'ben', for: '2 weeks' }],
  [
    'can',
    'ana restart deployment/r1 in staging',
    { who: 'ana', operation: 'restart', app: 'deployment/r1', env: 'staging' },
  ],
  ['can', 'ana deploy web to production', { who: 'ana', operation: 'deploy', app: 'web', env: 'production' }],
])('%s %s', (name, text, input) => {
  expect(readInput(operation(name), text)).toEqual(input);
  expect(operation(name).input.safeParse(input)).toMatchObject({ success: true });
});
