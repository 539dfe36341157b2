import { afterAll, beforeAll, expect, test } from 'vitest';
import type { JsonObject } from '../../../src/core/json.ts';
import { bed } from '../../support/bed.ts';
import { ben } from '../../support/engine.ts';
import { kubectl } from '../../support/kubectl.ts';
import { type RealDesk, realDesk } from '../../support/real-desk.ts';

/** An approval is of the API server's whole answer to the dry run: of what is shown, and of what nobody shows. */

let desk: RealDesk;
beforeAll(async () => {
  desk = await realDesk();
});
afterAll(() => desk.end());

const inProduction = (args: string[]) => kubectl([...args, '-n', desk.namespaces.production]);
const apply = (object: JsonObject) => desk.done('apply', { env: 'production', manifest: JSON.stringify(object) });

/** Says yes to what was planned, after somebody did something else. */
async function approved(object: JsonObject, meanwhile: () => Promise<unknown> = async () => {}) {
  const { id, state } = await apply(object);
  expect(state).toBe('awaiting');
  await meanwhile();
  await desk.approve(id, ben);
  return await desk.lap(id);
}

const deployment = (name: string, labels: JsonObject = {}): JsonObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name, labels },
  spec: {
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: { nodeSelector: { nowhere: 'yes' }, containers: [{ name: 'app', image: bed.busybox }] },
    },
  },
});

/** Made by somebody else, so that Shipmate's own manifest says little of it. */
const made = async (name: string) =>
  await kubectl(['apply', '-n', desk.namespaces.production, '-f', '-'], JSON.stringify(deployment(name)));
const label = (name: string, team: string): JsonObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name, labels: { team } },
});

test('what somebody else changes of the object meanwhile makes the question come anew', async () => {
  await made('edited');
  const run = await approved(label('edited', 'a'), () =>
    inProduction(['set', 'env', 'deployment/edited', 'LEVEL=debug']),
  );
  expect(run).toMatchObject({ state: 'awaiting', replanned: true });
  expect(run.plan?.changes).toEqual([{ path: 'Deployment/edited metadata.labels.team', to: 'a' }]);
});

test('what an autoscaler sets meanwhile does not, nor does the status', async () => {
  await made('scaled');
  const run = await approved(label('scaled', 'a'), async () => {
    await inProduction(['scale', 'deployment/scaled', '--replicas=2']);
    await inProduction(['wait', 'deployment/scaled', '--for=jsonpath={.status.replicas}=2', '--timeout=30s']);
  });
  expect(run.replanned).toBeFalsy();
  const live = JSON.parse(await inProduction(['get', 'deployment', 'scaled', '-o', 'json']));
  expect(live).toMatchObject({ metadata: { labels: { team: 'a' } }, spec: { replicas: 2 } });
});

test('what the cluster draws by lot is said so, and does not make the question come anew', async () => {
  const service = (type: string): JsonObject => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'drawn' },
    spec: { type, selector: { app: 'drawn' }, ports: [{ port: 80 }] },
  });
  expect(await approved(service('ClusterIP'))).toMatchObject({ state: 'finished' });
  const run = await approved(service('NodePort'));
  expect(run).toMatchObject({ state: 'finished' });
  expect(run.plan?.changes).toContainEqual({
    path: 'Service/drawn spec.ports[80].nodePort',
    to: '(chosen by the cluster)',
  });
});

test('a new object is shown with what the cluster fills in, after what was asked for', async () => {
  const { plan } = await apply(deployment('fresh'));
  const paths = plan?.changes.map(({ path }) => path.replace('Deployment/fresh ', '')) ?? [];
  const asked = paths.indexOf('spec.template.spec.containers[app].image');
  expect(asked).toBeGreaterThanOrEqual(0);
  expect(paths.indexOf('spec.template.spec.containers[app].imagePullPolicy')).toBeGreaterThan(asked);
  expect(paths).toContain('spec.replicas');
});
