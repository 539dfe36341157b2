import { generateKeyPairSync } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { Agent, request } from 'node:https';
import { join } from 'node:path';
import type { BedBase } from './bed-base.ts';
import type { Part } from './launch.ts';
import { portOpen } from './ports.ts';

/** One GET over the cluster's own certificate: true on a 200 whose body passes the check. */
export function answers(
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

export async function startEtcd(base: BedBase, bin: string): Promise<Part & { url: string }> {
  const [client, peer] = await Promise.all([base.port(), base.port()]);
  const url = `http://127.0.0.1:${client}`;
  const args = ['--data-dir', join(base.dir, 'etcd'), '--listen-client-urls', url, '--advertise-client-urls', url];
  const peers = ['--listen-peer-urls', `http://127.0.0.1:${peer}`, '--unsafe-no-fsync', '--log-level', 'error'];
  const part = await base.launch('etcd', join(bin, 'etcd'), [...args, ...peers], { ready: () => portOpen(client) });
  return { ...part, url };
}

export type ApiServer = Part & { server: string; ca: string; caFile: string; serviceAccountKey: string };

export async function startApiServer(base: BedBase, bin: string, etcd: string, token: string): Promise<ApiServer> {
  const dir = join(base.dir, 'apiserver');
  await mkdir(dir);
  const serviceAccountKey = join(dir, 'service-account.key');
  const { privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  await writeFile(serviceAccountKey, privateKey, { mode: 0o600 });
  await writeFile(join(dir, 'tokens.csv'), `${token},admin,admin,"system:masters"\n`, { mode: 0o600 });
  const port = await base.port();
  const server = `https://127.0.0.1:${port}`;
  const args = [
    `--etcd-servers=${etcd}`,
    // Without it the server refuses to be on loopback alone.
    '--endpoint-reconciler-type=none',
    '--bind-address=127.0.0.1',
    `--secure-port=${port}`,
    `--cert-dir=${dir}`,
    '--authorization-mode=RBAC,Node',
    '--kubelet-preferred-address-types=InternalIP',
    '--allow-privileged',
    `--token-auth-file=${join(dir, 'tokens.csv')}`,
    `--service-account-key-file=${serviceAccountKey}`,
    `--service-account-signing-key-file=${serviceAccountKey}`,
    '--service-account-issuer=https://kubernetes.default.svc',
    '--service-cluster-ip-range=10.96.0.0/16',
  ];
  const caFile = join(dir, 'apiserver.crt');
  const ready = async () => answers(`${server}/readyz`, await readFile(caFile, 'utf8'), token);
  const part = await base.launch('kube-apiserver', join(bin, 'kube-apiserver'), args, { ready });
  return { ...part, server, ca: await readFile(caFile, 'utf8'), caFile, serviceAccountKey };
}

/** What makes pods of deployments (controller manager) and gives them a node (scheduler). */
export async function startControllers(
  base: BedBase,
  bin: string,
  kubeconfig: string,
  api: Pick<ApiServer, 'serviceAccountKey' | 'caFile'>,
): Promise<void> {
  const start = async (name: string, more: string[] = []) => {
    const port = await base.port();
    const args = [
      `--kubeconfig=${kubeconfig}`,
      `--authentication-kubeconfig=${kubeconfig}`,
      `--authorization-kubeconfig=${kubeconfig}`,
      '--leader-elect=false',
      '--bind-address=127.0.0.1',
      `--secure-port=${port}`,
      `--cert-dir=${join(base.dir, name)}`,
      // The usual 20 requests a second would make the first Deployment wait for four seconds.
      '--kube-api-qps=1000',
      '--kube-api-burst=1000',
    ];
    await base.launch(name, join(bin, name), [...args, ...more], { ready: () => portOpen(port) });
  };
  await Promise.all([
    start('kube-scheduler'),
    start('kube-controller-manager', [
      '--use-service-account-credentials',
      `--service-account-private-key-file=${api.serviceAccountKey}`,
      `--root-ca-file=${api.caFile}`,
    ]),
  ]);
}
