import { describe, expect, test } from 'vitest';
import { beyond } from '../../../src/core/effects/pod-security.ts';
import { imagesIn } from '../../../src/core/effects/pod-specs.ts';
import { JsonObject } from '../../../src/core/json.ts';
import {
  changed,
  container,
  hostPath,
  mounts,
  object,
  privileged,
  type Spec,
  workload,
} from '../../support/pod-objects.ts';

/** Pods and containers are seen by their shape, and nothing else is taken for one. */

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
