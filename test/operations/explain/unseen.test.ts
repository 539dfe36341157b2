import { expect, test } from 'vitest';
import { fault } from '../../../src/core/errors.ts';
import type { Kube } from '../../../src/core/kube.ts';
import { locate } from '../../../src/core/place.ts';
import { Settings } from '../../../src/core/settings.ts';
import { catalogue } from '../../../src/operations/catalogue.ts';
import { explainApp } from '../../../src/operations/explain/explain.ts';
import { fakeCluster } from '../../fakes/fake-kube.ts';
import { ana } from '../../support/engine.ts';
import { deployment } from './manifests.ts';

const settings = Settings.parse({
  apps: { web: { image: 'r/web' } },
  environments: { staging: { namespace: 'staging' } },
});
const order = { line: async () => ({ place: '', waiting: [] }), lines: async () => [], history: async () => [] };

/** Explains an app whose pods are not ready for no reason that anybody could find. */
async function explained(change: Partial<Kube>) {
  const { kube, objects } = fakeCluster();
  const made = deployment({ namespace: 'staging', name: 'web' }, { containers: [] });
  objects.set('staging/web', { ...made, metadata: { name: 'web', namespace: 'staging', uid: 'web', generation: 1 } });
  const on = { kube: () => ({ ...kube, ...change }), order };
  const place = locate(settings, { app: 'web', env: 'staging' });
  const context = { on, actor: ana, place, settings, catalogue, now: Date.now };
  const report = await explainApp(context, AbortSignal.timeout(5_000));
  if (report.kind !== 'explanation') throw new Error(report.kind);
  return report;
}

const forbidden = (kind: string) =>
  fault('CLUSTER_FORBIDDEN', { cluster: 'default', who: 'Shipmate', what: `list ${kind}.`, remedy: 'Ask.' });

test('where nothing explains it, it says what it looked at and that it doesn’t know', async () => {
  const found = await explained({});
  expect(found).toMatchObject({
    state: 'unknown',
    headline: 'web in staging: it is not ready, and I don’t know why (0 of 1 pods ready).',
    cause: expect.stringContaining('I looked at its pods'),
    command: 'kubectl -n staging describe deployment/web',
    evidence: [],
  });
});

test('what it may not see is named and hides nothing else; a cluster that is away is no explanation', async () => {
  const found = await explained({
    list: async ({ kind }) => {
      if (kind === 'ResourceQuota') throw forbidden('resourcequotas');
      return [];
    },
    look: async (kind) => {
      if (kind === 'EndpointSlice') throw forbidden('endpointslices');
      return { objects: [], asOf: 0 };
    },
  });
  expect(found.evidence).toEqual([
    { what: 'not seen', detail: expect.stringContaining('list endpointslices') },
    { what: 'not seen', detail: expect.stringContaining('list resourcequotas') },
  ]);
  const away = fault('CLUSTER_UNREACHABLE', { cluster: 'default', problem: 'no answer' });
  await expect(explained({ list: () => Promise.reject(away) })).rejects.toBe(away);
});
