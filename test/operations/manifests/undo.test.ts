import { afterAll, beforeAll, expect, test } from 'vitest';
import { undo } from '../../../src/engine/undo.ts';
import { createSeal } from '../../../src/store/seal.ts';
import { bed } from '../../support/bed.ts';
import { ana, ben } from '../../support/engine.ts';
import { kubectl } from '../../support/kubectl.ts';
import { type RealDesk, realDesk } from '../../support/real-desk.ts';

let desk: RealDesk;
beforeAll(async () => {
  desk = await realDesk({ seal: createSeal([Buffer.alloc(32, 7)]) });
});
afterAll(() => desk.end());

const inStaging = (args: string[], stdin?: string) => kubectl([...args, '-n', desk.namespaces.staging], stdin);
const get = async (what: string) => JSON.parse(await inStaging(['get', what, '-o', 'json']));
const apply = (manifest: string, more: object = {}) => desk.done('apply', { env: 'staging', manifest, ...more });
/** As the button, `/ship undo` and REST do it. */
async function undone(run: string) {
  const { id } = await undo(desk.engine, run, { actor: ana, origin: { surface: 'rest' } });
  return await desk.lap(id);
}
const map = (name: string, data: object) =>
  JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data });
const all = (...manifests: string[]) => manifests.join('\n---\n');

test('what was changed is as it was, what was made is deleted, and what was pruned is there again', async () => {
  await apply(all(map('kept', { a: '1' }), map('pruned', { b: '2' })), { prune: 'shop' });
  const run = await apply(all(map('kept', { a: '9', added: 'x' }), map('made', {})), { prune: 'shop' });
  expect(run.plan?.undo).toEqual({ operation: 'apply-undo', input: { run: run.id, env: 'staging' } });
  const back = await undone(run.id);
  expect(back).toMatchObject({
    state: 'finished',
    plan: { summary: `as before run ${run.id}: 2 as they were, 1 deleted` },
  });
  expect(back.plan?.changes).toEqual(
    expect.arrayContaining([
      { path: 'ConfigMap/kept data.a', from: '9', to: '1' },
      { path: 'ConfigMap/kept data.added', from: 'x' },
      { path: 'ConfigMap/made', from: 'there', to: 'deleted' },
    ]),
  );
  expect((await get('configmap/kept')).data).toEqual({ a: '1' });
  expect(await get('configmap/pruned')).toMatchObject({
    data: { b: '2' },
    metadata: { labels: { 'shipmate.dev/set': 'shop' } },
  });
  await expect(get('configmap/made')).rejects.toThrow('not found');
  expect(await undone(run.id), 'a second time').toMatchObject({ report: { kind: 'unchanged' } });
});

test('fields of others, and those that were taken from others, have their values again', async () => {
  const labels = { app: 'shop' };
  const containers = (image: string, more: object = {}) => [{ name: 'shop', image, args: ['sleep', '3600'], ...more }];
  const deployment = (replicas: number, container: object[], annotations: object = {}) =>
    JSON.stringify({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'shop', annotations },
      spec: {
        replicas,
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { terminationGracePeriodSeconds: 0, containers: container } },
      },
    });
  const theirs = deployment(
    2,
    containers(bed.busybox, {
      env: [
        { name: 'A', value: '1' },
        { name: 'B', value: '2' },
      ],
    }),
    {
      note: 'theirs',
    },
  );
  await inStaging(['apply', '-f', '-'], theirs);
  const before = await get('deployment/shop');
  const ours = deployment(
    1,
    containers(bed.busybox, {
      env: [
        { name: 'B', value: '3' },
        { name: 'C', value: '4' },
      ],
    }),
  );
  const run = await apply(ours);
  expect(run).toMatchObject({ state: 'finished' });
  expect((await get('deployment/shop')).spec.replicas).toBe(1);
  expect(await undone(run.id)).toMatchObject({ state: 'finished', report: { note: 'Deployment/shop: 2 of 2 ready.' } });
  const after = await get('deployment/shop');
  expect(after.spec).toEqual(before.spec);
  expect(after.metadata.annotations).toMatchObject({ note: 'theirs' });
});

test('a Secret has its old values again, which are seen nowhere', async () => {
  const secret = (data: object) =>
    JSON.stringify({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'keys' }, stringData: data });
  await apply(secret({ KEY: 'planted-old' }));
  const run = await apply(secret({ KEY: 'planted-new', MORE: 'planted-more' }));
  const back = await undone(run.id);
  expect(back).toMatchObject({ state: 'finished' });
  const { data } = await get('secret/keys');
  expect(data.MORE).toBeUndefined();
  expect(Buffer.from(data.KEY, 'base64').toString()).toBe('planted-old');
  const kept = Buffer.from('planted-old').toString('base64');
  for (const seen of [run.plan?.changes, back.plan?.changes, back.input, run.plan?.undo])
    for (const value of ['planted-old', kept]) expect(JSON.stringify(seen)).not.toContain(value);
});

test('it is planned and approved like any other change', async () => {
  const { production } = desk.namespaces;
  const first = await desk.ask('apply', { env: 'production', manifest: map('approved', { a: '1' }) });
  await desk.lap(first);
  await desk.approve(first, ben);
  await desk.lap(first);
  const { id } = await undo(desk.engine, first, { actor: ana, origin: { surface: 'rest' } });
  expect(await desk.lap(id)).toMatchObject({ state: 'awaiting' });
  await kubectl(['get', 'configmap/approved', '-n', production]);
  await desk.approve(id, ben);
  expect(await desk.lap(id)).toMatchObject({ state: 'finished' });
  await expect(kubectl(['get', 'configmap/approved', '-n', production])).rejects.toThrow('not found');
});

test('what another run changed since is said, and what cannot come back too', async () => {
  const run = await apply(map('busy', { a: '1' }));
  const later = await apply(map('busy', { a: '2' }));
  const asked = await desk.done('apply-undo', { run: run.id, env: 'staging' });
  expect(asked.plan?.warnings).toEqual([`ConfigMap/busy was changed since by run ${later.id}.`]);
  const claim = JSON.stringify({
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: 'data' },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
  });
  await apply(all(map('one', {}), claim), { prune: 'volumes' });
  const pruned = await apply(map('one', { a: '1' }), { prune: 'volumes' });
  expect((await undone(pruned.id)).plan?.warnings).toEqual([
    'PersistentVolumeClaim/data was deleted with what was in it, and does not come back.',
  ]);
});

test('what was no apply, or somewhere else, is refused', async () => {
  const ask = (run: string, env: string) => desk.done('apply-undo', { run, env });
  expect(await ask('nothing1', 'staging')).toMatchObject({ fault: { code: 'UNKNOWN_RUN' } });
  const run = await apply(map('here', {}));
  expect(await ask(run.id, 'second')).toMatchObject({
    fault: { code: 'BAD_INPUT', message: expect.stringContaining('was in staging, not in second') },
  });
  const same = await apply(map('here', {}));
  expect(await ask(same.id, 'staging')).toMatchObject({ fault: { code: 'NOTHING_TO_UNDO' } });
});
