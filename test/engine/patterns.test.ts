import { beforeEach, describe, expect, test } from 'vitest';
import { environmentEntry } from '../../src/core/apps.ts';
import { Fault } from '../../src/core/errors.ts';
import { isPersonal } from '../../src/core/identity.ts';
import { type Settings, Settings as SettingsSchema } from '../../src/core/settings.ts';
import { type FakeWorld, fakeWorld } from '../fakes/fake-clients.ts';
import { furnish } from '../fakes/small-cluster.ts';
import { createDesk, type Desk } from '../support/desk.ts';
import { ana, ben, type TestEngine, testEngine, testSettings } from '../support/engine.ts';
import { redisForFile } from '../support/redis.ts';

/** Apps and environments that no entry names, but a pattern covers. */

const redis = redisForFile();
const registry = '127.0.0.1:5000';
let world: FakeWorld;
let engine: TestEngine;
let desk: Desk;
let settings: Settings;

const given = (change: object = {}): void => {
  settings = SettingsSchema.parse({
    ...testSettings,
    apps: {
      web: { image: `${registry}/web` },
      '*': { image: `${registry}/team/{app}`, images: ['docker.io/library/*'] },
      'shop-*': { image: `${registry}/shop/{app}`, owner: 'shop' },
    },
    environments: { ...testSettings.environments, 'preview-*': { namespace: '{env}' } },
    roles: { engineers: ['ana', 'ben'], shop: ['ben'] },
    policy: [{ name: 'the rest is free' }, { name: 'what is no app, too', uncovered: true }],
    ...change,
  });
};

beforeEach(async () => {
  world = fakeWorld();
  furnish(world);
  given();
  for (const image of ['shop/shop-cart', 'team/hello', 'team/cart', 'team/shop'])
    for (const n of [1, 2]) world.digests.set(`${registry}/${image}:v${n}`, `sha256:${String(n).repeat(64)}`);
  world.digests.set('docker.io/library/nginx:1.29', `sha256:${'9'.repeat(64)}`);
  engine = await testEngine(redis().url, world.clients, { settings: () => settings });
  await engine.redis.flushall();
  desk = createDesk(engine);
  return async () => {
    await desk.leases.stop();
    engine.close();
  };
});

const deploy = (app: string, more: object = { tag: 'v1' }, env = 'staging') =>
  desk.done('deploy', { app, env, ...more });

describe('an app that a pattern covers', () => {
  test('is shipped without an entry, from the repository that the nearest pattern names', async () => {
    expect(await deploy('hello')).toMatchObject({
      state: 'finished',
      plan: { image: { reference: `${registry}/team/hello:v1` } },
    });
    expect(await deploy('shop-cart')).toMatchObject({
      state: 'finished',
      plan: { image: { reference: `${registry}/shop/shop-cart:v1` } },
    });
    expect((await desk.done('scale', { app: 'hello', env: 'staging', replicas: 3 })).state).toBe('finished');
  });

  test('runs images of the repositories that are named besides, and of no others', async () => {
    expect(await deploy('hello', { image: 'nginx:1.29' })).toMatchObject({
      state: 'finished',
      plan: { image: { reference: 'docker.io/library/nginx:1.29' } },
    });
    await expect(
      deploy('hello', { image: 'evil.example.com/hello:v1' }).then(({ fault }) => fault),
    ).resolves.toMatchObject({ code: 'IMAGE_NOT_OF_APP' });
    // Docker Hub is none of shop-*’s repositories, however the image is written.
    for (const image of ['nginx:1.29', 'docker.io/library/nginx:1.29'])
      expect(await deploy('shop-cart', { image })).toMatchObject({ fault: { code: 'IMAGE_NOT_OF_APP' } });
    expect(world.objects.has('staging/shop-cart')).toBe(false);
  });

  describe('and gets images from elsewhere by a manifest', () => {
    const manifest = (name: string, images: string[], more: object = {}) => ({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name },
      spec: { template: { spec: { containers: images.map((image, n) => ({ name: `c${n}`, image })), ...more } } },
    });
    const told = async (object: object) => {
      const run = await desk.done('apply', { env: 'staging', manifest: JSON.stringify(object) });
      expect(run.state).toBe('finished');
      return run.plan?.warnings;
    };
    const evil = (name: string) => `evil.example.com/${name}:1`;
    const of = `Images from elsewhere than shop-cart’s repositories (${registry}/shop/shop-cart)`;

    test('is told of in the plan, once: not of what is allowed, nor of what runs already', async () => {
      const own = `${registry}/shop/shop-cart:v1`;
      const first = manifest('shop-cart', [own, evil('x')], { initContainers: [{ name: 'i', image: evil('init') }] });
      expect(await told(first)).toEqual([`${of}: ${evil('init')}, ${evil('x')}.`]);
      expect(await told({ ...first, metadata: { name: 'shop-cart', labels: { a: 'b' } } })).toBeUndefined();
      expect(await told(manifest('shop-cart', [own, evil('x'), evil('y')]))).toEqual([`${of}: ${evil('y')}.`]);
      expect(await told(manifest('hello', [`${registry}/team/hello:v1`, 'nginx:1.29']))).toBeUndefined();
    });

    test('is told of five, and how many more', async () => {
      const [warning] = (await told(manifest('shop-cart', ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map(evil)))) ?? [];
      expect(warning).toBe(`${of}: ${['a', 'b', 'c', 'd', 'e'].map(evil).join(', ')} and 2 more.`);
    });

    test('is told nothing of where it is no app', async () => {
      expect(await told({ ...manifest('shop-db', [evil('x')]), kind: 'DaemonSet' })).toBeUndefined();
    });
  });

  test('takes an image of Docker Hub by its short name only with a tag or digest', async () => {
    world.digests.set('docker.io/library/v1:latest', `sha256:${'8'.repeat(64)}`);
    given({ apps: { '*': { images: ['docker.io/library/*'] } } });
    expect(await deploy('hello', { image: 'v1' })).toMatchObject({
      state: 'failed',
      fault: {
        code: 'IMAGE_WITHOUT_TAG',
        message: expect.stringContaining('“v1” alone would be the image docker.io/library/v1'),
      },
    });
    for (const image of ['nginx:1.29', `nginx@sha256:${'9'.repeat(64)}`, 'docker.io/library/v1'])
      expect((await deploy('hello', { image })).state).toBe('finished');
  });

  describe('that ran another’s image', () => {
    const elsewhere = 'quay.io/other/thing:1.0';
    const runs = (image: string, more: object = {}) => {
      const template = { metadata: { labels: { app: 'hello' } }, spec: { containers: [{ name: 'hello', image }] } };
      world.templates.push(template);
      world.objects.set('staging/hello', {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: 'hello', namespace: 'staging' },
        spec: { replicas: 1, selector: { matchLabels: { app: 'hello' } }, template, ...more },
      });
    };
    const imageNow = () => JSON.stringify(world.objects.get('staging/hello')?.spec).match(/"image":"([^"]*)"/)?.[1];

    test('is led back to its revision: no deploy would take that image', async () => {
      runs('quay.io/other/older:1');
      runs(elsewhere);
      const run = await deploy('hello');
      const undo = { operation: 'rollback', input: { app: 'hello', env: 'staging', revision: 2 } };
      expect(run).toMatchObject({ state: 'finished', plan: { undo } });
      expect((await desk.done(undo.operation, undo.input)).state).toBe('finished');
      expect(imageNow()).toBe(elsewhere);
    });

    test('has no way back where no revision is kept', async () => {
      runs(elsewhere, { revisionHistoryLimit: 0 });
      expect((await deploy('hello')).plan?.undo).toBeUndefined();
      world.templates.length = 0;
      runs(elsewhere);
      world.templates.length = 0;
      expect((await deploy('hello')).plan?.undo).toBeUndefined();
    });

    test('by a rollback is led back to its revision as well', async () => {
      runs(`${registry}/team/hello:v1@sha256:${'1'.repeat(64)}`);
      runs(elsewhere);
      const back = await desk.done('rollback', { app: 'hello', env: 'staging' });
      const input = { app: 'hello', env: 'staging', revision: 2 };
      expect(back).toMatchObject({ state: 'finished', plan: { undo: { operation: 'rollback', input } } });
    });

    test('and is written short like its own is led back to its revision: a deploy would take its own', async () => {
      runs('hello:v1');
      const input = { app: 'hello', env: 'staging', revision: 1 };
      const run = await deploy('hello', { tag: 'v2' });
      expect(run).toMatchObject({ state: 'finished', plan: { undo: { operation: 'rollback', input } } });
    });

    test.each([`${registry}/team/hello:v1`, 'nginx:1.29', 'docker.io/library/nginx:1.29'])(
      'and may run it is led back by a deploy of it (%s)',
      async (image) => {
        runs(image);
        const input = { app: 'hello', env: 'staging', image };
        const run = await deploy('hello', { tag: 'v2' });
        expect(run).toMatchObject({ state: 'finished', plan: { undo: { operation: 'deploy', input } } });
        expect((await desk.done('deploy', input)).state).toBe('finished');
      },
    );
  });

  test('of two patterns alike is refused, and nothing is changed', async () => {
    given({ apps: { 'shop-*': { image: `${registry}/shop/{app}` }, '*-cart': { image: `${registry}/carts/{app}` } } });
    await expect(deploy('shop-x-cart')).rejects.toMatchObject({
      code: 'NAMED_ALIKE',
      message: expect.stringContaining('“shop-*” and “*-cart”'),
    });
    const manifest = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'shop-x-cart' } };
    const applied = await desk.done('apply', { env: 'staging', manifest: JSON.stringify(manifest) });
    expect(applied).toMatchObject({ state: 'failed', fault: { code: 'NAMED_ALIKE' } });
  });

  test('is not what another name stands for already: a rule about that one is not passed by', async () => {
    const apps = {
      admin: { image: `${registry}/admin`, workload: 'shop-admin' },
      '*': { image: `${registry}/team/{app}` },
    };
    given({
      apps,
      policy: [
        { name: 'leads', apps: ['admin'], who: ['shop'] },
        { name: 'free', apps: ['shop-*'] },
      ],
    });
    await expect(deploy('shop-admin')).rejects.toMatchObject({ code: 'OTHER_NAME' });
    await expect(desk.done('restart', { app: 'deployment/shop-admin', env: 'staging' })).rejects.toMatchObject({
      code: 'POLICY_DENIED',
      message: expect.stringContaining('leads'),
    });
  });

  test('is never what stands beside another while that is judged', async () => {
    for (const app of ['hello-canary', 'hello-baseline'])
      await expect(deploy(app)).rejects.toMatchObject({ code: 'BESIDE_AN_APP' });
    given({ policy: [{ name: 'hello asks', apps: ['hello'], approvals: 1 }, { name: 'free' }] });
    world.objects.set('staging/hello-canary', {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'hello-canary', namespace: 'staging' },
      spec: { replicas: 1, template: { spec: { containers: [{ name: 'hello', image: 'x:1' }] } } },
    });
    const restarted = await desk.done('restart', { app: 'deployment/hello-canary', env: 'staging' });
    expect(restarted).toMatchObject({ state: 'awaiting', plan: { touches: [{ app: 'hello' }] } });
  });

  test('with a name that gets too long by its suffix is refused', async () => {
    given({ apps: { '*': { image: `${registry}/team/{app}`, workload: '{app}-server' } } });
    await expect(deploy('a'.repeat(60))).rejects.toThrow(/longer than 63 letters/);
  });

  test('whose container would have too long a name is refused before anything is made, and deployed where it is there by another', async () => {
    given({
      apps: { '*': { image: `${registry}/team/{app}`, container: '{app}-container-of-it' } },
      environments: { ...testSettings.environments, 'preview-*': { namespace: '{env}' } },
    });
    const name = 'a'.repeat(50);
    world.digests.set(`${registry}/team/${name}:v1`, `sha256:${'1'.repeat(64)}`);
    const before = [...world.objects.keys()];
    for (const env of ['staging', 'preview-7'])
      expect(await deploy(name, { tag: 'v1' }, env)).toMatchObject({
        state: 'failed',
        fault: { code: 'BAD_INPUT', message: expect.stringMatching(/The container of .* longer than 63 letters/) },
      });
    expect([...world.objects.keys()]).toEqual(before);
    const template = { metadata: { labels: { app: 'a' } }, spec: { containers: [{ name: 'a', image: 'x:1' }] } };
    world.objects.set(`staging/${name}`, {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name, namespace: 'staging' },
      spec: { replicas: 1, selector: { matchLabels: { app: 'a' } }, template },
    });
    expect((await deploy(name)).state).toBe('finished');
  });

  test('is not whatever says of itself that it is another’s', async () => {
    const marked = (annotations: Record<string, string>) =>
      world.objects.set('staging/shop-cart', {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: 'shop-cart', namespace: 'staging', annotations },
        spec: { replicas: 1, template: { spec: { containers: [{ name: 'shop-cart', image: 'x:1' }] } } },
      });
    for (const [mark, other] of [
      ['shipmate.dev/owner', 'payments'],
      ['shipmate.dev/app', 'cart'],
    ] as const) {
      marked({ [mark]: other });
      const before = structuredClone(world.objects.get('staging/shop-cart'));
      for (const run of [
        await deploy('shop-cart'),
        await desk.done('scale', { app: 'shop-cart', env: 'staging', replicas: 0 }),
        await desk.done('restart', { app: 'deployment/shop-cart', env: 'staging' }),
      ])
        expect(run).toMatchObject({ fault: { code: 'COVERS_OTHER' } });
      expect(world.objects.get('staging/shop-cart')).toEqual(before);
    }
    marked({ 'shipmate.dev/owner': 'shop', 'shipmate.dev/app': 'shop-cart' });
    expect((await deploy('shop-cart')).state).toBe('finished');
  });

  test('is not a Rollout that says of itself that it is another’s', async () => {
    world.objects.set('Rollout staging/shop-cart', {
      apiVersion: 'argoproj.io/v1alpha1',
      kind: 'Rollout',
      metadata: { name: 'shop-cart', namespace: 'staging', annotations: { 'shipmate.dev/owner': 'payments' } },
      spec: { replicas: 1, template: { spec: { containers: [{ name: 'shop-cart', image: 'x:1' }] } } },
    });
    expect(await deploy('shop-cart')).toMatchObject({ fault: { code: 'COVERS_OTHER' } });
  });

  const deployment = (name: string, annotations: Record<string, string> = {}, image = 'x:1') => ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace: 'staging', annotations },
    spec: { replicas: 1, template: { spec: { containers: [{ name, image }] } } },
  });
  const apply = (manifest: object) => desk.done('apply', { env: 'staging', manifest: JSON.stringify(manifest) });

  test.for([
    ['a manifest that makes it one’s own', () => apply(deployment('shop-cart', { 'shipmate.dev/owner': 'shop' }))],
    [
      'a scaler that names it',
      () =>
        apply({
          apiVersion: 'autoscaling/v2',
          kind: 'HorizontalPodAutoscaler',
          metadata: { name: 'zz' },
          spec: { maxReplicas: 1, scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'shop-cart' } },
        }),
    ],
    [
      'its canary',
      () => {
        const beside = deployment('shop-cart-canary', { 'shipmate.dev/owner': 'payments' });
        world.objects.set('staging/shop-cart-canary', beside);
        return apply(deployment('shop-cart-canary', {}, 'x:2'));
      },
    ],
  ] as const)('is not taken from its owner by %s', async ([, act]) => {
    world.objects.set('staging/shop-cart', deployment('shop-cart', { 'shipmate.dev/owner': 'payments' }));
    expect(await act()).toMatchObject({
      state: 'failed',
      fault: { code: 'COVERS_OTHER', message: expect.stringContaining('“payments”’s') },
    });
    expect(world.objects.get('staging/shop-cart')?.metadata).toMatchObject({
      annotations: { 'shipmate.dev/owner': 'payments' },
    });
  });

  describe('that says of itself that it is another’s keeps', () => {
    const labels = { app: 'shop-cart' };
    const config = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'cart-conf', namespace: 'staging' } };
    const ports = [{ port: 80 }];
    const service = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'shop-cart', namespace: 'staging' } };
    const pod = { containers: [{ name: 'c', image: 'x:1', envFrom: [{ configMapRef: { name: 'cart-conf' } }] }] };
    const route = (host: string, to: string) => ({
      apiVersion: 'networking.istio.io/v1',
      kind: 'VirtualService',
      metadata: { name: 'zz' },
      spec: { hosts: [host], http: [{ route: [{ destination: { host: to } }] }] },
    });
    const its = { kind: 'Service', group: '', name: 'shop-cart' };
    const mesh = (kind: string, spec: object) => ({
      apiVersion: 'security.istio.io/v1',
      kind,
      metadata: { name: 'zz' },
      spec,
    });
    const policy = (podSelector: object) => ({
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { name: 'zz' },
      spec: { podSelector },
    });

    beforeEach(() => {
      given({ roles: { engineers: ['ana', 'ben'], shop: ['ana'] } });
      world.objects.set('staging/shop-cart', {
        ...deployment('shop-cart', { 'shipmate.dev/owner': 'payments' }),
        spec: { replicas: 1, selector: { matchLabels: labels }, template: { metadata: { labels }, spec: pod } },
      });
      world.objects.set('Service staging/shop-cart', { ...service, spec: { selector: labels, ports } });
      world.objects.set('ConfigMap staging/cart-conf', { ...config, data: { a: '1' } });
      world.objects.set('Pod staging/shop-cart-1', {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'shop-cart-1', namespace: 'staging', labels },
        spec: { ...pod, nodeName: 'node-1' },
      });
    });

    test.for([
      ['the traffic of its Service', () => apply(route('shop-cart', 'shop-evil'))],
      ['its Service', () => apply({ ...service, spec: { selector: { app: 'shop-evil' }, ports } })],
      ['what its pods may reach', () => apply(policy({ matchLabels: labels }))],
      ['what its Service lets in', () => apply(mesh('AuthorizationPolicy', { targetRefs: [its], rules: [{}] }))],
      ['whom its Service believes', () => apply(mesh('RequestAuthentication', { targetRef: its, jwtRules: [] }))],
      [
        'what its pods may reach, in one of several',
        () =>
          apply({
            apiVersion: 'cilium.io/v2',
            kind: 'CiliumNetworkPolicy',
            metadata: { name: 'zz' },
            specs: [{ endpointSelector: { matchLabels: labels }, ingressDeny: [{ fromEntities: ['all'] }] }],
          }),
      ],
      ['what its pods read', () => apply({ ...config, data: { a: '2' } })],
      ['its timeout', () => desk.done('timeout', { service: 'shop-cart', env: 'staging', timeout: '1s' })],
      ['its Service from being deleted', () => desk.done('service-delete', { name: 'shop-cart', env: 'staging' })],
      ['its settings', () => desk.done('config-set', { name: 'cart-conf', env: 'staging', values: ['a=2'] })],
      [
        'who answers for it',
        () => apply({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'zz', labels }, spec: pod }),
      ],
    ] as const)('%s', async ([, act]) => {
      const before = structuredClone(world.objects);
      expect(await act()).toMatchObject({ state: 'failed', fault: { code: 'COVERS_OTHER' } });
      expect(world.objects).toEqual(before);
    });

    test('its Service also where it is of another kind than the pattern’s apps', async () => {
      world.objects.delete('staging/shop-cart');
      const database = { ...deployment('shop-cart', { 'shipmate.dev/owner': 'payments' }), kind: 'StatefulSet' };
      world.objects.set('StatefulSet staging/shop-cart', database);
      expect(await apply({ ...service, spec: { selector: { app: 'shop-evil' }, ports } })).toMatchObject({
        fault: { code: 'COVERS_OTHER', message: expect.stringContaining('statefulset/shop-cart in staging') },
      });
    });

    test('nothing of what others have: their own, what is for a namespace as a whole, and a node that is drained', async () => {
      expect((await apply(policy({}))).state).toBe('finished');
      world.objects.delete('NetworkPolicy staging/zz');
      expect((await apply(route('shop-q', 'shop-q'))).state).toBe('finished');
      expect((await apply(policy({ matchLabels: { app: 'shop-q' } }))).state).toBe('finished');
      const touches = expect.arrayContaining([{ app: 'shop-cart', env: 'staging', operations: ['drain'] }]);
      const drained = await desk.done('drain', { node: 'node-1', env: 'staging', force: true });
      expect(drained).toMatchObject({ state: 'finished', plan: { touches } });
      given({ apps: { 'shop-*': { image: `${registry}/shop/{app}`, owner: 'payments' } } });
      expect((await apply({ ...config, data: { a: '2' } })).state).toBe('finished');
    });
  });

  test('is its owner’s as well where the pattern names none', async () => {
    world.objects.set('staging/hello', deployment('hello', { 'shipmate.dev/owner': 'payments' }));
    for (const run of [await deploy('hello'), await apply(deployment('hello', {}, 'x:2'))])
      expect(run).toMatchObject({
        fault: {
          code: 'COVERS_OTHER',
          message: expect.stringContaining('by the pattern “*” of shipmate.yaml it would be nobody’s'),
        },
      });
    given({ apps: { hello: { image: `${registry}/team/hello` } } });
    expect((await deploy('hello')).state).toBe('finished');
    expect((await apply(deployment('hello', {}, 'x:2'))).state).toBe('finished');
  });

  test('does not stop who changes what runs beside it', async () => {
    const apps = {
      admin: { image: `${registry}/admin`, workload: 'shop-admin' },
      '*': { image: `${registry}/team/{app}` },
    };
    given({ apps });
    world.objects.set('staging/shop-admin', deployment('shop-admin'));
    world.objects.set('staging/theirs', deployment('theirs', { 'shipmate.dev/owner': 'payments' }));
    expect((await apply(deployment('hello', {}, 'x:2'))).state).toBe('finished');
    expect((await apply(deployment('shop-admin', {}, 'x:2'))).state).toBe('finished');
  });

  describe('that is not there yet', () => {
    const q = { 'app.kubernetes.io/name': 'shop-q' };
    const named = (apiVersion: string, kind: string, spec: object) => ({
      apiVersion,
      kind,
      metadata: { name: 'zz' },
      spec,
    });
    const pods = { containers: [{ name: 'c', image: 'x:1' }] };
    test.for([
      [
        'a scaler',
        named('autoscaling/v2', 'HorizontalPodAutoscaler', {
          maxReplicas: 1,
          scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'shop-q' },
        }),
      ],
      ['a route of the mesh', named('networking.istio.io/v1', 'VirtualService', { hosts: ['shop-q'], http: [] })],
      [
        'a rule of the mesh',
        named('networking.istio.io/v1', 'DestinationRule', { host: 'shop-q.staging.svc.cluster.local' }),
      ],
      [
        'an Ingress',
        named('networking.k8s.io/v1', 'Ingress', {
          defaultBackend: { service: { name: 'shop-q', port: { number: 80 } } },
        }),
      ],
      ['a Service that chooses its pods', named('v1', 'Service', { selector: q, ports: [{ port: 80 }] })],
      ['a disruption budget', named('policy/v1', 'PodDisruptionBudget', { selector: { matchLabels: q } })],
      ['a Pod', { ...named('v1', 'Pod', pods), metadata: { name: 'zz', labels: q } }],
      [
        'a ReplicaSet',
        named('apps/v1', 'ReplicaSet', {
          selector: { matchLabels: q },
          template: { metadata: { labels: q }, spec: pods },
        }),
      ],
      [
        'the Service that its rollouts go by',
        { ...named('v1', 'Service', { ports: [] }), metadata: { name: 'shop-q-svc' } },
      ],
    ] as const)('has %s judged as its own', async ([, manifest]) => {
      given({
        apps: {
          '*': { image: `${registry}/team/{app}` },
          'shop-*': { image: `${registry}/shop/{app}`, rollout: { service: '{app}-svc' } },
        },
        policy: [
          { name: 'the shop asks', apps: ['shop-q'], approvals: 1, approvers: ['shop'] },
          { name: 'the rest is free' },
        ],
      });
      expect(await apply(manifest)).toMatchObject({
        state: 'awaiting',
        verdict: { rule: expect.stringContaining('the shop asks') },
      });
    });
  });

  test('that there is nothing of may be mistyped: one that is near is named', async () => {
    world.objects.set('staging/orders', deployment('orders'));
    for (const [run, near] of [
      [await deploy('wbe'), 'web'],
      [await desk.done('scale', { app: 'wbe', env: 'staging', replicas: 2 }), 'web'],
      [await deploy('ordres'), 'orders'],
      [await desk.done('restart', { app: 'ordres', env: 'staging' }), 'orders'],
    ] as const)
      expect(run.fault?.message).toContain(` Did you mean “${near}”?`);
    expect((await deploy('elsewhere-entirely')).fault?.message).not.toContain('Did you mean');
  });

  test.each(['nginx:9.99', `${registry}/team/ordres:v9`])(
    'whose image was named in full is not mistyped (%s)',
    async (image) => {
      world.objects.set('staging/orders', deployment('orders'));
      const { fault } = await deploy('ordres', { image });
      expect(fault).toMatchObject({ code: 'IMAGE_NOT_FOUND', message: expect.not.stringContaining('Did you mean') });
    },
  );

  describe('whose status is asked', () => {
    const status = (app: string, env?: string) => desk.done('status', { app, ...(env !== undefined && { env }) });
    beforeEach(() => {
      world.objects.set('production/orders', {
        ...deployment('orders'),
        metadata: { name: 'orders', namespace: 'production' },
      });
      world.objects.set('Namespace /preview-17', {
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: { name: 'preview-17', namespace: '' },
      });
      world.objects.set('preview-17/cart', {
        ...deployment('cart'),
        metadata: { name: 'cart', namespace: 'preview-17' },
      });
    });

    test.each([
      ['orders', 'production'],
      ['cart', 'preview-17'],
    ])('is told of where it runs alone (%s)', async (app, env) => {
      const { report } = await status(app);
      expect(report).toMatchObject({ kind: 'status', apps: [{ app, env }] });
      expect(report).not.toMatchObject({ apps: [{ problem: expect.anything() }] });
    });

    test.each([
      ['staging', undefined],
      ['preview-17', undefined],
      ['staging', 'staging'],
    ])('is an environment by its name (%s in %s)', async (app, env) => {
      expect((await status(app, env)).fault?.message).toBe(`${app} is an environment: /ship status in ${app}`);
    });

    test('and runs by the name of an environment is that app', async () => {
      const metadata = { name: 'staging', namespace: 'production' };
      world.objects.set('production/staging', { ...deployment('staging'), metadata });
      expect((await status('staging')).report).toMatchObject({ apps: [{ app: 'staging', env: 'production' }] });
    });

    test('and runs nowhere may be mistyped', async () => {
      expect((await status('ordres')).fault).toMatchObject({
        code: 'NOTHING_RUNS',
        message: 'Nothing runs by the name ordres in any environment. Did you mean “orders”?',
      });
      expect((await status('crat')).fault?.message).toContain('“cart”');
      expect((await status('ordres', 'production')).fault).toMatchObject({
        code: 'NOT_DEPLOYED',
        message: expect.stringContaining('Did you mean “orders”?'),
      });
      expect((await status('web', 'staging')).report).toMatchObject({ apps: [{ problem: 'not deployed' }] });
    });

    test('or why it is as it is, is asked where it runs, or whether it is mistyped', async () => {
      const why = async (what: string) => (await desk.done('why', { what })).fault?.message;
      expect(await why('staging')).toBe('staging is an environment: /ship status in staging');
      expect(await why('ordres')).toMatch(/no such run.* Did you mean “orders”\?$/);
      expect(await why('orders')).toMatch(/\/ship why orders in production$/);
    });
  });

  test('of which somebody asks why without saying where is asked for that', async () => {
    expect(await desk.done('why', { what: 'orders' })).toMatchObject({
      fault: {
        code: 'BAD_INPUT',
        message: expect.stringMatching(/no such run.* Where\? .*\/ship why orders in staging/),
      },
    });
  });

  test('whose pattern is gone while its run waits for approval is told so, and nothing is changed', async () => {
    given({ policy: [{ name: 'asks', approvals: 1, approvers: ['engineers'] }] });
    const waits = await deploy('hello');
    expect(waits.state).toBe('awaiting');
    await desk.approve(waits.id, ben);
    given({ apps: { web: { image: `${registry}/web` } } });
    expect(await desk.lap(waits.id)).toMatchObject({ state: 'failed', fault: { code: 'UNKNOWN_APP' } });
    expect(world.objects.has('staging/hello')).toBe(false);
  });

  test('whose pattern is taken away while it changes is brought to its end, and is asked of no more', async () => {
    const kube = world.clients.kube('kind');
    const { apply } = kube;
    let takenAway = false;
    kube.apply = async (...change) => {
      takenAway = true;
      given({ apps: { web: { image: `${registry}/web` } } });
      return await apply(...change);
    };
    expect(await deploy('hello')).toMatchObject({ state: 'finished' });
    expect([takenAway, world.objects.has('staging/hello')]).toEqual([true, true]);
    await expect(deploy('hello', { tag: 'v2' })).rejects.toMatchObject({ code: 'UNKNOWN_APP' });
  });
});

describe('the policy, locks and freezes', () => {
  const guarded = { name: 'the shop asks', apps: ['shop-*'], approvals: 1, approvers: ['shop'] };

  test('take patterns, and hold whatever the route', async () => {
    given({ policy: [guarded, { name: 'the rest is free' }] });
    expect(await deploy('shop-cart')).toMatchObject({ state: 'awaiting', verdict: { rule: 'the shop asks' } });
    const manifest = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'shop-cart' },
      spec: { template: { spec: { containers: [{ name: 'c', image: 'x:1' }] } } },
    };
    const applied = await desk.done('apply', { env: 'staging', manifest: JSON.stringify(manifest) });
    expect(applied).toMatchObject({ state: 'awaiting', plan: { touches: [{ app: 'shop-cart', env: 'staging' }] } });
    expect(
      await desk.done('apply', {
        env: 'staging',
        manifest: JSON.stringify({ ...manifest, metadata: { name: 'cart' } }),
      }),
    ).toMatchObject({ state: 'finished' });
    const tagged = await desk.done('tag', { app: 'hello', tag: 'v1', as: `${registry}/shop/shop-cart:v9` });
    expect(tagged).toMatchObject({ state: 'awaiting', plan: { touches: [{ app: 'shop-cart' }] } });
  });

  test('a lock of a pattern keeps others from all that it covers', async () => {
    const lock = { app: 'shop-*', env: 'staging', reason: 'the warehouse moves' };
    expect((await desk.done('lock', lock, ben)).state).toBe('finished');
    expect(await deploy('shop-cart')).toMatchObject({ state: 'denied', fault: { code: 'LOCKED' } });
    expect((await deploy('hello')).state).toBe('finished');
    expect((await desk.done('unlock', { app: 'shop-*', env: 'staging' }, ben)).state).toBe('finished');
    expect((await deploy('shop-cart')).state).toBe('finished');
  });

  test('a lock of more than one may lock is refused', async () => {
    given({ policy: [{ name: 'own', apps: ['shop-*'] }] });
    const lock = (app: string) => desk.done('lock', { app, env: 'staging', reason: 'the warehouse moves' });
    expect((await lock('shop-c*')).state).toBe('finished');
    for (const app of ['*', '*-cart']) await expect(lock(app)).rejects.toMatchObject({ code: 'POLICY_DENIED' });
  });

  const freezes = [{ name: 'fair', apps: ['shop-*'], from: '2020-01-01T00:00', to: '2099-01-01T00:00' }];

  test('a freeze of a pattern', async () => {
    given({ freezes });
    await expect(deploy('shop-cart')).rejects.toMatchObject({ code: 'FROZEN' });
    expect((await deploy('hello')).state).toBe('finished');
  });

  test.for(['shop-db', 'other-db'])('locks and freezes hold for what is no app by its bare name: %s', async (name) => {
    const labels = { app: name };
    const pods = { metadata: { labels }, spec: { containers: [{ name, image: 'x:1' }] } };
    const database = {
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      metadata: { name, namespace: 'staging' },
      spec: { replicas: 2, selector: { matchLabels: labels }, template: pods },
    };
    const scaler = {
      apiVersion: 'autoscaling/v2',
      kind: 'HorizontalPodAutoscaler',
      metadata: { name: 'zz' },
      spec: { maxReplicas: 1, scaleTargetRef: { apiVersion: 'apps/v1', kind: 'StatefulSet', name } },
    };
    world.objects.set(`StatefulSet staging/${name}`, database);
    const scale = () => desk.done('scale', { app: `statefulset/${name}`, env: 'staging', replicas: 1 });
    const apply = (manifest: object) => desk.done('apply', { env: 'staging', manifest: JSON.stringify(manifest) });
    const end = (run: ReturnType<Desk['done']>) =>
      run.then(
        ({ fault }) => fault?.code,
        (thrown: unknown) => (thrown instanceof Fault ? thrown.code : thrown),
      );
    const codes = async () => [
      await end(scale()),
      await end(apply({ ...database, spec: { ...database.spec, replicas: 5 } })),
      await end(apply(scaler)),
    ];
    const guarded = (code: string) => (name === 'shop-db' ? [code, code, code] : [undefined, undefined, undefined]);
    await desk.done('lock', { app: 'shop-*', env: 'staging', reason: 'the warehouse moves' }, ben);
    expect(await codes()).toEqual(guarded('LOCKED'));
    world.objects.delete('HorizontalPodAutoscaler staging/zz');
    await desk.done('unlock', { app: 'shop-*', env: 'staging' }, ben);
    given({ freezes });
    expect(await codes()).toEqual(guarded('FROZEN'));
  });

  test('who asks whether somebody may is told the pattern and the rule', async () => {
    given({ policy: [guarded, { name: 'the rest is free' }] });
    const may = await desk.done('can', { who: 'ana', operation: 'deploy', app: 'shop-cart', env: 'preview-7' });
    expect(JSON.stringify(may.report)).toMatch(/the shop asks.*shop-cart is an app by the pattern “shop-\*”/);
    expect(JSON.stringify(may.report)).toContain('preview-7 is an environment by the pattern “preview-*”');
    const run = await deploy('shop-cart');
    const why = await desk.done('why', { what: run.id });
    expect(JSON.stringify(why.report)).toContain('shop-cart is an app by the pattern “shop-*”');
  });
});

describe('a Service that would lead to the pods of a new workload', () => {
  const guarded = (apps: object, name: string) =>
    given({
      apps: { ...apps, '*': { image: `${registry}/team/{app}` } },
      policy: [
        { name: 'the shop’s', apps: [name], who: ['shop'] },
        { name: 'the rest is free', apps: ['c*'] },
      ],
    });
  const service = (name: string, selector: Record<string, string>) =>
    world.objects.set(`Service staging/${name}`, {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name, namespace: 'staging' },
      spec: { selector, ports: [{ port: 80 }] },
    });

  test.each(['baseline', 'privileged'])('is judged as a change of the app whose it is (%s)', async (podSecurity) => {
    guarded(
      { db: { image: `${registry}/db`, kind: 'StatefulSet', workload: 'hello', rollout: { service: 'db' } } },
      'db',
    );
    settings = SettingsSchema.parse({
      ...settings,
      environments: { ...settings.environments, staging: { namespace: 'staging', podSecurity } },
    });
    service('db', { 'app.kubernetes.io/name': 'cart' });
    for (const more of [{ tag: 'v1' }, { tag: 'v1', ports: [80] }])
      expect(await deploy('cart', more)).toMatchObject({
        state: 'denied',
        fault: { code: 'POLICY_DENIED', message: expect.stringContaining('deploy db in staging') },
      });
    expect(world.objects.has('staging/cart')).toBe(false);
    const theirs = await desk.done('deploy', { app: 'cart', env: 'staging', tag: 'v1' }, ben);
    expect(theirs).toMatchObject({ state: 'finished', plan: { touches: [{ app: 'db', env: 'staging' }] } });
    const next = await deploy('cart', { tag: 'v2' });
    expect(next.state).toBe('finished');
    expect(next.plan?.touches).toBeUndefined();
  });

  test.each(['shop-admin', 'shop-x-cart'])(
    'is looked for though %s runs there, which no pattern alone covers',
    async (name) => {
      given({
        apps: {
          admin: { image: `${registry}/admin`, workload: 'shop-admin' },
          '*': { image: `${registry}/team/{app}` },
          'shop-*': { image: `${registry}/shop/{app}` },
          '*-cart': { image: `${registry}/carts/{app}` },
        },
      });
      world.objects.set(`staging/${name}`, {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name, namespace: 'staging' },
        spec: { template: { metadata: { labels: { app: name } }, spec: { containers: [{ name, image: 'x:1' }] } } },
      });
      for (const more of [{ tag: 'v1' }, { tag: 'v1', ports: [80] }]) {
        expect((await deploy('hello', more)).fault).toBeUndefined();
        world.objects.delete('staging/hello');
      }
    },
  );

  test('is refused where it leads to that app’s pods, also to whoever may change both', async () => {
    guarded({ pay: { image: `${registry}/pay` } }, 'pay');
    const labels = { 'app.kubernetes.io/name': 'cart' };
    world.objects.set('staging/pay', {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'pay', namespace: 'staging' },
      spec: {
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { containers: [{ name: 'pay', image: 'x:1' }] } },
      },
    });
    service('pay', labels);
    for (const who of [ana, ben])
      expect(await desk.done('deploy', { app: 'cart', env: 'staging', tag: 'v1', ports: [80] }, who)).toMatchObject({
        state: 'failed',
        fault: { code: 'SERVICE_OF_ANOTHER', message: expect.stringContaining('pods of Deployment/pay') },
      });
    expect(world.objects.has('staging/cart')).toBe(false);
  });
});

describe('an environment that a pattern covers', () => {
  const template = { labels: { team: 'x' }, quota: { pods: '10' }, networkPolicy: 'deny-ingress' };

  test('is made by the template when it is first used, and shown in the plan', async () => {
    given({ namespaceTemplate: template });
    const run = await deploy('hello', { tag: 'v1' }, 'preview-7');
    expect(run).toMatchObject({ state: 'finished', place: { env: 'preview-7', namespace: 'preview-7' } });
    expect(run.plan?.summary).toBe('hello:v1, new in preview-7, which is made');
    const paths = run.plan?.changes.map(({ path }) => path.split(' ')[0]);
    expect([...new Set(paths)]).toEqual([
      'Namespace/preview-7',
      'NetworkPolicy/default-deny-ingress',
      'ResourceQuota/default',
      'Deployment/hello',
    ]);
    expect(run.plan?.warnings?.join()).toContain('is not there yet');
    expect(world.objects.has('preview-7/hello')).toBe(true);
    const second = await deploy('cart', { tag: 'v1' }, 'preview-7');
    expect(second.plan?.changes.some(({ path }) => path.startsWith('Namespace'))).toBe(false);
  });

  test('is not made where the policy lets nobody', async () => {
    given({ policy: [{ name: 'deploys', operations: ['deploy'], environments: ['preview-*'] }] });
    expect(await deploy('hello', { tag: 'v1' }, 'preview-7')).toMatchObject({
      state: 'denied',
      fault: { code: 'POLICY_DENIED', message: expect.stringContaining('namespace-create') },
    });
    expect([...world.objects.keys()].filter((key) => key.includes('preview-7'))).toEqual([]);
  });

  test('is guarded by its own rules under whatever name its namespace is reached', async () => {
    given({ policy: [{ name: 'previews ask', environments: ['preview-*'], approvals: 1 }, { name: 'free' }] });
    const manifest = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'preview-7', labels: { a: 'b' } } };
    settings = { ...settings, manifests: { ...settings.manifests, clusterScopedIn: ['staging'] } };
    const applied = await desk.done('apply', { env: 'staging', manifest: JSON.stringify(manifest) });
    expect(applied).toMatchObject({ state: 'awaiting', verdict: { rule: expect.stringContaining('previews ask') } });
  });

  test('may have what lives in the cluster itself where a pattern of that list covers it', async () => {
    const manifest = JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'fresh' } });
    const applied = async (clusterScopedIn: string[]) => {
      settings = { ...settings, manifests: { ...settings.manifests, clusterScopedIn } };
      return await desk.done('apply', { env: 'preview-7', manifest });
    };
    expect(await applied(['preview-*'])).toMatchObject({ state: 'finished' });
    expect(await applied(['preview-7'])).toMatchObject({ state: 'finished' });
    expect(await applied(['shop-*'])).toMatchObject({
      state: 'denied',
      fault: {
        message: expect.stringContaining('manifests.clusterScopedIn in shipmate.yaml lets preview-7 have such'),
      },
    });
  });

  test('is used in the asker’s name where its pattern says so', async () => {
    given({ environments: { ...testSettings.environments, 'preview-*': { namespace: '{env}', impersonate: true } } });
    expect(isPersonal(settings, 'default', 'preview-7')).toBe(true);
    expect(await deploy('hello', { tag: 'v1' }, 'preview-7')).toMatchObject({ fault: { code: 'NOT_MAPPED' } });
  });

  test('is held to the rate, the Pod Security level and the commands of its pattern', async () => {
    const more = { rateLimit: { changes: 1, minutes: 60 }, podSecurity: 'restricted', exec: { allow: ['ls'] } };
    given({ environments: { ...testSettings.environments, 'preview-*': { namespace: '{env}', ...more } } });
    expect((await deploy('hello', { tag: 'v1' }, 'preview-7')).state).toBe('finished');
    expect(JSON.stringify(world.objects.get('preview-7/hello'))).toContain('"runAsNonRoot":true');
    expect(await deploy('cart', { tag: 'v1' }, 'preview-7')).toMatchObject({ fault: { code: 'TOO_MANY_CHANGES' } });
    const beyond = environmentEntry(settings, 'preview-7')?.its;
    expect(beyond).toMatchObject({ namespace: 'preview-7', exec: { allow: ['ls'] } });
  });

  test('that two patterns cover alike is refused, by its name and by its namespace', async () => {
    const both = { 'preview-*': { namespace: '{env}' }, '*-preview': { namespace: '{env}' } };
    given({ environments: { ...testSettings.environments, ...both } });
    await expect(deploy('hello', { tag: 'v1' }, 'preview-a-preview')).rejects.toMatchObject({ code: 'NAMED_ALIKE' });
    settings = { ...settings, manifests: { ...settings.manifests, clusterScopedIn: ['staging'] } };
    const manifest = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'preview-a-preview' } };
    const applied = await desk.done('apply', { env: 'staging', manifest: JSON.stringify(manifest) });
    expect(applied.state).not.toBe('finished');
  });

  describe('as a namespace that is there', () => {
    const there = (name: string, labels: Record<string, string> = {}) =>
      world.objects.set(`Namespace /${name}`, { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } });

    test.each(['default', 'kube-system', 'kube-public', 'kube-node-lease', 'istio-system'])(
      'is never %s, whatever is asked for',
      async (name) => {
        given({ environments: { ...testSettings.environments, '*': { namespace: '{env}' } } });
        there(name);
        const message = expect.stringContaining(`By the pattern “*” of shipmate.yaml ${name} would be the namespace`);
        const refused = { state: 'failed', fault: { code: 'NAMESPACE_OF_OTHERS', message } };
        const manifest = JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' } });
        expect(await deploy('hello', { tag: 'v1' }, name)).toMatchObject(refused);
        expect(await desk.done('apply', { env: name, manifest })).toMatchObject(refused);
        expect([...world.objects.keys()].filter((key) => key.includes(`${name}/`))).toEqual([]);
        const written = { ...testSettings.environments, [name]: { namespace: name } };
        given({ environments: written });
        expect(await deploy('hello', { tag: 'v1' }, name)).toMatchObject({ state: 'finished' });
      },
    );

    test('is not one that was made for another environment', async () => {
      there('preview-7', { 'shipmate.dev/environment': 'other' });
      expect(await deploy('hello', { tag: 'v1' }, 'preview-7')).toMatchObject({
        fault: { code: 'NAMESPACE_OF_OTHERS', message: expect.stringContaining('made for the environment “other”') },
      });
      expect(world.objects.has('preview-7/hello')).toBe(false);
    });

    test('may be one that people made, or that was made for it', async () => {
      there('preview-7', { team: 'x' });
      there('preview-8', { 'shipmate.dev/environment': 'preview-8' });
      for (const name of ['preview-7', 'preview-8'])
        expect(await deploy('hello', { tag: 'v1' }, name)).toMatchObject({ state: 'finished' });
    });

    test('is none while it is being deleted: it is said, and nothing is changed', async () => {
      for (const [label, value] of [
        ['team', 'x'],
        ['shipmate.dev/environment', 'preview-7'],
      ] as const) {
        world.objects.delete('Namespace /preview-7');
        expect((await deploy('hello', { tag: 'v1' }, 'preview-7')).state).toBe('finished');
        const labels = { [label]: value };
        const metadata = { name: 'preview-7', labels, deletionTimestamp: '2026-11-30T00:00:00Z' };
        world.objects.set('Namespace /preview-7', { apiVersion: 'v1', kind: 'Namespace', metadata });
        for (const tag of ['v1', 'v2'])
          expect(await deploy('hello', { tag }, 'preview-7')).toMatchObject({
            state: 'failed',
            fault: { code: 'NAMESPACE_GOES', message: expect.stringContaining('preview-7 is being deleted') },
          });
        const release = await desk.done('release', { apps: ['hello@v2', 'cart@v1'], env: 'preview-7' });
        expect(release).toMatchObject({ fault: { code: 'NAMESPACE_GOES' } });
        world.objects.delete('preview-7/hello');
      }
    });

    test('bears the mark by Shipmate’s hand alone', async () => {
      for (const [label, name] of [
        ['shipmate.dev/environment=zzz', 'preview-7'],
        ['shipmate.dev/environment=preview-7', 'preview-7'],
        ['shipmate.dev/owner=ana', 'other'],
      ] as const)
        expect(await desk.done('namespace-create', { name, env: 'preview-7', labels: [label] })).toMatchObject({
          fault: { code: 'BAD_INPUT', message: expect.stringContaining('is not yours to set') },
        });
      expect(await desk.done('namespace-create', { name: 'other', env: 'preview-7' })).toMatchObject({
        state: 'finished',
      });
      expect(JSON.stringify(world.objects.get('Namespace /other'))).not.toContain('shipmate.dev/environment');
    });
  });

  test('that moves while its first deploy waits for approval is asked for anew, and followed where it is then', async () => {
    const policy = [{ name: 'asks', approvals: 1, approvers: ['engineers'] }];
    const preview = (namespace: string) => ({ ...testSettings.environments, 'preview-*': { namespace } });
    const followed: string[] = [];
    const { follow } = world.kube;
    world.kube.follow = async (ref, ...rest) => {
      followed.push(`${ref.namespace}/${ref.name}`);
      return await follow(ref, ...rest);
    };
    given({ policy, environments: preview('{env}') });
    const { id } = await deploy('hello', { tag: 'v1' }, 'preview-8');
    await desk.approve(id, ben);
    given({ policy, environments: preview('moved-{env}') });
    expect(await desk.lap(id)).toMatchObject({ state: 'awaiting', place: { namespace: 'moved-preview-8' } });
    await desk.approve(id, ben);
    const run = await desk.lap(id);
    expect(run).toMatchObject({ state: 'finished', place: { env: 'preview-8', namespace: 'moved-preview-8' } });
    expect(followed).toEqual(['moved-preview-8/hello']);
    expect([...world.objects.keys()].filter((key) => key.includes('preview-8'))).toEqual([
      'Namespace /moved-preview-8',
      'moved-preview-8/hello',
    ]);
  });

  test('is not made by several apps at once', async () => {
    const run = await desk.done('release', { apps: ['hello@v1', 'cart@v1'], env: 'preview-7' }, ana);
    expect(run).toMatchObject({ fault: { code: 'ENVIRONMENT_NEW' } });
  });
});

describe('what a pattern does not do', () => {
  test('a rule’s pattern gives no right over what goes by KIND/NAME', async () => {
    given({ policy: [{ name: 'apis', apps: ['*-api'] }] });
    world.objects.set('staging/StatefulSet/vault-api', {});
    for (const app of ['statefulset/vault-api', 'deployment/x/y-api'])
      await expect(desk.done('scale', { app, env: 'staging', replicas: 0 })).rejects.toThrow();
    await expect(
      desk.done('scale', { app: 'statefulset/vault-api', env: 'staging', replicas: 0 }),
    ).rejects.toMatchObject({
      code: 'POLICY_DENIED',
    });
  });

  test('one workload that two patterns cover alike keeps nobody from changing others beside it', async () => {
    given({ apps: { 'shop-*': { image: `${registry}/shop/{app}` }, '*-cart': { image: `${registry}/carts/{app}` } } });
    const meta = { name: 'shop-x-cart', namespace: 'staging', labels: { app: 'x' } };
    const template = { metadata: { labels: { app: 'x' } }, spec: { containers: [{ name: 'c', image: 'x:1' }] } };
    const spec = { selector: { matchLabels: { app: 'x' } }, template };
    world.objects.set('staging/shop-x-cart', { apiVersion: 'apps/v1', kind: 'Deployment', metadata: meta, spec });
    const apply = (manifest: object) => desk.done('apply', { env: 'staging', manifest: JSON.stringify(manifest) });
    const config = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'other' }, data: { a: 'b' } };
    expect(await apply(config)).toMatchObject({ state: 'finished' });
    const leading = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'any' }, spec: { selector: { app: 'x' } } };
    expect(await apply(leading)).toMatchObject({ fault: { code: 'NAMED_ALIKE' } });
  });

  test.each([
    ['first', false],
    ['last', true],
  ])('the order of the file decides nothing: * stands %s', async (_where, last) => {
    const any = { '*': { image: `${registry}/team/{app}` } };
    const other = { 'a-*': { image: `${registry}/a/{app}`, workload: 'b-{app}' } };
    given({ apps: last ? { ...other, ...any } : { ...any, ...other } });
    await expect(deploy('b-a-x')).rejects.toMatchObject({ code: 'OTHER_NAME' });
    await expect(deploy('a-x')).rejects.toMatchObject({ code: 'OTHER_NAME' });
  });

  test('locks take patterns of environments, and all of them; the policy is asked for just those', async () => {
    given({ policy: [{ name: 'previews', environments: ['preview-*'] }] });
    const lock = (env: string) => desk.done('lock', { app: 'hello', env, reason: 'a test of many' });
    expect((await lock('preview-*')).state).toBe('finished');
    expect(await desk.done('deploy', { app: 'hello', env: 'preview-1', tag: 'v1' }, ben)).toMatchObject({
      fault: { code: 'LOCKED' },
    });
    await expect(lock('*')).rejects.toMatchObject({ code: 'POLICY_DENIED' });
    await expect(lock('nowhere-*')).rejects.toMatchObject({ code: 'UNKNOWN_ENVIRONMENT' });
  });

  test('a limit of changes is that of all environments of the pattern together', async () => {
    const preview = { namespace: '{env}', rateLimit: { changes: 1, minutes: 60 } };
    given({ environments: { ...testSettings.environments, 'preview-*': preview } });
    expect((await deploy('hello', { tag: 'v1' }, 'preview-1')).state).toBe('finished');
    expect(await deploy('hello', { tag: 'v1' }, 'preview-2')).toMatchObject({ fault: { code: 'TOO_MANY_CHANGES' } });
  });

  test('history without an environment knows what was done in those of patterns', async () => {
    await deploy('hello', { tag: 'v1' }, 'preview-1');
    const { report } = await desk.done('history', { app: 'hello' });
    expect(JSON.stringify(report)).toContain('preview-1');
  });
});

test('where another run is under way, that nothing would change is said only when it is over', async () => {
  await deploy('hello');
  const goOn = world.hold();
  const first = await desk.ask('deploy', { app: 'hello', env: 'staging', tag: 'v2' });
  const working = desk.lap(first);
  await expect.poll(async () => (await desk.run(first)).startedAt).toBeDefined();
  // As the cluster has it while the first is under way.
  const second = await desk.ask('deploy', { app: 'hello', env: 'staging', tag: 'v2' }, ben);
  expect(await desk.lap(second)).toMatchObject({ state: 'queued' });
  goOn();
  await working;
  const [end] = await desk.settle([second]);
  expect(end).toMatchObject({ state: 'finished', report: { kind: 'unchanged' } });
});

test('a lock of everything everywhere is the stop, which is a right of its own', async () => {
  given({ policy: [{ name: 'lockers', operations: ['lock', 'unlock'] }] });
  const lock = { app: '*', env: '*', reason: 'all of it, at once' };
  expect(await desk.done('lock', lock)).toMatchObject({
    fault: { code: 'BAD_INPUT', message: expect.stringContaining('/ship stop') },
  });
  expect(await desk.done('unlock', { app: '*', env: '*' })).toMatchObject({ fault: { code: 'BAD_INPUT' } });
  await expect(desk.done('stop', { reason: 'all of it, at once' })).rejects.toMatchObject({ code: 'POLICY_DENIED' });
});
