import type { JsonObject } from '../../../src/core/json.ts';
import {
  autoscaler,
  budget,
  claim,
  configMap,
  container,
  cronJob,
  daemonSet,
  deadWebhook,
  deployment,
  job,
  type Made,
  restricted,
  service,
  statefulSet,
} from './manifests.ts';

/** What a bed has to make failures of. */
export type Ground = { staging: string; production: string; registryHost: string; busybox: string };

export type Failure = {
  /** The app's name; its objects bear it too. */
  name: string;
  env?: 'production';
  kind?: 'Job' | 'StatefulSet' | 'DaemonSet' | 'CronJob';
  objects: (made: Made, ground: Ground) => JsonObject[];
  /** What is said of it: texts whole but for what only the bed knows, in which `*` stands for anything. */
  expected: { code: string; headline: string; cause: string; command: string };
};

const probe = (path: string, more: JsonObject = {}): JsonObject => ({
  httpGet: { path, port: 8080 },
  periodSeconds: 1,
  failureThreshold: 2,
  ...more,
});

/** A Deployment of one pod, with one container that is `more` than busybox asleep. */
const one =
  (more: (ground: Ground) => JsonObject, pod: JsonObject = {}, spec: JsonObject = {}): Failure['objects'] =>
  (made, ground) => [deployment(made, { containers: [container(ground.busybox, more(ground))], ...pod }, spec)];

const web = ({ registryHost }: Ground, tag = 'v1') => ({ image: `${registryHost}/web:${tag}`, args: [] });

/** A healthy app of one pod on port 8080, with objects around it. */
const around =
  (more: (made: Made) => JsonObject[]): Failure['objects'] =>
  (made, ground) => [
    deployment(made, {
      containers: [container('', { ...web(ground), ports: [{ name: 'http', containerPort: 8080 }] })],
    }),
    ...more(made),
  ];

const images: Failure[] = [
  {
    name: 'no-image',
    expected: {
      code: 'no-image',
      headline: 'the image web:v99 does not exist (0 of 1 pods ready).',
      cause: 'The node says: *web:v99: not found.',
      command: 'set image deployment/no-image main=IMAGE:TAG',
    },
    objects: one(({ registryHost }) => ({ image: `${registryHost}/web:v99` })),
  },
  {
    name: 'no-registry',
    expected: {
      code: 'registry-away',
      headline: 'the registry 127.0.0.1:1 can’t be reached (0 of 1 pods ready).',
      cause: 'The node says: *dial tcp 127.0.0.1:1: connect: connection refused.',
      command: 'describe pod no-registry-*',
    },
    objects: one(() => ({ image: '127.0.0.1:1/web:v1' })),
  },
  {
    name: 'bad-image-name',
    expected: {
      code: 'bad-image-name',
      headline: '“Not An Image” is not an image’s name (0 of 1 pods ready).',
      cause: '*repository name (library/Not An Image) must be lowercase.',
      command: 'set image deployment/bad-image-name main=IMAGE:TAG',
    },
    objects: one(() => ({ image: 'Not An Image' })),
  },
];

const starts: Failure[] = [
  {
    name: 'crash',
    expected: {
      code: 'crash',
      headline: 'the container main starts and crashes (* of 1 pods ready).',
      cause: 'It ended with exit code 1, * restart* so far.',
      command: 'logs crash-* -c main --previous --tail=50',
    },
    objects: one((ground) => web(ground, 'v3')),
  },
  {
    name: 'ends-well',
    expected: {
      code: 'ends',
      headline: 'the container main ends although it should go on (* of 1 pods ready).',
      cause: 'Its process ended without a fault (exit code 0), * restart* so far.',
      command: 'logs ends-well-* -c main --previous --tail=50',
    },
    objects: one(() => ({ args: ['echo', 'all done'] })),
  },
  {
    name: 'oom',
    expected: {
      code: 'out-of-memory',
      headline: 'the container main runs out of memory (* of 1 pods ready).',
      cause: 'Its limit is 24Mi, and it was killed for wanting more (OOMKilled), * restart* so far.',
      command: 'set resources deployment/oom -c main --limits=memory=AMOUNT',
    },
    objects: one(() => ({
      args: ['dd', 'if=/dev/zero', 'of=/dev/null', 'bs=200M', 'count=1'],
      resources: { limits: { memory: '24Mi' } },
    })),
  },
  {
    name: 'no-command',
    expected: {
      code: 'no-command',
      headline: 'the container main has a command that is not in its image (0 of 1 pods ready).',
      cause: 'The node says: exec: "/bin/nowhere": stat /bin/nowhere: no such file or directory.',
      command: 'edit deployment/no-command',
    },
    objects: one(() => ({ command: ['/bin/nowhere'] })),
  },
  {
    name: 'no-program',
    expected: {
      code: 'exec-format',
      headline: 'its program is not one that the nodes can run (* of 1 pods ready).',
      cause: 'The node says: exec /scripts/run: exec format error.',
      command: 'logs no-program-* -c main --previous --tail=50',
    },
    objects: (made, { busybox }) => [
      configMap({ ...made, name: 'scripts' }, { run: 'this is no program' }),
      deployment(made, {
        containers: [
          container(busybox, { command: ['/scripts/run'], volumeMounts: [{ name: 'scripts', mountPath: '/scripts' }] }),
        ],
        volumes: [{ name: 'scripts', configMap: { name: 'scripts', defaultMode: 0o755 } }],
      }),
    ],
  },
  {
    name: 'bad-init',
    expected: {
      code: 'init-failed',
      headline: 'the init container migrate fails, so the pod never starts (0 of 1 pods ready).',
      cause: 'It ended with exit code 3, * restart* so far.',
      command: 'logs bad-init-* -c migrate --previous --tail=50',
    },
    objects: (made, { busybox }) => [
      deployment(made, {
        initContainers: [container(busybox, { name: 'migrate', args: ['sh', '-c', 'echo no such table; exit 3'] })],
        containers: [container(busybox)],
      }),
    ],
  },
];

const probes: Failure[] = [
  {
    name: 'unready',
    expected: {
      code: 'unready',
      headline: 'the container main runs, but its readiness probe fails (0 of 1 pods ready).',
      cause: 'The probe says: *',
      command: 'logs unready-* -c main --tail=50',
    },
    objects: one((ground) => ({ ...web(ground), readinessProbe: probe('/nowhere') })),
  },
  {
    name: 'killed',
    expected: {
      code: 'liveness',
      headline: 'the container main is killed by its liveness probe (* of 1 pods ready).',
      cause: 'The probe fails: HTTP probe failed with statuscode: 404 (* restart* so far).',
      command: 'describe pod killed-*',
    },
    objects: one((ground) => ({ ...web(ground), livenessProbe: probe('/nowhere') })),
  },
  {
    name: 'overdue',
    expected: {
      code: 'unready',
      headline: 'the container main runs, but its readiness probe fails (0 of 1 pods ready).',
      cause: 'The probe says: *',
      command: 'logs overdue-* -c main --tail=50',
    },
    objects: one(
      (ground) => ({ ...web(ground), readinessProbe: probe('/nowhere') }),
      {},
      { progressDeadlineSeconds: 3 },
    ),
  },
  {
    name: 'gated',
    expected: {
      code: 'readiness-gate',
      headline: 'its pods wait for a readiness gate (0 of 1 pods ready).',
      cause: 'The containers of gated-* are ready; the condition example.com/balancer is not (yet) true.',
      command: `get pod gated-* -o 'jsonpath={.status.conditions}'`,
    },
    objects: one(
      () => ({}),
      { readinessGates: [{ conditionType: 'example.com/balancer' }] },
      { progressDeadlineSeconds: 3 },
    ),
  },
];

const scheduling: Failure[] = [
  {
    name: 'too-much-cpu',
    expected: {
      code: 'no-room',
      headline: 'no node has enough cpu (0 of 1 pods ready).',
      cause: 'The scheduler says: 0/* nodes are available: * Insufficient cpu*',
      command: 'kubectl describe nodes',
    },
    objects: one(() => ({ resources: { requests: { cpu: '900' } } })),
  },
  {
    name: 'no-such-node',
    expected: {
      code: 'node-selector',
      headline: 'no node has the labels it wants (0 of 1 pods ready).',
      cause: `The scheduler says: 0/* nodes are available: *node(s) didn't match Pod's node affinity/selector*`,
      command: 'kubectl get nodes --show-labels',
    },
    objects: one(() => ({}), { nodeSelector: { disk: 'ssd' } }),
  },
  {
    name: 'unbound',
    expected: {
      code: 'unbound-claim',
      headline: 'the volume claim unbound gets no volume (0 of 1 pods ready).',
      cause: 'It wants the storage class fast. The cluster says: storageclass.storage.k8s.io "fast" not found.',
      command: 'describe persistentvolumeclaim unbound',
    },
    objects: (made, { busybox }) => [
      claim(made, { storageClassName: 'fast' }),
      deployment(made, {
        containers: [container(busybox)],
        volumes: [{ name: 'data', persistentVolumeClaim: { claimName: made.name } }],
      }),
    ],
  },
  {
    name: 'no-claim',
    expected: {
      code: 'no-claim',
      headline: 'the volume claim nowhere is missing (0 of 1 pods ready).',
      cause: 'The pods mount the PersistentVolumeClaim nowhere, which is not in the namespace staging-*.',
      command: 'get persistentvolumeclaims',
    },
    objects: one(() => ({}), { volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'nowhere' } }] }),
  },
];

const fromKey = (kind: 'secretKeyRef' | 'configMapKeyRef', name: string, key: string): JsonObject => ({
  env: [{ name: 'VALUE', valueFrom: { [kind]: { name, key } } }],
});

const configuration: Failure[] = [
  {
    name: 'as-root',
    expected: {
      code: 'runs-as-root',
      headline: 'its image runs as root, which the pod forbids (0 of 1 pods ready).',
      cause: 'Container has runAsNonRoot and image will run as root*',
      command: 'edit deployment/as-root',
    },
    objects: one(() => ({}), { securityContext: { runAsNonRoot: true } }),
  },
  {
    name: 'no-config',
    expected: {
      code: 'no-configmap',
      headline: 'the ConfigMap nowhere is missing (0 of 1 pods ready).',
      cause: 'The pods need it to start: configmap "nowhere" not found.',
      command: '/ship config set nowhere KEY=… in staging',
    },
    objects: one(() => ({ envFrom: [{ configMapRef: { name: 'nowhere' } }] })),
  },
  {
    name: 'no-secret',
    expected: {
      code: 'no-secret',
      headline: 'the Secret vault is missing (0 of 1 pods ready).',
      cause: 'The pods need it to start: secret "vault" not found.',
      command: 'create secret generic vault --from-literal=TOKEN=…',
    },
    objects: one(() => fromKey('secretKeyRef', 'vault', 'TOKEN')),
  },
  {
    name: 'no-key',
    expected: {
      code: 'no-key',
      headline: 'the ConfigMap settings has no key LEVLE (0 of 1 pods ready).',
      cause: `The pods need it to start: couldn't find key LEVLE in ConfigMap staging-*/settings.`,
      command: '/ship config set settings LEVLE=… in staging',
    },
    objects: (made, ground) => [
      configMap({ ...made, name: 'settings' }, { LEVEL: 'info' }),
      deployment(made, { containers: [container(ground.busybox, fromKey('configMapKeyRef', 'settings', 'LEVLE'))] }),
    ],
  },
  {
    name: 'no-mount',
    expected: {
      code: 'no-secret',
      headline: 'the Secret certificate is missing (0 of 1 pods ready).',
      cause: 'The pods need it to start: MountVolume.SetUp failed for volume "tls" : secret "certificate" not found.',
      command: 'create secret generic certificate --from-literal=KEY=…',
    },
    objects: one(() => ({ volumeMounts: [{ name: 'tls', mountPath: '/tls' }] }), {
      volumes: [{ name: 'tls', secret: { secretName: 'certificate' } }],
    }),
  },
  {
    name: 'no-account',
    expected: {
      code: 'service-account',
      headline: 'the service account robot is missing (0 of 1 pods ready).',
      cause: 'The pods are to run as robot, which is not in the namespace staging-*, so none is made.',
      command: 'create serviceaccount robot',
    },
    objects: one(() => ({}), { serviceAccountName: 'robot' }),
  },
];

const refused: Failure[] = [
  {
    name: 'hooked',
    expected: {
      code: 'webhook-away',
      headline: 'the admission webhook pods.example.com does not answer (0 of 1 pods ready).',
      cause: '*connection refused*',
      command: 'kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations',
    },
    objects: (made, { busybox }) => [deadWebhook(made), deployment(made, { containers: [container(busybox)] })],
  },
  {
    name: 'over-quota',
    expected: {
      code: 'quota',
      headline: 'the namespace’s quota is used up (0 of 1 pods ready).',
      cause: 'The quota small allows pods=0, of which pods=0 is used; one more pod needs pods=1.',
      command: 'describe resourcequota small',
    },
    env: 'production',
    objects: (made, { busybox }) => [
      deployment(made, { ...restricted.pod, containers: [container(busybox, restricted.container)] }),
    ],
  },
  {
    name: 'insecure',
    expected: {
      code: 'pod-security',
      headline: 'the namespace’s Pod Security (restricted) refuses its pods (0 of 1 pods ready).',
      cause: 'Privileged (container "main" must not set securityContext.privileged=true)*',
      command: 'edit deployment/insecure',
    },
    env: 'production',
    objects: one(() => ({ securityContext: { privileged: true } })),
  },
];

const traffic: Failure[] = [
  {
    name: 'wrong-selector',
    expected: {
      code: 'service-selector',
      headline: 'the Service wrong-selector finds no pods (1 of 1 pods ready).',
      cause: 'It selects app=wrong-selektor; the pods bear app=wrong-selector.',
      command: `patch service/wrong-selector -p '{"spec":{"selector":{"app":"wrong-selector"}}}'`,
    },
    objects: around((made) => [service(made, { app: 'wrong-selektor' }, 8080)]),
  },
  {
    name: 'wrong-port',
    expected: {
      code: 'service-port',
      headline: 'the Service wrong-port sends to a port that the pods don’t have (1 of 1 pods ready).',
      cause: 'Its port 80 goes to 9090; the containers’ ports: 8080 (http).',
      command: `patch service/wrong-port --type=json -p '[{"op":"replace","path":"/spec/ports/0/targetPort","value":"http"}]'`,
    },
    objects: around((made) => [service(made, { app: made.name }, 9090)]),
  },
  {
    name: 'wrong-port-name',
    expected: {
      code: 'service-port',
      headline: 'the Service wrong-port-name sends to a port that the pods don’t have (1 of 1 pods ready).',
      cause: 'Its port 80 goes to web; the containers’ ports: 8080 (http).',
      command: `patch service/wrong-port-name --type=json -p '[{"op":"replace","path":"/spec/ports/0/targetPort","value":"http"}]'`,
    },
    objects: around((made) => [service(made, { app: made.name }, 'web')]),
  },
  {
    name: 'undrainable',
    expected: {
      code: 'disruption-budget',
      headline: 'none of its pods may be moved, so a node can’t be drained (1 of 1 pods ready).',
      cause: 'The PodDisruptionBudget undrainable wants 1 up, and there are 1.',
      command: 'scale deployment/undrainable --replicas=2',
    },
    objects: around((made) => [budget(made, made.name)]),
  },
  {
    name: 'no-metrics',
    expected: {
      code: 'autoscaler',
      headline: 'the autoscaler no-metrics can’t read its metrics (1 of 1 pods ready).',
      cause: '*unable to fetch metrics from resource metrics API*',
      command: 'kubectl get apiservices v1beta1.metrics.k8s.io',
    },
    objects: around((made) => [autoscaler(made)]),
  },
];

const intents: Failure[] = [
  {
    name: 'paused',
    expected: {
      code: 'paused',
      headline: 'its rollout is paused (0 of 1 pods ready).',
      cause: 'Somebody paused it, so changes of its pods wait.',
      command: 'rollout resume deployment/paused',
    },
    objects: one(() => ({}), {}, { paused: true }),
  },
  {
    name: 'at-zero',
    expected: {
      code: 'scaled-to-zero',
      headline: 'it is scaled to zero (0 of 0 pods ready).',
      cause: 'spec.replicas is 0, so no pod is meant to run.',
      command: 'scale deployment/at-zero --replicas=1',
    },
    objects: one(() => ({}), {}, { replicas: 0 }),
  },
  {
    name: 'gave-up',
    expected: {
      code: 'job-failed',
      headline: 'the job gave up (0 of 1 done).',
      cause: 'Job has reached the specified backoff limit. Its last pod ended with exit code 4.',
      command: 'delete job/gave-up',
    },
    kind: 'Job',
    objects: (made, { busybox }) => [
      job(
        made,
        { containers: [container(busybox, { args: ['sh', '-c', 'echo no rows to send; exit 4'] })] },
        { backoffLimit: 0 },
      ),
    ],
  },
];

const kinds: Failure[] = [
  {
    name: 'database',
    kind: 'StatefulSet',
    expected: {
      code: 'no-image',
      headline: 'the image web:v98 does not exist (0 of 1 pods ready).',
      cause: 'The node says: *web:v98: not found.',
      command: 'set image statefulset/database main=IMAGE:TAG',
    },
    objects: (made, { registryHost }) => [statefulSet(made, { containers: [container(`${registryHost}/web:v98`)] })],
  },
  {
    name: 'agent',
    kind: 'DaemonSet',
    env: 'production',
    expected: {
      code: 'quota',
      headline: 'the namespace’s quota is used up (0 of 1 pods ready).',
      cause: 'The quota small allows pods=0, of which pods=0 is used; one more pod needs pods=1.',
      command: 'describe resourcequota small',
    },
    objects: (made, { busybox }) => [
      daemonSet(made, { ...restricted.pod, containers: [container(busybox, restricted.container)] }),
    ],
  },
  {
    name: 'asleep',
    kind: 'CronJob',
    expected: {
      code: 'suspended',
      headline: 'it is suspended (its newest job).',
      cause: 'spec.suspend is true, so no pod of it is started.',
      command: `patch cronjob/asleep --type=merge -p '{"spec":{"suspend":false}}'`,
    },
    objects: (made, { busybox }) => [cronJob(made, { containers: [container(busybox)] }, { suspend: true })],
  },
];

export const failures: readonly Failure[] = [
  ...kinds,
  ...images,
  ...starts,
  ...probes,
  ...scheduling,
  ...configuration,
  ...refused,
  ...traffic,
  ...intents,
];
