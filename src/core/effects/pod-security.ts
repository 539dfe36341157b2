import { at, isObject, type Json, type JsonObject, text } from '../json.ts';
import { isNamespace, refOf } from '../kube.ts';
import { labelsOf } from '../label-selector.ts';
import { containersIn, podSpecsIn } from './pod-specs.ts';

/**
 * What Kubernetes' Pod Security Standards forbid, check by check, as published:
 * https://kubernetes.io/docs/concepts/security/pod-security-standards/
 * The API server itself says so only of pods, and only in namespaces that are labelled for it; a test holds this table against it.
 */

export const podSecurityLevels = ['privileged', 'baseline', 'restricted'] as const;
export type PodSecurityLevel = (typeof podSecurityLevels)[number];

const list = (value: Json | undefined): JsonObject[] => (Array.isArray(value) ? value.filter(isObject) : []);
const strings = (value: Json | undefined): string[] => (Array.isArray(value) ? value.map(text) : []);

/** A part of a pod that has a security context: the pod itself, or one of its containers. */
type Part = { who: string; own: JsonObject };
type Check = (part: Part, spec: JsonObject) => string[];

const context = ({ own }: Part, ...path: string[]): Json | undefined => at(own, 'securityContext', ...path);
const unless = (fine: boolean, problem: string): string[] => (fine ? [] : [problem]);
const among = (value: Json | undefined, allowed: readonly string[]) =>
  value === undefined || value === null || allowed.includes(text(value));

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
const handlers = ['livenessProbe', 'readinessProbe', 'startupProbe'].map((name) => [name]);
const hooks = ['postStart', 'preStop'].map((name) => ['lifecycle', name]);

function asksHosts({ own }: Part): boolean {
  return [...handlers, ...hooks].some((path) =>
    ['httpGet', 'tcpSocket'].some((kind) => text(at(own, ...path, kind, 'host')) !== ''),
  );
}

/** What baseline forbids of pods and containers alike. */
const baselineParts: Record<string, Check> = {
  hostProcess: (part) =>
    unless(context(part, 'windowsOptions', 'hostProcess') !== true, 'runs as a Windows HostProcess'),
  privileged: (part) => unless(context(part, 'privileged') !== true, 'is privileged'),
  capabilities: (part) => {
    const more = strings(context(part, 'capabilities', 'add')).filter((name) => !capabilities.includes(name));
    return unless(more.length === 0, `adds the capabilities ${more.join(', ')}`);
  },
  hostPorts: ({ own }) =>
    unless(
      !list(own.ports).some(({ hostPort }) => hostPort !== undefined && hostPort !== 0),
      'takes ports of the node',
    ),
  hostProbes: (part) => unless(!asksHosts(part), 'names a host in a probe or hook'),
  appArmor: (part) =>
    unless(among(context(part, 'appArmorProfile', 'type'), ['RuntimeDefault', 'Localhost']), 'turns AppArmor off'),
  selinux: (part) => {
    const fine = among(context(part, 'seLinuxOptions', 'type'), selinuxTypes);
    const named = ['user', 'role'].some((field) => text(context(part, 'seLinuxOptions', field)) !== '');
    return unless(fine && !named, 'sets SELinux options');
  },
  procMount: (part) => unless(among(context(part, 'procMount'), ['Default']), 'has /proc unmasked'),
  seccomp: (part) =>
    unless(among(context(part, 'seccompProfile', 'type'), ['RuntimeDefault', 'Localhost']), 'turns seccomp off'),
};

/** What baseline forbids of a pod as a whole. */
const baselinePod: Record<string, (spec: JsonObject, annotations: Json | undefined) => string[]> = {
  hostNamespaces: (spec) =>
    ['hostNetwork', 'hostPID', 'hostIPC'].flatMap((field) => unless(spec[field] !== true, `has ${field}`)),
  hostPath: (spec) =>
    list(spec.volumes).flatMap((volume) =>
      unless(volume.hostPath === undefined, `mounts ${text(at(volume, 'hostPath', 'path')) || 'a path'} of the node`),
    ),
  sysctls: (spec) => {
    const set = list(at(spec, 'securityContext', 'sysctls')).map(({ name }) => text(name));
    const unsafe = set.filter((name) => !sysctls.includes(name));
    return unless(unsafe.length === 0, `sets the sysctls ${unsafe.join(', ')}`);
  },
  appArmorAnnotations: (_spec, annotations) =>
    Object.entries(labelsOf(annotations)).flatMap(([name, value]) => {
      const about = name.startsWith('container.apparmor.security.beta.kubernetes.io/');
      return unless(!about || /^(|runtime\/default|localhost\/.*)$/.test(value), 'turns AppArmor off');
    }),
};

const volumes = [
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'image',
  'persistentVolumeClaim',
  'projected',
  'secret',
];

/** What restricted asks of each container, where its pod does not say it for all. */
const restrictedContainer: Record<string, Check> = {
  escalation: (part) => unless(context(part, 'allowPrivilegeEscalation') === false, 'may gain privileges'),
  nonRoot: (part, spec) =>
    unless((context(part, 'runAsNonRoot') ?? at(spec, 'securityContext', 'runAsNonRoot')) === true, 'may run as root'),
  user: (part, spec) =>
    unless((context(part, 'runAsUser') ?? at(spec, 'securityContext', 'runAsUser')) !== 0, 'is root'),
  seccomp: (part, spec) => {
    const type = context(part, 'seccompProfile', 'type') ?? at(spec, 'securityContext', 'seccompProfile', 'type');
    return unless(type !== undefined && among(type, ['RuntimeDefault', 'Localhost']), 'has no seccomp profile');
  },
  capabilities: (part) => {
    const dropped = strings(context(part, 'capabilities', 'drop')).includes('ALL');
    const more = strings(context(part, 'capabilities', 'add')).filter((name) => name !== 'NET_BIND_SERVICE');
    return unless(dropped && more.length === 0, 'keeps capabilities');
  },
};

const restrictedVolumes = (spec: JsonObject): string[] =>
  list(spec.volumes).flatMap((volume) =>
    Object.keys(volume)
      .filter((field) => field !== 'name' && !volumes.includes(field))
      .map((field) => `mounts a volume of the kind ${field}`),
  );

const partsOf = (spec: JsonObject): Part[] =>
  containersIn(spec).map((own) => ({ who: `container ${text(own.name)}`, own }));

function problemsOf(spec: JsonObject, annotations: Json | undefined, level: PodSecurityLevel): string[] {
  if (level === 'privileged') return [];
  const parts = partsOf(spec);
  const run = (checks: Record<string, Check>, all: readonly Part[]) =>
    all.flatMap((part) =>
      Object.values(checks).flatMap((check) => check(part, spec).map((problem) => `${part.who} ${problem}`)),
    );
  const pod = { who: 'the pod', own: spec };
  const whole = Object.values(baselinePod).flatMap((check) => check(spec, annotations));
  const baseline = [...run(baselineParts, [pod, ...parts]), ...whole.map((problem) => `the pod ${problem}`)];
  if (level === 'baseline') return baseline;
  return [
    ...baseline,
    ...run(restrictedContainer, parts),
    ...restrictedVolumes(spec).map((problem) => `the pod ${problem}`),
  ];
}

const labelled = (object: JsonObject | undefined, name: string): string | undefined =>
  labelsOf(at(object, 'metadata', 'labels'))[`pod-security.kubernetes.io/${name}`];
const rank = (level: string | undefined) => podSecurityLevels.findIndex((each) => each === level);

/** A namespace that would be held to less than it was, or than the level. */
function loosened(before: JsonObject | undefined, after: JsonObject, level: PodSecurityLevel): string[] {
  const [was, is] = [labelled(before, 'enforce'), labelled(after, 'enforce')];
  const [old, version = 'latest'] = [labelled(before, 'enforce-version'), labelled(after, 'enforce-version')];
  const name = text(at(after, 'metadata', 'name'));
  return [
    ...unless(was === is || rank(is) >= rank(level), `the namespace ${name} would hold its pods to ${is ?? 'nothing'}`),
    ...unless(
      version === 'latest' || version === old,
      `the namespace ${name} would hold its pods to what ${version} knew`,
    ),
  ];
}

/** What in an object goes beyond a level: for pods, templates in objects of any kind, and labels of namespaces. */
export function beyond(
  { before, after }: { before?: JsonObject; after?: JsonObject },
  level: PodSecurityLevel,
): string[] {
  const all = (object: JsonObject | undefined) =>
    podSpecsIn(object).flatMap(({ spec, annotations }) => problemsOf(spec, annotations, level));
  const known = all(before);
  // What was there before is nobody's to answer for now.
  const fresh = all(after).filter((problem) => !known.includes(problem));
  const namespace = after && isNamespace(refOf(after)) ? loosened(before, after, level) : [];
  return [...new Set([...fresh, ...namespace])];
}
