import { afterAll, beforeAll, expect, test } from 'vitest';
import { createGit } from '../../../src/clients/git/git.ts';
import { type GitServer, startGitServer } from '../../support/git-server.ts';
import { kubectl } from '../../support/kubectl.ts';
import { type RealDesk, realDesk } from '../../support/real-desk.ts';

let desk: RealDesk;
let server: GitServer;
beforeAll(async () => {
  [desk, server] = await Promise.all([realDesk(), startGitServer()]);
  Object.assign(desk.engine.settings().manifests, { gitHosts: [server.origin] });
  Object.assign(desk.engine.clients, { git: createGit() });
});
afterAll(async () => {
  await desk.end();
  await server.stop();
});

const map = (name: string, value: string) =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\ndata:\n  a: ${value}\n`;

test('a folder of a repository is applied as it is at a commit', async () => {
  const commit = await server.commit('web', 'main', {
    'deploy/one.yaml': map('one', 'x'),
    'deploy/sub/two.yml': map('two', 'w'),
    'elsewhere.yaml': map('three', 'z'),
  });
  const input = { env: 'staging', git: `${server.origin}/web.git`, path: 'deploy' };
  const run = await desk.done('apply', input);
  expect(run).toMatchObject({
    state: 'finished',
    plan: { summary: `2 new, from ${input.git} at ${commit.slice(0, 12)}` },
    report: { objects: ['ConfigMap/one', 'ConfigMap/two'] },
  });
  const names = await kubectl(['get', 'configmaps', '-n', desk.namespaces.staging, '-o', 'name']);
  expect(names).toContain('configmap/two');
  expect(names).not.toContain('configmap/three');
});

test('a mistake in a file is said with the file and the line', async () => {
  await server.commit('broken', 'main', { 'ok.yaml': map('ok', 'x'), 'wrong.yaml': `${map('w', 'x')}   b: y\n` });
  const run = await desk.done('apply', { env: 'staging', git: `${server.origin}/broken.git` });
  expect(run).toMatchObject({ state: 'failed', fault: { message: expect.stringMatching(/wrong\.yaml: .*line 7/) } });
});
