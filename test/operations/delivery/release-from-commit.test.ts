import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { advance } from '../../../src/engine/advance.ts';
import { bed } from '../../support/bed.ts';
import { type GitServer, startGitServer } from '../../support/git-server.ts';
import { type Cosign, password, startCosign, trivyProgram, vulnerabilities } from '../../support/image-kit.ts';
import { type RealDesk, realDesk } from '../../support/real-desk.ts';
import { field } from '../workloads/on-the-bed.ts';

/** From a commit to running pods in one run: real Git, dockerd, registry, Trivy and cluster. The environment wants signature and scan. */

let [git, cosign, desk, dir]: [GitServer, Cosign, RealDesk, string] = [] as never;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'shipmate-release-test-'));
  [git, cosign] = await Promise.all([startGitServer(), startCosign()]);
  const [key, program] = await Promise.all([cosign.keyPair('ours'), trivyProgram()]);
  await vulnerabilities(join(dir, 'cache'), []);
  desk = await realDesk({
    apps: { site: { image: `${bed.registryHost}/site-${process.pid}`, build: { git: `${git.origin}/site.git` } } },
    builds: { network: 'none', gitHosts: [git.origin] },
    staging: { verify: { keys: [key.pub], require: ['signature'] }, scan: { critical: 'block' } },
    signing: { key: key.key, password },
    trivy: { program, cache: join(dir, 'cache') },
  });
});
afterAll(async () => {
  await Promise.all([desk.end(), git.stop(), cosign.stop()]);
  await rm(dir, { recursive: true, force: true });
});

const ask = () => desk.ask('release', { apps: ['site'], env: 'staging', from: 'main' });
const partsOf = async (id: string) =>
  await Promise.all(Object.values((await desk.run(id)).parts ?? {}).map((part) => desk.run(part)));

test('built, scanned, signed, planned by its digest and rolled out; the same commit again is nothing to do', async () => {
  await git.commit('site', 'main', { Dockerfile: `FROM ${bed.registryHost}/web:v1\nLABEL of=main\n` });
  const id = await ask();
  const [run] = await desk.settle([id], 100_000);
  expect(run?.fault).toBeUndefined();
  expect(run).toMatchObject({ state: 'finished', report: { kind: 'released', differs: [] } });
  expect(run?.checklist).toEqual(['build', 'scan', 'sign', 'wave 1', 'verify']);
  const parts = await partsOf(id);
  expect(parts.map(({ operation, state }) => `${operation} ${state}`)).toEqual([
    'build finished',
    'scan finished',
    'sign finished',
    'deploy finished',
  ]);
  const [build] = parts;
  const digest = build?.report?.kind === 'built' ? build.report.digest : '';
  const image = ['spec', 'template', 'spec', 'containers', 0, 'image'];
  expect(await field(desk.namespaces.staging, 'deployment', 'site', ...image)).toMatch(new RegExp(`@${digest}$`));

  const again = await ask();
  expect((await desk.settle([again], 60_000))[0]).toMatchObject({ state: 'finished', report: { kind: 'unchanged' } });
  expect((await partsOf(again))[0]?.report?.kind).toBe('unchanged');
}, 170_000);

test('a build that fails ends it, and nothing was changed', async () => {
  const before = await field(desk.namespaces.staging, 'deployment', 'site', 'metadata', 'generation');
  await git.commit('site', 'main', { Dockerfile: `FROM ${bed.registryHost}/web:v1\nRUN ["/nowhere"]\n` });
  const id = await ask();
  void advance(desk.engine, desk.leases, id);
  const [run] = await desk.settle([id], 60_000);
  expect(run).toMatchObject({ state: 'failed', fault: { code: 'NOT_MADE' } });
  expect(await field(desk.namespaces.staging, 'deployment', 'site', 'metadata', 'generation')).toBe(before);
}, 90_000);
