import { spawn } from 'node:child_process';
import { access, readFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { setInterval } from 'node:timers';

type Tool = { program: string; package: string };

/** Programs of Debian packages that the parts of the bed are made of. */
export const tools = {
  redis: [{ program: 'redis-server', package: 'redis-server' }],
  registry: [{ program: 'docker-registry', package: 'docker-registry' }],
  docker: [
    { program: 'dockerd', package: 'docker.io' },
    { program: 'containerd', package: 'containerd' },
    { program: 'busybox', package: 'busybox-static' },
  ],
  kubernetes: [
    { program: 'containerd', package: 'containerd' },
    { program: 'runc', package: 'runc' },
    { program: 'iptables', package: 'iptables' },
    { program: 'ip', package: 'iproute2' },
    { program: '/usr/lib/cni/bridge', package: 'containernetworking-plugins' },
    { program: 'busybox', package: 'busybox-static' },
  ],
  browser: [{ program: 'chromium', package: 'chromium' }],
} satisfies Record<string, Tool[]>;

const searched = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin'];

async function present(program: string): Promise<boolean> {
  const places = program.startsWith('/') ? [program] : searched.map((dir) => join(dir, program));
  const found = await Promise.all(
    places.map((place) =>
      access(place).then(
        () => true,
        () => false,
      ),
    ),
  );
  return found.includes(true);
}

/** Runs a program to its end, saying every five seconds that it is still at it. @throws Error with its last words */
export async function runLong(
  what: string,
  program: string,
  args: string[],
  log: (line: string) => void,
  options: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<void> {
  const began = Date.now();
  const timer = setInterval(() => log(`${what} … ${Math.round((Date.now() - began) / 1_000)} s`), 5_000);
  const child = spawn(program, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  const hear = (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-4_000);
  };
  child.stdout.on('data', hear);
  child.stderr.on('data', hear);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  }).finally(() => clearInterval(timer));
  if (code !== 0) throw new Error(`${what} failed (${program} ${args.join(' ')}):\n${said}`);
  if (Date.now() - began > 2_000) log(`${what}: done in ${Math.round((Date.now() - began) / 1_000)} s`);
}

async function canInstall(): Promise<boolean> {
  if (process.getuid?.() !== 0) return false;
  const release = await readFile('/etc/os-release', 'utf8').catch(() => '');
  return /^ID(_LIKE)?=.*debian/m.test(release);
}

/** Sees to it that the Debian packages of these parts are there: installs them as root on Debian, else names what is missing. */
export async function ensurePackages(parts: (keyof typeof tools)[], log: (line: string) => void): Promise<void> {
  const wanted = parts.flatMap((part) => tools[part]);
  const there = await Promise.all(wanted.map(({ program }) => present(program)));
  const missing = wanted.filter((_, index) => !there[index]);
  if (missing.length === 0) return;
  const names = [...new Set(missing.map((tool) => tool.package))];
  if (!(await canInstall())) {
    const list = missing.map((tool) => `  ${tool.program}: apt-get install ${tool.package}`).join('\n');
    throw new Error(
      `These programs are missing. Install them (on Debian or Ubuntu as shown), then call the same command again:\n${list}`,
    );
  }
  log(`Installing ${names.join(', ')}`);
  // Their services must not start: the bed starts its own, on its own ports.
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  const install = ['install', '-y', '-q', '--no-install-recommends', ...names];
  await runLong('Updating the package list', 'apt-get', ['update', '-q'], log, { env });
  await runLong('Installing packages', 'apt-get', install, log, { env });
}
