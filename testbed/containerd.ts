import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { BedBase, Part } from './bed-base.ts';
import { writePauseArchive } from './pause-image.ts';

const run = promisify(execFile);
const pauseImage = 'shipmate.local/pause:1';

/** Whether something listens on a Unix socket. */
export function socketOpen(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

/** A second octet of 10.x.0.0/16 that no interface of this machine uses. */
function freeSubnet(): string {
  const taken = new Set(
    Object.values(networkInterfaces()).flatMap((list) =>
      (list ?? []).map(({ address }) => address.split('.').slice(0, 2).join('.')),
    ),
  );
  const first = 100 + Math.floor(Math.random() * 100);
  for (let i = 0; i < 100; i++) {
    const octet = 100 + ((first + i) % 100);
    if (!taken.has(`10.${octet}`)) return `10.${octet}.0.0/16`;
  }
  throw new Error('every 10.x.0.0/16 is taken on this machine');
}

function config(dir: string): string {
  const cri = 'plugins."io.containerd.grpc.v1.cri"';
  // restrict_oom_score_adj: without CAP_SYS_RESOURCE every sandbox would fail to start.
  return `version = 2
root = "${dir}/containerd/root"
state = "${dir}/containerd/state"
[grpc]
  address = "${dir}/containerd.sock"
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
function network(id: string, dir: string): string {
  const ipam = { type: 'host-local', ranges: [[{ subnet: freeSubnet() }]], dataDir: `${dir}/ipam` };
  const bridge = { type: 'bridge', bridge: `sm${id}`, isGateway: true, ipMasq: false, hairpinMode: true, ipam };
  return JSON.stringify({ cniVersion: '1.0.0', name: `shipmate-${id}`, plugins: [bridge] });
}

/** containerd with the bed's own root, socket and pod network; both dockerd and the kubelet use it. */
export async function startContainerd(
  base: BedBase,
  registryHost: string | undefined,
): Promise<Part & { socket: string }> {
  const { dir } = base;
  const socket = join(dir, 'containerd.sock');
  await Promise.all([mkdir(join(dir, 'cni')), mkdir(join(dir, 'certs.d'))]);
  if (registryHost !== undefined) {
    await mkdir(join(dir, 'certs.d', registryHost));
    const hosts = `server = "http://${registryHost}"\n[host."http://${registryHost}"]\n  capabilities = ["pull", "resolve"]\n`;
    await writeFile(join(dir, 'certs.d', registryHost, 'hosts.toml'), hosts);
  }
  await writeFile(join(dir, 'cni', '10-bed.conflist'), network(base.id, dir));
  await writeFile(join(dir, 'containerd.toml'), config(dir));
  const part = await base.launch('containerd', 'containerd', ['--config', join(dir, 'containerd.toml')], {
    ready: () => socketOpen(socket),
  });
  const archive = join(dir, 'pause.tar');
  await writePauseArchive(archive, pauseImage);
  await run('ctr', ['--address', socket, '--namespace', 'k8s.io', 'images', 'import', archive], { timeout: 30_000 });
  return { ...part, socket };
}
