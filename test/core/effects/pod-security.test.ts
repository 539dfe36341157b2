import { describe, expect, test } from 'vitest';
import { beyond } from '../../../src/core/effects/pod-security.ts';
import type { JsonObject } from '../../../src/core/json.ts';
import {
  changed,
  container,
  hostPath,
  mount,
  mounts,
  object,
  pods,
  privileged,
  type Spec,
  secured,
  workload,
} from '../../support/pod-objects.ts';

/** What counts as new in pods that went beyond their level before. */

const mounting = (path: string, more: Spec = {}) =>
  pods({ volumeMounts: [mount(more)] }, { volumes: [hostPath(path)] });
const probe = (host: string) => pods({ livenessProbe: { httpGet: { host, port: 80 } } });
const port = (hostPort: number | null, more: Spec = {}) => pods({ ports: [{ containerPort: 80, hostPort, ...more }] });
const sysctl = (...names: string[]) =>
  pods({}, { securityContext: { sysctls: names.map((name) => ({ name, value: '1' })) } });
const adding = (...add: string[]) => secured({ capabilities: { add } });
const two = (first: Spec, second: Spec, pod: Spec = {}) =>
  workload({ ...pod, containers: [container(first, 'a'), container(second, 'b')] });
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
