import { readFile, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startApiProxy } from '../support/api-proxy.ts';
import { ana, ben, cho, ship, startVoyage, type Voyage } from '../support/voyage.ts';

let voyage: Voyage;
beforeAll(async () => {
  voyage = await startVoyage();
  await voyage.start('bot');
  await voyage.start('worker');
  await voyage.start('worker');
});
afterAll(async () => voyage.end());

type Said = { text: string; onlyFor?: string; thread?: string; blocks?: unknown };
const titled = (title: string, state: RegExp) => (message: Said) =>
  !message.onlyFor && !message.thread && message.text.startsWith(title) && state.test(message.text);
const toldOnly = (user: string | undefined, words: string) => (message: Said) =>
  message.onlyFor === user && (message.text.includes(words) || JSON.stringify(message.blocks).includes(words));

describe('order, in the channel', () => {
  test('two deploys at once: the second shows its place, and goes when the first is done', {
    timeout: 90_000,
  }, async () => {
    const { slack } = voyage;
    await slack.command(ana, ship, '/deploy web:v1 staging');
    await slack.waitFor('the first is under way', titled('Deploy web to staging', /under way/), 15_000);
    await slack.command(ben, ship, '/deploy web:v2 staging');
    const waiting = await slack.waitFor(
      'the second waits',
      titled('Deploy web to staging', /waiting for its turn/),
      10_000,
    );
    expect(JSON.stringify(waiting.blocks)).toContain('Number 1 in line');
    await expect
      .poll(() => slack.messages(ship).filter(({ text }) => /^Deploy web to staging: done/.test(text)).length, {
        timeout: 60_000,
      })
      .toBe(2);
    expect(slack.messages(ship).find(({ ts }) => ts === waiting.ts)?.text).toContain('web:v1 → web:v2');
  });

  test('Undo leads back to what ran before', { timeout: 60_000 }, async () => {
    const { slack } = voyage;
    const last =
      slack
        .messages(ship)
        .filter(({ text }) => text.includes('web:v1 → web:v2'))
        .at(-1) ?? expect.fail('no message');
    await slack.click(ben, last, 'Undo');
    await slack.waitFor('it went back', titled('Deploy web to staging: done', /web:v2 → web:v1/), 40_000);
  });

  test('Stop stops a rollout in the worker that has it', { timeout: 60_000 }, async () => {
    const { slack } = voyage;
    await slack.command(ana, ship, '/deploy web:v3 staging');
    const going = await slack.waitFor(
      'it is under way',
      titled('Deploy web to staging', /under way – web:v1 → web:v3/),
      15_000,
    );
    await slack.click(cho, going, 'Stop');
    await slack.click(ben, going, 'Stop');
    const stopped = await slack.waitFor('it is stopped', titled('Deploy web to staging', /stopped/), 10_000);
    expect(JSON.stringify(stopped.blocks)).toContain('Stopped by <@U0');
    await slack.click(ana, stopped, 'Undo');
    await slack.waitFor('it is as before', titled('Deploy web to staging: done', /→ web:v1/), 40_000);
  });

  test('a lock keeps others out with owner and reason; queue, why and audit tell', { timeout: 60_000 }, async () => {
    const { slack } = voyage;
    await slack.command(ben, ship, '/ship lock web staging "migrating the database" for=10m');
    await slack.waitFor('it is locked', titled('Lock web in staging', /done/), 15_000);
    await slack.command(ana, ship, '/deploy web:v2 staging');
    const refused = await slack.waitFor('ana is kept out', titled('Deploy web to staging', /not permitted/), 15_000);
    expect(refused.text).toContain('ben has locked web in staging');
    await slack.command(ana, ship, '/ship queue');
    await slack.waitFor('the queue', toldOnly(ana, 'locked: migrating the database'), 10_000);
    const [, id = ''] = /run `([a-z0-9]+)`/.exec(JSON.stringify(refused.blocks)) ?? [];
    await slack.command(ana, ship, `/ship why ${id}`);
    await slack.waitFor('why', toldOnly(ana, 'LOCKED'), 10_000);
    await slack.command(ana, ship, '/ship audit web in staging');
    await slack.waitFor('the audit log', toldOnly(ana, 'denied: ben has locked web in staging'), 10_000);
    await slack.command(ben, ship, '/ship unlock web staging');
    await slack.waitFor('it is open', titled('Unlock web in staging', /done/), 15_000);
  });

  test('the glass: refused to whom it is not for; loud, and reviewed by another', { timeout: 60_000 }, async () => {
    const { slack } = voyage;
    await slack.command(cho, ship, '/deploy web:v2 staging --break-glass "the shop is down"');
    await slack.command(ana, ship, '/deploy web:v1 production --break-glass "the shop is down"');
    const done = await slack.waitFor('it went at once', titled('Deploy web to production', /done/), 40_000);
    expect(JSON.stringify(done.blocks)).toContain('The glass was broken');
    await slack.click(ana, done, 'I have reviewed this');
    await slack.waitFor('not by oneself', toldOnly(ana, 'nothing for you to review'), 5_000);
    await slack.click(ben, done, 'I have reviewed this');
    await expect
      .poll(() => JSON.stringify(slack.messages(ship).find(({ ts }) => ts === done.ts)?.blocks), { timeout: 10_000 })
      .toContain('Reviewed by <@U0BEN>');
  });
});

test('settings that are wrong are refused as a whole, and the channel is told; right ones count at once', {
  timeout: 60_000,
}, async () => {
  const { slack, settings } = voyage;
  const text = await readFile(settings, 'utf8');
  await writeFile(settings, text.replace('operations: [build]', 'operations: [biuld]'));
  const told = await slack.waitFor('the channel is told', ({ text: said }) => said.includes('is wrong'), 15_000);
  expect(JSON.stringify(told.blocks)).toContain('there is no operation');
  await slack.command(cho, ship, '/ship status web');
  await slack.waitFor('the old ones are in force', toldOnly(cho, 'What runs where'), 15_000);
  await writeFile(settings, text.replace('operations: [build] }', 'operations: [build], who: [engineers] }'));
  await slack.waitFor('the channel is told again', ({ text: said }) => said.includes('right again'), 15_000);
  await slack.command(cho, ship, '/build web v4');
  await slack.waitFor('the new ones are in force', ({ text: said }) => said.includes('You may not “build web'), 10_000);
  expect(slack.messages(ship).filter(({ text: said }) => said.includes('is wrong'))).toHaveLength(1);
});

test('the API server away for thirty seconds in mid-rollout: the rollout is followed to its end', {
  timeout: 120_000,
}, async () => {
  const own = await startVoyage();
  const proxy = await startApiProxy();
  try {
    await own.start('all', { K8S_ENDPOINT: proxy.url });
    await own.slack.command(ana, ship, '/deploy web:v1 staging');
    await own.slack.waitFor('it is under way', titled('Deploy web to staging', /under way/), 15_000);
    proxy.cut();
    await sleep(30_000);
    expect(own.slack.messages(ship).filter(({ text }) => /failed|done/.test(text))).toEqual([]);
    proxy.mend();
    await own.slack.waitFor('it is done', titled('Deploy web to staging', /done/), 30_000);
  } finally {
    await proxy.stop();
    await own.end();
  }
});
