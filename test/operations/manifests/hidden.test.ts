import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createClusters } from '../../../src/clients/kube/clusters.ts';
import { at, type JsonObject } from '../../../src/core/json.ts';
import { bed } from '../../support/bed.ts';
import { ben } from '../../support/engine.ts';
import { kubectl } from '../../support/kubectl.ts';
import { type RealDesk, realDesk } from '../../support/real-desk.ts';

/** What a manifest changes is shown, all of it, and an approval is of that and of nothing else. */

let desk: RealDesk;
let close: () => Promise<void>;
beforeAll(async () => {
  desk = await realDesk();
  // Role bindings go beyond what Shipmate's own role has unless somebody widens it.
  const clusters = createClusters({ kubeconfig: bed.kubeconfig });
  close = clusters.close;
  Object.assign(desk.engine.clients, { kube: clusters.kube });
  Object.assign(desk.engine.settings().manifests, { allowKinds: ['RoleBinding'] });
});
afterAll(async () => {
  await desk.end();
  await close();
});

const apply = (object: JsonObject, env = 'staging') => desk.done('apply', { env, manifest: JSON.stringify(object) });
const inProduction = (args: string[], stdin?: string) => kubectl([...args, '-n', desk.namespaces.production], stdin);

const mount = (mountPath: string) => ({ name: 'tools', mountPath });
const toleration = (value: string) => ({ key: 'gpu', operator: 'Equal', value, effect: 'NoSchedule' });

type Pods = { labels?: JsonObject; spec?: JsonObject; container?: JsonObject };

const deployment = ({ labels = {}, spec = {}, container = {} }: Pods): JsonObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'shop', labels },
  spec: {
    replicas: 0,
    selector: { matchLabels: { app: 'shop' } },
    template: {
      metadata: { labels: { app: 'shop' } },
      spec: {
        volumes: [{ name: 'tools', emptyDir: {} }],
        tolerations: [toleration('a')],
        containers: [{ name: 'shop', image: bed.busybox, volumeMounts: [mount('/tools')], ...container }],
        ...spec,
      },
    },
  },
});

const shop = deployment({});
const first = { name: 'first', image: bed.busybox };
const second = { name: 'second', image: bed.busybox };
const pods = 'Deployment/shop spec.template.spec';

/** The lines of a plan, as a diff has them. */
const linesOf = (plan: { changes: { path: string; from?: unknown; to?: unknown }[] } | undefined) =>
  (plan?.changes ?? [])
    .map(({ path, from, to }) => `${path}: ${JSON.stringify(from)} → ${JSON.stringify(to)}`)
    .toSorted();

test('a second mount of a volume and a second toleration of a key are shown beside a label', async () => {
  const { id } = await apply(shop, 'production');
  await desk.approve(id, ben);
  expect((await desk.lap(id)).state).toBe('finished');

  const tampered = deployment({
    labels: { team: 'shop' },
    container: { volumeMounts: [mount('/tools'), mount('/usr/local/bin')] },
    spec: { tolerations: [toleration('a'), toleration('b')] },
  });
  const { plan, state } = await apply(tampered, 'production');
  expect(state).toBe('awaiting');
  const lines = [
    'Deployment/shop metadata.labels.team: undefined → "shop"',
    `${pods}.containers[shop].volumeMounts[/usr/local/bin].mountPath: undefined → "/usr/local/bin"`,
    `${pods}.containers[shop].volumeMounts[/usr/local/bin].name: undefined → "tools"`,
    `${pods}.tolerations[1].effect: undefined → "NoSchedule"`,
    `${pods}.tolerations[1].key: undefined → "gpu"`,
    `${pods}.tolerations[1].operator: undefined → "Equal"`,
    `${pods}.tolerations[1].value: undefined → "b"`,
  ];
  expect(linesOf(plan)).toEqual(lines.toSorted());
  expect(JSON.parse(await inProduction(['get', 'deployment', 'shop', '-o', 'json'])).metadata.labels).toBeUndefined();
});

const scaler = (cpu: number, memory: number): JsonObject => ({
  apiVersion: 'autoscaling/v2',
  kind: 'HorizontalPodAutoscaler',
  metadata: { name: 'shop' },
  spec: {
    scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'shop' },
    maxReplicas: 3,
    metrics: Object.entries({ cpu, memory }).map(([name, averageUtilization]) => ({
      type: 'Resource',
      resource: { name, target: { type: 'Utilization', averageUtilization } },
    })),
  },
});

const binding = (...names: string[]): JsonObject => ({
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'RoleBinding',
  metadata: { name: 'readers' },
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' },
  subjects: names.map((name) => ({ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name })),
});

const policy = (from: JsonObject): JsonObject => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: { name: 'shop' },
  spec: { podSelector: { matchLabels: { app: 'shop' } }, policyTypes: ['Ingress'], ingress: [from] },
});

const service = (...protocols: string[]): JsonObject => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'dns' },
  spec: {
    selector: { app: 'dns' },
    ports: protocols.map((protocol) => ({ name: protocol.toLowerCase(), port: 53, protocol })),
  },
});

describe('sent alone, nothing is “as they are” that would change', () => {
  test.each<[string, JsonObject, JsonObject, string[]]>([
    [
      'the cpu of two metrics of one type',
      scaler(70, 80),
      scaler(50, 80),
      ['HorizontalPodAutoscaler/shop spec.metrics[0].resource.target.averageUtilization: 70 → 50'],
    ],
    [
      'one of two subjects of a kind',
      binding('ana', 'ben'),
      binding('ana', 'eve'),
      ['RoleBinding/readers subjects[1].name: "ben" → "eve"'],
    ],
    [
      'another subject before the ones that stay',
      binding('ana'),
      binding('eve', 'ana'),
      [
        'RoleBinding/readers subjects[0].name: "ana" → "eve"',
        'RoleBinding/readers subjects[1].apiGroup: undefined → "rbac.authorization.k8s.io"',
        'RoleBinding/readers subjects[1].kind: undefined → "User"',
        'RoleBinding/readers subjects[1].name: undefined → "ana"',
      ],
    ],
    [
      'the order of arguments',
      deployment({ container: { args: ['sleep', '1'] } }),
      deployment({ container: { args: ['1', 'sleep'] } }),
      [`${pods}.containers[shop].args[0]: "sleep" → "1"`, `${pods}.containers[shop].args[1]: "1" → "sleep"`],
    ],
    [
      'one of two equal words of a command',
      deployment({ container: { command: ['a', 'a', 'b'] } }),
      deployment({ container: { command: ['a', 'b', 'b'] } }),
      [`${pods}.containers[shop].command[1]: "a" → "b"`],
    ],
    [
      'a selector that becomes an empty one, which fits all',
      policy({ from: [{ podSelector: { matchLabels: { app: 'web' } } }] }),
      policy({ from: [{ podSelector: {} }] }),
      [
        'NetworkPolicy/shop spec.ingress[0].from[0].podSelector.matchLabels.app: "web" → undefined',
        'NetworkPolicy/shop spec.ingress[0].from[0].podSelector: undefined → {}',
      ],
    ],
    [
      'a second port of the same number',
      service('UDP'),
      service('UDP', 'TCP'),
      [
        'Service/dns spec.ports[53,TCP].name: undefined → "tcp"',
        'Service/dns spec.ports[53,TCP].port: undefined → 53',
        'Service/dns spec.ports[53,TCP].protocol: undefined → "TCP"',
        'Service/dns spec.ports[53,TCP].targetPort: undefined → 53',
      ],
    ],
    [
      'an annotation that only looks like Shipmate’s own',
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'marks' } },
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'marks', annotations: { 'shipmate.dev/x': 'y' } } },
      ['ConfigMap/marks metadata.annotations.shipmate.dev/x: undefined → "y"'],
    ],
  ])('%s', async (_what, before, after, lines) => {
    expect((await apply(before)).state).toBe('finished');
    const { plan } = await apply(after);
    expect(linesOf(plan)).toEqual(lines.toSorted());
    expect(plan?.summary).toBe('1 changed, from the request');
    expect((await apply(after)).plan?.summary).toBe('1 as they are, from the request');
  });
});

test('the order of init containers and of variables is shown where nothing else changes', async () => {
  const name = (value: string) => ({ name: value, value: 'x' });
  const asked = (init: JsonObject[], env: JsonObject[]) =>
    deployment({ spec: { initContainers: init }, container: { env } });
  await apply(asked([first, second], [name('A'), name('B')]));
  const { plan } = await apply(asked([second, first], [name('B'), name('A')]));
  expect(linesOf(plan)).toEqual([
    `${pods}.containers[shop].env (order): ["A","B"] → ["B","A"]`,
    `${pods}.initContainers (order): ["first","second"] → ["second","first"]`,
  ]);
  const live = JSON.parse(await kubectl(['get', 'deployment', 'shop', '-o', 'json', '-n', desk.namespaces.staging]));
  expect(at(live, 'spec', 'template', 'spec', 'initContainers', 0, 'name')).toBe('second');
});
