import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { accessBy } from '../../../src/clients/kube/access.ts';
import { createClusters } from '../../../src/clients/kube/clusters.ts';
import { inClusterEntry, readKubeconfig } from '../../../src/clients/kube/kubeconfig.ts';

let dir: string;
let file: string;
const base64 = (text: string) => Buffer.from(text).toString('base64');

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'access-'));
  file = join(dir, 'config');
  await writeFile(join(dir, 'ca.crt'), 'the ca');
  await writeFile(join(dir, 'token'), 'first\n');
  await writeFile(
    file,
    `apiVersion: v1
kind: Config
current-context: token
preferences: {}
contexts:
- {name: token, context: {cluster: east, user: bearer, namespace: team}}
- {name: file, context: {cluster: east, user: mounted}}
- {name: certificate, context: {cluster: west, user: certified}}
- {name: nobody, context: {cluster: west, user: ""}}
- {name: nowhere, context: {cluster: lost, user: bearer}}
clusters:
- name: east
  cluster: {server: https://east.example.com:6443/, certificate-authority: ca.crt}
- name: west
  cluster:
    server: https://west.example.com
    certificate-authority-data: ${base64('west ca')}
    tls-server-name: kubernetes
    insecure-skip-tls-verify: true
users:
- {name: bearer, user: {token: abc, as: deployer}}
- {name: mounted, user: {tokenFile: token}}
- {name: certified, user: {client-certificate-data: ${base64('cert')}, client-key-data: ${base64('key')}, token: null}}
- {name: empty, user: null}
`,
  );
});
afterAll(() => rm(dir, { recursive: true }));

function accessIn(context: string) {
  const entry = readKubeconfig(file).entry(context);
  if (!entry || entry === 'no cluster') throw new Error(`no ${context}`);
  return accessBy(entry);
}

test('a token and an authority beside the kubeconfig, wherever Shipmate was started', async () => {
  const access = accessIn('token');
  expect(access.server).toBe('https://east.example.com:6443');
  expect(await access.options()).toEqual({
    ca: Buffer.from('the ca'),
    headers: { authorization: 'Bearer abc', 'impersonate-user': 'deployer' },
  });
});

test('a token in a file is the one that stands there now', async () => {
  const access = accessIn('file');
  expect(await access.options()).toMatchObject({ headers: { authorization: 'Bearer first' } });
  await writeFile(join(dir, 'token'), 'second');
  expect(await access.options()).toMatchObject({ headers: { authorization: 'Bearer second' } });
});

test('client certificates, the name of the server, and that it is not verified', async () => {
  expect(await accessIn('certificate').options()).toEqual({
    ca: Buffer.from('west ca'),
    cert: Buffer.from('cert'),
    key: Buffer.from('key'),
    servername: 'kubernetes',
    rejectUnauthorized: false,
    headers: {},
  });
  expect((await accessIn('nobody').options()).headers).toEqual({});
});

test.each(['token', 'file', 'certificate'])('what the client library makes of the same: %s', async (context) => {
  const access = accessIn(context);
  const theirs: Parameters<Awaited<ReturnType<typeof access.library>>['applyToHTTPSOptions']>[0] = {};
  await (await access.library()).applyToHTTPSOptions(theirs);
  const lower = (headers: object = {}) =>
    Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), String(value).trim()]));
  const { headers, ...tls } = await access.options();
  expect(theirs).toMatchObject(tls);
  expect(lower(theirs.headers)).toEqual(lower(headers));
});

test('in a pod it is what Kubernetes mounts there, also where addresses are of version 6', () => {
  const env = { KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '443' };
  const { cluster, user } = inClusterEntry(env);
  expect(cluster.server).toBe('https://[fd00::1]:443');
  expect(user.tokenFile).toBe('/var/run/secrets/kubernetes.io/serviceaccount/token');
});

test('a context that is not there, or leads nowhere, is said by name, and the file is not quoted', async () => {
  const ask = (context: string, kubeconfig = file) => createClusters({ kubeconfig, context }).kube('default');
  expect(() => ask('east')).toThrow('the kubeconfig has no context “east”, only token, file, certificate');
  expect(() => ask('nowhere')).toThrow('the cluster of the context “nowhere” is not in the kubeconfig');
  const bad = join(dir, 'bad');
  await writeFile(bad, 'users: [{name: x, user: {token: [secret]}}]');
  expect(() => ask('x', bad)).toThrow(`the kubeconfig ${bad} cannot be read`);
  expect(() => ask('x', bad)).not.toThrow('secret');
});
