import { afterAll, beforeAll, expect, test } from 'vitest';
import { viewOf } from '../../../handlers/http/run-view.ts';
import { runMessage } from '../../../handlers/slack/blocks/run-message.ts';
import { tableMessage } from '../../../handlers/slack/blocks/table-message.ts';
import { threadReply } from '../../../handlers/slack/blocks/thread-reply.ts';
import type { Run } from '../../../src/core/run.ts';
import { createSeal } from '../../../src/store/seal.ts';
import { bed } from '../../support/bed.ts';
import { ana, ben, testSettings } from '../../support/engine.ts';
import { kubectl } from '../../support/kubectl.ts';
import { type RealDesk, realDesk } from '../../support/real-desk.ts';

let desk: RealDesk;
let open: RealDesk;
beforeAll(async () => {
  desk = await realDesk({ seal: createSeal([Buffer.alloc(32, 7)]) });
  open = await realDesk();
});
afterAll(async () => {
  await desk.end();
  await open.end();
});

const planted = 'correct-horse/battery';
const forms = [planted, Buffer.from(planted).toString('base64'), encodeURIComponent(planted)];
const expectClean = (text: string) => {
  for (const form of forms) expect(text).not.toContain(form);
};

/** Everything that this Redis holds. */
async function dump({ engine: { redis } }: RealDesk): Promise<string> {
  const parts: unknown[] = [];
  for (const key of await redis.keys('*')) {
    const type = await redis.type(key);
    if (type === 'hash') parts.push(key, await redis.hgetall(key));
    else if (type === 'stream') parts.push(key, await redis.xrange(key, '-', '+'));
    else if (type === 'string') parts.push(key, await redis.get(key));
    else if (type === 'list') parts.push(key, await redis.lrange(key, 0, -1));
    else if (type === 'zset') parts.push(key, await redis.zrange(key, '0', '-1'));
    else if (type === 'set') parts.push(key, await redis.smembers(key));
  }
  return JSON.stringify(parts);
}

/** All that people get to see of a run: in Slack, over REST, in the audit log. */
async function shown(run: Run): Promise<string> {
  while ((await desk.engine.audit.seal()) > 0);
  const events = (await desk.engine.store.events(run.id, '', 100)).map(({ event }) => event);
  const table = run.report?.kind === 'table' ? tableMessage(run.report) : undefined;
  const audit = await desk.engine.audit.read({ limit: 1_000 });
  const view = viewOf(run, 'https://shipmate.example.com/runs/x');
  return JSON.stringify([
    runMessage(run, testSettings),
    threadReply(run, events, testSettings),
    events,
    view,
    table,
    audit,
  ]);
}

const secretValue = async (name: string, key: string): Promise<string> => {
  const secret = JSON.parse(await kubectl(['get', 'secret', name, '-n', desk.namespaces.staging, '-o', 'json']));
  return Buffer.from(secret.data[key] ?? '', 'base64').toString();
};

test('a value goes to the cluster and is seen nowhere else: not in Redis, Slack, REST or the audit log', async () => {
  const name = 'app-secrets';
  const made = await desk.done('secret-set', { name, env: 'staging', values: [`PASSWORD=${planted}`, 'USER=ana'] });
  expect(made).toMatchObject({ state: 'finished', report: { objects: ['Secret/app-secrets'] } });
  expect(made.plan?.undo).toBeUndefined();
  expect(await secretValue(name, 'PASSWORD')).toBe(planted);

  const changed = await desk.done('secret-set', { name, env: 'staging', files: { PASSWORD: `${planted}2` } });
  expect(changed.plan?.changes).toEqual([
    { path: 'Secret/app-secrets data.PASSWORD', from: '••••••', to: '•••••• (changed)' },
  ]);
  expect(await secretValue(name, 'PASSWORD')).toBe(`${planted}2`);
  expect(await secretValue(name, 'USER')).toBe('ana');

  const looked = await desk.done('secret-show', { name, env: 'staging' });
  expect(looked.report).toMatchObject({
    kind: 'table',
    rows: [
      ['PASSWORD', '22 B'],
      ['USER', '3 B'],
    ],
    note: expect.stringContaining('nobody reads it'),
  });
  const taken = await desk.done('secret-unset', { name, env: 'staging', keys: ['PASSWORD'] });
  expect(taken.state).toBe('finished');
  expect(await secretValue(name, 'PASSWORD')).toBe('');
  for (const run of [made, changed, looked, taken]) expectClean(await shown(run));
  const stored = await dump(desk);
  expectClean(stored);
  expect(stored).toContain('sealed:1:');
});

test('it waits for approval with the value sealed, and the approved one is what is written', async () => {
  const input = { name: 'prod', env: 'production', values: [`KEY=${planted}`] };
  const id = await desk.ask('secret-set', input, ana);
  const waiting = await desk.lap(id);
  expect(waiting.state).toBe('awaiting');
  const other = await desk.lap(await desk.ask('secret-set', input, ana));
  expect(other.plan?.digest, 'from the digest nobody can try out values').not.toBe(waiting.plan?.digest);
  expectClean(await shown(waiting));
  expectClean(await dump(desk));
  await desk.approve(id, ben);
  expect((await desk.lap(id)).state).toBe('finished');
  const args = ['get', 'secret', 'prod', '-n', desk.namespaces.production, '-o', 'jsonpath={.data.KEY}'];
  expect(Buffer.from(await kubectl(args), 'base64').toString()).toBe(planted);
});

test('without a key to seal with it is refused before anything is stored', async () => {
  const asked = open.ask('secret-set', { name: 'app-secrets', env: 'staging', values: [`PASSWORD=${planted}`] });
  await expect(asked).rejects.toMatchObject({ code: 'NOT_SEALED', hint: expect.stringContaining('ENCRYPTION_KEY') });
  expect(await open.engine.store.recent(10)).toEqual([]);
  expectClean(await dump(open));
  expect(await open.done('secret-show', { name: 'none', env: 'staging' })).toMatchObject({
    fault: { code: 'NO_SUCH_OBJECT', message: expect.stringContaining('no Secret “none”') },
  });
});

test('what the API server refuses is said without the value; an immutable Secret stays', async () => {
  const ns = desk.namespaces.staging;
  await kubectl(
    ['create', '-n', ns, '-f', '-'],
    JSON.stringify({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'fixed' }, immutable: true, data: {} }),
  );
  const fixed = await desk.done('secret-set', { name: 'fixed', env: 'staging', values: [`A=${planted}`] });
  expect(fixed).toMatchObject({ state: 'failed', fault: { code: 'IMMUTABLE' } });
  const owner = await kubectl(['get', 'configmap', 'kube-root-ca.crt', '-n', ns, '-o', 'jsonpath={.metadata.uid}']);
  const keeper = { apiVersion: 'v1', kind: 'ConfigMap', name: 'kube-root-ca.crt', uid: owner, controller: true };
  const metadata = { name: 'kept', ownerReferences: [keeper] };
  await kubectl(['create', '-n', ns, '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'Secret', metadata }));
  const kept = await desk.done('secret-set', { name: 'kept', env: 'staging', values: [`A=${planted}`] });
  expect(kept.plan?.summary).toContain('ConfigMap/kube-root-ca.crt keeps it and may write over this');
  const tooLong = await desk.done('secret-set', {
    name: 'big',
    env: 'staging',
    files: { A: planted.repeat(40_000), B: planted.repeat(40_000) },
  });
  expect(tooLong).toMatchObject({ state: 'failed', fault: { code: 'CLUSTER_REFUSED' } });
  for (const run of [fixed, tooLong]) expectClean(await shown(run));
});

test('who reads it is found, and restart=yes gives them new pods with the new value', { timeout: 90_000 }, async () => {
  const ns = desk.namespaces.staging;
  await desk.done('secret-set', { name: 'db', env: 'staging', values: ['URL=one'] });
  const env = [{ name: 'URL', valueFrom: { secretKeyRef: { name: 'db', key: 'URL' } } }];
  const container = { name: 'reader', image: bed.busybox, args: ['sleep', '3600'], env };
  const labels = { app: 'reader' };
  const spec = { terminationGracePeriodSeconds: 0, containers: [container], imagePullSecrets: [{ name: 'pull' }] };
  const template = { metadata: { labels }, spec };
  await kubectl(
    ['apply', '-n', ns, '-f', '-'],
    JSON.stringify({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'reader' },
      spec: { selector: { matchLabels: labels }, template },
    }),
  );
  await kubectl(['rollout', 'status', 'deployment/reader', '-n', ns, '--timeout=60s']);
  const who = await desk.done('config-consumers', { name: 'db', env: 'staging' });
  expect(who.report).toMatchObject({ rows: [['Secret/db', 'Deployment/reader', 'env URL']] });
  const pull = await desk.done('config-consumers', { name: 'pull', env: 'staging', kind: 'secret' });
  expect(pull.report).toMatchObject({ rows: [['Secret/pull', 'Deployment/reader', 'pulls images with it']] });

  const before = await kubectl(['get', 'pods', '-n', ns, '-l', 'app=reader', '-o', 'name']);
  const run = await desk.done('secret-set', { name: 'db', env: 'staging', values: ['URL=two'], restart: true });
  expect(run).toMatchObject({
    state: 'finished',
    report: {
      objects: ['Secret/db', 'Deployment/reader'],
      note: expect.stringContaining('Restarted: Deployment/reader: 1 of 1 ready'),
    },
  });
  expect(await kubectl(['get', 'pods', '-n', ns, '-l', 'app=reader', '-o', 'name'])).not.toBe(before);
  expect(await kubectl(['exec', 'deployment/reader', '-n', ns, '--', '/bin/busybox', 'env'])).toContain('URL=two\n');
  const again = await desk.done('secret-set', { name: 'db', env: 'staging', values: ['URL=two'], restart: true });
  expect(again.report).toEqual({ kind: 'unchanged' });
});
