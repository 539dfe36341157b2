import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Run } from '../../src/core/run.ts';
import { bed } from '../support/bed.ts';
import { envoyListener, everyObject } from '../support/envoy.ts';
import { kubectl, makeNamespace } from '../support/kubectl.ts';
import { applyAll, mesh, openShop } from '../support/mesh.ts';
import { type RealDesk, realDesk } from '../support/real-desk.ts';

/**
 * What guards stable's pods guards the canary's: read back from the sidecar of a pod with the canary's labels, a real Envoy
 * that istiod tells what to let through.
 */

const ns = 'guarded-shop';
let desk: RealDesk;

const guard = {
  apiVersion: 'security.istio.io/v1',
  kind: 'AuthorizationPolicy',
  metadata: { name: 'no-delete', namespace: ns },
  spec: {
    selector: { matchLabels: { app: 'shop' } },
    action: 'DENY',
    rules: [{ to: [{ operation: { methods: ['DELETE'] } }] }],
  },
};
const budget = {
  apiVersion: 'policy/v1',
  kind: 'PodDisruptionBudget',
  metadata: { name: 'shop', namespace: ns },
  spec: { minAvailable: 1, selector: { matchLabels: { app: 'shop' } } },
};
const wall = {
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: { name: 'shop', namespace: ns },
  spec: { podSelector: { matchLabels: { app: 'shop' } }, ingress: [{ ports: [{ port: 8080 }] }] },
};

beforeAll(async () => {
  await makeNamespace(ns);
  desk = await realDesk({
    apps: { shop: { image: `${bed.registryHost}/shop`, rollout: { drain: '1s' } } },
    environments: { guarded: { namespace: ns } },
  });
  await openShop(ns, 'v1', 1);
  await applyAll([guard, budget, wall]);
});
afterAll(() => desk.end());

const soon = { timeout: 20_000, interval: 100 };
/** What the canary's sidecar turns away. */
const denied = async () => {
  const inbound = await envoyListener(mesh.canaryAdmin, 'virtualInbound');
  const rules = everyObject(inbound, ({ action, policies }) => action === 'DENY' && policies !== undefined);
  return JSON.stringify(rules);
};
const seen = (what: string) => kubectl(['get', what, '-n', ns, '-o', 'name', '--ignore-not-found']);
const all = 'authorizationpolicy,poddisruptionbudget,networkpolicy';

/** Works on a run until something holds. */
async function until(id: string, holds: (run: Run) => boolean): Promise<void> {
  const work = desk.settle([id], 60_000).catch(() => {});
  for (const end = Date.now() + 60_000; !holds(await desk.run(id)); ) {
    if (Date.now() > end) throw new Error(`never so: ${JSON.stringify((await desk.run(id)).steps)}`);
    await Promise.race([sleep(50), work]);
  }
}

const canary = async () => {
  const steps = [{ weight: 50, manual: true }];
  const id = await desk.ask('deploy', { app: 'shop', env: 'guarded', tag: 'v2', strategy: 'canary', steps });
  await until(id, (run) => run.steps['weight 50']?.memo !== undefined);
  return id;
};

test('a policy that denies at stable denies at the canary, for as long as that is there', async () => {
  expect(await denied()).toBe('[]');
  const id = await canary();
  expect((await desk.run(id)).plan?.changes).toContainEqual({
    path: 'AuthorizationPolicy/shop-canary-no-delete',
    to: 'as AuthorizationPolicy/no-delete, for the new pods',
  });
  await expect.poll(denied, soon).toContain('DELETE');
  expect(await seen(all)).toContain('poddisruptionbudget.policy/shop-canary-shop');
  expect(await seen(all)).toContain('networkpolicy.networking.k8s.io/shop-canary-shop');
  await desk.done('canary-abort', { app: 'shop', env: 'guarded' });
  const [run] = await desk.settle([id], 90_000);
  expect(run).toMatchObject({ report: { kind: 'rolled-back', reason: 'aborted' } });
  expect(await seen('pods')).not.toContain('shop-canary');
  expect(await seen(all)).not.toContain('shop-canary');
  await expect.poll(denied, soon).toBe('[]');
});

test('who tightens a policy of stable meanwhile sees the canary go back rather than stay open', async () => {
  const id = await canary();
  const patch = JSON.stringify({ spec: { rules: [{ to: [{ operation: { methods: ['DELETE', 'PUT'] } }] }] } });
  await kubectl(['patch', 'authorizationpolicy', 'no-delete', '-n', ns, '--type=merge', '-p', patch]);
  const [run] = await desk.settle([id], 90_000);
  expect(run).toMatchObject({ state: 'failed', report: { kind: 'rolled-back', reason: 'fault' } });
  if (run?.report?.kind === 'rolled-back') expect(run.report.detail).toContain('AuthorizationPolicy/no-delete');
  expect(await seen(all)).not.toContain('shop-canary');
});
