import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Settings } from '../../../src/core/settings.ts';
import { advance } from '../../../src/engine/advance.ts';
import { createLeases } from '../../../src/engine/leases.ts';
import { bed } from '../../support/bed.ts';
import { quiet } from '../../support/engine.ts';
import { kubectl } from '../../support/kubectl.ts';
import { type RealDesk, realDesk } from '../../support/real-desk.ts';
import { deployment, make, pod, podNames, ready, says, until } from './things.ts';

let desk: RealDesk;
let ns: string;
const bb = '/bin/busybox';
const stays = `${bb} sleep 3600`;

beforeAll(async () => {
  desk = await realDesk({
    staging: {
      exec: {
        allow: [
          `${bb} echo ...`,
          `${bb} cat /etc/*`,
          `${bb} false`,
          `${bb} sh -c *`,
          `${bb} yes`,
          'nothing-like-it',
          `${bb} sleep *`,
        ],
        seconds: 3,
        kilobytes: 1,
      },
      debug: { images: [bed.busybox], command: [bb, 'sh'] },
    },
  });
  ns = desk.namespaces.staging;
  await make(ns, deployment('web', [says('web', stays), says('side', stays)], 2));
  await ready(ns, '-l', 'app=web');
});
afterAll(() => desk.end());

const run = (...command: string[]) => desk.done('exec', { app: 'web', env: 'staging', command });
const records = async (id: string) => {
  await desk.engine.audit.seal();
  return (await desk.engine.audit.read({ newest: true, limit: 200 })).filter((record) => record.run === id);
};

test('an allowed command runs as its words are, and leaves a transcript in the audit log', async () => {
  const done = await run(bb, 'echo', 'a  b', '$HOME', '`id`', ';', '*');
  expect(done).toMatchObject({
    state: 'finished',
    report: { kind: 'executed', exitCode: 0, text: 'a  b $HOME `id` ; *\n', cut: false },
  });
  const sha256 = createHash('sha256').update('a  b $HOME `id` ; *\n').digest('hex');
  const said = (await records(done.id)).map(({ text }) => text);
  expect(said.find((text) => text.startsWith('ran '))).toBe(
    `ran “${bb} echo 'a  b' '$HOME' '\`id\`' ';' '*'” in ${done.plan?.command?.pod} (web): exit code 0; 20 bytes of output, sha256:${sha256}`,
  );
});

test('another exit code, both streams, and a chosen container are told', async () => {
  expect(await run(bb, 'false')).toMatchObject({ state: 'failed', report: { exitCode: 1, text: '' } });
  const both = await run(bb, 'sh', '-c', 'echo out; echo err >&2; exit 42');
  expect(both).toMatchObject({ state: 'failed', report: { exitCode: 42 } });
  expect(both.report?.kind === 'executed' && both.report.text.split('\n').sort()).toEqual(['', 'err', 'out']);
  const [first = ''] = await podNames(ns, 'web');
  const side = await desk.done('exec', { app: first, container: 'side', env: 'staging', command: [bb, 'echo', 'hi'] });
  expect(side).toMatchObject({ state: 'finished', report: { pod: first, container: 'side', text: 'hi\n' } });
});

test('too much output is cut and said so, its size and hash are of all of it', async () => {
  const done = await run(bb, 'sh', '-c', 'i=0; while [ $i -lt 1000 ]; do i=$((i+1)); echo 123456789; done');
  expect(done).toMatchObject({ report: { exitCode: 0, cut: true, bytes: 10_000 } });
  expect(done.report?.kind === 'executed' && done.report.text).toBe('123456789\n'.repeat(102).trimEnd());
  expect(done.report).toMatchObject({ sha256: createHash('sha256').update('123456789\n'.repeat(1_000)).digest('hex') });
});

test('a command that does not end is left at the time limit', async () => {
  const began = performance.now();
  expect(await run(bb, 'sleep', '60')).toMatchObject({ state: 'timed-out', report: { timedOut: true } });
  expect(performance.now() - began).toBeLessThan(8_000);
});

test('a program that is not there failed, and is not tried again', async () => {
  expect(await run('nothing-like-it')).toMatchObject({
    state: 'failed',
    report: { kind: 'executed', problem: expect.stringContaining('did not run') },
  });
});

test('what is not allowed is not run: other words, other folders, other environments', async () => {
  for (const command of [
    [bb, 'cat', '/etc/../root/.ssh/id_rsa'],
    [bb, 'cat', '/etc/hosts', '/etc/passwd'],
    [bb, 'echo', '-n'],
    ['/bin/sh', '-c', 'id'],
  ])
    expect((await run(...command)).fault).toMatchObject({
      code: 'NOT_ALLOW_LISTED',
      hint: expect.stringContaining('cat /etc/*'),
    });
  const elsewhere = await desk.done('exec', { app: 'web', env: 'production', command: [bb, 'false'] });
  expect(elsewhere.fault).toMatchObject({
    code: 'NOT_ALLOW_LISTED',
    hint: expect.stringContaining('no command at all'),
  });
});

test('a worker lost while it runs: it is not run a second time, and that is said', async () => {
  const command = [bb, 'sh', '-c', 'echo once >> /proof; /bin/busybox sleep 2'];
  const id = await desk.ask('exec', { app: 'web', env: 'staging', command });
  const doomed = createLeases(desk.engine.store, 'doomed', quiet);
  const going = advance(desk.engine, doomed, id);
  await until(
    'it has begun',
    () => desk.run(id),
    ({ steps }) => steps.run?.state === 'started',
  );
  await sleep(700);
  await doomed.stop();
  await going.catch(() => {});
  const after = await desk.lap(id);
  expect(after).toMatchObject({ state: 'failed', fault: { code: 'NOT_KNOWN' }, steps: { run: { state: 'failed' } } });
  const { pod = '' } = after.plan?.command ?? {};
  expect(await kubectl(['exec', '-n', ns, pod, '-c', 'web', '--', bb, 'cat', '/proof'])).toBe('once\n');
});

test('a pod that is not the planned one any more is left alone', async () => {
  const id = await desk.ask('exec', { app: 'web', env: 'staging', command: [bb, 'echo', 'hi'] });
  const { store } = desk.engine;
  const planned = await desk.run(id);
  expect(planned.state).toBe('requested');
  let vanished = false;
  // Between plan and step the pod goes away.
  const on = {
    ...desk.engine,
    store: {
      ...store,
      commit: async (...args: Parameters<typeof store.commit>) => {
        const pod = args[0].run.plan?.command?.pod;
        if (pod !== undefined && !vanished) {
          vanished = true;
          await kubectl(['delete', 'pod', '-n', ns, pod, '--wait=true']);
        }
        return await store.commit(...args);
      },
    },
  };
  await advance(on, desk.leases, id);
  expect(vanished).toBe(true);
  expect((await desk.run(id)).fault).toMatchObject({ code: 'NO_SUCH_OBJECT' });
});

test('a debug container of an allowed image is put beside, and the way in is told', async () => {
  await ready(ns, '-l', 'app=web');
  const refused = await desk.done('debug', { app: 'web', env: 'staging', image: 'evil/tools' });
  expect(refused.fault).toMatchObject({ code: 'NOT_ALLOW_LISTED' });
  expect((await desk.done('debug', { app: 'web', env: 'production' })).fault).toMatchObject({
    code: 'NOT_ALLOW_LISTED',
  });
  const [first = ''] = await podNames(ns, 'web');
  const done = await desk.done('debug', { app: first, env: 'staging' });
  expect(done).toMatchObject({
    state: 'finished',
    report: { kind: 'changed', note: `It runs. To get in: kubectl attach -it -n ${ns} ${first} -c shipmate-1` },
  });
  expect(done.plan?.summary).toContain('beside web');
  const live = JSON.parse(await kubectl(['get', 'pod', '-n', ns, first, '-o', 'json']));
  expect(live.spec.ephemeralContainers).toMatchObject([
    { name: 'shipmate-1', image: bed.busybox, targetContainerName: 'web' },
  ]);
  const second = await desk.done('debug', { app: first, container: 'side', env: 'staging' });
  expect(second).toMatchObject({ state: 'finished', report: { note: expect.stringContaining('-c shipmate-2') } });
});

test.each(['privileged', 'baseline', 'restricted'] as const)(
  'a debug container runs in a namespace that is held to %s',
  async (podSecurity) => {
    const enforce = 'pod-security.kubernetes.io/enforce';
    await kubectl(['label', 'namespace', ns, `${enforce}=${podSecurity}`]);
    const own = desk.engine.settings;
    const { environments, ...settings } = own();
    const staging = { ...environments.staging, podSecurity };
    desk.engine.settings = () => Settings.parse({ ...settings, environments: { ...environments, staging } });
    const name = `locked-${podSecurity}`;
    const securityContext = { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: 'RuntimeDefault' } };
    const unprivileged = { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } };
    await make(ns, pod(name, [says('web', stays, { securityContext: unprivileged })], { securityContext }));
    await ready(ns, name);
    const done = await desk.done('debug', { app: `pod/${name}`, env: 'staging' });
    expect(done).toMatchObject({ state: 'finished', report: { note: expect.stringContaining('It runs.') } });
    desk.engine.settings = own;
    await kubectl(['label', 'namespace', ns, `${enforce}-`]);
  },
);
