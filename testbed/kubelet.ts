import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BedBase } from './bed-base.ts';
import type { Launch } from './launch.ts';

const cgroupRoot = '/sys/fs/cgroup';

/** The group that the kubelet puts its pods in: one below every v1 controller, or below the one v2 root. */
async function makeCgroups(name: string): Promise<void> {
  const entries = await readdir(cgroupRoot);
  if (entries.includes('cgroup.controllers')) {
    const controllers = (await readFile(join(cgroupRoot, 'cgroup.controllers'), 'utf8')).trim().split(' ');
    // One by one: what can't be passed on is the kubelet's to complain of, should it need it.
    for (const controller of controllers)
      await writeFile(join(cgroupRoot, 'cgroup.subtree_control'), `+${controller}`).catch(() => undefined);
    await mkdir(join(cgroupRoot, name));
    return;
  }
  const controllers = entries.filter((entry) => entry !== 'unified');
  await Promise.all(controllers.map((controller) => mkdir(join(cgroupRoot, controller, name))));
  // A new v1 cpuset has no processors or memory until it is given its parent's.
  for (const file of controllers.includes('cpuset') ? ['cpuset.cpus', 'cpuset.mems'] : [])
    await writeFile(join(cgroupRoot, 'cpuset', name, file), await readFile(join(cgroupRoot, 'cpuset', file), 'utf8'));
}

// The node is named 127.0.0.1 and listens there: whoever reaches a kubelet like this one is root on the machine.
const node = '127.0.0.1';

function config(base: BedBase, cgroup: string, socket: string, port: number): string {
  return JSON.stringify({
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    authentication: { anonymous: { enabled: true }, webhook: { enabled: false } },
    authorization: { mode: 'AlwaysAllow' },
    address: node,
    port,
    healthzPort: 0,
    cgroupDriver: 'cgroupfs',
    cgroupRoot: `/${cgroup}`,
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

/** What runs the pods, on the containerd behind `socket`; `ready` says that the API server has seen it so. */
export async function startKubelet(
  base: BedBase,
  launch: Launch,
  program: string,
  kubeconfig: string,
  socket: string,
  ready: () => Promise<boolean>,
): Promise<void> {
  const cgroup = `shipmate-${base.id}`;
  const file = join(base.dir, 'kubelet.json');
  const rootDir = join(base.dir, 'kubelet');
  await Promise.all([makeCgroups(cgroup), mkdir(rootDir)]);
  await writeFile(file, config(base, cgroup, socket, await base.port()));
  const args = [
    `--config=${file}`,
    `--kubeconfig=${kubeconfig}`,
    `--root-dir=${rootDir}`,
    `--cert-dir=${join(base.dir, 'kubelet-pki')}`,
    `--hostname-override=${node}`,
  ];
  await launch('kubelet', program, args, { ready });
}
