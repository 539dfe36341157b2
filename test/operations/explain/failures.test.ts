import { afterAll, beforeAll, describe, type ExpectStatic, test } from 'vitest';
import { bed } from '../../support/bed.ts';
import { freshNamespace, kubectl } from '../../support/kubectl.ts';
import { type RealDesk, realDesk } from '../../support/real-desk.ts';
import { applyAll, ask, type Explanation, like } from './explained.ts';
import { type Failure, failures } from './failures.ts';
import { configMap, container, cronJob, deployment, quota, taintedNode } from './manifests.ts';

/** Failures made for real, side by side, with real pods; each is explained as a person would want to read it. */

let desk: RealDesk;
let doomed: string;
const gpu = `gpu-${Math.random().toString(36).slice(2, 8)}`;

const namespaceOf = (env: Failure['env']) => desk.namespaces[env ?? 'staging'];

async function quotaCounts(namespace: string): Promise<void> {
  await applyAll([quota({ namespace, name: 'small' }, { pods: '0' })]);
  await kubectl(['wait', 'quota/small', '-n', namespace, '--for=jsonpath={.status.hard.pods}=0', '--timeout=20s']);
}

/** What can only be made by deleting something that does not go away. */
async function makeDeletions(): Promise<void> {
  const namespace = desk.namespaces.staging;
  const held = { containers: [container(bed.busybox)] };
  const stuck = deployment({ namespace, name: 'stuck' }, held);
  const finalizers = ['example.com/hold'];
  await applyAll([
    { ...stuck, metadata: { name: 'stuck', namespace, finalizers } },
    configMap({ namespace: doomed, name: 'held' }, {}, finalizers),
  ]);
  await Promise.all([
    kubectl(['delete', 'deployment', 'stuck', '-n', namespace, '--wait=false']),
    kubectl(['delete', 'namespace', doomed, '--wait=false']),
  ]);
}

beforeAll(async () => {
  doomed = await freshNamespace('doomed');
  const image = `${bed.registryHost}/web`;
  const named = failures.filter(({ kind }) => kind === undefined).map(({ name }) => [name, { image }] as const);
  desk = await realDesk({
    apps: { ...Object.fromEntries(named), stuck: { image }, tainted: { image }, gone: { image } },
    environments: { doomed: { namespace: doomed }, nowhere: { namespace: 'no-such-namespace' } },
  });
  const { staging, production } = desk.namespaces;
  await kubectl(['label', 'namespace', production, 'pod-security.kubernetes.io/enforce=restricted']);
  await quotaCounts(production);
  const ground = { ...desk.namespaces, registryHost: bed.registryHost, busybox: bed.busybox };
  await applyAll([
    ...failures.flatMap(({ env, name, objects }) => objects({ namespace: namespaceOf(env), name }, ground)),
    taintedNode(gpu),
    deployment(
      { namespace: staging, name: 'tainted' },
      { nodeSelector: { pool: gpu }, containers: [container(bed.busybox)] },
    ),
  ]);
  const fails = container(bed.busybox, { args: ['sh', '-c', 'echo nothing to report; exit 5'] });
  await applyAll([cronJob({ namespace: staging, name: 'nightly' }, { containers: [fails] })]);
  await kubectl(['create', 'job', 'nightly-1', '--from=cronjob/nightly', '-n', staging]);
  await makeDeletions();
});
afterAll(async () => {
  const free = ['--type=merge', '-p', '{"metadata":{"finalizers":null}}'];
  await kubectl(['patch', 'deployment', 'stuck', '-n', desk.namespaces.staging, ...free]);
  await kubectl(['patch', 'configmap', 'held', '-n', doomed, ...free]);
  await kubectl(['delete', 'node', gpu]);
  await kubectl(['delete', 'validatingwebhookconfiguration', `hooked-${desk.namespaces.staging}`]);
  await desk.end();
});

/** Waits until the explanation is of that kind. */
async function explained(expect: ExpectStatic, what: string, env: string | undefined, code: string) {
  const seen: Explanation[] = [];
  const look = async () => {
    seen.push(await ask(desk, what, env));
    return seen.at(-1)?.code;
  };
  await expect.poll(look, { timeout: 50_000, interval: 1_000 }).toBe(code);
  return seen.at(-1) ?? expect.unreachable();
}

const whole = (env: Failure['env'], command: string) =>
  /^(kubectl|\/ship|\/deploy) /.test(command) ? command : `kubectl -n ${namespaceOf(env)} ${command}`;

describe.concurrent('what was made to fail', () => {
  test.for(failures.map((failure) => [failure.name, failure] as const))(
    '%s',
    async ([name, { env, kind, expected }], { expect }) => {
      const what = kind === undefined ? name : `${kind.toLowerCase()}/${name}`;
      const found = await explained(expect, what, env, expected.code);
      expect(found.headline).toMatch(like(`${what} in ${env ?? 'staging'}: ${expected.headline}`));
      expect(found.cause).toMatch(like(expected.cause));
      expect(found.command).toMatch(like(whole(env, expected.command)));
      expect(found.remedy).not.toBe('');
      expect(found.state).toBe(['undrainable', 'no-metrics'].includes(name) ? 'risk' : 'trouble');
    },
  );

  test('a taint that no pod tolerates comes before a selector that other nodes don’t fit', async ({ expect }) => {
    const found = await explained(expect, 'tainted', undefined, 'taint');
    expect(found.headline).toBe(
      'tainted in staging: the nodes have taints that its pods don’t tolerate (0 of 1 pods ready).',
    );
    expect(found.cause).toContain('had untolerated taint');
    expect(found.command).toBe('kubectl get nodes -o custom-columns=NAME:.metadata.name,TAINTS:.spec.taints');
  });

  test('a CronJob whose newest job gave up', async ({ expect }) => {
    const found = await explained(expect, 'cronjob/nightly', undefined, 'job-failed');
    expect(found.headline).toBe('cronjob/nightly in staging: the job gave up (its newest job).');
    expect(found.cause).toContain('Its last pod ended with exit code 5.');
    expect(found.command).toBe(`kubectl -n ${desk.namespaces.staging} delete job/nightly-1`);
    expect(found.logs).toEqual(['nothing to report']);
  });

  test('a deletion that a finalizer holds', async ({ expect }) => {
    const found = await explained(expect, 'stuck', undefined, 'stuck-finalizer');
    expect(found.headline).toMatch(like('stuck in staging: its deletion is stuck (*).'));
    expect(found.cause).toMatch(
      /^Somebody deleted deployment\/stuck at .+, and the finalizer example\.com\/hold holds it\.$/,
    );
    expect(found.command).toBe(
      `kubectl -n ${desk.namespaces.staging} patch deployment/stuck --type=merge -p '{"metadata":{"finalizers":null}}'`,
    );
  });

  test('a namespace that is being deleted', async ({ expect }) => {
    const found = await explained(expect, 'gone', 'doomed', 'namespace-terminating');
    expect(found.headline).toBe(`gone in doomed: the namespace ${doomed} is being deleted.`);
    await expect
      .poll(async () => (await ask(desk, 'gone', 'doomed')).cause, { timeout: 20_000 })
      .toContain('example.com/hold');
    expect(found.command).toBe(`kubectl describe namespace ${doomed}`);
  });

  test('a namespace that is not there', async ({ expect }) => {
    const found = await explained(expect, 'gone', 'nowhere', 'no-namespace');
    expect(found.headline).toBe('gone in nowhere: the namespace no-such-namespace does not exist.');
    expect(found.command).toBe('kubectl create namespace no-such-namespace');
  });

  test('an app that is not deployed, and a workload whose name is nearly that of another', async ({ expect }) => {
    const app = await explained(expect, 'gone', undefined, 'not-deployed');
    expect(app.command).toBe('/deploy gone:TAG staging');
    const workload = await explained(expect, 'deployment/crsh', undefined, 'not-deployed');
    expect(workload.cause).toContain('Did you mean “crash”?');
  });

  test('what crashed says its last lines; what is late besides is counted', async ({ expect }) => {
    expect((await explained(expect, 'crash', undefined, 'crash')).logs.join('\n')).toContain('panic: runtime error');
    expect((await explained(expect, 'bad-init', undefined, 'init-failed')).logs).toEqual(['no such table']);
    expect((await explained(expect, 'job/gave-up', undefined, 'job-failed')).logs).toEqual(['no rows to send']);
    const others = async () => (await ask(desk, 'overdue')).others;
    await expect
      .poll(others, { timeout: 30_000 })
      .toEqual([{ code: 'deadline', what: 'its rollout is past its deadline' }]);
  });
});
