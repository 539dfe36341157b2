import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Run } from '../../../src/core/run.ts';
import { bed } from '../../support/bed.ts';
import { kubectl } from '../../support/kubectl.ts';
import { type RealDesk, realDesk } from '../../support/real-desk.ts';

let desk: RealDesk;

const deployment = (name: string, namespace: string) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name, namespace },
  spec: {
    replicas: 0,
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name, tier: 'x' } },
      spec: { containers: [{ name, image: bed.busybox, ports: [{ name: 'http', containerPort: 8080 }] }] },
    },
  },
});

beforeAll(async () => {
  desk = await realDesk();
  const { staging, production } = desk.namespaces;
  const all = [deployment('web', staging), deployment('api', staging), deployment('web', production)];
  await kubectl(['create', '-f', '-'], all.map((each) => JSON.stringify(each)).join('\n---\n'));
});
afterAll(() => desk.end());

const policy = async (name: string) =>
  JSON.parse(await kubectl(['get', 'networkpolicy', name, '-n', desk.namespaces.staging, '-o', 'json']));
const names = async () =>
  (await kubectl(['get', 'networkpolicy', '-n', desk.namespaces.staging, '-o', 'name'])).split('\n').filter(Boolean);
const reaches = async (from: string, to: string, more: Record<string, unknown> = {}): Promise<string[]> => {
  const { report, fault } = await desk.done('network-reach', { from, to, env: 'staging', ...more });
  if (report?.kind !== 'table') throw new Error(`no table: ${fault?.message}`);
  return report.rows[0] ?? [];
};
const undo = async ({ plan }: Run) => await desk.done(plan?.undo?.operation ?? '', plan?.undo?.input ?? {});
const input = { from: 'deployment/api', to: 'web', env: 'staging', port: '8080' };

test('an allowance is a policy; that it cuts off all others is part of what is shown', async () => {
  const run = await desk.done('network-allow', input);
  expect(run).toMatchObject({
    state: 'finished',
    report: { objects: ['NetworkPolicy/allow-deployment-api-to-web-8080'] },
  });
  expect(run.plan?.summary).toContain('everybody else is cut off from web');
  expect(run.plan?.changes).toContainEqual({
    path: 'traffic to web',
    from: 'open to everybody',
    to: 'only what policies allow',
  });
  expect(await policy('allow-deployment-api-to-web-8080')).toMatchObject({
    metadata: { labels: { 'app.kubernetes.io/managed-by': 'shipmate' } },
    spec: {
      podSelector: { matchLabels: { app: 'web' } },
      policyTypes: ['Ingress'],
      ingress: [{ from: [{ podSelector: { matchLabels: { app: 'api' } } }], ports: [{ port: 8080, protocol: 'TCP' }] }],
    },
  });
  expect(await reaches('deployment/api', 'web')).toEqual([
    '8080/TCP',
    'yes',
    expect.anything(),
    'yes, by allow-deployment-api-to-web-8080',
  ]);
  expect(await reaches('deployment/api', 'web', { port: '9090' })).toMatchObject({ 1: 'no' });
  expect(await reaches('web', 'web', { fromEnv: 'production', port: 'http' })).toMatchObject({ 1: 'no' });
  expect(await reaches('203.0.113.7', 'web')).toMatchObject({ 1: 'no' });
  expect(await desk.done('network-allow', input)).toMatchObject({ report: { kind: 'unchanged' } });
});

test('from another environment, a namespace, a block of addresses, or anywhere', async () => {
  expect(
    await desk.done('network-allow', { from: 'web', fromEnv: 'production', to: 'web', env: 'staging', port: 'http' }),
  ).toMatchObject({ state: 'finished' });
  expect(await reaches('web', 'web', { fromEnv: 'production' })).toMatchObject({ 1: 'yes' });
  await desk.done('network-allow', { from: 'ns/monitoring', to: 'web', env: 'staging', port: '9090' });
  expect((await policy('allow-namespace-monitoring-to-web-9090')).spec.ingress).toEqual([
    {
      from: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'monitoring' } } }],
      ports: [{ port: 9090, protocol: 'TCP' }],
    },
  ]);
  await desk.done('network-allow', {
    from: '203.0.113.0/24',
    except: ['203.0.113.8/29'],
    to: 'web',
    env: 'staging',
    port: '443',
  });
  expect(await reaches('203.0.113.7', 'web', { port: '443' })).toMatchObject({ 1: 'yes' });
  expect(await reaches('203.0.113.9', 'web', { port: '443' })).toMatchObject({ 1: 'no' });
  await desk.done('network-allow', { from: 'anywhere', to: 'web', env: 'staging', port: '80' });
  expect(await reaches('198.51.100.1', 'web', { port: '80' })).toMatchObject({ 1: 'yes' });
  const list = await desk.done('network', { env: 'staging' });
  expect(list.report).toMatchObject({
    rows: expect.arrayContaining([
      [
        'allow-203-0-113-0-24-to-web-443',
        'pods with app=web',
        'from 203.0.113.0/24 but 203.0.113.8/29, at 443',
        'says nothing',
        'Shipmate',
      ],
    ]),
    note: expect.stringContaining('CNI'),
  });
});

test('to take back the last allowance leaves the app shut, and an undo allows it anew', async () => {
  for (const name of await names())
    if (!name.endsWith('api-to-web-8080')) await kubectl(['delete', name, '-n', desk.namespaces.staging]);
  const run = await desk.done('network-deny', input);
  expect(run).toMatchObject({ state: 'finished' });
  expect(run.plan?.summary).toContain('web stays shut');
  expect(await names()).toEqual(['networkpolicy.networking.k8s.io/deny-to-web']);
  expect(await reaches('deployment/api', 'web')).toMatchObject({ 1: 'no' });
  expect(await undo(run)).toMatchObject({ state: 'finished' });
  expect(await reaches('deployment/api', 'web')).toMatchObject({ 1: 'yes' });
});

test('a namespace is shut off by default, both ways, but for names; and opened again', async () => {
  const run = await desk.done('network-deny', { env: 'staging', direction: 'both' });
  expect(run).toMatchObject({ state: 'finished' });
  expect(await names()).toEqual(
    expect.arrayContaining(
      ['default-deny-egress', 'default-deny-ingress', 'allow-dns'].map(
        (name) => `networkpolicy.networking.k8s.io/${name}`,
      ),
    ),
  );
  const [, may, sends, takes] = await reaches('deployment/api', 'web');
  expect([may, sends, takes]).toEqual([
    'no',
    expect.stringMatching(/^no: .*default-deny-egress/),
    expect.stringMatching(/^yes/),
  ]);
  const allowed = await desk.done('network-allow', { ...input, port: '9999' });
  expect(allowed.plan?.summary).toContain('deployment/api itself may not send there (allow-dns, default-deny-egress)');
  expect(await undo(run)).toMatchObject({ state: 'finished' });
  expect((await names()).join()).not.toMatch(/default-deny|allow-dns/);
});

test('what is wrong is said, and nothing is changed', async () => {
  const before = await names();
  const refused = async (operation: string, wrong: Record<string, unknown>) =>
    (await desk.done(operation, { env: 'staging', ...wrong })).fault?.message;
  expect(await refused('network-allow', { from: 'deployment/nobody', to: 'web' })).toContain('no Deployment “nobody”');
  expect(await refused('network-allow', { ...input, port: 'grpc' })).toContain(
    'no port called “grpc”; its containers name: http',
  );
  expect(await refused('network-allow', { ...input, except: ['10.0.0.0/8'] })).toContain('“except” goes with a block');
  expect(await refused('network-deny', { ...input, port: '8081' })).toMatch(
    /no NetworkPolicy .*Did you mean “allow-deployment-api-to-web-8080”/,
  );
  expect(await refused('network-deny', { from: 'deployment/api' })).toContain('Say to whom');
  await expect(desk.ask('network-allow', { ...input, port: '70000' })).rejects.toThrow(/from 1 to 65535/);
  await expect(desk.ask('network-allow', { ...input, from: 'job/x/y' })).rejects.toThrow(/must be an app, KIND\/NAME/);
  const foreign = {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: 'allow-deployment-api-to-web-1', namespace: desk.namespaces.staging },
    spec: { podSelector: {} },
  };
  await kubectl(['create', '-f', '-'], JSON.stringify(foreign));
  expect(await refused('network-deny', { ...input, port: '1' })).toContain('was not made by Shipmate');
  expect((await names()).length).toBe(before.length + 1);
});
