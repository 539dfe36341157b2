import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { sayOfRun } from '../../../handlers/slack/run-commands.ts';
import { AuditRecord, verifyChain, WithheldRecord } from '../../../src/core/audit.ts';
import { type Settings, Settings as SettingsSchema } from '../../../src/core/settings.ts';
import { slack } from '../../support/engine.ts';
import { redisForFile } from '../../support/redis.ts';
import { api, deployment, type RestBed, restBed, restSettings, tokenOf } from './rest-bed.ts';

const redis = redisForFile();
let bed: RestBed;
let settings: Settings;

/** Everybody may look at everything, as in the sandbox; production is changed by engineers, and security approves. */
const withMore = (more: object = {}): Settings =>
  SettingsSchema.parse({
    ...restSettings,
    people: { ...restSettings.people, cleo: { subject: 'cleo@example.com', slack: 'UCLEO' } },
    roles: { ...restSettings.roles, security: ['cleo'] },
    policy: [
      { name: 'looking', effects: ['read'] },
      { name: 'production', environments: ['prod'], who: ['engineers'], approvals: 1, approvers: ['security'] },
    ],
    ...more,
  });

beforeEach(async () => {
  settings = withMore();
  bed = await restBed(redis().url, {}, { settings: () => settings });
  await bed.engine.redis.flushall();
});
afterEach(async () => bed.close());

/** Ana's request of a change in production, with a value that is nobody else's business. */
const asked = async () => {
  const { body } = await bed.send('ana', 'POST', 'deployments', { ...deployment, env: { TARIFF: 'not-public' } });
  await bed.work(body.data.run);
  return String(body.data.run);
};
/** Asks a question and takes it to its end. */
const looked = async (who: string, operation: string, input: object) => {
  const before = bed.engine.woken.length;
  const answer = bed.send(who, 'POST', `operations/${operation}`, input);
  await expect.poll(() => bed.engine.woken.length).toBeGreaterThan(before);
  await bed.work(bed.engine.woken.at(-1) ?? '');
  return (await answer).body.data;
};

describe('another person’s run', () => {
  const digest = 'f'.repeat(64);
  test.each([
    ['GET', '', undefined],
    ['GET', '/events', undefined],
    ['POST', '/decision', { kind: 'approve', digest }],
    ['POST', '/cancel', {}],
    ['POST', '/answer', { choice: 'go' }],
    ['POST', '/review', {}],
    ['POST', '/undo', {}],
  ] as const)('is answered as if there were none: %s %s', async (method, path, body) => {
    const id = await asked();
    for (const prefix of [`${api}/runs`, '/runs']) {
      const answer = await bed.send('eve', method, `${prefix}/${id}${path}`, body);
      const none = await bed.send('eve', method, `${prefix}/nothing${path}`, body);
      expect(answer.status).toBe(404);
      const said = ({ code, message, hint }: Record<string, string>) => ({ code, message, hint });
      const about = { ...said(none.body.error), message: none.body.error.message.replace('nothing', id) };
      expect(said(answer.body.error)).toEqual(about);
    }
    expect(await bed.engine.store.read(id)).toMatchObject({ state: 'awaiting', decisions: [] });
  });

  test('is read by its requester, by who may ask for the same, and by who decides', async () => {
    const id = await asked();
    for (const who of ['ana', 'ben', 'cleo']) {
      const { status, body } = await bed.send(who, 'GET', `runs/${id}`);
      expect([who, status]).toEqual([who, 200]);
      expect(JSON.stringify(body)).toContain('not-public');
    }
    const { body } = await bed.send('cleo', 'GET', `runs/${id}`);
    const ballot = { kind: 'approve', digest: body.data.plan.digest };
    expect((await bed.send('cleo', 'POST', `runs/${id}/decision`, ballot)).status).toBe(200);
  });

  test('is read by who stands in for one who decides, for as long as that lasts', async () => {
    settings = withMore({ people: { ...withMore().people, dan: { subject: 'dan@example.com' } } });
    const id = await asked();
    expect((await bed.send('dan', 'GET', `runs/${id}`)).status).toBe(404);
    await bed.engine.clients.delegations.put({ from: 'cleo', to: 'dan', until: Date.now() + 60_000 });
    expect((await bed.send('dan', 'GET', `runs/${id}`)).status).toBe(200);
    bed.engine.now = () => Date.now() + 61_000;
    expect((await bed.send('dan', 'GET', `runs/${id}`)).status).toBe(404);
  });

  test('is read by reviewers while its broken glass waits for a review', async () => {
    const breakGlass = { who: ['engineers'], reviewers: ['watch'] };
    settings = withMore({ breakGlass, roles: { ...withMore().roles, watch: ['eve'] } });
    settings.people.eve = { subject: 'eve@example.com' };
    const glass = { 'break-glass': 'the shop is down' };
    const { body } = await bed.send('ana', 'POST', 'deployments', deployment, glass);
    const id = body.data.run;
    await bed.work(id);
    expect((await bed.send('eve', 'GET', `runs/${id}`)).status).toBe(200);
    expect((await bed.send('eve', 'POST', `runs/${id}/review`)).status).toBe(200);
    expect((await bed.send('eve', 'GET', `runs/${id}`)).status).toBe(404);
  });

  test('is read by whom a rule names for audit there, and not elsewhere', async () => {
    const id = await asked();
    const rule = { name: 'auditors', operations: ['audit'] };
    settings = withMore({ policy: [...withMore().policy, { ...rule, environments: ['staging'] }] });
    expect((await bed.send('eve', 'GET', `runs/${id}`)).status).toBe(404);
    settings = withMore({ policy: [...withMore().policy, { ...rule, environments: ['prod'] }] });
    expect((await bed.send('eve', 'GET', `runs/${id}`)).status).toBe(200);
    expect((await bed.send('eve', 'POST', `runs/${id}/cancel`)).body.error.code).toBe('NOT_YOURS_TO_STOP');
  });

  test('that read in its asker’s name is for the asker alone; other answers are for whoever may ask', async () => {
    const question = { who: 'ana', operation: 'deploy', app: 'my-app', env: 'prod' };
    const { run } = await looked('ana', 'can', question);
    expect((await bed.send('eve', 'GET', `runs/${run}`)).status).toBe(200);
    settings = withMore({
      environments: { ...settings.environments, prod: { namespace: 'production', impersonate: true } },
    });
    expect((await bed.send('eve', 'GET', `runs/${run}`)).status).toBe(404);
    expect((await bed.send('ana', 'GET', `runs/${run}`)).status).toBe(200);
  });

  test('on a Docker host is read by those alone whom the host names', async () => {
    settings = withMore({ dockerHosts: { build: { address: 'unix:///nowhere/docker.sock', who: ['engineers'] } } });
    const { run } = await looked('ana', 'docker-containers', {});
    expect((await bed.send('ben', 'GET', `runs/${run}`)).status).toBe(200);
    expect((await bed.send('eve', 'GET', `runs/${run}`)).status).toBe(404);
  });
});

test('a stream ends for whom the policy lets ask no longer', async () => {
  const id = await asked();
  const origin = await bed.app.listen({ port: 0, host: '127.0.0.1' });
  const authorization = `Bearer ${await tokenOf('ben@example.com')}`;
  const stream = await fetch(`${origin}${api}/runs/${id}/events`, { headers: { authorization } });
  settings = withMore({ roles: { ...withMore().roles, engineers: ['ana'] } });
  expect(await stream.text()).not.toContain('event: end');
  expect(await bed.engine.store.read(id)).toMatchObject({ state: 'awaiting' });
});

describe('lists', () => {
  const rowsOf = ({ report }: { report: { rows: string[][] } }) => JSON.stringify(report.rows);

  test('history, queue, why and audit leave out what their reader may not read', async () => {
    const id = await asked();
    const seen = async (who: string) => ({
      audit: rowsOf(await looked(who, 'audit', { run: id })).includes(id),
      why: (await looked(who, 'why', { what: id })).state,
    });
    expect(await seen('eve')).toEqual({ audit: false, why: 'failed' });
    expect(await seen('ben')).toEqual({ audit: true, why: 'finished' });
    expect(await seen('cleo')).toEqual({ audit: true, why: 'finished' });
    const { body } = await bed.send('cleo', 'GET', `runs/${id}`);
    await bed.send('cleo', 'POST', `runs/${id}/decision`, { kind: 'approve', digest: body.data.plan.digest });
    await bed.engine.store.takeTurn(id, 'my-app@prod', false);
    expect(rowsOf(await looked('ben', 'queue', {}))).toContain(`deploy ${id}`);
    const queued = rowsOf(await looked('eve', 'queue', {}));
    expect(queued).toContain('a run that you may not see');
    expect(queued).not.toContain(id);
    expect(queued).not.toContain('ana');
    await bed.work(id);
    expect(rowsOf(await looked('ben', 'history', { app: 'my-app' }))).toContain(id);
    expect(rowsOf(await looked('eve', 'history', { app: 'my-app' }))).toBe('[]');
  });

  test('the audit log over REST has the hashes alone of what its reader may not read, and verifies all the same', async () => {
    const id = await asked();
    while ((await bed.engine.audit.seal()) > 0);
    const linesFor = async (who: string) => {
      const headers = { authorization: `Bearer ${await tokenOf(`${who}@example.com`)}` };
      const { body } = await bed.app.inject({ url: `${api}/audit`, headers });
      return body.trim().split('\n');
    };
    const lines = await linesFor('eve');
    expect(lines.length).toBeGreaterThan(1);
    expect(lines.join('')).not.toContain(id);
    const withheld = lines.map((line) => WithheldRecord.parse(JSON.parse(line)));
    expect(verifyChain(withheld, await bed.engine.audit.head()).faults).toEqual([]);
    expect(verifyChain(withheld.toSpliced(1, 1), await bed.engine.audit.head()).faults).not.toEqual([]);
    const whole = (await linesFor('ben')).map((line) => AuditRecord.parse(JSON.parse(line)));
    expect(new Set(whole.map(({ run }) => run))).toEqual(new Set([id]));
  });
});

test.each(['cancel', 'withdraw', 'review'])(
  'in Slack, “%s” of a run by its id does not tell that there is one',
  async (word) => {
    const id = await asked();
    const said = (what: string) =>
      sayOfRun(bed.engine, word, what, slack('UEVE')).catch((thrown: Error) => thrown.message);
    expect(await said(id)).toBe((await said('nothing'))?.replace('nothing', id));
    const cleo = sayOfRun(bed.engine, 'cancel', id, slack('UCLEO'));
    await expect(cleo).rejects.toMatchObject({ code: 'NOT_YOURS_TO_STOP' });
  },
);
