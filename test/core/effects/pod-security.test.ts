import { describe, expect, test } from 'vitest';
import { beyond, type PodSecurityLevel } from '../../../src/core/effects/pod-security.ts';
import { imagesIn } from '../../../src/core/effects/pod-specs.ts';
import { JsonObject } from '../../../src/core/json.ts';

/** What counts as new in pods that go beyond their level, and pods wherever they stand. */

type Spec = Record<string, unknown>;
const object = (spec: Spec, kind = 'DaemonSet', apiVersion = 'apps/v1'): JsonObject =>
  JsonObject.parse({ apiVersion, kind, metadata: { name: 'agent' }, spec });
const container = (more: Spec = {}, name = 'c'): Spec => ({ name, image: 'agent:1', ...more });
const workload = (pod: Spec, more: Spec = {}) =>
  object({ replicas: 1, ...more, template: { metadata: { labels: { app: 'agent' } }, spec: pod } });
const pods = (more: Spec = {}, pod: Spec = {}) => workload({ containers: [container(more)], ...pod });
const secured = (securityContext: Spec, more: Spec = {}) => pods({ securityContext, ...more });
const changed = (before: JsonObject, after: JsonObject, level: PodSecurityLevel = 'baseline') =>
  beyond({ before, after }, level);

const hostPath = (path: string, name = 'v') => ({ name, hostPath: { path } });
const mount = (more: Spec = {}) => ({ name: 'v', mountPath: '/v', ...more });
const mounting = (path: string, more: Spec = {}) =>
  pods({ volumeMounts: [mount(more)] }, { volumes: [hostPath(path)] });
const probe = (host: string) => pods({ livenessProbe: { httpGet: { host, port: 80 } } });
const port = (hostPort: number | null, more: Spec = {}) => pods({ ports: [{ containerPort: 80, hostPort, ...more }] });
const sysctl = (...names: string[]) =>
  pods({}, { securityContext: { sysctls: names.map((name) => ({ name, value: '1' })) } });
const privileged = { privileged: true };
const adding = (...add: string[]) => secured({ capabilities: { add } });
const two = (first: Spec, second: Spec, pod: Spec = {}) =>
  workload({ ...pod, containers: [container(first, 'a'), container(second, 'b')] });
const mounts = { volumeMounts: [mount()] };
const onNode = { volumes: [hostPath('/var/log')] };
const env = (...names: string[]) => names.map((name) => ({ name, value: 'x' }));

describe('of what was beyond the level before, new is', () => {
  test.each<[string, JsonObject, JsonObject, string]>([
    ['another image', secured(privileged), secured(privileged, { image: 'evil' }), 'changes what it runs (image)'],
    ['a command', secured(privileged), secured(privileged, { command: ['sh'] }), '(command) and is privileged'],
    ['arguments', secured(privileged, { args: ['a'] }), secured(privileged), '(args)'],
    ['a variable', secured(privileged), secured(privileged, { env: env('LD_PRELOAD') }), '(env)'],
    ['a source of variables', secured(privileged), secured(privileged, { envFrom: [{ prefix: 'A' }] }), '(envFrom)'],
    ['a mount', secured(privileged), secured(privileged, mounts), '(volumeMounts)'],
    [
      'what a mount leads to',
      pods({ securityContext: privileged, ...mounts }, { volumes: [{ name: 'v', configMap: { name: 'a' } }] }),
      pods({ securityContext: privileged, ...mounts }, { volumes: [{ name: 'v', configMap: { name: 'b' } }] }),
      '(volumeMounts)',
    ],
    [
      'a probe that runs something',
      secured(privileged),
      secured(privileged, { livenessProbe: { exec: { command: ['sh'] } } }),
      '(livenessProbe)',
    ],
    [
      'an image in the network of the node',
      pods({}, { hostNetwork: true }),
      pods({ image: 'evil' }, { hostNetwork: true }),
      'the pod has hostNetwork',
    ],
    [
      'a container with the processes of the node',
      pods({}, { hostPID: true }),
      two({}, {}, { hostPID: true }),
      'container b changes what it runs',
    ],
    [
      'an image that sees a privileged container’s processes',
      two({ securityContext: privileged }, {}, { shareProcessNamespace: true }),
      two({ securityContext: privileged }, { image: 'evil' }, { shareProcessNamespace: true }),
      'container b changes what it runs (image) and container a is privileged',
    ],
    [
      'root',
      secured({ ...privileged, runAsUser: 9, runAsNonRoot: true }),
      secured({ ...privileged, runAsUser: 0 }),
      'container c is root',
    ],
    ['another port', port(8080), port(22), 'takes ports of the node (22/TCP)'],
    ['a port at all addresses', port(80, { hostIP: '127.0.0.1' }), port(80), 'takes ports of the node'],
    [
      'another SELinux type',
      secured({ seLinuxOptions: { type: 'foo' } }),
      secured({ seLinuxOptions: { type: 'spc_t' } }),
      'type spc_t',
    ],
    ['another host in a probe', probe('127.0.0.1'), probe('169.254.169.254'), '169.254.169.254'],
    ['another sysctl', sysctl('kernel.msgmax'), sysctl('kernel.sem'), 'kernel.sem=1'],
    ['another capability', adding('NET_ADMIN'), adding('NET_ADMIN', 'SYS_ADMIN'), 'adds the capabilities SYS_ADMIN'],
    ['another path', mounting('/var/log'), mounting('/'), 'mounts / of the node'],
    ['a longer path with the same beginning', mounting('/var/log'), mounting('/var/log2'), 'mounts /var/log2'],
    ['writing to a path', mounting('/etc', { readOnly: true }), mounting('/etc'), 'may write to /etc of the node'],
    [
      'a path in another container',
      two(mounts, {}, onNode),
      two(mounts, mounts, onNode),
      'container b mounts /var/log',
    ],
    ['another place for a path', mounting('/etc'), mounting('/etc', { mountPath: '/usr' }), '(volumeMounts)'],
    [
      'the same in another container',
      two({ securityContext: privileged }, {}),
      two({ securityContext: privileged }, { securityContext: privileged }),
      'container b is privileged',
    ],
  ])('%s', (_name, before, after, words) => {
    const found = changed(before, after);
    expect(found.join('; ')).toContain(words);
    expect(changed(after, after), 'as it is, it is known').toEqual([]);
  });

  test('the same in another template, though its container is called the same', () => {
    const of = (...specs: Spec[]) =>
      object({ jobs: specs.map((spec, n) => ({ name: `job${n}`, template: { spec } })) }, 'JobSet', 'x/v1');
    const bad = { containers: [container({ securityContext: privileged })] };
    expect(changed(of(bad), of(bad, bad))).toEqual(['container c is privileged']);
    expect(changed(of(bad), of(bad, { containers: [container()] }))).toEqual([]);
  });
});

describe('of what was beyond the level before, nothing is new in', () => {
  const full = {
    securityContext: privileged,
    env: env('A', 'B'),
    volumeMounts: [mount(), mount({ name: 'w', mountPath: '/w' })],
    readinessProbe: { httpGet: { port: 80 } },
  };
  test.each<[string, JsonObject, JsonObject]>([
    [
      'scaling',
      workload({ containers: [container(full)] }),
      workload({ containers: [container(full)] }, { replicas: 9 }),
    ],
    [
      'labels',
      pods(full),
      object({
        replicas: 1,
        template: { metadata: { labels: { app: 'b' } }, spec: { containers: [container(full)] } },
      }),
    ],
    ['resources', pods(full), pods({ ...full, resources: { limits: { cpu: '1' } } })],
    ['probes', pods(full), pods({ ...full, readinessProbe: { httpGet: { port: 81 } } })],
    ['other variables’ order, and fewer', pods(full), pods({ ...full, env: env('B') })],
    ['another order of mounts', pods(full), pods({ ...full, volumeMounts: full.volumeMounts.toReversed() })],
    ['a mount to read only', pods(full), pods({ ...full, volumeMounts: [mount({ readOnly: true })] })],
    ['fewer capabilities', adding('NET_ADMIN', 'SYS_ADMIN'), adding('NET_ADMIN')],
    ['another order of capabilities', adding('NET_ADMIN', 'SYS_ADMIN'), adding('SYS_ADMIN', 'NET_ADMIN')],
    ['one capability instead of ALL', adding('ALL'), adding('NET_ADMIN')],
    ['one capability instead of all that privileged has', secured(privileged), adding('NET_ADMIN')],
    ['no longer privileged, with another image', secured(privileged), pods({ image: 'other' })],
    ['a sysctl fewer', sysctl('kernel.msgmax', 'kernel.sem'), sysctl('kernel.sem')],
    ['a path within the one before', mounting('/var'), mounting('/var/log')],
    ['a path to read only', mounting('/var'), mounting('/var', { readOnly: true })],
    ['a port at one address only', port(80), port(80, { hostIP: '127.0.0.1' })],
    [
      'another order of containers',
      two({ securityContext: privileged }, {}),
      workload({ containers: [container({}, 'b'), container({ securityContext: privileged }, 'a')] }),
    ],
    [
      'a container beside a privileged one',
      two({ securityContext: privileged }, {}),
      two({ securityContext: privileged }, { image: 'other' }),
    ],
    ['a container that does not mount the path', two(mounts, {}, onNode), two(mounts, { image: 'other' }, onNode)],
    [
      'held back more',
      secured({ ...privileged, runAsUser: 0 }),
      secured({ ...privileged, runAsUser: 9, runAsNonRoot: true }),
    ],
  ])('%s', (_name, before, after) => {
    expect(changed(before, after)).toEqual([]);
  });

  test('a Job that is made from a CronJob', () => {
    const template = { spec: { hostNetwork: true, containers: [container()] } };
    const cron = object({ jobTemplate: { spec: { template } } }, 'CronJob', 'batch/v1');
    const job = (spec: Spec) => object({ template: { spec: { ...template.spec, ...spec } } }, 'Job', 'batch/v1');
    expect(changed(cron, job({}))).toEqual([]);
    expect(changed(cron, job({ hostPID: true }))).toEqual(['the pod has hostPID']);
    expect(changed(cron, job({ containers: [container({ args: ['x'] })] })).join()).toContain('(args)');
  });
});

test('under restricted, what was asked of nobody before may stay, and what runs with it may not change', () => {
  expect(changed(pods(), workload({ containers: [container()] }, { replicas: 3 }), 'restricted')).toEqual([]);
  expect(changed(pods(), pods({ image: 'other' }), 'restricted').join()).toContain('changes what it runs (image)');
  expect(changed(pods(), pods({ image: 'other' }))).toEqual([]);
});

const workflow = (spec: Spec) => object(spec, 'Workflow', 'argoproj.io/v1alpha1');
const one = (template: Spec) => workflow({ templates: [{ name: 'main', ...template }] });
const taskRun = (spec: Spec) => object(spec, 'TaskRun', 'tekton.dev/v1');
const collector = (spec: Spec) => object(spec, 'OpenTelemetryCollector', 'opentelemetry.io/v1beta1');
const elastic = (pod: Spec) =>
  object({ nodeSets: [{ name: 'a', podTemplate: { spec: pod } }] }, 'Elasticsearch', 'elasticsearch.k8s.elastic.co/v1');
const release = (values: Spec) => object({ values }, 'HelmRelease', 'helm.toolkit.fluxcd.io/v2');
const bad = container({ securityContext: privileged });

describe('a pod is seen in', () => {
  test.each<[string, JsonObject, string]>([
    ['an Argo Workflow’s container', one({ container: bad }), 'is privileged'],
    ['its script', one({ script: { image: 'a', source: 'id', securityContext: privileged } }), 'is privileged'],
    ['its sidecars', one({ container: container(), sidecars: [bad] }), 'is privileged'],
    ['its init containers', one({ container: container(), initContainers: [bad] }), 'is privileged'],
    ['its ports', one({ container: container({ ports: [{ hostPort: 22 }] }) }), '22/TCP'],
    ['its volumes', workflow({ volumes: [hostPath('/')], templates: [] }), 'spec mounts / of the node'],
    ['its network', workflow({ hostNetwork: true, templates: [] }), 'spec has hostNetwork'],
    ['a CronWorkflow', object({ workflowSpec: { hostPID: true } }, 'CronWorkflow', 'argoproj.io/v1alpha1'), 'hostPID'],
    ['a TaskRun’s steps', taskRun({ taskSpec: { steps: [bad] } }), 'container c is privileged'],
    ['its pod template', taskRun({ podTemplate: { hostNetwork: true } }), 'spec.podTemplate has hostNetwork'],
    ['its step template', taskRun({ taskSpec: { stepTemplate: { securityContext: privileged } } }), 'is privileged'],
    ['an Elasticsearch’s init containers', elastic({ initContainers: [bad] }), 'container c is privileged'],
    ['a collector’s network', collector({ hostNetwork: true }), 'hostNetwork'],
    ['its volumes', collector({ volumes: [hostPath('/')] }), 'mounts / of the node'],
    ['its security context', collector({ securityContext: privileged }), 'is privileged'],
    [
      'another security context',
      collector({ podSecurityContext: { sysctls: [{ name: 'kernel.sem' }] } }),
      'kernel.sem',
    ],
    [
      'values of a chart',
      release({ agent: { securityContext: { capabilities: { add: ['SYS_ADMIN'] } } } }),
      'SYS_ADMIN',
    ],
    ['other values of a chart', release({ extraVolumes: [hostPath('/etc')] }), 'mounts /etc'],
  ])('%s', (_name, after, words) => {
    expect(beyond({ after }, 'baseline').join()).toContain(words);
    expect(beyond({ after }, 'restricted').join()).toContain(words);
    expect(changed(after, after, 'restricted')).toEqual([]);
  });

  test.each<[string, JsonObject, JsonObject]>([
    [
      'an Argo Workflow in the node’s network',
      workflow({ hostNetwork: true, templates: [{ name: 'a', container: container() }] }),
      workflow({ hostNetwork: true, templates: [{ name: 'a', container: container({ args: ['x'] }) }] }),
    ],
    [
      'a TaskRun in the node’s network',
      taskRun({ podTemplate: { hostNetwork: true }, taskSpec: { steps: [container()] } }),
      taskRun({ podTemplate: { hostNetwork: true }, taskSpec: { steps: [container({ script: 'x' })] } }),
    ],
    [
      'a collector with a path of the node',
      collector({ volumes: [hostPath('/')], image: 'a' }),
      collector({ volumes: [hostPath('/')], image: 'b' }),
    ],
    [
      'a path newly mounted into a step',
      workflow({ volumes: [hostPath('/')], templates: [{ name: 'a', container: container() }] }),
      workflow({ volumes: [hostPath('/')], templates: [{ name: 'a', container: container(mounts) }] }),
    ],
  ])('what runs is looked at in %s', (_name, before, after) => {
    expect(changed(before, after)).not.toEqual([]);
  });

  test('a template that is put before others makes none of them new', () => {
    const old = { name: 'old', container: bad };
    expect(
      changed(workflow({ templates: [old] }), workflow({ templates: [{ name: 'new', container: container() }, old] })),
    ).toEqual([]);
  });
});

const schema = (properties: Spec) => ({
  type: 'object',
  default: { securityContext: privileged, hostNetwork: true },
  properties,
});
const definition = object(
  {
    versions: [
      {
        name: 'v1',
        schema: {
          openAPIV3Schema: schema({
            hostNetwork: { type: 'boolean', default: true },
            containers: { type: 'array', items: schema({ image: { type: 'string' } }) },
            volumes: { type: 'array', items: schema({ hostPath: schema({ path: { type: 'string' } }) }) },
            securityContext: schema({
              privileged: { type: 'boolean' },
              seccompProfile: schema({ type: { type: 'string' } }),
            }),
          }),
        },
      },
    ],
  },
  'CustomResourceDefinition',
  'apiextensions.k8s.io/v1',
);
const kyverno = object(
  {
    rules: [
      {
        validate: {
          pattern: { spec: { securityContext: { seccompProfile: { type: 'RuntimeDefault | Localhost' } } } },
        },
      },
    ],
  },
  'ClusterPolicy',
  'kyverno.io/v1',
);

test.each<[string, JsonObject]>([
  ['a definition of a kind', definition],
  ['a policy’s pattern', kyverno],
  [
    'a ConfigMap',
    JsonObject.parse({
      kind: 'ConfigMap',
      apiVersion: 'v1',
      data: { 'pod.yaml': 'hostNetwork: true', hostPID: 'true' },
    }),
  ],
  [
    'a Service',
    object({ ports: [{ port: 80, nodePort: 30_080 }], selector: { hostNetwork: 'true' } }, 'Service', 'v1'),
  ],
  [
    'a chart’s usual values',
    release({
      hostNetwork: false,
      securityContext: {},
      podSecurityContext: { fsGroup: 9 },
      extraVolumes: [],
      image: { tag: '1' },
    }),
  ],
  ['an Elasticsearch’s good init containers', elastic({ initContainers: [container()] })],
  [
    'a collector',
    collector({ image: 'a', securityContext: { runAsUser: 0 }, volumes: [{ name: 'v', nfs: { server: 'a' } }] }),
  ],
  ['a workflow', one({ container: container(), steps: [[{ name: 'a', template: 'b' }]] })],
])('%s is no false alarm, not under restricted either', (_name, after) => {
  expect([...beyond({ after }, 'baseline'), ...beyond({ after }, 'restricted')]).toEqual([]);
});

test('images are found wherever pods are', () => {
  const named = (image: string) => ({ name: image, image });
  expect(imagesIn(one({ container: named('a'), script: named('b'), sidecars: [named('c')] })).sort()).toEqual([
    'a',
    'b',
    'c',
  ]);
  expect(imagesIn(taskRun({ taskSpec: { steps: [named('a')], sidecars: [named('b')] } })).sort()).toEqual(['a', 'b']);
  expect(imagesIn(elastic({ initContainers: [named('a')] }))).toEqual(['a']);
  expect(imagesIn(collector({ image: 'a', hostNetwork: true }))).toEqual(['a']);
  expect(
    imagesIn(workload({ containers: [named('a')], volumes: [{ name: 'v', image: { reference: 'b' } }] })).sort(),
  ).toEqual(['a', 'b']);
  expect(imagesIn(definition)).toEqual([]);
});

test('what the API server drops says nothing', () => {
  expect(beyond({ after: port(null) }, 'baseline')).toEqual([]);
  expect(beyond({ after: pods({}, { volumes: [{ name: 'v', hostPath: null, emptyDir: {} }] }) }, 'baseline')).toEqual(
    [],
  );
  const good = { allowPrivilegeEscalation: false, runAsNonRoot: true, capabilities: { drop: ['ALL'] } };
  const profile = (type: string | null) => secured({ ...good, seccompProfile: { type } });
  expect(beyond({ after: profile('RuntimeDefault') }, 'restricted')).toEqual([]);
  expect(beyond({ after: profile(null) }, 'restricted')).toEqual(['container c has no seccomp profile']);
});

describe('a namespace', () => {
  const namespace = (labels: Record<string, string>, apiVersion = 'v1') =>
    JsonObject.parse({
      apiVersion,
      kind: 'Namespace',
      metadata: {
        name: 'shop',
        labels: Object.fromEntries(
          Object.entries(labels).map(([name, value]) => [`pod-security.kubernetes.io/${name}`, value]),
        ),
      },
    });
  const enforce = (level?: string) => namespace(level === undefined ? {} : { enforce: level });
  const version = (each: string) => namespace({ enforce: 'baseline', 'enforce-version': each });

  test.each<[string, JsonObject, JsonObject, PodSecurityLevel]>([
    ['than it was, though the level takes it', enforce('restricted'), enforce('baseline'), 'baseline'],
    ['than it was, in a privileged environment', enforce('baseline'), enforce('privileged'), 'privileged'],
    ['than it was, without the label', enforce('restricted'), enforce(), 'privileged'],
    ['than the level', enforce(), enforce('privileged'), 'baseline'],
    ['than its version knew', version('v1.30'), version('v1.20'), 'baseline'],
    ['than the latest knew', version('latest'), version('v1.20'), 'baseline'],
  ])('is not held to less %s', (_name, before, after, level) => {
    expect(changed(before, after, level).join()).toContain('the namespace shop would hold its pods to');
  });

  test.each<[string, JsonObject, JsonObject, PodSecurityLevel]>([
    ['more than before, if not to the level', enforce('privileged'), enforce('baseline'), 'restricted'],
    ['what the level asks', enforce(), enforce('baseline'), 'baseline'],
    ['as before', enforce('privileged'), enforce('privileged'), 'restricted'],
    ['a newer version', version('v1.20'), version('v1.30'), 'baseline'],
    [
      'nothing, being none of Kubernetes’ own',
      namespace({ enforce: 'restricted' }, 'servicebus.azure.com/v1'),
      namespace({}, 'servicebus.azure.com/v1'),
      'baseline',
    ],
  ])('may be held to %s', (_name, before, after, level) => {
    expect(changed(before, after, level)).toEqual([]);
  });
});
