// Ends a test bed whose owner is gone, however it went: it holds a pipe to the owner, and the pipe's end is the sign.
// Plain JavaScript, in a session of its own, so that Ctrl-C reaches the owner first and the reaper not at all.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, readlinkSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const [, , id, dir] = process.argv;
const cgroupRoot = '/sys/fs/cgroup';
const sleep = (ms) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
const read = (path) => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
};
const quietly = (act) => {
  try {
    return act();
  } catch {
    return undefined;
  }
};
const list = (path) => quietly(() => readdirSync(path)) ?? [];

/** Every process of the bed: started from its folder, or living in its cgroups. */
function members() {
  return list('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) => {
      const ours =
        read(`/proc/${pid}/cmdline`).includes(dir) || read(`/proc/${pid}/cgroup`).includes(`/shipmate-${id}`);
      return ours && !read(`/proc/${pid}/cmdline`).includes('reaper.mjs');
    })
    .map(Number);
}

function endProcesses() {
  // Stopped first, so that none starts another while the rest are being ended.
  for (const signal of ['SIGSTOP', 'SIGKILL']) for (const pid of members()) quietly(() => process.kill(pid, signal));
  for (let tries = 0; tries < 100 && members().length > 0; tries++) {
    for (const pid of members()) quietly(() => process.kill(pid, 'SIGKILL'));
    sleep(50);
  }
}

function removeNetwork() {
  // CNI's own record of each pod: `NETWORK-CONTAINER-eth0`, with the network namespace in it.
  const results = '/var/lib/cni/results';
  const prefix = `shipmate-${id}-`;
  for (const name of list(results).filter((entry) => entry.startsWith(prefix))) {
    const netns = /"sandbox":"([^"]+)"/.exec(read(join(results, name)))?.[1];
    if (netns) {
      quietly(() => execFileSync('umount', ['-l', netns], { stdio: 'ignore' }));
      rmSync(netns, { force: true });
    }
    rmSync(join(results, name), { force: true });
    rmSync(join(results, name.replace(prefix, 'cni-loopback-').replace(/-eth0$/, '-lo')), { force: true });
  }
  quietly(() => execFileSync('ip', ['link', 'delete', `sm${id}`], { stdio: 'ignore' }));
}

function removeMounts() {
  const mounts = read('/proc/self/mountinfo')
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .filter((mount) => mount.startsWith(`${dir}/`));
  for (const mount of mounts.reverse()) quietly(() => execFileSync('umount', ['-l', mount], { stdio: 'ignore' }));
}

function removeCgroup(path) {
  for (const name of list(path)) if (existsSync(join(path, name, 'cgroup.procs'))) removeCgroup(join(path, name));
  quietly(() => rmdirSync(path));
}

function removeLogLinks() {
  for (const name of list('/var/log/containers')) {
    const link = join('/var/log/containers', name);
    if (quietly(() => readlinkSync(link))?.startsWith(dir)) rmSync(link, { force: true });
  }
}

function reap() {
  endProcesses();
  removeNetwork();
  removeMounts();
  for (const controller of ['', ...list(cgroupRoot)]) removeCgroup(join(cgroupRoot, controller, `shipmate-${id}`));
  removeLogLinks();
  quietly(() => rmSync(dir, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 }));
  process.exit(0);
}

process.stdin.on('end', reap);
process.stdin.on('error', reap);
process.stdin.resume();
