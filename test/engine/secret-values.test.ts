import { beforeEach, describe, expect, test } from 'vitest';
import { connectStore } from '../../src/store/connection.ts';
import { startSeal } from '../../src/store/reseal.ts';
import { createSeal } from '../../src/store/seal.ts';
import { fakeWorld } from '../fakes/fake-clients.ts';
import { createDesk, type Desk, stock } from '../support/desk.ts';
import { quiet, type TestEngine, testEngine, testSettings } from '../support/engine.ts';
import { redisForFile } from '../support/redis.ts';

const redis = redisForFile();
const inputs: [string, string, Record<string, unknown>][] = [
  ['deploy', 'variables', { app: 'web', env: 'staging', tag: 'v1', variables: { DB_PASS: 'hunter2hunter2' } }],
  ['config-set', 'values', { name: 'app-config', env: 'staging', values: ['SIGNING_KEY=hunter2hunter2'] }],
  ['config-set', 'files', { name: 'app-config', env: 'staging', files: { MYSQL_PWD: 'hunter2hunter2' } }],
  ['docker-run', 'env', { image: 'redis:7', name: 'cache', env: ['PASSPHRASE=hunter2hunter2'] }],
  [
    'apply',
    'a manifest',
    {
      env: 'staging',
      manifest: 'kind: !!str Secret\napiVersion: v1\nmetadata: {name: x}\nstringData: {a: hunter2hunter2}',
    },
  ],
];

let engine: TestEngine;
let desk: Desk;
const open = async (key?: Buffer) => {
  const world = fakeWorld();
  stock(world);
  engine = await testEngine(redis().url, world.clients, key && { seal: createSeal([key]) });
  await engine.redis.flushall();
  desk = createDesk(engine);
};
beforeEach(() => async () => {
  await desk.leases.stop();
  engine.close();
});

/** All that stands in Redis, as it stands there. */
async function dump(): Promise<string> {
  const names = await engine.redis.keys('*');
  const texts = names.map(async (name) => {
    const type = await engine.redis.type(name);
    if (type === 'hash') return JSON.stringify(await engine.redis.hgetall(name));
    return type === 'stream' ? JSON.stringify(await engine.redis.xrange(name, '-', '+')) : '';
  });
  return (await Promise.all(texts)).join('\n');
}

describe('where nothing is sealed, a secret is refused before it is stored:', () => {
  test.each(inputs)('%s, %s', async (operation, _, input) => {
    await open();
    await expect(desk.ask(operation, input)).rejects.toMatchObject({ code: 'NOT_SEALED' });
    expect(await dump()).not.toContain('hunter2');
  });

  test('and what a team’s settings call a secret', async () => {
    await open();
    const input = { app: 'web', env: 'staging', tag: 'v1', variables: { LICENCE: 'hunter2hunter2' } };
    await desk.ask('deploy', input);
    engine.settings = () => ({ ...testSettings, secrets: { names: ['licence'], shown: [] } });
    await expect(desk.ask('deploy', input)).rejects.toMatchObject({ code: 'NOT_SEALED' });
  });
});

test('where it is sealed it is taken, its plan’s digest is salted, and nobody is shown it', async () => {
  await open(Buffer.alloc(32, 7));
  const id = await desk.ask('deploy', {
    app: 'web',
    env: 'staging',
    tag: 'v1',
    variables: { DB_PASS: 'hunter2hunter2' },
  });
  const run = await desk.lap(id);
  expect(run.salt).toBeDefined();
  expect(run.plan?.changes.some(({ path }) => path.includes('DB_PASS'))).toBe(true);
  expect(JSON.stringify([run.plan?.changes, run.plan?.summary, run.report])).not.toContain('hunter2');
  expect(await dump()).not.toContain('hunter2');
});

test('without a key the start warns', async () => {
  await open();
  const said: string[] = [];
  const log = { ...quiet, warn: (_: unknown, message: string) => void said.push(message) };
  const connection = connectStore(redis().url);
  await startSeal(connection, {}, log);
  expect(said.join()).toContain('NOTHING IS SEALED');
  said.length = 0;
  await startSeal(connection, { ENCRYPTION_KEY: 'ab'.repeat(32) }, log);
  expect(said).toEqual([]);
  connection.disconnect();
});
