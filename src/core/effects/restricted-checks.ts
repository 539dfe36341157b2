import {
  type Checks,
  context,
  flag,
  isApart,
  isSet,
  isWindows,
  list,
  ofPod,
  others,
  profiles,
  strings,
} from './pod-check.ts';

const volumeKinds = [
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
export const restrictedContainer: Checks = {
  procMount: { find: (part) => others(context(part, 'procMount'), ['Default']), say: () => 'has /proc unmasked' },
  escalation: {
    find: (part) => flag(context(part, 'allowPrivilegeEscalation') !== false && !isWindows(part)),
    say: () => 'may gain privileges',
  },
  nonRoot: {
    find: (part) => {
      const [own, all] = [context(part, 'runAsNonRoot'), ofPod(part, 'runAsNonRoot')];
      return flag(((own ?? all) !== true || all === false) && !isApart(part));
    },
    say: () => 'may run as root',
  },
  user: {
    find: (part) => flag((context(part, 'runAsUser') === 0 || ofPod(part, 'runAsUser') === 0) && !isApart(part)),
    say: () => 'is root',
  },
  noSeccomp: {
    find: (part) => {
      const type = context(part, 'seccompProfile', 'type') ?? ofPod(part, 'seccompProfile', 'type');
      return flag((!isSet(type) || others(type, profiles).length > 0) && !isWindows(part));
    },
    say: () => 'has no seccomp profile',
  },
  kept: {
    find: (part) => [
      ...(strings(context(part, 'capabilities', 'drop')).includes('ALL') || isWindows(part) ? [] : ['all but ALL']),
      ...strings(context(part, 'capabilities', 'add')).filter((name) => name !== 'NET_BIND_SERVICE'),
    ],
    say: () => 'keeps capabilities',
  },
};

export const restrictedPod: Checks = {
  volumes: {
    find: ({ own }) =>
      list(own.volumes).flatMap((volume) =>
        Object.keys(volume).flatMap((field) =>
          field === 'name' || volumeKinds.includes(field) || !isSet(volume[field])
            ? []
            : [`${field} ${JSON.stringify(volume[field])}`],
        ),
      ),
    say: (found) => `mounts a volume of the kind ${[...new Set(found.map((each) => each.split(' ')[0]))].join(', ')}`,
  },
};
