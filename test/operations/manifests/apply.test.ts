import { afterAll, beforeAll, expect, test } from 'vitest';
import { createSeal } from '../../../src/store/seal.ts';
import { bed } from '../../support/bed.ts';
import { kubectl } from '../../support/kubectl.ts';
import { type RealDesk, realDesk } from '../../support/real-desk.ts';

let desk: RealDesk;
beforeAll(async () => {
  desk = await realDesk({ seal: createSeal([Buffer.alloc(32, 7)]) });
});
afterAll(() => desk.end());

const env = 'staging';
const inStaging = (args: string[], stdin?: string) => kubectl([...args, '-n', desk.namespaces.staging], stdin);
const get = async (what: string) => JSON.parse(await inStaging(['get', what, '-o', 'json', '--show-managed-fields']));
const apply = (manifest: string, more: object = {}) => desk.done('apply', { env, manifest, ...more });

const shop = (replicas: number, level: string) => `
# The order is wrong on purpose: the Deployment needs the ConfigMap.
apiVersion: apps/v1
kind: Deployment
metadata:
  name: shop
spec:
  replicas: ${replicas}
  selector: { matchLabels: { app: shop } }
  template:
    metadata: { labels: { app: shop } }
    spec:
      terminationGracePeriodSeconds: 0
      containers:
        - name: shop
          image: ${bed.busybox}
          args: [sleep, "3600"]
          envFrom: [{ configMapRef: { name: shop } }]
---
apiVersion: v1
kind: ConfigMap
metadata: { name: shop }
data:
  LEVEL: ${level}
---
apiVersion: v1
kind: Service
metadata: { name: shop }
spec:
  selector: { app: shop }
  ports: [{ port: 80 }]
`;

test('a manifest is applied in the order that it needs, followed to its end, and shown as a difference', async () => {
  const run = await apply(shop(2, 'info'));
  expect(run).toMatchObject({
    state: 'finished',
    plan: { summary: '3 new, from the request' },
    report: {
      kind: 'changed',
      objects: ['ConfigMap/shop', 'Service/shop', 'Deployment/shop'],
      note: 'Deployment/shop: 2 of 2 ready.',
    },
  });
  expect((await get('deployment/shop')).status.readyReplicas).toBe(2);

  expect(await apply(shop(2, 'info'))).toMatchObject({ report: { kind: 'unchanged' } });

  const { report } = await desk.done('diff', { env, manifest: shop(1, 'debug') });
  expect(report).toMatchObject({ kind: 'text', note: '2 changed, 1 as they are, from the request' });
  expect(report?.kind === 'text' && report.text.split('\n')).toEqual([
    '- ConfigMap/shop data.LEVEL: info',
    '+ ConfigMap/shop data.LEVEL: debug',
    '- Deployment/shop spec.replicas: 2',
    '+ Deployment/shop spec.replicas: 1',
  ]);
  expect((await get('configmap/shop')).data).toEqual({ LEVEL: 'info' });
});

test('fields that Shipmate knows nothing of survive, as JSON too', async () => {
  const object = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'odd', annotations: { 'example.com/any': '{"a": [1, null]}' } },
    spec: {
      type: 'ClusterIP',
      ports: [{ name: 'http', port: 80, targetPort: 'web', appProtocol: 'kubernetes.io/h2c' }],
      internalTrafficPolicy: 'Local',
      trafficDistribution: 'PreferClose',
    },
  };
  expect(await apply(JSON.stringify(object, undefined, '\t'))).toMatchObject({ state: 'finished' });
  const live = await get('service/odd');
  expect(live.spec).toMatchObject(object.spec);
  expect(live.metadata.annotations).toMatchObject(object.metadata.annotations);
});

test('what is no longer in a set is listed and deleted, and nothing else', async () => {
  const map = (name: string, value = '1') =>
    `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\ndata: {a: "${value}"}\n`;
  await inStaging(['create', 'configmap', 'by-hand']);
  expect(await apply(map('other'), { prune: 'other' })).toMatchObject({ state: 'finished' });
  expect(await apply([map('one'), map('two')].join('---\n'), { prune: 'web' })).toMatchObject({ state: 'finished' });
  expect((await get('configmap/one')).metadata.labels).toMatchObject({
    'app.kubernetes.io/managed-by': 'shipmate',
    'shipmate.dev/set': 'web',
  });
  const run = await apply(map('one', '2'), { prune: 'web' });
  expect(run.plan?.summary).toBe('1 changed, 1 deleted, from the request');
  expect(run.plan?.changes).toEqual([
    { path: 'ConfigMap/one data.a', from: '1', to: '2' },
    { path: 'ConfigMap/two', from: 'in the set web', to: 'deleted' },
  ]);
  expect(run).toMatchObject({ state: 'finished' });
  const left = (await inStaging(['get', 'configmaps', '-o', 'name'])).split('\n');
  expect(left).toEqual(expect.arrayContaining(['configmap/by-hand', 'configmap/other', 'configmap/one']));
  expect(left).not.toContain('configmap/two');
});

test('values of Secrets are seen nowhere', async () => {
  const secret = (value: string) =>
    `apiVersion: v1\nkind: Secret\nmetadata: {name: keys}\nstringData: {KEY: ${value}}\n`;
  const first = await apply(secret('planted-one'));
  expect(first).toMatchObject({ state: 'finished' });
  const second = await apply(secret('planted-two'));
  expect(second).toMatchObject({ state: 'finished' });
  const { report } = await desk.done('export', { object: 'secret/keys', env });
  expect(report).toMatchObject({ kind: 'text', text: expect.stringContaining('KEY: ••••••') });
  for (const value of ['planted-one', 'planted-two', Buffer.from('planted-two').toString('base64')])
    for (const seen of [first.plan?.changes, second.plan?.changes, first.report, report])
      expect(JSON.stringify(seen)).not.toContain(value);
});

test('where nothing is sealed a Secret is not even stored', async () => {
  const open = await realDesk();
  const manifest = 'apiVersion: v1\nkind: Secret\nmetadata: {name: keys}\nstringData: {KEY: planted}\n';
  for (const operation of ['apply', 'diff'])
    await expect(open.done(operation, { env, manifest })).rejects.toMatchObject({ code: 'NOT_SEALED' });
  for (const hidden of ['"ki\\x6ed": Secret', 'kind: !!str Secret', 'kind: "\\u0053ecret"'])
    await expect(
      open.done('apply', { env, manifest: manifest.replace('kind: Secret', hidden) }),
      hidden,
    ).rejects.toMatchObject({ code: 'NOT_SEALED' });
  // In a pod, or under a name in a ConfigMap, it is found in the plan before that is stored.
  for (const data of ['DB_PASS: planted', 'url: "postgres://app:planted@db/shop"']) {
    const map = `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: map}\ndata: {${data}}\n`;
    const run = await open.done('apply', { env, manifest: map });
    expect(run).toMatchObject({ state: 'failed', fault: { code: 'NOT_SEALED' } });
    expect(run.plan).toBeUndefined();
  }
  await open.end();
});

test('fields of others are taken over only where the plan says so', async () => {
  const map = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: shared}\ndata: {a: ours}\n';
  const theirs = JSON.stringify({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'shared' },
    data: { a: 'theirs', b: 'kept' },
  });
  await inStaging(['apply', '--server-side', '--field-manager=argocd', '-f', '-'], theirs);
  const run = await apply(map);
  expect(run.plan?.takesOver).toEqual([{ field: 'ConfigMap/shared data.a', manager: 'argocd' }]);
  expect(run).toMatchObject({ state: 'finished' });
  expect((await get('configmap/shared')).data).toEqual({ a: 'ours', b: 'kept' });
});

test('what the cluster refuses is said with its line, and nothing is done', async () => {
  const good = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: never}\n';
  const cases: [string, string][] = [
    [
      `${good}---\napiVersion: v1\nkind: Service\nmetadata: {name: bad}\nspec: {ports: [{port: 99999}]}\n`,
      'line 5, Service/bad: The cluster “default” refused it',
    ],
    [`${good}---\napiVersion: apps/v1\nkind: Deploymnt\nmetadata: {name: x}\n`, 'Did you mean “Deployment”?'],
    [`${good}---\napiVersion: v1\nkind: Deployment\nmetadata: {name: x}\n`, 'Deployment is in apps/v1.'],
    [`${good}---\napiVersion: v1\nkind: Pod\nmetadata: {name: Not_A_Label}\n`, 'lower-case letters'],
    [
      `${good}---\napiVersion: v1\nkind: Pod\nmetadata: {name: x, namespace: kube-system}\n`,
      'is for the namespace kube-system',
    ],
    [`${good}---\n${good}`, 'is there twice; the first one is in line 1'],
    [`${good}data: {a: 1}\n`, 'line 1, ConfigMap/never'],
  ];
  for (const [manifest, problem] of cases)
    expect(await apply(manifest)).toMatchObject({
      state: 'failed',
      fault: { message: expect.stringContaining(problem) },
    });
  for (const kind of ['ClusterRoleBinding', 'Role'])
    expect(
      await apply(`${good}---\napiVersion: rbac.authorization.k8s.io/v1\nkind: ${kind}\nmetadata: {name: x}\n`),
    ).toMatchObject({
      state: 'denied',
      fault: { code: 'POLICY_DENIED', message: expect.stringContaining('gives rights') },
    });
  expect(await apply(`${good}---\napiVersion: v1\nkind: Namespace\nmetadata: {name: mine}\n`)).toMatchObject({
    state: 'denied',
    fault: { message: expect.stringContaining('lives in the cluster itself') },
  });
  const token = 'apiVersion: v1\nkind: Secret\ntype: kubernetes.io/service-account-token\nmetadata: {name: x}\n';
  expect(await apply(token)).toMatchObject({ state: 'denied' });
  await expect(get('configmap/never')).rejects.toThrow('not found');
});

test('a workload that crashes makes the run fail, with its last words', async () => {
  const labels = { app: 'broken' };
  const containers = [{ name: 'broken', image: bed.busybox, args: ['cat', '/nothing-here'] }];
  const manifest = JSON.stringify({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'broken' },
    spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { containers } } },
  });
  const run = await apply(manifest);
  expect(run).toMatchObject({ state: 'failed', report: { kind: 'rollout-failed', trouble: { code: 'crash-loop' } } });
  expect(JSON.stringify(run.report)).toContain('nothing-here');
  await inStaging(['delete', 'deployment/broken']);
});

test('an object is exported as somebody would have written it', async () => {
  await apply('apiVersion: v1\nkind: ConfigMap\nmetadata: {name: plain, labels: {team: web}}\ndata: {a: "1"}\n');
  const { report } = await desk.done('export', { object: 'cm/plain', env });
  const namespace = desk.namespaces.staging;
  expect(report).toEqual({
    kind: 'text',
    title: 'ConfigMap/plain',
    text: `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: plain\n  namespace: ${namespace}\n  labels:\n    team: web\ndata:\n  a: "1"`,
  });
  expect(await desk.done('export', { object: 'cm/plaim', env })).toMatchObject({
    fault: { message: expect.stringContaining('Did you mean “plain”?') },
  });
  await expect(desk.done('export', { object: 'confgmap/x', env })).rejects.toThrow('Did you mean “configmap”?');
});
