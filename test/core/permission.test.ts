import { expect, test } from 'vitest';
import { allNeeds, needsOf, rulesOf } from '../../src/core/permission.ts';
import { catalogue } from '../../src/operations/catalogue.ts';

test('a permission is read with its group, its subresource and where it holds', () => {
  expect(needsOf('get,list pods,deployments.apps')).toEqual([
    { verb: 'get', group: '', resource: 'pods', everywhere: false },
    { verb: 'list', group: '', resource: 'pods', everywhere: false },
    { verb: 'get', group: 'apps', resource: 'deployments', everywhere: false },
    { verb: 'list', group: 'apps', resource: 'deployments', everywhere: false },
  ]);
  const scale = { verb: 'patch', group: 'apps', resource: 'deployments/scale', everywhere: false };
  expect(needsOf('patch deployments/scale.apps')).toEqual([scale]);
  expect(needsOf('patch deployments.apps/scale')).toEqual([scale]);
  expect(needsOf('list httproutes.gateway.networking.k8s.io')).toMatchObject([{ group: 'gateway.networking.k8s.io' }]);
});

test('what lives in the cluster itself holds there; one namespace is asked for in itself', () => {
  expect(needsOf('list nodes')).toMatchObject([{ everywhere: true }]);
  expect(needsOf('list pods everywhere')).toMatchObject([{ everywhere: true }]);
  expect(needsOf('get,list namespaces').map(({ everywhere }) => everywhere)).toEqual([false, true]);
});

test('rules are the same, whoever named a need first', () => {
  const rules = rulesOf(allNeeds(['get,list pods', 'list services', 'get services']));
  expect(rules).toEqual([{ apiGroups: [''], resources: ['pods', 'services'], verbs: ['get', 'list'] }]);
  expect(rulesOf(allNeeds(['get services', 'get,list pods', 'list services']))).toEqual(rules);
});

test.each(
  [...catalogue.values()].filter(({ needs }) => needs.includes('kube')).map((each) => [each.name, each] as const),
)('%s says what it needs of a cluster, by name', (_name, { permissions = [] }) => {
  expect(permissions.length).toBeGreaterThan(0);
  for (const { verb, resource } of permissions.flatMap(needsOf)) {
    expect(['bind', 'escalate', 'impersonate', 'all', '*']).not.toContain(verb);
    // Whoever may list or watch Secrets reads all of them.
    if (resource === 'secrets') expect(['list', 'watch', 'deletecollection']).not.toContain(verb);
  }
});
