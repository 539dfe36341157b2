import { afterAll, beforeAll, expect, test } from 'vitest';
import { createSeal } from '../../../src/store/seal.ts';
import { kubectl } from '../../support/kubectl.ts';
import { type RealDesk, realDesk } from '../../support/real-desk.ts';

let desk: RealDesk;
const listed: string[] = [];
beforeAll(async () => {
  desk = await realDesk({ seal: createSeal([Buffer.alloc(32, 7)]) });
  const { kube } = desk.engine.clients;
  desk.engine.clients.kube = (name) => {
    const real = kube(name);
    return {
      ...real,
      list: (selection, signal) => {
        listed.push(selection.kind);
        return real.list(selection, signal);
      },
    };
  };
});
afterAll(() => desk.end());

const object = (kind: string, name: string) =>
  JSON.stringify({ apiVersion: 'v1', kind, metadata: { name }, data: { a: 'Yg==' } });
const apply = (...manifests: string[]) =>
  desk.done('apply', { env: 'staging', manifest: manifests.join('\n---\n'), prune: 'shop' });
const secrets = async () =>
  (await kubectl(['get', 'secrets', '-o', 'name', '-n', desk.namespaces.staging]))
    .trim()
    .split('\n')
    .filter(Boolean)
    .sort();

test('a Secret that is left out of its set is deleted, and Secrets are never listed for that', async () => {
  await apply(object('ConfigMap', 'one'), object('Secret', 'kept'), object('Secret', 'gone'));
  await kubectl(['create', 'secret', 'generic', 'other', '--from-literal=a=b', '-n', desk.namespaces.staging]);
  expect(await secrets()).toEqual(['secret/gone', 'secret/kept', 'secret/other']);
  const run = await apply(object('ConfigMap', 'one'), object('Secret', 'kept'));
  expect(run).toMatchObject({ state: 'finished' });
  expect(run.plan?.changes).toContainEqual({ path: 'Secret/gone', from: 'in the set shop', to: 'deleted' });
  expect(await secrets()).toEqual(['secret/kept', 'secret/other']);
  await apply(object('ConfigMap', 'one'));
  expect(await secrets()).toEqual(['secret/other']);
  expect(listed).toContain('ConfigMap');
  expect(listed).not.toContain('Secret');
});

test('a set of Secrets alone says that they will not be found again', async () => {
  const run = await apply(object('Secret', 'alone'));
  expect(run.plan?.warnings?.join()).toContain('which are not listed');
});

test('to export a Secret that is not there lists none', async () => {
  listed.length = 0;
  expect(await desk.done('export', { env: 'staging', object: 'secret/nothing' })).toMatchObject({ state: 'failed' });
  expect(listed).not.toContain('Secret');
});
