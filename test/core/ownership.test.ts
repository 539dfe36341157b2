import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../src/core/json.ts';
import { overlay, ownedBy } from '../../src/core/ownership.ts';

const live: JsonObject = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: {
    name: 'web',
    namespace: 'production',
    labels: { team: 'a', tier: 'b' },
    managedFields: [
      {
        manager: 'shipmate',
        operation: 'Apply',
        fieldsV1: {
          'f:metadata': { 'f:labels': { 'f:team': {} } },
          'f:spec': {
            'f:replicas': {},
            'f:template': {
              'f:spec': {
                'f:containers': {
                  'k:{"name":"web"}': {
                    '.': {},
                    'f:name': {},
                    'f:image': {},
                    'f:ports': { 'k:{"containerPort":8080,"protocol":"TCP"}': { '.': {}, 'f:containerPort': {} } },
                  },
                },
              },
            },
          },
        },
      },
      { manager: 'kubectl', operation: 'Update', fieldsV1: { 'f:spec': { 'f:paused': {} } } },
    ],
  },
  spec: {
    replicas: 3,
    paused: false,
    template: {
      spec: {
        containers: [
          { name: 'sidecar', image: 'proxy:1' },
          {
            name: 'web',
            image: 'web:v1',
            imagePullPolicy: 'Always',
            ports: [{ containerPort: 8080, protocol: 'TCP' }],
          },
        ],
      },
    },
  },
};

describe('what a field manager owns', () => {
  test('is read out of managedFields, list entries with their keys', () => {
    expect(ownedBy('shipmate', live)).toEqual({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web', namespace: 'production', labels: { team: 'a' } },
      spec: {
        replicas: 3,
        template: {
          spec: { containers: [{ name: 'web', image: 'web:v1', ports: [{ containerPort: 8080, protocol: 'TCP' }] }] },
        },
      },
    });
  });

  test('is nothing but the identity where it never applied', () => {
    expect(ownedBy('other', live)).toEqual({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web', namespace: 'production' },
    });
  });

  test('can be filled with the values of another revision', () => {
    const then = { ...live, spec: { template: { spec: { containers: [{ name: 'web', image: 'web:v0' }] } } } };
    expect(ownedBy('shipmate', live, then)).toMatchObject({
      spec: { template: { spec: { containers: [{ name: 'web', image: 'web:v0' }] } } },
    });
  });
});

test('an overlay merges objects, and lists by name, in the order that they have', () => {
  const base: JsonObject = { a: 1, list: [{ name: 'x', v: 1, w: 2 }, { name: 'y' }] };
  expect(overlay(base, { b: 2, list: [{ name: 'x', v: 9 }] })).toEqual({
    a: 1,
    b: 2,
    list: [{ name: 'x', v: 9, w: 2 }, { name: 'y' }],
  });
});
