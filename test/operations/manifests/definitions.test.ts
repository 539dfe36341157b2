import { afterAll, beforeAll, expect, test } from 'vitest';
import { kubectl } from '../../support/kubectl.ts';
import { type RealDesk, realDesk } from '../../support/real-desk.ts';

/** What the cluster says of a kind stands, whatever definitions a manifest brings. */

let desk: RealDesk;
const own = `made-up-${process.pid}`;
beforeAll(async () => {
  desk = await realDesk();
});
afterAll(() => desk.end());

/** Says that a kind lives in namespaces. */
const definition = (group: string, kind: string, plural: string, version = 'v1') => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `${plural}.${group || 'core'}` },
  spec: {
    group,
    scope: 'Namespaced',
    names: { kind, plural, singular: kind.toLowerCase() },
    versions: [{ name: version, served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }],
  },
});
const itself = definition('apiextensions.k8s.io', 'CustomResourceDefinition', 'customresourcedefinitions');
const named = (apiVersion: string, kind: string, more: object) => ({
  apiVersion,
  kind,
  metadata: { name: own },
  ...more,
});

const attacks: [string, object, object][] = [
  [
    'PriorityClass',
    definition('scheduling.k8s.io', 'PriorityClass', 'priorityclasses'),
    named('scheduling.k8s.io/v1', 'PriorityClass', { value: 1_000_000 }),
  ],
  [
    'StorageClass',
    definition('storage.k8s.io', 'StorageClass', 'storageclasses'),
    named('storage.k8s.io/v1', 'StorageClass', { provisioner: 'example.com/none' }),
  ],
  ['Namespace', definition('', 'Namespace', 'namespaces'), named('v1', 'Namespace', {})],
  [
    'RuntimeClass',
    definition('node.k8s.io', 'RuntimeClass', 'runtimeclasses'),
    named('node.k8s.io/v1', 'RuntimeClass', { handler: 'runc' }),
  ],
];

test.each(attacks)(
  'a %s is of the cluster, though its manifest says that it lives in namespaces',
  async (kind, made, object) => {
    const manifest = [itself, made, object].map((each) => JSON.stringify(each)).join('\n---\n');
    expect(await desk.done('apply', { env: 'staging', manifest })).toMatchObject({
      state: 'denied',
      fault: {
        code: 'POLICY_DENIED',
        message: expect.stringMatching(new RegExp(`${kind}/${own} lives in the cluster itself`)),
      },
    });
    expect(await kubectl(['get', kind.toLowerCase(), own, '--ignore-not-found'])).toBe('');
  },
);

test('a definition is of the cluster too, also one of another kind that is called like it', async () => {
  const manifest = JSON.stringify(definition('shop.example.com', 'Gadget', 'gadgets'));
  expect(await desk.done('apply', { env: 'staging', manifest })).toMatchObject({
    fault: { code: 'POLICY_DENIED', message: expect.stringContaining('lives in the cluster itself') },
  });
  const lookalike = { ...definition('shop.example.com', 'Gadget', 'gadgets'), apiVersion: 'shop.example.com/v1' };
  const gadget = named('shop.example.com/v1', 'Gadget', {});
  const both = [lookalike, gadget].map((each) => JSON.stringify(each)).join('\n---\n');
  expect(await desk.done('apply', { env: 'staging', manifest: both })).toMatchObject({
    fault: { code: 'BAD_INPUT', message: expect.stringContaining('the cluster has no Gadget in shop.example.com/v1') },
  });
});
