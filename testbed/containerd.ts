import { mkdir, writeFile } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import type { BedBase } from './bed-base.ts';
import { claim } from './claim.ts';
import type { Launch, Part } from './launch.ts';
import { writePauseArchive } from './pause-image.ts';
import { socketOpen } from './ports.ts';

const pauseImage = 'shipmate.local/pause:1';

/** A 10.x.0.0/16 that no interface of this machine uses, claimed against beds that start at the same time. */
async function freeSubnet(base: BedBase): Promise<string> {
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  const first = Math.floor(Math.random() * 100);
  for (let i = 0; i < 100; i++) {
    const subnet = `10.${100 + ((first + i) % 100)}.`;
    if (addresses.some(({ address }) => address.startsWith(subnet))) continue;
    const claimed = await claim(`subnet-${subnet}`);
    if (!claimed) continue;
    base.keep(claimed);
    return `${subnet}0.0/16`;
  }
  throw new Error('every network from 10.100.0.0/16 to 10.199.0.0/16 is taken on this machine');
}

function config(dir: string): string {
  const cri = 'plugins."io.containerd.grpc.v1.cri"';
  // restrict_oom_score_adj: without CAP_SYS_RESOURCE every sandbox would fail to start.
  return `version = 2
root = "${dir}/containerd/root"
state = "${dir}/containerd/state"
[grpc]
  address = "${dir}/containerd.sock"
[plugins."io.containerd.internal.v1.opt"]
  path = "${dir}/containerd/opt"
[${cri}]
  sandbox_image = "${pauseImage}"
  restrict_oom_score_adj = true
  disable_apparmor = true
[${cri}.containerd]
  default_runtime_name = "runc"
[${cri}.containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
[${cri}.containerd.runtimes.runc.options]
  SystemdCgroup = false
[${cri}.cni]
  bin_dir = "/usr/lib/cni"
  conf_dir = "${dir}/cni"
[${cri}.registry]
  config_path = "${dir}/certs.d"
`;
}

/** Pods get addresses on a bridge of the bed's own; no masquerading, so no iptables rule is touched. */
async function network(base: BedBase): Promise<string> {
  const { id, dir } = base;
  const ipam = { type: 'host-local', ranges: [[{ subnet: await freeSubnet(base) }]], dataDir: `${dir}/ipam` };
  const bridge = { type: 'bridge', bridge: `sm${id}`, isGateway: true, ipMasq: false, hairpinMode: true, ipam };
  return JSON.stringify({ cniVersion: '1.0.0', name: `shipmate-${id}`, plugins: [bridge] });
}

/** containerd with the bed's own root, socket and pod network; both dockerd and the kubelet use it. */
export async function startContainerd(
  base: BedBase,
  launch: Launch,
  registryHost: string,
): Promise<Part & { socket: string }> {
  const { dir } = base;
  const socket = join(dir, 'containerd.sock');
  await Promise.all([mkdir(join(dir, 'cni')), mkdir(join(dir, 'certs.d'))]);
  await mkdir(join(dir, 'certs.d', registryHost));
  const hosts = `server = "http://${registryHost}"\n[host."http://${registryHost}"]\n  capabilities = ["pull", "resolve"]\n`;
  await writeFile(join(dir, 'certs.d', registryHost, 'hosts.toml'), hosts);
  await writeFile(join(dir, 'cni', '10-bed.conflist'), await network(base));
  await writeFile(join(dir, 'containerd.toml'), config(dir));
  const part = await launch('containerd', 'containerd', ['--config', join(dir, 'containerd.toml')], {
    ready: () => socketOpen(socket),
  });
  const archive = join(dir, 'pause.tar');
  await writePauseArchive(archive, pauseImage);
  await base.run('ctr', ['--address', socket, '--namespace', 'k8s.io', 'images', 'import', archive]);
  return { ...part, socket };
}
