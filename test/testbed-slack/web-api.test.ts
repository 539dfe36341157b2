import type { KnownBlock } from '@slack/types';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ana, type Bed, ben, ship, startHttpBed } from './bolt-app.ts';

let bed: Bed;
beforeAll(async () => {
  bed = await startHttpBed();
});
afterAll(async () => bed.stop());

describe('the Web API', () => {
  test('threads, broadcasts and ephemeral messages are told apart', async () => {
    const { slack, app } = bed;
    const { ts = '' } = await app.client.chat.postMessage({ channel: 'C0ALERTS', text: 'root' });
    await app.client.chat.postMessage({ channel: 'C0ALERTS', text: 'quiet', thread_ts: ts });
    await app.client.chat.postMessage({ channel: 'C0ALERTS', text: 'loud', thread_ts: ts, reply_broadcast: true });
    await app.client.chat.postEphemeral({ channel: 'C0ALERTS', user: ben, text: 'psst' });
    const [root] = slack.messages('C0ALERTS');
    expect(slack.messages('C0ALERTS').map(({ text }) => text)).toEqual(['root']);
    expect(root && slack.thread(root).map(({ text, broadcast }) => [text, broadcast])).toEqual([
      ['quiet', undefined],
      ['loud', true],
    ]);
    expect(slack.ephemerals(ben).at(-1)?.text).toBe('psst');
  });

  test('blocks that Slack would not take are refused with pointers', async () => {
    const blocks: KnownBlock[] = [{ type: 'header', text: { type: 'plain_text', text: 'x'.repeat(151) } }];
    await expect(bed.app.client.chat.postMessage({ channel: ship, text: 'x', blocks })).rejects.toMatchObject({
      data: {
        error: 'invalid_blocks',
        response_metadata: {
          messages: ['[ERROR] must be less than 151 characters [json-pointer:/blocks/0/text/text]'],
        },
      },
    });
  });

  test.each([
    ['chat.postMessage', { channel: 'C0NOWHERE', text: 'x' }, 'channel_not_found'],
    ['chat.postMessage', { channel: ship }, 'no_text'],
    ['chat.update', { channel: ship, ts: '1.000001', text: 'x' }, 'message_not_found'],
    ['chat.delete', { channel: ship, ts: '1.000001' }, 'message_not_found'],
    ['users.info', { user: 'U0NOBODY' }, 'user_not_found'],
    ['usergroups.users.list', { usergroup: 'S0NONE' }, 'no_such_subteam'],
    ['views.open', { trigger_id: 'made up', view: '{}' }, 'invalid_arguments'],
  ])('%s %o: %s', async (method, args, error) => {
    await expect(bed.app.client.apiCall(method, args)).rejects.toMatchObject({ data: { error } });
  });

  test('says who people are', async () => {
    const info = async (user: string) => (await bed.app.client.users.info({ user })).user;
    expect(await info('U0GUS')).toMatchObject({ is_restricted: true, deleted: false });
    expect(await info('U0EVE')).toMatchObject({ team_id: 'T0SUPPLIER', is_stranger: false });
    expect(await info('U0SAM')).toMatchObject({ team_id: 'T0ELSEWHERE', is_stranger: true });
    expect(await info('U0OLD')).toMatchObject({ deleted: true });
    expect((await bed.app.client.usergroups.users.list({ usergroup: 'S0ENGINEERS' })).users).toEqual([ana, ben]);
    const { channels = [] } = await bed.app.client.conversations.list();
    expect(channels.map(({ name }) => name)).toContain('alerts');
  });

  test('a wrong token', async () => {
    const call = bed.app.client.auth.test({ token: 'xoxb-stolen' });
    await expect(call).rejects.toMatchObject({ data: { error: 'invalid_auth' } });
  });

  test('a file is uploaded and shown in a thread', async () => {
    const { slack, app } = bed;
    const { ts = '' } = await app.client.chat.postMessage({ channel: ship, text: 'logs' });
    await app.client.filesUploadV2({ channel_id: ship, thread_ts: ts, filename: 'pod.log', content: 'line 1\nline 2' });
    const shared = await slack.waitFor('the file', ({ thread, files }) => thread === ts && files !== undefined);
    expect(shared.files).toEqual([expect.objectContaining({ name: 'pod.log', content: 'line 1\nline 2' })]);
  });
});

describe('faults', () => {
  test('429 says when to try again, once', async () => {
    const { slack, app } = bed;
    slack.fault('chat.postMessage', { times: 1, status: 429, retryAfter: 7 });
    const limited = app.client.chat.postMessage({ channel: ship, text: 'one too many' });
    await expect(limited).rejects.toMatchObject({ code: 'slack_webapi_rate_limited_error', retryAfter: 7 });
    expect(await app.client.chat.postMessage({ channel: ship, text: 'fine' })).toMatchObject({ ok: true });
  });

  test('a failure after the effect leaves the message there', async () => {
    const { slack, app } = bed;
    slack.fault('chat.postMessage', { times: 1, afterEffect: true });
    await expect(app.client.chat.postMessage({ channel: ship, text: 'there all the same' })).rejects.toThrow();
    expect(slack.messages(ship).at(-1)?.text).toBe('there all the same');
  });

  test('a rate limit holds per channel until it is switched off', async () => {
    const { slack, app } = bed;
    slack.limit('chat.postMessage', { calls: 1, perMs: 60_000 });
    const post = (channel: string) => app.client.chat.postMessage({ channel, text: 'busy' });
    await post(ship);
    await expect(post(ship)).rejects.toMatchObject({ retryAfter: 60 });
    await post('C0GENERAL');
    slack.limit('chat.postMessage', undefined);
    await post(ship);
  });
});
