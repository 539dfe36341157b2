import { at, type JsonObject, text } from '../json.ts';
import { labelsOf } from '../label-selector.ts';
import { type Checks, context, flag, isApart, list, others, profiles, strings } from './pod-check.ts';
import type { Part } from './pod-parts.ts';
import { volumesOf } from './pod-specs.ts';

/**
 * What Kubernetes' Pod Security Standards forbid, check by check, as published:
 * https://kubernetes.io/docs/concepts/security/pod-security-standards/
 * The API server itself says so only of pods, and only in namespaces that are labelled for it; a test holds this table against it.
 */

const capabilities = [
  'AUDIT_WRITE',
  'CHOWN',
  'DAC_OVERRIDE',
  'FOWNER',
  'FSETID',
  'KILL',
  'MKNOD',
  'NET_BIND_SERVICE',
  'SETFCAP',
  'SETGID',
  'SETPCAP',
  'SETUID',
  'SYS_CHROOT',
];
const sysctls = [
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.ip_local_reserved_ports',
  'net.ipv4.ip_unprivileged_port_start',
  'net.ipv4.ping_group_range',
  'net.ipv4.tcp_fin_timeout',
  'net.ipv4.tcp_keepalive_intvl',
  'net.ipv4.tcp_keepalive_probes',
  'net.ipv4.tcp_keepalive_time',
  'net.ipv4.tcp_rmem',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.tcp_wmem',
];
const selinuxTypes = ['', 'container_t', 'container_init_t', 'container_kvm_t', 'container_engine_t'];

/** Handlers that the kubelet carries out: a host in one makes it ask whom the pod likes. */
export const handlers: readonly (readonly string[])[] = [
  ...['livenessProbe', 'readinessProbe', 'startupProbe'].map((name) => [name]),
  ...['postStart', 'preStop'].map((name) => ['lifecycle', name]),
];

const hostsAsked = ({ own }: Part): string[] =>
  handlers
    .flatMap((path) => ['httpGet', 'tcpSocket'].map((kind) => text(at(own, ...path, kind, 'host'))))
    .filter((host) => host !== '');

/** What baseline forbids of pods and containers alike. */
export const baselinePart: Checks = {
  hostProcess: {
    find: (part) => flag(context(part, 'windowsOptions', 'hostProcess') === true),
    say: () => 'runs as a Windows HostProcess',
  },
  privileged: { find: (part) => flag(context(part, 'privileged') === true), say: () => 'is privileged' },
  capabilities: {
    find: (part) => strings(context(part, 'capabilities', 'add')).filter((name) => !capabilities.includes(name)),
    say: (names) => `adds the capabilities ${names.join(', ')}`,
  },
  hostPorts: {
    find: ({ own }) =>
      list(own.ports).flatMap(({ hostPort = null, hostIP, protocol }) =>
        hostPort === null || hostPort === 0
          ? []
          : [`${hostPort}/${text(protocol) || 'TCP'}${text(hostIP) ? `@${text(hostIP)}` : ''}`],
      ),
    say: (ports) => `takes ports of the node (${ports.join(', ')})`,
  },
  hostProbes: { find: hostsAsked, say: (hosts) => `names a host in a probe or hook (${hosts.join(', ')})` },
  appArmor: {
    find: (part) => others(context(part, 'appArmorProfile', 'type'), profiles),
    say: () => 'turns AppArmor off',
  },
  selinux: {
    find: (part) => [
      ...others(context(part, 'seLinuxOptions', 'type'), selinuxTypes).map((type) => `type ${type}`),
      ...['user', 'role'].flatMap((field) =>
        text(context(part, 'seLinuxOptions', field))
          ? [`${field} ${text(context(part, 'seLinuxOptions', field))}`]
          : [],
      ),
    ],
    say: (options) => `sets SELinux options (${options.join(', ')})`,
  },
  procMount: {
    find: (part) => (isApart(part) ? [] : others(context(part, 'procMount'), ['Default'])),
    say: () => 'has /proc unmasked',
  },
  seccomp: {
    find: (part) => others(context(part, 'seccompProfile', 'type'), profiles),
    say: () => 'turns seccomp off',
  },
};

const hostPathOf = ({ hostPath = null }: JsonObject): string[] =>
  hostPath === null ? [] : [text(at(hostPath, 'path')) || text(hostPath) || 'a path'];

/** What baseline forbids of a pod as a whole. */
export const baselinePod: Checks = {
  hostNamespaces: {
    find: ({ own }) => ['hostNetwork', 'hostPID', 'hostIPC'].filter((field) => own[field] === true),
    say: (fields) => `has ${fields.join(', ')}`,
  },
  hostPath: {
    find: ({ own }) => volumesOf(own).flatMap(hostPathOf),
    say: (paths) => `mounts ${paths.join(', ')} of the node`,
  },
  sysctls: {
    find: (part) =>
      list(context(part, 'sysctls')).flatMap(({ name, value }) =>
        sysctls.includes(text(name)) ? [] : [`${text(name)}=${text(value)}`],
      ),
    say: (names) => `sets the sysctls ${names.join(', ')}`,
  },
  appArmorAnnotations: {
    find: ({ annotations }) =>
      Object.entries(labelsOf(annotations)).flatMap(([name, value]) => {
        const about = name.startsWith('container.apparmor.security.beta.kubernetes.io/');
        return about && !/^(|runtime\/default|localhost\/.*)$/.test(value) ? [`${name}=${value}`] : [];
      }),
    say: () => 'turns AppArmor off',
  },
};

/** What a container has of its pod’s paths of the node. The standard asks this of the pod alone. */
const mounted = ({ own, volumes }: Part, writes: boolean): string[] =>
  list(own.volumeMounts).flatMap(({ name = '', readOnly, subPath, subPathExpr }) =>
    volumes
      .filter((volume) => volume.name === name && !(writes && readOnly === true))
      .flatMap(hostPathOf)
      .map((path) => [path, text(subPath), text(subPathExpr)].filter(Boolean).join('/')),
  );
export const mounts: Checks = {
  mounts: { find: (part) => mounted(part, false), say: (paths) => `mounts ${paths.join(', ')} of the node` },
  writes: { find: (part) => mounted(part, true), say: (paths) => `may write to ${paths.join(', ')} of the node` },
};
