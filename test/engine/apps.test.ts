import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { parseSettings } from '../../src/config/settings-file.ts';
import { fault } from '../../src/core/errors.ts';
import type { JsonObject } from '../../src/core/json.ts';
import type { Kube } from '../../src/core/kube.ts';
import { locate } from '../../src/core/place.ts';
import type { Run } from '../../src/core/run.ts';
import { Settings } from '../../src/core/settings.ts';
import { request } from '../../src/engine/request.ts';
import { catalogue } from '../../src/operations/catalogue.ts';
import { allUses } from '../../src/operations/images/where.ts';
import { sitesOf } from '../../src/operations/workloads/sites.ts';
import { type FakeWorld, fakeWorld } from '../fakes/fake-clients.ts';
import { createDesk, type Desk } from '../support/desk.ts';
import { ana, ben, type TestEngine, testEngine, testSettings } from '../support/engine.ts';
import { redisForFile } from '../support/redis.ts';

/** What runs and is no app yet: found by patterns, listed as unknown, and made an app. The cluster is a fake one. */

const redis = redisForFile();
let engine: TestEngine;
let desk: Desk;
let world: FakeWorld;

const registry = 'registry.example.com/team';
const settings = Settings.parse({
  apps: {
    web: { image: `${registry}/web` },
    idle: { image: `${registry}/idle`, owner: 'engineers' },
    mirror: { images: ['docker.io/library/*'] },
    'shop-*': { image: `${registry}/{app}`, owner: 'engineers' },
    'a-*': { image: `${registry}/{app}` },
    '*-b': { image: `${registry}/{app}` },
  },
  environments: {
    staging: { namespace: 'staging' },
    production: { namespace: 'production', rollout: { strategy: 'canary' } },
    second: { namespace: 'production' },
    'preview-*': { cluster: 'other', namespace: '{env}' },
  },
  people: testSettings.people,
  roles: testSettings.roles,
  policy: [{ name: 'anything goes' }],
});

let current = settings;

beforeAll(async () => {
  engine = await testEngine(redis().url, fakeWorld().clients, { settings: () => current });
  desk = createDesk(engine);
  return () => engine.close();
});
beforeEach(async () => {
  current = settings;
  await engine.redis.flushall();
  world = fakeWorld();
  Object.assign(engine.clients, world.clients);
});

type More = { annotations?: JsonObject; labels?: JsonObject; spec?: JsonObject; owners?: JsonObject[] };

/** Puts a workload with one ready pod into the cluster. */
function run(kind: string, namespace: string, name: string, image = `${registry}/${name}:v1`, more: More = {}): void {
  const { annotations = {}, labels = {}, spec = {}, owners = [] } = more;
  const template = { metadata: { labels: { app: name } }, spec: { containers: [{ name, image }] } };
  world.objects.set(`${kind} ${namespace}/${name}`, {
    apiVersion: kind === 'Rollout' ? 'argoproj.io/v1alpha1' : 'apps/v1',
    kind,
    metadata: { name, namespace, annotations, labels, ownerReferences: owners },
    spec: { replicas: 1, template, ...spec },
    status: {
      updatedReplicas: 1,
      availableReplicas: 1,
      desiredNumberScheduled: 1,
      updatedNumberScheduled: 1,
      numberAvailable: 1,
    },
  });
  // The fake keeps Deployments under their bare names.
  if (kind === 'Deployment') {
    const object = world.objects.get(`${kind} ${namespace}/${name}`);
    world.objects.delete(`${kind} ${namespace}/${name}`);
    if (object) world.objects.set(`${namespace}/${name}`, object);
  }
}

function rowsOf({ report }: Run): Record<string, string[]> {
  if (report?.kind !== 'table') throw new Error(`no table: ${JSON.stringify(report)}`);
  return Object.fromEntries(report.rows.map(([app = '', ...rest]) => [app, rest]));
}

const apps = (input: Record<string, unknown> = {}) => desk.done('apps', input);

test('apps are known, found by a pattern, or unknown, with owner, images and environments', async () => {
  run('Deployment', 'staging', 'web');
  run('Deployment', 'staging', 'shop-cart');
  run('Deployment', 'production', 'shop-cart', `${registry}/shop-cart:v2`);
  run('StatefulSet', 'staging', 'db', 'docker.io/library/postgres:17', {
    annotations: { 'shipmate.dev/owner': 'data' },
  });
  const done = await apps();
  expect(done.report).toMatchObject({ title: 'Apps', columns: ['App', 'State', 'Owner', 'Images', 'Environments'] });
  expect(rowsOf(done)).toEqual({
    idle: ['known', 'engineers', '', ''],
    mirror: ['known', '', '', ''],
    web: ['known', '', 'web:v1', 'staging 1/1'],
    'shop-cart': ['found: shop-*', 'engineers', 'shop-cart:v1, shop-cart:v2', 'staging 1/1, production and second 1/1'],
    'statefulset/db': ['unknown', 'data', 'postgres:17', 'staging 1/1'],
  });
  expect(rowsOf(await apps({ env: 'production' }))['shop-cart']?.at(-1)).toBe('production and second 1/1');
});

test('what says that it is another’s, and what two patterns cover alike, is unknown, and it is said why', async () => {
  run('Deployment', 'staging', 'shop-old', undefined, { annotations: { 'shipmate.dev/app': 'legacy' } });
  run('Deployment', 'staging', 'shop-pay', undefined, { annotations: { 'shipmate.dev/owner': 'bank' } });
  run('Deployment', 'staging', 'a-x', undefined, { annotations: { 'shipmate.dev/owner': 'bank' } });
  run('Deployment', 'staging', 'a-x-b');
  const rows = rowsOf(await apps({ env: 'staging' }));
  expect(rows['deployment/shop-old']?.[0]).toBe(
    'unknown: “shop-*” fits, but it says that it is the app “legacy” (shipmate.dev/app)',
  );
  expect(rows['deployment/shop-pay']?.[0]).toContain('it says that it is “bank”’s (shipmate.dev/owner)');
  expect(rows['deployment/a-x']?.[0], 'a pattern without an owner').toContain('it says that it is “bank”’s');
  expect(rows['deployment/a-x-b']?.[0]).toBe('unknown: “a-*” and “*-b” cover it alike');
});

test('canaries, templates of Rollouts and the cluster’s own are no apps; what an operator keeps says by whom', async () => {
  run('Deployment', 'staging', 'shop-cart');
  run('Deployment', 'staging', 'shop-cart-canary');
  run('Deployment', 'staging', 'shop-cart-baseline');
  run('Deployment', 'staging', 'shop-linked', undefined, { spec: { replicas: 0 } });
  run('Rollout', 'staging', 'shop-linked', undefined, {
    spec: { template: null, workloadRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'shop-linked' } },
  });
  run('Deployment', 'staging', 'dns', undefined, { labels: { 'kubernetes.io/cluster-service': 'true' } });
  run('StatefulSet', 'staging', 'metrics', undefined, {
    owners: [{ kind: 'Prometheus', name: 'main', uid: 'u', controller: true }],
  });
  expect(rowsOf(await apps({ env: 'staging' }))).toEqual({
    idle: expect.anything(),
    mirror: expect.anything(),
    web: expect.anything(),
    'shop-cart': ['found: shop-*', 'engineers', 'shop-cart:v1', 'staging 1/1'],
    'shop-linked': ['found: shop-*', 'engineers', 'shop-linked:v1', 'staging 1/1'],
    'statefulset/metrics': ['unknown: it is kept by Prometheus/main', '', 'metrics:v1', 'staging 1/1'],
  });
});

/** The other cluster, which has previews, or is away. */
function other(kube: Partial<Kube>): void {
  Object.assign(engine.clients, {
    kube: (cluster: string) => (cluster === 'other' ? { ...world.kube, ...kube } : world.kube),
  });
}
const away = fault('CLUSTER_UNREACHABLE', { cluster: 'other', problem: 'no answer' });

test('namespaces that a pattern covers are looked at; a cluster that is away hides nothing of the others', async () => {
  run('Deployment', 'staging', 'shop-cart');
  run('Deployment', 'preview-7', 'shop-cart', `${registry}/shop-cart:pr7`);
  for (const name of ['preview-7', 'elsewhere'])
    world.objects.set(`Namespace /${name}`, { apiVersion: 'v1', kind: 'Namespace', metadata: { name, namespace: '' } });
  expect(rowsOf(await apps())['shop-cart']?.at(-1)).toBe('staging 1/1, preview-7 1/1');
  other({
    look: async () => {
      throw away;
    },
  });
  const done = await apps();
  expect(rowsOf(done)['shop-cart']?.at(-1)).toBe('staging 1/1');
  expect(done.report).toMatchObject({ note: expect.stringContaining('no answer') });
});

test('a namespace that two patterns cover alike is told of, and its images count as running', async () => {
  const both = {
    'preview-*': { namespace: '{env}' },
    '*-preview': { namespace: '{env}' },
    '*': { namespace: '{env}' },
  };
  const mixed = Settings.parse({ ...settings, environments: { staging: { namespace: 'live' }, ...both } });
  for (const name of ['preview-7', 'preview-a-preview', 'live']) {
    world.objects.set(`Namespace /${name}`, { apiVersion: 'v1', kind: 'Namespace', metadata: { name, namespace: '' } });
    run('Deployment', name, 'shop-cart');
  }
  const asking = { settings: mixed, on: engine.clients, signal: AbortSignal.timeout(5_000) };
  expect((await allUses(asking)).map(({ env }) => env)).toEqual(['staging', 'preview-7', 'preview-a-preview']);
  const { sites, away } = await sitesOf(asking);
  expect(sites.map(({ env, namespace }) => `${env} ${namespace}`)).toEqual(['staging live', 'preview-7 preview-7']);
  expect(away).toEqual([
    expect.stringContaining('“preview-a-preview” fits “preview-*” and “*-preview” of environments'),
  ]);
});

test('a namespace costs one list a kind, however many apps and environments there are', async () => {
  for (let n = 0; n < 20; n++) run('Deployment', 'production', `shop-${n}`);
  const asked: string[] = [];
  const kube: Kube = {
    ...world.kube,
    look: (kind, namespace, signal) => {
      asked.push(`${String(kind)} ${namespace}`);
      return world.kube.look(kind, namespace, signal);
    },
  };
  Object.assign(engine.clients, { kube: () => kube });
  await apps();
  const kinds = ['Deployment', 'StatefulSet', 'DaemonSet'].flatMap((kind) => [`${kind} production`, `${kind} staging`]);
  expect(asked.sort()).toEqual([...kinds, 'Namespace '].sort());
});

test('one app is read where it runs and where it is to run, however many environments patterns make', async () => {
  for (let n = 0; n < 20; n++)
    world.objects.set(`Namespace /preview-${n}`, {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: `preview-${n}` },
    });
  run('Deployment', 'staging', 'web');
  run('Deployment', 'preview-7', 'web');
  const read: string[] = [];
  const kube: Kube = {
    ...world.kube,
    workload: (ref, ...rest) => {
      read.push(ref.namespace);
      return world.kube.workload(ref, ...rest);
    },
  };
  Object.assign(engine.clients, { kube: () => kube });
  const { report } = await desk.done('status', { app: 'web' });
  expect(JSON.stringify(report)).toContain('"env":"preview-7"');
  expect([...new Set(read)].sort()).toEqual(['preview-7', 'production', 'staging']);
});

test('status tells of apps written out and of those found, and takes no pattern for a name', async () => {
  run('Deployment', 'staging', 'web');
  run('Deployment', 'staging', 'shop-cart');
  run('Deployment', 'staging', 'stray');
  const { report, state } = await desk.done('status', {});
  expect(state).toBe('finished');
  const lines = report?.kind === 'status' ? report.apps.map(({ app, env, ready }) => `${app}@${env} ${ready}`) : [];
  expect(lines.filter((line) => line.endsWith(' 1')).sort()).toEqual(['shop-cart@staging 1', 'web@staging 1']);
  expect(lines.filter((line) => line.includes('*'))).toEqual([]);
  expect(lines).toHaveLength(3 * 3 + 1);
});

test('what is no app is looked at by its kind and name', async () => {
  run('StatefulSet', 'staging', 'db');
  expect(await desk.done('status', { app: 'sts/db', env: 'staging' })).toMatchObject({
    report: { kind: 'status', apps: [{ app: 'statefulset/db', image: 'db:v1', ready: 1 }] },
  });
});

describe('what nothing covers', () => {
  const given = (change: object) => {
    current = Settings.parse({ ...settings, ...change });
  };
  const looking = { name: 'looking', effects: ['read'] };
  const rule = (more: object) => given({ policy: [looking, { name: 'free', effects: ['change'], ...more }] });
  const restarted = async () => {
    run('StatefulSet', 'staging', 'db');
    return await desk.done('restart', { app: 'statefulset/db', env: 'staging' });
  };

  test('is not changed by its kind and name, and it is said what would cover it', async () => {
    await expect(restarted()).rejects.toMatchObject({
      code: 'UNCOVERED',
      message: 'Nothing in shipmate.yaml covers statefulset/db in staging: it is no app, and so it is only looked at.',
      hint: expect.stringContaining('/ship app adopt statefulset/db in staging'),
    });
    expect(await desk.done('status', { app: 'statefulset/db', env: 'staging' })).toMatchObject({ state: 'finished' });
    rule({ who: ['nobody'], uncovered: true });
    await expect(restarted()).rejects.toMatchObject({ code: 'POLICY_DENIED' });
  });

  test('is said to be by who asks whether somebody may', async () => {
    const may = async (app: string, operation = 'restart') => {
      const { report } = await desk.done('can', { who: 'ana', operation, app, env: 'staging' });
      return report?.kind === 'verdict' ? [report.verdict.kind, report.what, report.terms] : [];
    };
    const only = 'not allowed: nothing in shipmate.yaml covers it, and so it is only looked at';
    expect(await may('sts/db')).toEqual(['deny', 'restart statefulset/db in staging', only]);
    expect((await may('sts/db', 'status'))[0]).toBe('allow');
    expect(await may('deployment/web')).toEqual([
      'allow',
      'restart web in staging',
      'allowed by the rule “anything goes”',
    ]);
    rule({ uncovered: true });
    expect((await may('sts/db'))[0]).toBe('allow');
    rule({ who: ['nobody'], uncovered: true });
    expect((await may('sts/db'))[2]).toContain('allows it only to nobody');
    for (const [operation, input] of [
      ['can', { who: 'ana', operation: 'restart', app: 'sts/db' }],
      ['status', { app: 'sts/db' }],
    ] as const)
      await expect(desk.done(operation, input)).rejects.toMatchObject({
        code: 'BAD_INPUT',
        message: 'In which environment is statefulset/db? Say it too.',
      });
  });

  test('is changed by a rule that says so, which is about nothing else, and as the app of an entry', async () => {
    rule({ uncovered: true });
    expect(await restarted()).toMatchObject({ state: 'finished' });
    run('Deployment', 'staging', 'web');
    await expect(desk.done('restart', { app: 'web', env: 'staging' })).rejects.toMatchObject({ code: 'POLICY_DENIED' });
    given({ apps: { db: { images: ['docker.io/library/*'], kind: 'StatefulSet' } } });
    expect(await restarted()).toMatchObject({ state: 'finished', place: { app: 'db' } });
  });

  test('is refused as any other by a rule that changed while it waited', async () => {
    const asks = { approvals: 1, approvers: ['engineers'] };
    rule({ ...asks, uncovered: true });
    const waits = await restarted();
    rule(asks);
    await desk.approve(waits.id, ben);
    expect(await desk.lap(waits.id)).toMatchObject({ state: 'denied', fault: { code: 'UNCOVERED' } });
  });

  test('but stands beside an app for a while is the app’s', async () => {
    run('Deployment', 'staging', 'web-canary');
    const gone = await desk.done('workload-delete', { app: 'deployment/web-canary', env: 'staging' });
    expect(gone).toMatchObject({ state: 'finished' });
  });
});

const adopt = (workload: string, env = 'staging') => desk.done('app-adopt', { workload, env });
const textOf = ({ report }: Run) => (report?.kind === 'text' ? report.text : JSON.stringify(report));

/** A settings file with the entry pasted into it. */
const pasted = (entry: string) =>
  parseSettings(
    `${entry}\nenvironments:\n  staging: { namespace: staging }\nroles: { engineers: [ana] }\npeople: { ana: { slack: UANA } }\n`,
    { name: 'shipmate.yaml', folder: '/' },
    [...catalogue.keys()],
  );

test('a workload that nothing covers is shown as an entry; pasted, the entry is the app', async () => {
  const containers: JsonObject[] = [
    { name: 'istio-proxy', image: 'docker.io/istio/proxyv2:1.28' },
    {
      name: 'server',
      image: 'ledger:7@sha256:'.concat('a'.repeat(64)),
      readinessProbe: { httpGet: { path: '/ready', port: 80 } },
    },
  ];
  run('StatefulSet', 'staging', 'ledger-db', undefined, {
    labels: { 'app.kubernetes.io/name': 'ledger' },
    annotations: {
      'shipmate.dev/owner': 'engineers',
      'shipmate.dev/repository': 'https://git.example.com/ledger\n  evil: 1',
    },
    spec: { template: { metadata: { labels: { app: 'ledger' } }, spec: { containers } } },
  });
  const text = textOf(await adopt('statefulset/ledger-db'));
  expect(text.split('\n')).toEqual([
    'apps:',
    '  ledger: # guessed: the label app.kubernetes.io/name',
    '    image: docker.io/library/ledger # guessed: that of server',
    '    kind: StatefulSet',
    '    workload: ledger-db',
    '    container: server # guessed: one of istio-proxy, server',
    '    owner: engineers # guessed: its annotation shipmate.dev/owner',
    '    # Its source: https://git.example.com/ledger evil: 1',
    '    # Replicas: 1',
    '    # Service: none; probes: readiness GET /ready at 80, no liveness probe, no startup probe',
    '    # For a canary: it is a StatefulSet: only a Deployment can have one; no Service leads to its pods.',
  ]);
  const place = { app: 'ledger', kind: 'StatefulSet', workload: 'ledger-db', container: 'server' };
  expect(locate(pasted(text), { app: 'statefulset/ledger-db', env: 'staging' })).toMatchObject(place);
});

test('what says that it is an app that a pattern makes already takes neither its name nor anything unmarked', async () => {
  run('Deployment', 'staging', 'shop-cart');
  run('Deployment', 'staging', 'evil', 'evil.example.com/x:v1', {
    annotations: {
      'shipmate.dev/app': 'shop-cart',
      'shipmate.dev/owner': 'engineers',
      'shipmate.dev/channel': 'C0SHOP',
    },
  });
  expect(
    textOf(await adopt('deployment/evil'))
      .split('\n')
      .slice(0, 5),
  ).toEqual([
    'apps:',
    '  evil:',
    '    image: evil.example.com/x',
    '    owner: engineers # guessed: its annotation shipmate.dev/owner',
    '    channel: C0SHOP # guessed: its annotation shipmate.dev/channel',
  ]);
});

test('a Service of another name, an autoscaler and the channel are in the entry', async () => {
  run('Deployment', 'production', 'orders');
  world.objects.set('Service production/orders-http', {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'orders-http', namespace: 'production' },
    spec: { selector: { app: 'orders' }, ports: [{ port: 80 }] },
  });
  world.objects.set('HorizontalPodAutoscaler production/orders', {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name: 'orders', namespace: 'production' },
    spec: { scaleTargetRef: { kind: 'Deployment', name: 'orders' }, minReplicas: 2, maxReplicas: 5 },
  });
  const origin = { surface: 'slack' as const, team: 'T1', channel: 'C0ORDERS', user: 'UANA' };
  const input = { workload: 'deployment/orders', env: 'production' };
  const { id } = await request(engine, { actor: ana, operation: 'app-adopt', input, origin });
  const text = textOf(await desk.lap(id));
  expect(text).toContain('channel: C0ORDERS # guessed: where this was asked for');
  expect(text).toContain('rollout: {strategy: canary, service: orders-http}');
  expect(text).toContain('# Replicas: 1; HorizontalPodAutoscaler/orders scales it between 2 and 5');
  expect(text).toContain('# For a canary: it has no readiness probe.');
  expect(pasted(text).apps.orders).toMatchObject({ channel: 'C0ORDERS', rollout: { service: 'orders-http' } });
  expect(textOf(await desk.done('app-adopt', input)), 'asked over REST').not.toContain('channel');
});

test('a Service that goes by what all new workloads bear is not the one that its traffic is found by', async () => {
  const selector = { 'app.kubernetes.io/managed-by': 'shipmate' };
  const template = { metadata: { labels: selector }, spec: { containers: [{ name: 'orders', image: 'orders:1' }] } };
  run('Deployment', 'production', 'orders', undefined, { spec: { template } });
  world.objects.set('Service production/metrics', {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'metrics', namespace: 'production' },
    spec: { selector, ports: [{ port: 9090 }] },
  });
  const text = textOf(await adopt('deployment/orders', 'production'));
  expect(text).not.toContain('metrics');
  expect(text).toContain('For a canary: no Service leads to its pods');
});

test('what is an app already says by what, and how it is deployed; what is contradicted gets an entry of its own', async () => {
  run('Deployment', 'staging', 'web');
  run('Deployment', 'staging', 'shop-cart');
  run('Deployment', 'staging', 'shop-old', undefined, { annotations: { 'shipmate.dev/app': 'legacy' } });
  expect(textOf(await adopt('deployment/web'))).toContain('“web”, which is written out under apps');
  expect(textOf(await adopt('deployment/shop-cart'))).toContain('the pattern “shop-*” under apps');
  expect(textOf(await adopt('deployment/shop-cart'))).toContain('/deploy shop-cart:TAG staging');
  run('Deployment', 'staging', 'mirror', 'redis:8');
  expect(textOf(await adopt('deployment/mirror')), 'no repository of its own').toContain(
    '/deploy mirror staging image=docker.io/library/redis:TAG',
  );
  const old = await adopt('deployment/shop-old');
  expect(old.report).toMatchObject({ note: expect.stringContaining('it says that it is the app “legacy”') });
  const after = pasted(`${textOf(old)}\n  'shop-*': { image: '${registry}/{app}' }`);
  expect(locate(after, { app: 'deployment/shop-old', env: 'staging' }), 'written out before the pattern').toMatchObject(
    {
      app: 'legacy',
      workload: 'shop-old',
    },
  );
});

test('what runs an image of another repository is not said to be deployed by a tag', async () => {
  run('Deployment', 'staging', 'shop-cache', 'redis:8');
  const text = textOf(await adopt('deployment/shop-cache'));
  expect(text).toContain('what runs is of docker.io/library/redis, which its images may not come from');
  expect(text).not.toContain('/deploy');
  const { report } = await desk.done('apps', { env: 'staging' });
  expect(JSON.stringify(report)).toContain('found: shop-*, and what runs is of docker.io/library/redis');
});

const hostile = [
  'x\n# evil\napps:\n  evil: {image: e}',
  'x\r# evil',
  `x\u0085\u2028evil`,
  `${'# '.repeat(200)}`,
  'a: b # c',
  '\u001b[2J',
  'null',
];
test.for(hostile)('whatever a cluster says, an entry stays one: %j', async (words) => {
  run('Deployment', 'staging', '1e3', `${registry}/x:v1`, {
    annotations: Object.fromEntries(
      ['app', 'owner', 'channel', 'repository'].map((mark) => [`shipmate.dev/${mark}`, words]),
    ),
    labels: { 'app.kubernetes.io/name': words },
    spec: {
      template: {
        metadata: { labels: { app: 'x' }, annotations: { 'kubectl.kubernetes.io/default-container': words } },
        spec: {
          containers: [
            { name: 'other', image: words },
            { name: words, image: `${registry}/x:v1`, readinessProbe: { httpGet: { path: words, port: words } } },
          ],
        },
      },
    },
  });
  world.objects.set('Service staging/x', {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: words, namespace: 'staging' },
    spec: { selector: { app: 'x' }, ports: [{ port: 80 }] },
  });
  const adopted = await adopt('deployment/1e3');
  const lines = textOf(adopted).split('\n');
  expect(lines[0]).toBe('apps:');
  expect(lines.slice(2).filter((line) => !line.startsWith('    '))).toEqual([]);
  for (const line of lines) expect(line).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}]/u);
  const entry = { image: `${registry}/x`, container: words };
  expect(parse(textOf(adopted))).toEqual({
    apps:
      words === 'null' ? { null: { workload: '1e3', ...entry } } : { '1e3': { ...entry, rollout: { service: words } } },
  });
});

test('an image that cannot be read is told of in one line', async () => {
  run('Deployment', 'staging', 'orders', 'x\n# evil\u001b[2J');
  expect((await adopt('deployment/orders')).fault).toMatchObject({
    code: 'IMAGE_MALFORMED',
    message: '“x # evil [2J” is not an image reference.',
  });
  const { report } = await desk.done('apps', { env: 'staging' });
  expect(JSON.stringify(report)).toContain('"x # evil [2J"');
});

test.for(['C0123456789', '#shop-talk'])('a channel that a workload names is in its entry: %s', async (channel) => {
  run('Deployment', 'staging', 'orders', undefined, { annotations: { 'shipmate.dev/channel': channel } });
  expect(pasted(textOf(await adopt('deployment/orders'))).apps.orders).toMatchObject({ channel });
});

test('what comes to its end, and what has a dot in its name, is no app, and it is said why', async () => {
  const refused = (why: string) => ({ fault: { code: 'NOT_FOR_KIND', message: expect.stringContaining(why) } });
  expect(await adopt('job/import')).toMatchObject(refused('comes to its end'));
  expect(await adopt('deployment/a.b')).toMatchObject(refused('no dot in its name'));
});

test('an app that there is not names those that there are, and where to look', async () => {
  await expect(desk.ask('status', { app: 'cart', env: 'staging' })).rejects.toMatchObject({
    code: 'UNKNOWN_APP',
    hint: expect.stringMatching(/web, idle, mirror, all that fit “shop-\*”.*\/ship apps.*KIND\/NAME/s),
  });
});
