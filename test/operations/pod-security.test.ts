import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { beyond } from '../../src/core/effects/pod-security.ts';
import type { JsonObject } from '../../src/core/json.ts';
import { Settings } from '../../src/core/settings.ts';
import { ben } from '../support/engine.ts';
import { freshNamespace, kubectl } from '../support/kubectl.ts';
import { type RealDesk, realDesk } from '../support/real-desk.ts';

/** Pods beyond the level of their environment, and the table that says so held against the API server's own word. */

type Spec = Record<string, unknown>;
const pod = (spec: Spec, container: Spec = {}, annotations: Record<string, string> = {}): JsonObject =>
  JSON.parse(
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'p', annotations },
      spec: { containers: [{ name: 'c', image: 'busybox', ...container }], ...spec },
    }),
  );
const secured = (securityContext: Spec, more: Spec = {}) => pod(more, { securityContext });
const good = {
  allowPrivilegeEscalation: false,
  runAsNonRoot: true,
  seccompProfile: { type: 'RuntimeDefault' },
  capabilities: { drop: ['ALL'] },
};
const volume = (source: Spec) => ({ volumes: [{ name: 'v', ...source }] });
const beta = 'container.apparmor.security.beta.kubernetes.io/c';

const pods: Record<string, JsonObject> = {
  plain: pod({}),
  'all that restricted asks': secured(good),
  'restricted, said for the pod': pod(
    { securityContext: { runAsNonRoot: true, seccompProfile: { type: 'Localhost', localhostProfile: 'a.json' } } },
    {
      securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'], add: ['NET_BIND_SERVICE'] } },
    },
  ),
  hostNetwork: pod({ hostNetwork: true }),
  hostPID: pod({ hostPID: true }),
  hostIPC: pod({ hostIPC: true }),
  hostPath: pod(volume({ hostPath: { path: '/' } })),
  privileged: secured({ privileged: true }),
  'a privileged init container': pod({
    initContainers: [{ name: 'i', image: 'busybox', securityContext: { privileged: true } }],
  }),
  'a capability more': secured({ capabilities: { add: ['SYS_ADMIN'] } }),
  'a capability that baseline allows': secured({ capabilities: { add: ['CHOWN'] } }),
  'ALL capabilities': secured({ capabilities: { add: ['ALL'] } }),
  'a host port': pod({}, { ports: [{ containerPort: 80, hostPort: 80 }] }),
  'a port': pod({}, { ports: [{ containerPort: 80 }] }),
  'a probe of a host': pod({}, { livenessProbe: { httpGet: { host: '169.254.169.254', port: 80 } } }),
  'a hook that asks a host': pod({}, { lifecycle: { preStop: { httpGet: { host: '10.0.0.1', port: 80 } } } }),
  'a probe': pod({}, { livenessProbe: { httpGet: { port: 80 } } }),
  'AppArmor off': secured({ appArmorProfile: { type: 'Unconfined' } }),
  'AppArmor off by annotation': pod({}, {}, { [beta]: 'unconfined' }),
  'AppArmor on': secured({ appArmorProfile: { type: 'RuntimeDefault' } }),
  'SELinux type': secured({ seLinuxOptions: { type: 'spc_t' } }),
  'SELinux type of containers': secured({ seLinuxOptions: { type: 'container_t' } }),
  'SELinux user': pod({ securityContext: { seLinuxOptions: { user: 'root' } } }),
  'seccomp off': secured({ seccompProfile: { type: 'Unconfined' } }),
  'seccomp off for the pod': pod({ securityContext: { seccompProfile: { type: 'Unconfined' } } }),
  'an unsafe sysctl': pod({ securityContext: { sysctls: [{ name: 'kernel.msgmax', value: '1' }] } }),
  'a safe sysctl': pod({ securityContext: { sysctls: [{ name: 'net.ipv4.tcp_syncookies', value: '1' }] } }),
  'a newer safe sysctl': pod({ securityContext: { sysctls: [{ name: 'net.ipv4.tcp_rmem', value: '1 2 3' }] } }),
  HostProcess: pod({
    hostNetwork: true,
    securityContext: { windowsOptions: { hostProcess: true, runAsUserName: 'NT AUTHORITY\\SYSTEM' } },
  }),
  'as root': secured({ ...good, runAsUser: 0 }),
  'root for the pod': pod({ securityContext: { runAsUser: 0 } }, { securityContext: good }),
  'an NFS volume': pod(volume({ nfs: { server: 'a', path: '/' } }), { securityContext: good }),
  'an emptyDir': pod(volume({ emptyDir: {} }), { securityContext: good }),
  'no path of the node': pod(volume({ hostPath: null, emptyDir: {} })),
  'no port of the node': pod({}, { ports: [{ containerPort: 80, hostPort: null }] }),
  'a probe of itself, named': pod({}, { livenessProbe: { tcpSocket: { host: '127.0.0.1', port: 80 } } }),
  'a probe of no host': pod({}, { livenessProbe: { httpGet: { host: null, port: 80 } } }),
  'no NFS volume': pod(volume({ nfs: null, emptyDir: {} }), { securityContext: good }),
  'nothing said of seccomp': secured({ ...good, seccompProfile: null }),
  'nothing said of seccomp, but by the pod': pod(
    { securityContext: { seccompProfile: good.seccompProfile } },
    { securityContext: { ...good, seccompProfile: null } },
  ),
  'a Windows pod': pod({ os: { name: 'windows' } }, { securityContext: { runAsNonRoot: true } }),
  'a Windows pod that may be an administrator': pod({ os: { name: 'windows' } }),
  'a Windows HostProcess': pod(
    {
      os: { name: 'windows' },
      hostNetwork: true,
      securityContext: { windowsOptions: { hostProcess: true, runAsUserName: 'NT AUTHORITY\\SYSTEM' } },
    },
    { securityContext: { runAsNonRoot: true } },
  ),
  'a Linux pod that says so': pod({ os: { name: 'linux' } }, { securityContext: { runAsNonRoot: true } }),
  'root for the pod, not for its container': pod(
    { securityContext: { runAsUser: 0 } },
    { securityContext: { ...good, runAsUser: 9 } },
  ),
  'any user for the pod, not for its container': pod(
    { securityContext: { runAsNonRoot: false } },
    { securityContext: good },
  ),
  'root in its own user namespace': pod(
    { hostUsers: false },
    { securityContext: { ...good, runAsNonRoot: false, runAsUser: 0 } },
  ),
  '/proc unmasked in its own user namespace': pod(
    { hostUsers: false },
    { securityContext: { ...good, procMount: 'Unmasked' } },
  ),
  'an image volume': pod(volume({ image: { reference: 'busybox' } }), { securityContext: good }),
};

let desk: RealDesk;
let ns = '';
const labelled: Record<string, string> = {};
beforeAll(async () => {
  desk = await realDesk();
  ns = desk.namespaces.staging;
  for (const level of ['baseline', 'restricted']) {
    labelled[level] = await freshNamespace(level);
    await kubectl(['label', 'namespace', labelled[level], `pod-security.kubernetes.io/enforce=${level}`]);
  }
});
afterAll(async () => {
  await kubectl(['delete', 'namespace', ...Object.values(labelled), '--wait=false']);
  await desk.end();
});

describe.each(['baseline', 'restricted'] as const)('%s', (level) => {
  test.each(Object.entries(pods))('%s is judged as the API server judges it', async (_name, object) => {
    const said = await kubectl(
      ['create', '--dry-run=server', '-n', labelled[level] ?? '', '-f', '-'],
      JSON.stringify(object),
    ).then(
      () => '',
      ({ message }: Error) => message,
    );
    if (said !== '') expect(said, 'it is refused for that alone').toContain('violates PodSecurity');
    expect(beyond({ after: object }, level).length > 0, said).toBe(said !== '');
  });
});

const job = (spec: Spec, name = 'beyond') => {
  const containers = [{ name: 'c', image: '127.0.0.1:1/none:1' }];
  const template = { spec: { restartPolicy: 'Never', containers, ...spec } };
  return JSON.stringify({
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata: { name },
    spec: { schedule: '0 3 1 1 *', jobTemplate: { spec: { template } } },
  });
};

test('pods of the node’s own are refused by whatever they come, and nothing is there', async () => {
  for (const spec of [volume({ hostPath: { path: '/' } }), { hostPID: true }, { hostNetwork: true }])
    expect(await desk.done('apply', { env: 'staging', manifest: job(spec) })).toMatchObject({
      state: 'denied',
      fault: { code: 'POD_SECURITY', message: expect.stringContaining('level “baseline”') },
    });
  expect(await kubectl(['get', 'cronjobs', '-n', ns, '-o', 'name'])).toBe('');
});

test('a rule that is about such lets them through with its approvals', async () => {
  const settings = desk.engine.settings();
  const rule = {
    name: 'agents',
    operations: ['apply'],
    beyondPodSecurity: true,
    approvals: 1,
    approvers: ['engineers'],
  };
  desk.engine.settings = () => Settings.parse({ ...settings, policy: [rule, ...settings.policy] });
  const { id, plan, verdict } = await desk.done('apply', { env: 'staging', manifest: job({ hostPID: true }) });
  expect([verdict?.rule, plan?.warnings]).toEqual([
    'agents',
    ['Beyond Pod Security: CronJob/beyond: the pod has hostPID.'],
  ]);
  expect(
    await desk.done('apply', { env: 'staging', manifest: job({}, 'plain') }),
    'others it does not concern',
  ).toMatchObject({
    plan: { summary: expect.stringContaining('1 new') },
    verdict: { kind: 'allow' },
  });
  await desk.approve(id, ben);
  await desk.lap(id);
  expect(await kubectl(['get', 'cronjobs', '-n', ns, '-o', 'name'])).toContain('beyond');
  desk.engine.settings = () => settings;
});

test('labels of a new namespace do not loosen what it is held to', async () => {
  const name = `loose-${process.pid}`;
  const create = (...labels: string[]) => desk.done('namespace-create', { name, env: 'staging', labels });
  expect(await create('pod-security.kubernetes.io/enforce=privileged')).toMatchObject({
    state: 'denied',
    fault: { code: 'POD_SECURITY', message: expect.stringContaining('would hold its pods to privileged') },
  });
  const enforce = 'pod-security.kubernetes.io/enforce';
  const settings = desk.engine.settings();
  const namespaceTemplate = { labels: { [enforce]: 'restricted', team: 'shop' } };
  desk.engine.settings = () => Settings.parse({ ...settings, namespaceTemplate });
  for (const label of [`${enforce}=privileged`, `${enforce}=baseline`, `${enforce}-version=v1.0`, 'team=other'])
    expect(await create(label), label).toMatchObject({
      fault: { code: 'BAD_INPUT', message: expect.stringContaining(`The label ${label.split('=')[0]} is not yours`) },
    });
  expect(await kubectl(['get', 'namespace', name, '--ignore-not-found'])).toBe('');
  expect(await create('tier=web', 'team=shop')).toMatchObject({ state: 'finished' });
  expect(await kubectl(['get', 'namespace', name, '-o', 'jsonpath={.metadata.labels}'])).toContain('"restricted"');
  await kubectl(['delete', 'namespace', name, '--wait=false']);
  desk.engine.settings = () => settings;
});
