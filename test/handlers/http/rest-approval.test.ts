import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Settings } from '../../../src/core/settings.ts';
import { redisForFile } from '../../support/redis.ts';
import { deployment, type RestBed, restBed, restSettings } from './rest-bed.ts';

const redis = redisForFile();
let bed: RestBed;

beforeEach(async () => {
  bed = await restBed(redis().url);
});
afterEach(async () => bed.close());

const stored = async (id: string) => (await bed.engine.store.read(id)) ?? expect.unreachable(`no run ${id}`);

describe('approval over REST', () => {
  const awaiting = async () => {
    const { body } = await bed.send('ana', 'POST', 'deployments', deployment);
    await bed.work(body.data.run);
    const { body: now } = await bed.send('ben', 'GET', `runs/${body.data.run}`);
    expect(now.data).toMatchObject({ state: 'awaiting', approval: { approvals: 1, approvers: ['engineers'] } });
    return { id: body.data.run, digest: now.data.plan.digest };
  };
  const decide = (who: string, id: string, body: unknown) => bed.send(who, 'POST', `runs/${id}/decision`, body);

  test('the requester’s own is refused, another’s counts, a second one finds it decided', async () => {
    const { id, digest } = await awaiting();
    const own = await decide('ana', id, { kind: 'approve', digest });
    expect(own.status).toBe(403);
    expect(own.body.error).toMatchObject({
      code: 'POLICY_DENIED',
      message: 'You asked for this run yourself, so another person has to approve it.',
      hint: 'These may approve: ana, ben.',
    });
    expect((await stored(id)).state).toBe('awaiting');
    const other = await decide('ben', id, { kind: 'approve', digest, reason: 'looks fine' });
    expect(other.status).toBe(200);
    expect(other.body.data).toMatchObject({
      state: 'running',
      decisions: [{ actor: 'token:ben@example.com', kind: 'approve', reason: 'looks fine' }],
    });
    expect(bed.engine.woken).toEqual([id, id]);
    const late = await decide('ben', id, { kind: 'reject', digest });
    expect(late.status).toBe(409);
    expect(late.body.error).toMatchObject({ code: 'DECISION_REFUSED', message: 'The run is approved already.' });
    await bed.work(id);
    // The workload, and the Service that leads to its port: each once.
    expect(bed.world.applied.map(({ run }) => run)).toEqual([id, id]);
    expect([...bed.world.objects.keys()].filter((key) => key.includes('production'))).toHaveLength(2);
  });

  test('of many at once one counts', async () => {
    const { id, digest } = await awaiting();
    const kinds = ['approve', 'reject'];
    const sent = Array.from({ length: 20 }, (_, i) => decide('ben', id, { kind: kinds[i % 2], digest }));
    const statuses = (await Promise.all(sent)).map(({ status }) => status);
    expect(statuses.filter((status) => status === 200)).toHaveLength(1);
    expect(statuses.filter((status) => status === 409)).toHaveLength(19);
  });

  test('a rejected run changes nothing', async () => {
    const { id, digest } = await awaiting();
    const { body } = await decide('ben', id, { kind: 'reject', digest });
    expect(body.data.state).toBe('rejected');
    await bed.work(id);
    expect(bed.world.applied).toEqual([]);
  });

  test.each([
    [{ kind: 'approve', digest: 'f'.repeat(64) }, 'ben', 409, 'DECISION_REFUSED'],
    [{ kind: 'approve' }, 'ben', 400, 'BAD_INPUT'],
    [{ kind: 'maybe', digest: 'f'.repeat(64) }, 'ben', 400, 'BAD_INPUT'],
    [{ kind: 'approve', digest: 'f'.repeat(64), force: true }, 'ben', 400, 'BAD_INPUT'],
    [undefined, 'ben', 400, 'BAD_INPUT'],
  ])('%j is refused, and changes nothing', async (body, who, status, code) => {
    const { id } = await awaiting();
    const answer = await decide(who, id, body);
    expect(answer.status).toBe(status);
    expect(answer.body.error.code).toBe(code);
    expect(await stored(id)).toMatchObject({ state: 'awaiting', decisions: [] });
  });

  test('somebody who is no approver may not', async () => {
    const settings = Settings.parse({
      ...restSettings,
      roles: { ...restSettings.roles, leads: ['ana'] },
      policy: [{ name: 'production', who: ['engineers'], approvals: 1, approvers: ['leads'] }],
    });
    const other = await restBed(redis().url, {}, { settings: () => settings });
    const { body: asked } = await other.send('ana', 'POST', 'deployments', deployment);
    await other.work(asked.data.run);
    const ballot = { kind: 'approve', digest: 'f'.repeat(64) };
    const digest = (await stored(asked.data.run)).plan?.digest;
    const { status, body } = await other.send('ben', 'POST', `runs/${asked.data.run}/decision`, { ...ballot, digest });
    expect(status).toBe(403);
    expect(body.error.hint).toBe('These may: ana.');
    await other.close();
  });

  test('somebody who may not even read it is answered as if there were none', async () => {
    const { id, digest } = await awaiting();
    const { status, body } = await decide('eve', id, { kind: 'approve', digest });
    expect([status, body.error.code]).toEqual([404, 'UNKNOWN_RUN']);
  });
});
