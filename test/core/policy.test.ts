import { describe, expect, test } from 'vitest';
import type { Actor } from '../../src/core/actor.ts';
import { judge } from '../../src/core/policy.ts';
import { Settings } from '../../src/core/settings.ts';

const slack = (user: string): Actor => ({ kind: 'slack', team: 'T1', user });
const settings = Settings.parse({
  apps: {},
  environments: {},
  people: { ana: { slack: 'UANA' }, ben: { subject: 'ben' } },
  roles: { engineers: ['ana', 'ben'] },
  policy: [
    { name: 'reading', operations: ['status'] },
    { name: 'staging', environments: ['staging'] },
    { name: 'production', environments: ['production'], who: ['engineers'], approvals: 1, approvers: ['engineers'] },
  ],
});
const ask = (actor: Actor, env: string, operation = 'deploy', effect: 'read' | 'change' = 'change') =>
  judge(settings, { actor, operation, effect, app: 'web', env });

describe('the first rule that fits the request and the person decides', () => {
  test('by environment', () => {
    expect(ask(slack('UXXX'), 'staging')).toEqual({ kind: 'allow', rule: 'staging' });
    expect(ask(slack('UANA'), 'production')).toMatchObject({
      kind: 'needs-approval',
      rule: 'production',
      approvals: 1,
    });
  });
  test('by person: a token of a known person counts as that person', () => {
    expect(ask({ kind: 'token', subject: 'ben' }, 'production')).toMatchObject({ kind: 'needs-approval' });
    expect(ask(slack('UXXX'), 'production')).toEqual({ kind: 'deny', reason: 'not-permitted', rule: 'production' });
  });
  test('where no rule fits, the answer is no', () => {
    expect(ask(slack('UANA'), 'qa')).toEqual({ kind: 'deny', reason: 'no-rule' });
    expect(ask({ kind: 'webhook', source: 'x' }, 'staging')).toMatchObject({ kind: 'deny' });
  });
  test('reading needs no approval', () => {
    expect(ask(slack('UXXX'), 'production', 'status', 'read')).toEqual({ kind: 'allow', rule: 'reading' });
    expect(ask(slack('UANA'), 'production', 'logs', 'read')).toEqual({ kind: 'allow', rule: 'production' });
  });
});
