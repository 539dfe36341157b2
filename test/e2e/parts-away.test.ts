import { afterAll, beforeAll, expect, test } from 'vitest';
import { ana, ben, ship, startVoyage, type Voyage } from '../support/voyage.ts';

let voyage: Voyage;
beforeAll(async () => {
  voyage = await startVoyage();
});
afterAll(async () => voyage.end());

test('Redis away: the command is refused at once, and works again after', { timeout: 60_000 }, async () => {
  const { slack, redis } = voyage;
  const shipmate = await voyage.start('all');
  await slack.command(ana, ship, '/ship status web');
  await slack.waitFor(
    'status works',
    ({ onlyFor, text }) => onlyFor === ana && text.includes('What runs where'),
    15_000,
  );
  await redis.kill();
  const { status, ms } = await slack.command(ana, ship, '/deploy web:v1 staging');
  expect(status).toBe(200);
  expect(ms).toBeLessThan(3_000);
  await slack.waitFor(
    'the reason',
    ({ onlyFor, text }) => onlyFor === ana && text.includes('cannot reach its store (Redis), so nothing was started'),
  );
  await redis.start();
  await slack.waitFor('it works again', ({ text }) => text.includes('cannot reach'), 1_000);
  await expect
    .poll(
      async () => {
        await slack.command(ben, ship, '/ship status web');
        return slack.ephemerals(ben).some(({ text }) => text.includes('What runs where'));
      },
      { timeout: 20_000, interval: 1_000 },
    )
    .toBe(true);
  await shipmate.kill('SIGTERM');
});

test('the API server away: the plan fails with a sentence, and nothing is changed', { timeout: 60_000 }, async () => {
  const { slack } = voyage;
  await voyage.start('all', { K8S_ENDPOINT: 'https://127.0.0.1:1' });
  await slack.command(ana, ship, '/deploy web:v1 staging');
  const failed = await slack.waitFor(
    'the reason',
    ({ text }) => text.startsWith('Deploy web to staging: failed'),
    30_000,
  );
  expect(failed.text).toContain('The cluster “default” does not answer');
});

test('Slack slow, failing and limiting: the deploy finishes, and the message tells the truth in the end', {
  timeout: 90_000,
}, async () => {
  const own = await startVoyage();
  try {
    const { slack } = own;
    await own.start('all');
    slack.fault('chat.postMessage', { times: 1, status: 429, retryAfter: 1 });
    slack.fault('chat.update', { times: 2, status: 500 });
    slack.fault('chat.update', { times: 1, error: 'invalid_blocks' });
    await slack.command(ana, ship, '/deploy web:v1 staging');
    await slack.waitFor('it is done', ({ text }) => text.startsWith('Deploy web to staging: done'), 60_000);
    expect(slack.messages(ship).filter(({ text }) => text.startsWith('Deploy web'))).toHaveLength(1);
  } finally {
    await own.end();
  }
});

test('asked for in a channel that Shipmate cannot post to, it answers the person instead', {
  timeout: 60_000,
}, async () => {
  const own = await startVoyage();
  try {
    await own.start('all');
    await own.slack.command(ana, 'C0PRIVATE', '/deploy web:v1 staging');
    const done = await own.slack.waitFor(
      'it is done',
      ({ text }) => text.startsWith('Deploy web to staging: done'),
      40_000,
    );
    expect(done.channel).toBe('D0ANA');
  } finally {
    await own.end();
  }
});

test('a form that Slack does not open says how to write it out', { timeout: 60_000 }, async () => {
  const own = await startVoyage();
  try {
    await own.start('bot');
    own.slack.fault('views.open', { times: 1, status: 500 });
    await own.slack.command(ana, ship, '/deploy');
    await own.slack.waitFor(
      'the usage',
      ({ onlyFor, text }) => onlyFor === ana && text.includes('Write it out: /deploy &lt;app&gt;'),
      10_000,
    );
  } finally {
    await own.end();
  }
});

test('over Socket Mode nothing has to reach us from outside', { timeout: 60_000 }, async () => {
  const own = await startVoyage({ socketMode: true });
  try {
    await own.start('all');
    own.slack.setTarget('http://127.0.0.1:1/nowhere');
    await own.slack.command(ana, ship, '/deploy web:v1 production');
    const card = await own.slack.waitFor(
      'the card',
      ({ text }) => text.startsWith('Deploy web to production: waiting'),
      20_000,
    );
    await own.slack.click(ben, card, 'Approve');
    await own.slack.waitFor('it is done', ({ text }) => text.startsWith('Deploy web to production: done'), 40_000);
  } finally {
    await own.end();
  }
});
