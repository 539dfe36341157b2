import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BedBase } from './bed-base.ts';
import { type Cluster, kubeconfigOf, kubectlWith } from './cluster.ts';
import { compiled } from './compile.ts';
import { answers, startApiServer, startControllers, startEtcd } from './control-plane.ts';
import { startKubelet } from './kubelet.ts';
import type { Launch, Part } from './launch.ts';

export type Kubernetes = Cluster & {
  /** The administrator's, as a bearer token. */
  token: string;
  apiServer: Part;
  etcd: Part;
};

const context = 'shipmate-testbed';
const readyNode = (nodes: string) => /"type":\s*"Ready",\s*"status":\s*"True"/.test(nodes);

/** A real cluster of one node, whose pods really run, on the containerd that `runtime` brings up meanwhile. */
export async function startKubernetes(
  base: BedBase,
  runtime: Promise<{ launch: Launch; socket: string }>,
): Promise<Kubernetes> {
  const bin = await compiled('kubernetes', base.log);
  const token = randomBytes(16).toString('hex');
  const etcd = await startEtcd(base, bin);
  const apiServer = await startApiServer(base, bin, etcd.url, token);
  const { server, ca } = apiServer;
  const kubeconfig = join(base.dir, 'kubeconfig');
  await writeFile(kubeconfig, kubeconfigOf(context, server, ca, token), { mode: 0o600 });
  const ready = () => answers(`${server}/api/v1/nodes`, ca, token, readyNode);
  const startNode = async () => {
    const { launch, socket } = await runtime;
    await startKubelet(base, launch, join(bin, 'kubelet'), kubeconfig, socket, ready);
  };
  await Promise.all([startControllers(base, bin, kubeconfig, apiServer), startNode()]);
  const kubectlPath = join(bin, 'kubectl');
  const kubectl = kubectlWith(base, kubectlPath, kubeconfig);
  return { kubeconfig, context, server, token, apiServer, etcd, kubectlPath, kubectl };
}
