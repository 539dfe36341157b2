// Ends a test bed whose owner is gone, however it went: it holds a pipe to the owner, and the pipe's end is the sign.
// In a session of its own, so that Ctrl-C reaches the owner first and the reaper not at all.
// It imports nothing of ours: the checkout may be half-edited when its hour comes.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

type Bed = { id: string; dir: string };

const cgroupRoot = '/sys/fs/cgroup';
const sleep = (ms: number) => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);

function quietly<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch {
    return undefined;
  }
}

const read = (path: string) => quietly(() => readFileSync(path, 'utf8')) ?? '';
const list = (path: string) => quietly(() => readdirSync(path)) ?? [];
const run = (program: string, args: string[]) =>
  quietly(() => execFileSync(program, args, { stdio: 'ignore', timeout: 10_000 }));

/** Tries until `done`, for ten seconds at most. */
function insist(act: () => void, done: () => boolean): boolean {
  for (let tries = 0; tries < 200; tries++) {
    act();
    if (done()) return true;
    sleep(50);
  }
  return false;
}

// What the owner has told of. Only where there is no /proc to look through are they needed.
let told: number[] = [];
const alive = (pid: number) => quietly(() => process.kill(pid, 0)) === true;

/** Every process of the bed: marked in the environment that it was started with, or living in the bed's cgroups. */
function members({ id }: Bed): number[] {
  if (process.platform !== 'linux') return told.filter(alive);
  return list('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      const marked = read(`/proc/${pid}/environ`).split('\0').includes(`SHIPMATE_BED=${id}`);
      return (marked || read(`/proc/${pid}/cgroup`).includes(`/shipmate-${id}`)) && !isZombie(pid);
    })
    .map(Number);
}

const statOf = (pid: string | number) =>
  read(`/proc/${pid}/stat`)
    .replace(/^.*\) /s, '')
    .split(' ');
const isZombie = (pid: string) => statOf(pid)[0] === 'Z';
/** When a process began: with its id, that names it for good. */
const startOf = (pid: string | number) => statOf(pid)[19] ?? '';

function endProcesses(bed: Bed): boolean {
  // Stopped first, so that none starts another while the rest are being ended.
  for (const pid of members(bed)) quietly(() => process.kill(pid, 'SIGSTOP'));
  return insist(
    () => {
      for (const pid of members(bed)) quietly(() => process.kill(pid, 'SIGKILL'));
    },
    () => members(bed).length === 0,
  );
}

/** The pods' network cards, the bridge that they are plugged into, and with it its route. */
function removeNetwork({ id }: Bed): boolean {
  const bridge = `/sys/class/net/sm${id}`;
  const remove = () => {
    for (const card of list(`${bridge}/brif`)) run('ip', ['link', 'delete', card]);
    if (existsSync(bridge)) run('ip', ['link', 'delete', `sm${id}`]);
  };
  return insist(remove, () => !existsSync(bridge));
}

function removeCgroup(path: string): void {
  for (const name of list(path)) if (existsSync(join(path, name, 'cgroup.procs'))) removeCgroup(join(path, name));
  quietly(() => rmdirSync(path));
}

function removeCgroups({ id }: Bed): boolean {
  const paths = ['', ...list(cgroupRoot)].map((controller) => join(cgroupRoot, controller, `shipmate-${id}`));
  return insist(
    () => paths.forEach(removeCgroup),
    () => !paths.some((path) => existsSync(path)),
  );
}

/** Mounts are private to the bed's processes and went with them; should one be left, deleting would reach through it. */
function removeFolder({ dir }: Bed): boolean {
  const mounts = () =>
    read('/proc/self/mountinfo')
      .split('\n')
      .map((line) => line.split(' ')[4] ?? '')
      .filter((mount) => mount.startsWith(`${dir}/`));
  for (const mount of mounts().reverse()) run('umount', ['-l', mount]);
  if (mounts().length > 0) return false;
  quietly(() => rmSync(dir, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 }));
  return !existsSync(dir);
}

function reap(bed: Bed): boolean {
  const acts = { processes: endProcesses, network: removeNetwork, cgroups: removeCgroups, folder: removeFolder };
  const left = Object.entries(acts).filter(([, act]) => !act(bed));
  for (const [what] of left) console.error(`test bed ${bed.dir}: its ${what} would not go (id ${bed.id})`);
  return left.length === 0;
}

/** Beds whose reaper was killed as well, or that a power cut ended. */
function sweep(): void {
  for (const name of list('/tmp').filter((entry) => entry.startsWith('shipmate-bed-'))) {
    const dir = join('/tmp', name);
    // Anybody may make a folder in /tmp: only our own user's word is believed.
    if (quietly(() => statSync(dir).uid) !== process.getuid?.()) continue;
    const [id = '', pid = '', start] = read(join(dir, 'reaper')).split(' ');
    const reaperLives = startOf(pid) === start && !isZombie(pid);
    if (/^[0-9a-f]{8}$/.test(id) && !reaperLives) reap({ id, dir });
  }
}

const [, , id = '', dir = ''] = process.argv;
if (!/^[0-9a-f]{8}$/.test(id) || !dir.startsWith('/tmp/shipmate-bed-')) throw new Error('usage: reaper.ts ID DIR');
writeFileSync(join(dir, 'reaper'), `${id} ${process.pid} ${startOf(process.pid)}`);
const end = () => process.exit(reap({ id, dir }) ? 0 : 1);
process.stdin.on('end', end);
process.stdin.on('error', end);
process.stdin.on('data', (pids) => {
  told = [...told, ...`${pids}`.split('\n').map(Number).filter(Boolean)];
});
if (process.platform === 'linux') sweep();
