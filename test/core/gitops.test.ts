import { describe, expect, test } from 'vitest';
import { applicationOf, awayFromGit, fought, sourceOf } from '../../src/core/gitops.ts';
import type { JsonObject } from '../../src/core/json.ts';
import { usualLists } from '../fakes/usual-lists.ts';

const deployment = (metadata: JsonObject): JsonObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', namespace: 'shop', ...metadata },
});
const tracked = (id: string) => deployment({ annotations: { 'argocd.argoproj.io/tracking-id': id } });

describe('whose an object is', () => {
  test.each([
    ['by the label', deployment({ labels: { 'argocd.argoproj.io/instance': 'web' } }), { name: 'web' }],
    ['by the tracking id', tracked('web:apps/Deployment:shop/web'), { name: 'web' }],
    ['with a namespace', tracked('teams_web:apps/Deployment:shop/web'), { namespace: 'teams', name: 'web' }],
    ['not by a copied id', tracked('web:apps/Deployment:shop/other'), undefined],
    ['not by nothing', deployment({}), undefined],
    ['not by Helm’s label', deployment({ labels: { 'app.kubernetes.io/instance': 'web' } }), undefined],
  ])('%s', (_how, object, application) => expect(applicationOf(object)).toEqual(application));
});

const last = JSON.stringify({ spec: { template: { spec: { containers: [{ name: 'web', image: 'web:v1' }] } } } });
const live = deployment({ annotations: { 'kubectl.kubernetes.io/last-applied-configuration': last } });
const replicas = { path: 'spec.replicas', from: 1, to: 3 };
const image = { path: 'spec.template.spec.containers[web].image', from: 'web:v1', to: 'web:v2' };
const restart = { path: 'spec.template.metadata.annotations.kubectl.kubernetes.io/restartedAt', to: 'now' };

test('what Git leaves open is anybody’s: a restart, and replicas where an autoscaler has them', () => {
  expect(awayFromGit(live, [replicas, image, restart], usualLists)).toEqual([image]);
  expect(awayFromGit(deployment({}), [replicas], usualLists)).toEqual([replicas]);
  const deleted = { path: '', from: 'there', to: 'deleted' };
  expect(awayFromGit(live, [deleted], usualLists)).toEqual([deleted]);
});

const application = (spec: JsonObject): JsonObject => ({ kind: 'Application', metadata: { name: 'web' }, spec });
const automated = (policy: JsonObject) => application({ syncPolicy: { automated: policy } });

test.each([
  ['heals itself', automated({ selfHeal: true }), 'at-once'],
  ['is switched off for now', automated({ selfHeal: true, enabled: false }), 'at-sync'],
  ['syncs what is new', automated({}), 'at-sync'],
  ['is synced by hand', application({}), 'at-sync'],
  ['may not be seen', undefined, 'unknown'],
])('how soon it is put back by what %s', (_how, seen, kind) =>
  expect(fought(seen, live, [image], usualLists)).toEqual({ kind, fields: [image.path] }),
);

test.each([
  ['a pointer', { jsonPointers: ['/spec/replicas'] }],
  ['an expression', { jqPathExpressions: ['.spec.replicas'] }],
  ['that Shipmate owns it', { managedFieldsManagers: ['shipmate'] }],
])('differences that are ignored by %s are not fought', (_how, by) => {
  const ignoring = (more: JsonObject) =>
    application({
      ignoreDifferences: [{ group: 'apps', kind: 'Deployment', ...by, ...more }],
      syncPolicy: { automated: { selfHeal: true } },
    });
  expect(fought(ignoring({}), deployment({}), [replicas], usualLists)).toEqual({ kind: 'no' });
  expect(fought(ignoring({ name: 'other' }), deployment({}), [replicas], usualLists)).toMatchObject({
    kind: 'at-once',
  });
});

test('where to change it', () => {
  const source = { repoURL: 'https://github.com/team/web.git', path: 'deploy', targetRevision: 'main' };
  expect(sourceOf(application({ source }))).toBe('https://github.com/team/web.git, deploy, main');
  expect(sourceOf(application({ sources: [{ repoURL: 'https://charts', chart: 'web' }] }))).toBe('https://charts, web');
  expect(sourceOf(undefined)).toBe('');
});
