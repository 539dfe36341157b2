import { expect, test } from 'vitest';
import { withoutSlack } from '../../../handlers/slack/without-slack.ts';
import { Settings } from '../../../src/core/settings.ts';
import { ben } from '../../support/engine.ts';

const base = { apps: { web: { image: 'r/web' } }, environments: { staging: { namespace: 'staging' } } };

function started(more: object, works = true) {
  const said: { data: object; text: string }[] = [];
  const settings = Settings.parse({ ...base, ...more });
  const membership = withoutSlack({ settings, works }, { warn: (data, text) => void said.push({ data, text }) });
  return { said, membership };
}

test.each([
  ['a person of Slack', { people: { ben: { slack: 'UBEN' } } }],
  ['a member of Slack in a role', { roles: { engineers: ['slack:UBEN'] } }],
  ['a user group', { roles: { engineers: ['group:S0ENG'] } }],
  ['a channel', { channel: 'C0SHIP' }],
  ['an app’s channel', { apps: { web: { image: 'r/web', channel: 'C0SHIP' } } }],
])('a worker without a token says at the start what it cannot do, and what to set: settings with %s', (_name, more) => {
  expect(started(more).said).toEqual([
    {
      data: {
        problem: expect.stringContaining('waits'),
        mend: expect.stringContaining('Set SLACK_BOT_TOKEN for every worker'),
      },
      text: 'THIS WORKER CANNOT ASK SLACK WHO PEOPLE ARE',
    },
  ]);
  expect(started(more, false).said).toEqual([]);
});

test('where nobody uses Slack nothing is said', () => {
  expect(started({ people: { ben: { subject: 'ben@example.com' } }, roles: { engineers: ['ben'] } }).said).toEqual([]);
});

test('nobody of Slack is known; others are', async () => {
  const { membership } = started({});
  await expect(membership(ben)).rejects.toMatchObject({ code: 'IDENTITY_UNKNOWN' });
  expect(await membership({ kind: 'token', subject: 'ben@example.com' })).toEqual({ kind: 'member' });
});
