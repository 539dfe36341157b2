import { expect, test } from 'vitest';
import { differences } from '../../src/core/diff.ts';
import { usualLists } from '../fakes/usual-lists.ts';

const deployment = (image: string, extra: Record<string, string> = {}) => ({
  metadata: { name: 'web', generation: 3, resourceVersion: image, annotations: { 'shipmate.dev/run': image } },
  spec: { template: { spec: { containers: [{ name: 'web', image, ...extra }] } } },
});

test('only what was meant to change shows, at a path that names the container', () => {
  expect(differences(deployment('web:v1'), deployment('web:v22'), usualLists)).toEqual([
    { path: 'spec.template.spec.containers[web].image', from: 'web:v1', to: 'web:v22' },
  ]);
});

test('added and removed fields have one side', () => {
  expect(differences(deployment('a', { x: '1' }), deployment('a', { y: '2' }), usualLists)).toEqual([
    { path: 'spec.template.spec.containers[web].x', from: '1' },
    { path: 'spec.template.spec.containers[web].y', to: '2' },
  ]);
});

test('a new object shows all that it sets', () => {
  expect(
    differences(
      undefined,
      { spec: { replicas: 2, containers: [{ name: 'web', ports: [{ containerPort: 80 }] }] } },
      usualLists,
    ),
  ).toEqual([
    { path: 'spec.replicas', to: 2 },
    { path: 'spec.containers[web].name', to: 'web' },
    { path: 'spec.containers[web].ports[80].containerPort', to: 80 },
  ]);
});

test('values of variables that sound secret are masked', () => {
  const pods = (value: string) => ({ spec: { containers: [{ name: 'web', env: [{ name: 'API_TOKEN', value }] }] } });
  expect(differences(pods('s3cret'), pods('s4cret'), usualLists)).toEqual([
    { path: 'spec.containers[web].env[API_TOKEN].value', from: '••••••', to: '•••••• (changed)' },
  ]);
});
