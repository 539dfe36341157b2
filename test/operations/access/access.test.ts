import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { kubectl } from '../../support/kubectl.ts';
import { type RealDesk, realDesk } from '../../support/real-desk.ts';

let desk: RealDesk;
beforeAll(async () => {
  desk = await realDesk({
    people: { cho: { kubernetes: { user: 'cho@example.com', groups: ['devs'] }, slack: 'UCHO' } },
  });
  await kubectl(['create', 'serviceaccount', 'ci', '-n', desk.namespaces.staging]);
});
afterAll(() => desk.end());

/** What the API server itself says; its authorizer hears of a binding a moment after it is made. */
async function becomes(expected: 'yes' | 'no', as: string, verb: string, resource: string): Promise<void> {
  const ask = () =>
    kubectl(['auth', 'can-i', verb, resource, '-n', desk.namespaces.staging, '--as', as]).catch(() => 'no');
  for (let tries = 0; tries < 20 && (await ask()).trim() !== expected; tries++) await sleep(100);
  expect((await ask()).trim(), `${as} ${verb} ${resource}`).toBe(expected);
}
const ci = () => `system:serviceaccount:${desk.namespaces.staging}:ci`;
const grants = async () =>
  (
    await kubectl([
      'get',
      'role,rolebinding',
      '-n',
      desk.namespaces.staging,
      '-l',
      'app.kubernetes.io/managed-by=shipmate',
      '-o',
      'name',
    ])
  )
    .split('\n')
    .filter(Boolean);
const table = async (operation: string, input: Record<string, unknown>) => {
  const { report, fault } = await desk.done(operation, { env: 'staging', ...input });
  if (report?.kind !== 'table') throw new Error(fault?.message ?? 'no table');
  return report;
};

const grant = { who: 'sa/ci', verbs: ['list', 'watch'], resources: ['pods', 'deploy'], env: 'staging' };

test('a grant is a Role and a RoleBinding, is seen by who and can, and is taken back by its undo', async () => {
  const run = await desk.done('access-grant', grant);
  expect(run, run.fault?.message).toMatchObject({ state: 'finished' });
  expect(run.plan?.changes.map(({ path }) => path)).toEqual(
    expect.arrayContaining([
      expect.stringMatching(/^Role\/\S+ rules/),
      expect.stringMatching(/^RoleBinding\/\S+ subjects/),
    ]),
  );
  expect(await grants()).toHaveLength(2);
  await becomes('yes', ci(), 'list', 'deployments.apps');
  await becomes('no', ci(), 'delete', 'pods');

  const who = await table('access-who', { verb: 'list', resource: 'deploy' });
  expect(who.rows).toContainEqual([
    `service account ${desk.namespaces.staging}/ci`,
    expect.stringMatching(/^Role\/shipmate-\S+ through RoleBinding\/shipmate-/),
  ]);
  expect(who.rows).toContainEqual([
    'service account shipmate/shipmate',
    'ClusterRole/shipmate-cluster through ClusterRoleBinding/shipmate-cluster, in all namespaces',
  ]);
  expect((await table('access-can', { who: 'sa/ci', verb: 'list', resource: 'pods' })).rows).toEqual([
    ['yes', expect.stringContaining('RBAC: allowed by RoleBinding')],
  ]);
  expect((await table('access-can', { who: 'sa/ci', verb: 'get', resource: 'pods/log' })).rows).toEqual([['no', '']]);

  expect(await desk.done('access-grant', grant)).toMatchObject({ report: { kind: 'unchanged' } });
  const back = await desk.done(run.plan?.undo?.operation ?? '', run.plan?.undo?.input ?? {});
  expect(back, back.fault?.message).toMatchObject({ state: 'finished' });
  expect(await grants()).toEqual([]);
  await becomes('no', ci(), 'list', 'deployments.apps');
  const again = await desk.done(back.plan?.undo?.operation ?? '', back.plan?.undo?.input ?? {});
  expect(again).toMatchObject({ state: 'finished' });
  await becomes('yes', ci(), 'list', 'deployments.apps');
});

test('a person is who shipmate.yaml says they are in the cluster, with their groups', async () => {
  await kubectl(['create', 'rolebinding', 'devs', '--clusterrole=view', '--group=devs', '-n', desk.namespaces.staging]);
  for (let tries = 0; tries < 20; tries++) {
    if ((await table('access-can', { who: 'cho', verb: 'get', resource: 'services' })).rows[0]?.[0] === 'yes') break;
    await sleep(100);
  }
  expect((await table('access-can', { who: '@cho', verb: 'get', resource: 'services' })).rows).toEqual([
    ['yes', expect.stringContaining('devs')],
  ]);
  expect((await table('access-can', { who: 'group:devs', verb: 'get', resource: 'services' })).rows[0]?.[0]).toBe(
    'yes',
  );
  expect(
    (await desk.done('access-can', { who: 'ana', verb: 'get', resource: 'pods', env: 'staging' })).fault,
  ).toMatchObject({ code: 'NOT_MAPPED' });
  await desk.done('access-grant', { who: 'cho', verbs: ['get'], resources: ['configmaps'], env: 'staging' });
  await becomes('yes', 'cho@example.com', 'get', 'configmaps');
});

test('revoke takes back all that was granted, and nothing that others granted', async () => {
  await desk.done('access-grant', { ...grant, verbs: ['get'], resources: ['pods/log'] });
  await kubectl([
    'create',
    'rolebinding',
    'theirs',
    '--clusterrole=view',
    `--serviceaccount=${desk.namespaces.staging}:ci`,
    '-n',
    desk.namespaces.staging,
  ]);
  const run = await desk.done('access-revoke', { who: 'sa/ci', env: 'staging' });
  expect(run.plan?.summary).toContain('2 grant(s)');
  expect(run).toMatchObject({ state: 'finished' });
  expect((await grants()).filter((name) => name.includes('-ci-'))).toEqual([]);
  expect(await kubectl(['get', 'rolebinding', 'theirs', '-n', desk.namespaces.staging, '-o', 'name'])).toContain(
    'theirs',
  );
  expect((await desk.done('access-revoke', { who: 'sa/ci', env: 'staging' })).fault).toMatchObject({
    code: 'NO_SUCH_OBJECT',
  });
});

test('nobody is given more than Shipmate has, nor what would let them take more', async () => {
  const before = await grants();
  const refused = async (change: Record<string, unknown>) =>
    (await desk.done('access-grant', { ...grant, ...change })).fault;
  expect(await refused({ verbs: ['deletecollection'], resources: ['secrets', 'pods'] })).toMatchObject({
    code: 'GRANT_BEYOND',
    message: expect.stringContaining('deletecollection secrets, deletecollection pods'),
  });
  expect(await refused({ resources: ['roles'] })).toMatchObject({
    message: expect.stringContaining('give oneself more'),
  });
  expect(await refused({ resources: ['nodes'] })).toMatchObject({
    message: expect.stringContaining('the cluster as a whole'),
  });
  expect(await refused({ resources: ['*'] })).toMatchObject({ message: '“*” is no resource.' });
  const asks = (change: Record<string, unknown>) => desk.ask('access-grant', { ...grant, ...change });
  await expect(asks({ verbs: ['bind'] })).rejects.toThrow(/verbs/);
  await expect(asks({ verbs: ['*'] })).rejects.toThrow(/verbs/);
  for (const who of ['group:system:masters', 'user:system:admin', 'system:anonymous'])
    await expect(asks({ who })).rejects.toThrow(/subjects of the system/);
  await expect(desk.ask('access-who', { verb: 'lst', resource: 'pods', env: 'staging' })).rejects.toThrow(
    /Did you mean “list”/,
  );
  expect(await grants()).toEqual(before);
});

test('the API server’s own check stands behind ours', async () => {
  const kube = desk.engine.clients.kube('default');
  const role = {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'Role',
    metadata: { name: 'too-much', namespace: desk.namespaces.staging },
    rules: [{ apiGroups: [''], resources: ['secrets'], verbs: ['deletecollection'] }],
  };
  await expect(kube.create(role, {}, AbortSignal.timeout(10_000))).rejects.toMatchObject({ code: 'CLUSTER_FORBIDDEN' });
});
