import { afterAll, beforeAll, expect, test } from 'vitest';
import { leastPrivilege } from '../../../scripts/least-privilege.ts';
import { createClusters } from '../../../src/clients/kube/clusters.ts';
import { clockFinding } from '../../../src/operations/access/findings.ts';
import { catalogue } from '../../../src/operations/catalogue.ts';
import { bed } from '../../support/bed.ts';
import { kubectl } from '../../support/kubectl.ts';
import { type RealDesk, realDesk } from '../../support/real-desk.ts';

let desk: RealDesk;
beforeAll(async () => {
  desk = await realDesk();
});
afterAll(() => desk.end());

const findings = async (input: Record<string, unknown> = {}): Promise<string[][]> => {
  const { report, fault } = await desk.done('doctor', input);
  if (report?.kind !== 'table') throw new Error(fault?.message ?? 'no table');
  return report.rows;
};
const inPlace = (rows: string[][], env: string) => rows.filter(([where]) => where?.startsWith(`${env} (`));

test('under exactly the generated role nothing is missing', async () => {
  const rows = await findings();
  expect(rows).toContainEqual([
    'default',
    expect.stringMatching(/^answers in \d+ ms$/),
    expect.stringMatching(/^v1\./),
  ]);
  for (const env of ['staging', 'production', 'second'])
    expect(inPlace(rows, env)).toEqual([[expect.anything(), 'all that operations need is allowed', '']]);
  expect(rows.filter(([, finding]) => finding?.startsWith('may not'))).toEqual([]);
});

test('a Redis that would lose records is among the findings', async () => {
  const { redis } = desk.engine;
  expect((await findings()).filter(([where]) => where === 'Redis')).toEqual([]);
  await redis.config('SET', 'maxmemory-policy', 'allkeys-lru');
  expect(await findings()).toContainEqual([
    'Redis',
    expect.stringContaining('throws records out'),
    'CONFIG SET maxmemory-policy noeviction',
  ]);
  await redis.config('SET', 'maxmemory-policy', 'noeviction');
});

test('a permission that is missing is named, with what it is needed for, and a deploy says the same', async () => {
  const { production } = desk.namespaces;
  const role = leastPrivilege(catalogue, { namespaces: [], home: 'shipmate' }).find(
    ({ kind }) => kind === 'ClusterRole',
  );
  const rules = JSON.parse(JSON.stringify(role?.rules)).map((rule: { resources: string[]; verbs: string[] }) =>
    rule.resources.includes('deployments') ? { ...rule, verbs: rule.verbs.filter((verb) => verb !== 'patch') } : rule,
  );
  const metadata = { name: 'less', namespace: production };
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'less' };
  const subjects = [{ kind: 'ServiceAccount', name: 'shipmate', namespace: 'shipmate' }];
  const objects = [
    { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', metadata, rules },
    { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'RoleBinding', metadata, roleRef, subjects },
  ];
  await kubectl(['create', '-f', '-'], objects.map((object) => JSON.stringify(object)).join('\n---\n'));
  await kubectl(['delete', 'rolebinding', 'shipmate', '-n', production]);
  await expect
    .poll(async () => inPlace(await findings({ env: 'production' }), 'production'))
    .toContainEqual([
      expect.anything(),
      'may not patch deployments.apps',
      expect.stringMatching(/^needed for deploy, scale, rollback/),
    ]);
  const web = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: production },
    spec: {
      selector: { matchLabels: { app: 'web' } },
      template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'web', image: 'none' }] } },
      replicas: 0,
    },
  };
  await kubectl(['create', '-f', '-'], JSON.stringify(web));
  const { fault } = await desk.done('scale', { app: 'web', env: 'second', replicas: 1 });
  expect(fault).toMatchObject({
    code: 'CLUSTER_FORBIDDEN',
    message: `The cluster “default” does not let Shipmate patch deployments.apps in the namespace ${production}.`,
    hint: expect.stringMatching(/node scripts\/cluster-role\.ts shipmate\.yaml .*\/ship doctor/),
  });
});

test('a namespace into which it was never let is one finding and not fifty', async () => {
  await kubectl(['delete', 'rolebinding', 'less', '-n', desk.namespaces.production]);
  await expect
    .poll(async () => inPlace(await findings({ env: 'production' }), 'production'))
    .toEqual([
      [
        expect.anything(),
        expect.stringContaining('next to nothing is allowed there'),
        expect.stringContaining('kubectl apply'),
      ],
    ]);
});

test('an administrator’s credentials are more than is needed', async () => {
  const { kube } = desk.engine.clients;
  const admin = createClusters({ kubeconfig: bed.kubeconfig });
  Object.assign(desk.engine.clients, { kube: admin.kube });
  expect(inPlace(await findings({ env: 'staging' }), 'staging')).toEqual([
    [expect.anything(), expect.stringContaining('everything is allowed there'), expect.anything()],
  ]);
  Object.assign(desk.engine.clients, { kube });
  await admin.close();
});

test('clocks that differ are told, the way round that they do; the bed’s own does not', async () => {
  expect(clockFinding(0)).toBeUndefined();
  expect(clockFinding(undefined)).toBeUndefined();
  expect(clockFinding(-60_000)?.[0]).toContain('ours is 60 s behind it');
  expect(clockFinding(7_200_000)?.[0]).toContain('ours is 2 h ahead of it');
  const ahead = await desk.engine.clients.kube('default').clockAheadMs(AbortSignal.timeout(5_000));
  expect(Math.abs(ahead ?? 9_999)).toBeLessThan(2_000);
});
