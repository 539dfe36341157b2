import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { at, isObject, type JsonObject } from '../../../src/core/json.ts';
import { bed } from '../../support/bed.ts';
import { docker } from '../../support/docker-cli.ts';
import { ben } from '../../support/engine.ts';
import { kubectl } from '../../support/kubectl.ts';
import { type RealDesk, realDesk } from '../../support/real-desk.ts';
import { field, get, names, web } from '../workloads/on-the-bed.ts';

/** What a workload gets that is not there yet, on a cluster whose kubelet really runs it. */

const image = `${bed.registryHost}/web`;
const folder = join(bed.dir, `first-${process.pid}`);
let desk: RealDesk;
let staging: string;

beforeAll(async () => {
  await mkdir(folder, { recursive: true });
  desk = await realDesk({
    apps: {
      'hello-world': { image },
      plain: { image: `${bed.registryHost}/plain` },
      db: { image, kind: 'StatefulSet' },
      agent: { image, kind: 'DaemonSet' },
      taken: { image },
    },
    production: {
      newWorkloads: {
        leaveOut: ['spread'],
        labels: { team: 'two' },
        requests: { cpu: '20m', memory: '20Mi' },
        limits: { memory: '64Mi' },
        terminationGracePeriodSeconds: 7,
        preStopSeconds: 0,
        probes: { readiness: '/other' },
      },
    },
  });
  staging = desk.namespaces.staging;
});
afterAll(() => desk.end());

const ask = (app: string, more: Record<string, unknown>, operation = 'deploy') =>
  desk.done(operation, { app, env: 'staging', ...more });
const container = (workload: JsonObject) => at(workload, 'spec', 'template', 'spec', 'containers', 0);

/** An image of the bed's web server that names its user. */
async function pushAs(user: string): Promise<void> {
  const text = `FROM ${web('v1')}\nUSER ${user}\n`;
  await writeFile(join(folder, 'Dockerfile'), text);
  const tag = `${bed.registryHost}/plain:${user}`;
  await docker('build', '-t', tag, folder);
  await docker('push', tag);
}

test('two pods and a port, then five, then the next image as a canary: there is traffic to shift, and it goes through', {
  timeout: 180_000,
}, async () => {
  const made = await ask('hello-world', { tag: 'v1', replicas: 2, ports: [8080] });
  expect(made).toMatchObject({ state: 'finished', report: { kind: 'rolled-out', replicas: 2, ready: 2 } });
  expect(made.plan?.changes[0]).toEqual({
    path: 'Service/hello-world',
    to: 'new, leads from 8080 to the pods of app.kubernetes.io/name=hello-world',
  });
  expect(await field(staging, 'service', 'hello-world', 'spec')).toMatchObject({
    type: 'ClusterIP',
    selector: { 'app.kubernetes.io/name': 'hello-world' },
    ports: [{ name: 'port-8080', port: 8080, targetPort: 8080, protocol: 'TCP' }],
  });
  expect(await ask('hello-world', { replicas: 5 }, 'scale')).toMatchObject({ state: 'finished' });
  const id = await desk.ask('deploy', {
    app: 'hello-world',
    env: 'staging',
    tag: 'v2',
    strategy: 'canary',
    weights: [20, 50],
    bake: '1s',
  });
  const [next] = await desk.settle([id], 120_000);
  expect(next?.plan?.rollout).toMatchObject({ service: 'hello-world', router: { kind: 'replicas' } });
  expect(next).toMatchObject({ state: 'finished', report: { kind: 'promoted' } });
  expect(at(container(await get(staging, 'deployment', 'hello-world')), 'image')).toContain(web('v2'));
  expect(await names(staging, 'service')).toEqual(['service/hello-world']);
});
