import { execFile } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { Agent, request } from 'node:https';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { type BedBase, freePort, type Part, portOpen } from './bed-base.ts';
import { compiledKubernetes } from './compile.ts';

export type Kubernetes = {
  kubeconfig: string;
  context: string;
  server: string;
  token: string;
  apiServer: Part;
  etcd: Part;
  kubectlPath: string;
  /** Runs kubectl against this cluster and answers with what it printed. @throws Error with what it complained of */
  kubectl(args: string[], stdin?: string): Promise<string>;
};

const context = 'shipmate-testbed';

function hostAddress(): string {
  const all = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  const found = all.find(({ family, internal }) => family === 'IPv4' && !internal);
  if (!found) throw new Error('this machine has no address but loopback, and the kubelet needs one');
  return found.address;
}

const kubeconfigOf = (server: string, ca: string, token: string) =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': context,
    clusters: [
      { name: context, cluster: { server, 'certificate-authority-data': Buffer.from(ca).toString('base64') } },
    ],
    users: [{ name: context, user: { token } }],
    contexts: [{ name: context, context: { cluster: context, user: context } }],
  });

/** One GET over the cluster's own certificate; true on 200. */
function answers(
  url: string,
  ca: string,
  token: string,
  check: (body: string) => boolean = () => true,
): Promise<boolean> {
  return new Promise((resolve) => {
    const agent = new Agent({ ca, keepAlive: false });
    const call = request(url, { agent, headers: { authorization: `Bearer ${token}` }, timeout: 2_000 }, (response) => {
      let body = '';
      response.on('data', (chunk) => {
        body += chunk;
      });
      response.on('end', () => resolve(response.statusCode === 200 && check(body)));
    });
    call.on('error', () => resolve(false));
    call.on('timeout', () => call.destroy());
    call.end();
  });
}

async function startEtcd(base: BedBase, bin: string): Promise<Part & { url: string }> {
  const [client, peer] = await Promise.all([freePort(), freePort()]);
  const url = `http://127.0.0.1:${client}`;
  const args = ['--data-dir', join(base.dir, 'etcd'), '--listen-client-urls', url, '--advertise-client-urls', url];
  const peers = ['--listen-peer-urls', `http://127.0.0.1:${peer}`, '--unsafe-no-fsync', '--log-level', 'error'];
  const part = await base.launch('etcd', join(bin, 'etcd'), [...args, ...peers], { ready: () => portOpen(client) });
  return { ...part, url };
}

async function startApiServer(base: BedBase, bin: string, etcd: string, token: string) {
  const dir = join(base.dir, 'apiserver');
  await mkdir(dir);
  const key = join(dir, 'service-account.key');
  const { privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  await writeFile(key, privateKey, { mode: 0o600 });
  await writeFile(join(dir, 'tokens.csv'), `${token},admin,admin,"system:masters"\n`, { mode: 0o600 });
  const port = await freePort();
  const server = `https://127.0.0.1:${port}`;
  const certificate = () => readFile(join(dir, 'apiserver.crt'), 'utf8');
  const args = [
    `--etcd-servers=${etcd}`,
    '--endpoint-reconciler-type=none',
    '--bind-address=127.0.0.1',
    `--secure-port=${port}`,
    `--cert-dir=${dir}`,
    '--authorization-mode=RBAC,Node',
    '--kubelet-preferred-address-types=InternalIP',
    '--allow-privileged',
    `--token-auth-file=${join(dir, 'tokens.csv')}`,
    `--service-account-key-file=${key}`,
    `--service-account-signing-key-file=${key}`,
    '--service-account-issuer=https://kubernetes.default.svc',
    '--service-cluster-ip-range=10.96.0.0/16',
  ];
  const ready = async () => answers(`${server}/readyz`, await certificate(), token);
  const part = await base.launch('kube-apiserver', join(bin, 'kube-apiserver'), args, { ready });
  return { ...part, server, ca: await certificate(), key, certificateFile: join(dir, 'apiserver.crt') };
}

/** Every v1 cgroup controller, or the one v2 root, gets the group that the kubelet puts its pods in. */
async function makeCgroups(id: string): Promise<void> {
  const root = '/sys/fs/cgroup';
  const entries = await readdir(root);
  const v2 = entries.includes('cgroup.controllers');
  const roots = v2
    ? [root]
    : entries.filter((name) => !['systemd', 'unified'].includes(name)).map((name) => join(root, name));
  await Promise.all(
    [...roots, ...(v2 ? [] : [join(root, 'systemd')])].map((at) =>
      mkdir(join(at, `shipmate-${id}`), { recursive: true }).catch(() => undefined),
    ),
  );
  // A new v1 cpuset has no processors or memory until it is given its parent's.
  const cpuset = join(root, 'cpuset');
  for (const file of v2 ? [] : ['cpuset.cpus', 'cpuset.mems'])
    await writeFile(join(cpuset, `shipmate-${id}`, file), await readFile(join(cpuset, file), 'utf8')).catch(
      () => undefined,
    );
}

function kubeletConfig(base: BedBase, socket: string, address: string, port: number): string {
  return JSON.stringify({
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    authentication: { anonymous: { enabled: true }, webhook: { enabled: false } },
    authorization: { mode: 'AlwaysAllow' },
    address,
    port,
    healthzPort: 0,
    cgroupDriver: 'cgroupfs',
    cgroupRoot: `/shipmate-${base.id}`,
    failCgroupV1: false,
    failSwapOn: false,
    enforceNodeAllocatable: [],
    makeIPTablesUtilChains: false,
    containerRuntimeEndpoint: `unix://${socket}`,
    podLogsDir: join(base.dir, 'pods'),
    volumePluginDir: join(base.dir, 'volume-plugins'),
    imageGCHighThresholdPercent: 100,
    evictionHard: { 'memory.available': '100Mi', 'nodefs.available': '1%', 'imagefs.available': '1%' },
  });
}

async function startKubelet(
  base: BedBase,
  bin: string,
  kubeconfig: string,
  socket: string,
  ready: () => Promise<boolean>,
): Promise<void> {
  const address = hostAddress();
  const file = join(base.dir, 'kubelet.json');
  await makeCgroups(base.id);
  await mkdir(join(base.dir, 'kubelet'), { recursive: true });
  await writeFile(file, kubeletConfig(base, socket, address, await freePort()));
  const args = [`--config=${file}`, `--kubeconfig=${kubeconfig}`, `--root-dir=${join(base.dir, 'kubelet')}`];
  const identity = [
    `--cert-dir=${join(base.dir, 'kubelet-pki')}`,
    `--hostname-override=bed-${base.id}`,
    `--node-ip=${address}`,
  ];
  await base.launch('kubelet', join(bin, 'kubelet'), [...args, ...identity], { ready });
}

async function startControllers(
  base: BedBase,
  bin: string,
  kubeconfig: string,
  api: { key: string; certificateFile: string },
): Promise<void> {
  const [managerPort, schedulerPort] = await Promise.all([freePort(), freePort()]);
  const common = (name: string, port: number) => [
    `--kubeconfig=${kubeconfig}`,
    `--authentication-kubeconfig=${kubeconfig}`,
    `--authorization-kubeconfig=${kubeconfig}`,
    '--leader-elect=false',
    '--bind-address=127.0.0.1',
    `--secure-port=${port}`,
    `--cert-dir=${join(base.dir, name)}`,
  ];
  const manager = [
    '--use-service-account-credentials',
    `--service-account-private-key-file=${api.key}`,
    `--root-ca-file=${api.certificateFile}`,
  ];
  await Promise.all([
    base.launch(
      'kube-controller-manager',
      join(bin, 'kube-controller-manager'),
      [...common('kube-controller-manager', managerPort), ...manager],
      {
        ready: () => portOpen(managerPort),
      },
    ),
    base.launch('kube-scheduler', join(bin, 'kube-scheduler'), common('kube-scheduler', schedulerPort), {
      ready: () => portOpen(schedulerPort),
    }),
  ]);
}

function kubectlWith(bin: string, kubeconfig: string): Kubernetes['kubectl'] {
  return (args, stdin) =>
    new Promise((resolve, reject) => {
      const options = { timeout: 60_000, maxBuffer: 64 << 20 };
      const child = execFile(
        join(bin, 'kubectl'),
        ['--kubeconfig', kubeconfig, ...args],
        options,
        (problem, out, err) => {
          if (problem) reject(new Error(`kubectl ${args.join(' ')}: ${err || problem.message}`));
          else resolve(out);
        },
      );
      child.stdin?.end(stdin ?? '');
    });
}

/** A real cluster of one node, whose pods really run. `runtime` is the socket of its containerd, which may still be starting. */
export async function startKubernetes(base: BedBase, runtime: Promise<string>): Promise<Kubernetes> {
  const bin = await compiledKubernetes(base.log);
  const token = randomBytes(16).toString('hex');
  const etcd = await startEtcd(base, bin);
  const api = await startApiServer(base, bin, etcd.url, token);
  const kubeconfig = join(base.dir, 'kubeconfig');
  await writeFile(kubeconfig, kubeconfigOf(api.server, api.ca, token), { mode: 0o600 });
  const nodeReady = () =>
    answers(`${api.server}/api/v1/nodes`, api.ca, token, (body) =>
      /"type":\s*"Ready",\s*"status":\s*"True"/.test(body),
    );
  await Promise.all([
    startControllers(base, bin, kubeconfig, api),
    runtime.then((socket) => startKubelet(base, bin, kubeconfig, socket, nodeReady)),
  ]);
  return {
    kubeconfig,
    context,
    server: api.server,
    token,
    apiServer: api,
    etcd,
    kubectlPath: join(bin, 'kubectl'),
    kubectl: kubectlWith(bin, kubeconfig),
  };
}
