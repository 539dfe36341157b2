import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { kubectl } from '../support/kubectl.ts';
import { ana, ben, cho, gus, ship, startVoyage, type Voyage } from '../support/voyage.ts';

let voyage: Voyage;
beforeAll(async () => {
  voyage = await startVoyage();
  await voyage.start('all');
});
afterAll(async () => voyage.end());

const image = (namespace: string) =>
  kubectl([
    '-n',
    namespace,
    'get',
    'deployment',
    'web',
    '-o',
    'jsonpath={.spec.template.spec.containers[0].image}',
  ]).catch(() => 'none');
const titled = (title: string, state: RegExp) => (message: { text: string; onlyFor?: string; thread?: string }) =>
  !message.onlyFor && !message.thread && message.text.startsWith(title) && state.test(message.text);

describe('from a slash command to running pods', () => {
  test('staging: no approval, one message, edited in place, with its thread', { timeout: 60_000 }, async () => {
    const { slack, namespaces } = voyage;
    const { status, ms } = await slack.command(ana, ship, '/deploy web:v1 staging');
    expect(status).toBe(200);
    expect(ms).toBeLessThan(1_500);
    const done = await slack.waitFor('the deploy is done', titled('Deploy web to staging', /done/), 40_000);
    expect(done.text).toContain('1 of 1 pods ready');
    expect(done.edited).toBeDefined();
    expect(slack.messages(ship).filter(({ text }) => text.startsWith('Deploy web to staging'))).toHaveLength(1);
    await slack.waitFor(
      'the thread tells the end',
      ({ thread, text }) => thread === done.ts && text.includes('<@U0ANA>'),
    );
    expect(await image(namespaces.staging)).toMatch(/web:v1@sha256:[a-f0-9]{64}$/);
  });

  test('production: a plan, the requester’s own click refused to them alone, another’s starts one run', {
    timeout: 90_000,
  }, async () => {
    const { slack, namespaces } = voyage;
    await slack.command(ana, ship, '/ship deploy web to production image=web:v1');
    const card = await slack.waitFor('the card', titled('Deploy web to production', /waiting for approval/), 20_000);
    expect(JSON.stringify(card.blocks)).toContain('+ containers[web].image');
    expect(await image(namespaces.production)).toBe('none');

    await slack.click(ana, card, 'Approve');
    const refusal = await slack.waitFor(
      'ana is refused',
      ({ onlyFor, text }) => onlyFor === ana && text.includes('You asked for this yourself'),
    );
    expect(refusal.text).toContain('<@U0BEN>');
    await slack.click(cho, card, 'Approve');
    await slack.waitFor(
      'cho is refused',
      ({ onlyFor, text }) => onlyFor === cho && text.includes('You may not decide this'),
    );
    await slack.click(gus, card, 'Approve');
    await slack.waitFor('gus is refused', ({ onlyFor, text }) => onlyFor === gus && text.includes('you are a guest'));
    expect(await image(namespaces.production)).toBe('none');

    await slack.click(ben, card, 'Approve', { times: 3 });
    const done = await slack.waitFor('the deploy is done', titled('Deploy web to production', /done/), 40_000);
    expect(JSON.stringify(done.blocks)).not.toContain('run_approve');
    expect(JSON.stringify(done.blocks)).toContain('Approved by <@U0BEN>');
    await slack.click(ben, card, 'Approve');
    await slack.waitFor(
      'the second click is told',
      ({ onlyFor, text }) => onlyFor === ben && text.includes('Already approved by <@U0BEN>'),
    );
    const generation = await kubectl([
      '-n',
      namespaces.production,
      'get',
      'deployment',
      'web',
      '-o',
      'jsonpath={.metadata.generation}',
    ]);
    expect(generation).toBe('1');
  });

  test('a rejected plan is not carried out, and the reason stands there', { timeout: 60_000 }, async () => {
    const { slack, namespaces } = voyage;
    await slack.command(ana, ship, '/deploy web:v2 production');
    const card = await slack.waitFor(
      'the card',
      titled('Deploy web to production', /waiting for approval.*v1 → web:v2/),
      20_000,
    );
    await slack.click(ben, card, 'Reject');
    await expect.poll(() => slack.space.views.size).toBe(1);
    const [view] = slack.space.views.values();
    await slack.submit(ben, view?.id ?? '', { reason: 'not on a Friday' });
    const rejected = await slack.waitFor('it is rejected', titled('Deploy web to production', /rejected/));
    expect(JSON.stringify(rejected.blocks)).toContain('not on a Friday');
    await slack.click(ben, card, 'Approve');
    await slack.waitFor('too late', ({ onlyFor, text }) => onlyFor === ben && text.includes('Already rejected by'));
    expect(await image(namespaces.production)).toContain('web:v1@');
  });

  test('scaling and looking', { timeout: 60_000 }, async () => {
    const { slack } = voyage;
    await slack.command(ana, ship, '/ship scale web to 2 in staging');
    await slack.waitFor('it is scaled', titled('Scale web in staging', /done.*2 of 2/), 40_000);
    await slack.command(cho, ship, '/ship status web');
    const status = await slack.waitFor(
      'the status, to the one who asked',
      ({ onlyFor, text }) => onlyFor === cho && text.includes('of 2 well'),
      20_000,
    );
    expect(JSON.stringify(status.blocks)).toContain('2 of 2 ready');
  });

  test('a version that crashes fails with its last words, and a button that rolls back', {
    timeout: 120_000,
  }, async () => {
    const { slack, namespaces } = voyage;
    await slack.command(ana, ship, '/deploy web:v3 staging');
    const failed = await slack.waitFor('the deploy failed', titled('Deploy web to staging', /failed/), 60_000);
    expect(failed.text).toContain('the container starts and crashes');
    expect(JSON.stringify(failed.blocks)).toContain('panic: runtime error');
    const broadcast = await slack.waitFor(
      'the channel is told',
      ({ thread, broadcast }) => thread === failed.ts && broadcast === true,
    );
    expect(broadcast.text).toContain('<@U0ANA>');
    await slack.click(ana, failed, 'Roll back', { times: 2 });
    await slack.waitFor('it is rolled back', titled('Roll back web in staging', /done/), 40_000);
    expect(await image(namespaces.staging)).toContain('web:v1@');
    expect(slack.messages(ship).filter(({ text }) => text.startsWith('Roll back web'))).toHaveLength(1);
  });

  test('a build shows its progress and ends with a button that deploys it', { timeout: 90_000 }, async () => {
    const { slack, namespaces } = voyage;
    await slack.command(ana, ship, '/build web v4');
    const built = await slack.waitFor('it is built', titled('Build web', /done.*web:v4 built and pushed/), 60_000);
    await slack.waitFor(
      'its log is in the thread',
      ({ thread, blocks }) => thread === built.ts && JSON.stringify(blocks).includes('COPY serve.sh'),
    );
    await slack.click(ana, built, 'Deploy to staging');
    await slack.waitFor('it is deployed', titled('Deploy web to staging', /done.*→ web:v4/), 40_000);
    expect(await image(namespaces.staging)).toContain('web:v4@');
  });

  test('a mention in a thread does the same', { timeout: 60_000 }, async () => {
    const { slack } = voyage;
    await slack.mention(ana, ship, '@shipmate scale web to 1 in staging', '1.000001');
    await slack.waitFor('it is scaled', titled('Scale web in staging', /done.*1 of 1/), 40_000);
  });

  test('a command without words opens a form whose selects know the apps', { timeout: 60_000 }, async () => {
    const { slack } = voyage;
    await slack.command(ana, ship, '/deploy');
    await expect.poll(() => slack.space.views.size).toBe(1);
    const [form] = slack.space.views.values();
    expect(JSON.stringify(form?.view.blocks)).toContain('"value":"production"');
    const refused = await slack.submit(ana, form?.id ?? '', {
      app: 'web',
      env: 'staging',
      strategy: 'rolling',
      replicas: '-1',
      tag: 'v1',
    });
    expect(refused.body).toMatchObject({
      response_action: 'errors',
      errors: { replicas: expect.stringContaining('must not be negative') },
    });
    await slack.submit(ana, form?.id ?? '', { app: 'web', env: 'staging', strategy: 'rolling', tag: 'v2' });
    await slack.waitFor('it is deployed', titled('Deploy web to staging', /done.*web:v4 → web:v2/), 40_000);
  });
});

describe('what is wrong is said to the one who asked, and nothing is started', () => {
  test.each([
    ['/ship deplyo web to staging', 'Did you mean “deploy”?'],
    ['/deploy wep:v1 staging', 'Did you mean “web”?'],
    ['/deploy web:v1 stagign', 'Did you mean “staging”?'],
    ['/deploy web:v1', 'also needs &lt;env&gt;'],
    ['/deploy web:v1 staging replcas=2', 'Did you mean “replicas”?'],
    ['/ship scale web to 999999 in staging', 'must be a whole number up to 1000'],
    ['/ship scale web to lots in staging', 'must be a whole number'],
    ['/ship help nothing', 'There is no operation “nothing”'],
  ])('%s', async (line, words) => {
    const { slack } = voyage;
    const before = slack.messages(ship).length;
    await slack.command(cho, ship, line);
    const seen = ({ text, onlyFor }: { text: string; onlyFor?: string }) =>
      text.includes(words) && (onlyFor === cho || onlyFor === undefined);
    await slack.waitFor(words, seen, 10_000);
    expect(slack.messages(ship)).toHaveLength(before);
  });

  test.each([
    ['/ship scale web to -300 in staging', 'must be from 0 to 1000'],
    ['/deploy web:v1 staging strategy=canary', 'no Service leads to its pods'],
  ])('what only a plan can find out: %s', async (line, words) => {
    await voyage.slack.command(cho, ship, line);
    await voyage.slack.waitFor(words, ({ text }) => text.includes(words), 10_000);
  });

  test('an image that the registry lacks fails the plan, with what it has', { timeout: 30_000 }, async () => {
    const { slack } = voyage;
    await slack.command(ana, ship, '/deploy web:v11 staging');
    const failed = await slack.waitFor('it failed', titled('Deploy web to staging', /has no image/), 20_000);
    expect(failed.text).toContain('Did you mean “v1”?');
  });

  test('a guest, and somebody whom the policy does not know', async () => {
    const { slack } = voyage;
    await slack.command(gus, ship, '/deploy web:v1 staging');
    await slack.waitFor(
      'the guest is refused',
      ({ onlyFor, text }) => onlyFor === gus && text.includes('you are a guest'),
    );
    await slack.command(cho, ship, '/deploy web:v1 production');
    await slack.waitFor(
      'cho is refused',
      ({ onlyFor, text }) => onlyFor === cho && text.includes('Ask one of: ana, ben'),
    );
  });

  test('a request that is forged, stale, from the future, or sent twice', async () => {
    const { slack } = voyage;
    const post = (request: { url: string; body: string; headers: Record<string, string> }) =>
      fetch(request.url, { method: 'POST', body: request.body, headers: request.headers });
    const form = () => slack.commandForm(ana, ship, '/ship status web');
    const now = Math.floor(Date.now() / 1_000);
    expect((await post(slack.signed(form(), { secret: 'wrong-secret' }))).status).toBe(401);
    expect((await post(slack.signed(form(), { seconds: now - 400 }))).status).toBe(401);
    expect(await (await post(slack.signed(form(), { seconds: now + 900 }))).text()).toContain('in the future');
    const twice = slack.signed(slack.commandForm(ana, ship, '/ship scale web to 3 in staging'));
    expect((await post(twice)).status).toBe(200);
    expect(await (await post(twice)).text()).toContain('nothing was started a second time');
    await slack.waitFor('it is scaled', titled('Scale web in staging', /3 of 3/), 40_000);
  });
});
