import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { leastPrivilege } from '../../../scripts/least-privilege.ts';
import { catalogue } from '../../../src/operations/catalogue.ts';
import { bed } from '../../support/bed.ts';
import { ben, slack } from '../../support/engine.ts';
import { kubectl } from '../../support/kubectl.ts';
import { type RealDesk, realDesk } from '../../support/real-desk.ts';

const tail = randomBytes(3).toString('hex');
/** What cho may is given to the second of her groups: had the two come as one, she could do nothing. */
const cho = { user: `cho-${tail}`, groups: [`devs-${tail}`, `ops-${tail}`] };
const dan = { user: `dan-${tail}`, groups: [] };
const [asCho, asDan] = [slack('UCHO'), slack('UDAN')];
const create = (objects: readonly object[]) =>
  kubectl(['apply', '-f', '-'], objects.map((object) => JSON.stringify(object)).join('\n---\n'));

let desk: RealDesk;
beforeAll(async () => {
  desk = await realDesk({
    impersonate: true,
    people: { cho: { slack: 'UCHO', kubernetes: cho }, dan: { slack: 'UDAN', kubernetes: dan } },
  });
  const { staging } = desk.namespaces;
  const ours = leastPrivilege(catalogue, { namespaces: [], home: 'shipmate', people: [cho, dan] });
  await create(ours.filter((object) => JSON.stringify(object.metadata).includes('shipmate-people')));
  await kubectl(['create', 'rolebinding', 'ops', '--clusterrole=admin', `--group=${cho.groups[1]}`, '-n', staging]);
  const pod = { name: 'idle', image: bed.busybox, args: ['sleep', '3600'] };
  const spec = { containers: [pod], terminationGracePeriodSeconds: 0 };
  await create([{ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'idle', namespace: staging }, spec }]);
  await kubectl(['wait', '--for=condition=Ready', 'pod/idle', '-n', staging, '--timeout=30s']);
});
afterAll(async () => {
  await desk.end();
  await kubectl(['delete', 'clusterrole,clusterrolebinding', 'shipmate-people']);
});

const set = (actor: Parameters<RealDesk['ask']>[2], name: string) =>
  desk.done('config-set', { name, env: 'staging', values: ['A=1'] }, actor);

test('the cluster’s own RBAC decides, by the asker’s name and each of their groups', async () => {
  for (let tries = 0; tries < 20 && (await set(asCho, 'probe')).state !== 'finished'; tries++) await sleep(100);
  expect(await set(asCho, 'hers')).toMatchObject({ state: 'finished' });

  const refused = await set(asDan, 'his');
  expect(refused).toMatchObject({ state: 'failed', fault: { code: 'CLUSTER_FORBIDDEN' } });
  expect(refused.fault?.message).toBe(
    `The cluster “default” does not let ${dan.user} get configmaps in the namespace ${desk.namespaces.staging}.`,
  );
  expect(await kubectl(['get', 'configmap', '-n', desk.namespaces.staging, '-o', 'name'])).not.toContain('his');
});

test('somebody whom shipmate.yaml does not map is refused with a sentence, and what Shipmate may itself is not used', async () => {
  const run = await set(slack('UANA'), 'nobodys');
  expect(run).toMatchObject({
    state: 'failed',
    fault: { code: 'NOT_MAPPED', message: expect.stringContaining('who ana is') },
  });
  expect(await kubectl(['get', 'configmap', '-n', desk.namespaces.staging, '-o', 'name'])).not.toContain('nobodys');
});

test('an environment without it is as before', async () => {
  const { id, state } = await desk.done('config-set', { name: 'free', env: 'second', values: ['A=1'] });
  expect(state, 'it is the namespace of production, which asks for an approval').toBe('awaiting');
  await desk.approve(id, ben);
  expect(await desk.lap(id)).toMatchObject({ state: 'finished' });
});

test('what one has seen through a watch, another who may not is not shown', async () => {
  const signal = AbortSignal.timeout(20_000);
  const { kube } = desk.engine.clients;
  const look = (as?: Parameters<typeof kube>[1]) => kube('default', as).look('Pod', desk.namespaces.staging, signal);
  expect((await look()).objects).toHaveLength(1);
  expect((await look(cho)).objects).toHaveLength(1);
  await expect(look(dan)).rejects.toMatchObject({ code: 'CLUSTER_FORBIDDEN' });
});

test('who is let in sees at once, and who is shut out again sees nothing of what they saw', {
  timeout: 60_000,
}, async () => {
  const { staging } = desk.namespaces;
  const look = () => desk.engine.clients.kube('default', dan).look('Pod', staging, AbortSignal.timeout(20_000));
  await expect(look()).rejects.toMatchObject({ code: 'CLUSTER_FORBIDDEN' });
  await kubectl(['create', 'rolebinding', 'dan', '--clusterrole=view', `--user=${dan.user}`, '-n', staging]);
  const began = performance.now();
  await expect
    .poll(() => look().catch(() => undefined), { timeout: 5_000 })
    .toMatchObject({ objects: [{ kind: 'Pod' }] });
  expect(performance.now() - began).toBeLessThan(5_000);
  await kubectl(['delete', 'rolebinding', 'dan', '-n', staging]);
  const later = () =>
    look().then(
      ({ objects }) => objects.length,
      (thrown) => thrown.code,
    );
  await expect.poll(later, { timeout: 30_000, interval: 500 }).toBe('CLUSTER_FORBIDDEN');
});

test('a command in a container is run in the asker’s name too', async () => {
  const signal = AbortSignal.timeout(20_000);
  const ref = { apiVersion: 'v1', kind: 'Pod', namespace: desk.namespaces.staging, name: 'idle' };
  const options = { container: 'idle', command: ['/bin/busybox', 'echo', 'hello'], limitBytes: 1_000, ms: 10_000 };
  const { kube } = desk.engine.clients;
  expect(await kube('default', cho).exec(ref, options, signal)).toMatchObject({ exitCode: 0, output: 'hello\n' });
  await expect(kube('default', dan).exec(ref, options, signal)).rejects.toMatchObject({ code: 'EXEC_FAILED' });
});

test('Shipmate acts in the names on the list, and in no other', async () => {
  const stranger = desk.engine.clients.kube('default', { user: 'stranger', groups: [] });
  const ref = { apiVersion: 'v1', kind: 'ConfigMap', namespace: desk.namespaces.staging, name: 'hers' };
  await expect(stranger.read(ref, AbortSignal.timeout(10_000))).rejects.toMatchObject({
    code: 'CLUSTER_FORBIDDEN',
    message: expect.stringContaining('does not let Shipmate do this'),
  });
  await expect(
    desk.engine.clients.kube('default', { ...dan, groups: ['system:masters'] }).read(ref, AbortSignal.timeout(10_000)),
  ).rejects.toMatchObject({ code: 'CLUSTER_FORBIDDEN' });
});
