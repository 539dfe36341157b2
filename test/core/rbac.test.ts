import { expect, test } from 'vitest';
import type { JsonObject } from '../../src/core/json.ts';
import { resourceCalled, ruleAllows, whoMay } from '../../src/core/rbac.ts';

const rule = (apiGroups: string[], resources: string[], verbs: string[], more: JsonObject = {}): JsonObject => ({
  apiGroups,
  resources,
  verbs,
  ...more,
});

test.each<[string, JsonObject, boolean]>([
  ['what it names', rule([''], ['pods'], ['get']), true],
  ['another verb', rule([''], ['pods'], ['list']), false],
  ['another group', rule(['apps'], ['pods'], ['get']), false],
  ['another resource', rule([''], ['services'], ['get']), false],
  ['stars', rule(['*'], ['*'], ['*']), true],
  ['a subresource is not its resource', rule([''], ['pods/log'], ['get']), false],
  ['URLs are no resources', { nonResourceURLs: ['*'], verbs: ['*'] }, false],
])('a rule with %s', (_name, given, allowed) => {
  expect(ruleAllows(given, { verb: 'get', group: '', resource: 'pods' })).toBe(allowed);
});

test.each([
  ['pods', false],
  ['pods/log', true],
  ['*/log', true],
  ['*', true],
  ['*/exec', false],
])('pods/log by a rule for %s', (resource, allowed) => {
  expect(ruleAllows(rule([''], [resource], ['get']), { verb: 'get', group: '', resource: 'pods/log' })).toBe(allowed);
});

const named = (kind: string, name: string, more: JsonObject): JsonObject => ({
  kind,
  metadata: { name, namespace: 'shop' },
  ...more,
});
const bound = (kind: string, name: string, role: [string, string], subjects: JsonObject[]) =>
  named(kind, name, { roleRef: { kind: role[0], name: role[1] }, subjects });
const book = {
  roles: [
    named('Role', 'reader', { rules: [rule([''], ['pods'], ['get'])] }),
    named('Role', 'one', { rules: [rule([''], ['pods'], ['get'], { resourceNames: ['web-0'] })] }),
  ],
  clusterRoles: [
    named('ClusterRole', 'reader', { rules: [rule([''], ['secrets'], ['get'])] }),
    named('ClusterRole', 'nodes', { rules: [rule([''], ['nodes', 'pods'], ['get'])] }),
  ],
  roleBindings: [
    bound(
      'RoleBinding',
      'a',
      ['Role', 'reader'],
      [
        { kind: 'ServiceAccount', name: 'ci' },
        { kind: 'Group', name: 'devs' },
      ],
    ),
    bound('RoleBinding', 'b', ['Role', 'one'], [{ kind: 'User', name: 'ana' }]),
    bound('RoleBinding', 'c', ['ClusterRole', 'nodes'], [{ kind: 'User', name: 'ben' }]),
    bound('RoleBinding', 'd', ['Role', 'gone'], [{ kind: 'User', name: 'eve' }]),
  ],
  clusterRoleBindings: [
    bound(
      'ClusterRoleBinding',
      'e',
      ['ClusterRole', 'nodes'],
      [{ kind: 'ServiceAccount', name: 'bot', namespace: 'ops' }],
    ),
  ],
};

test('who may: by roles and cluster roles, in the namespace and everywhere, and for some names alone', () => {
  const found = whoMay(book, { verb: 'get', group: '', resource: 'pods' }, false);
  expect(found.map(({ subject, role, everywhere, names }) => [subject, role, everywhere, names])).toEqual([
    ['service account shop/ci', 'Role/reader', false, undefined],
    ['group devs', 'Role/reader', false, undefined],
    ['user ana', 'Role/one', false, ['web-0']],
    ['user ben', 'ClusterRole/nodes', false, undefined],
    ['service account ops/bot', 'ClusterRole/nodes', true, undefined],
  ]);
});

test('of what lives in the cluster itself, a RoleBinding gives nothing', () => {
  expect(whoMay(book, { verb: 'get', group: '', resource: 'nodes' }, true).map(({ subject }) => subject)).toEqual([
    'service account ops/bot',
  ]);
});

test('resources as people write them', () => {
  expect(resourceCalled('deploy')).toEqual({ group: 'apps', resource: 'deployments', clusterWide: false });
  expect(resourceCalled('pods/log')).toEqual({ group: '', resource: 'pods/log', clusterWide: false });
  expect(resourceCalled('nodes')).toMatchObject({ clusterWide: true });
  expect(resourceCalled('widgets.example.com')).toEqual({
    group: 'example.com',
    resource: 'widgets',
    clusterWide: false,
  });
  expect(resourceCalled('deployment')).toEqual(resourceCalled('deployments.apps'));
  expect(resourceCalled('depoyments')).toEqual({ problem: expect.stringContaining('Did you mean “deployments”?') });
  expect(resourceCalled('*')).toEqual({ problem: '“*” is no resource.' });
});
