import { access, readFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { runLong } from './run-long.ts';

/** `services`: what the package starts by itself, and the bed does not want. */
type Tool = { program: string; package: string; services?: string[] };

const containerd = { program: 'containerd', package: 'containerd', services: ['containerd'] };

/** Programs of Debian packages that the parts of the bed are made of. */
const tools = {
  redis: [{ program: 'redis-server', package: 'redis-server', services: ['redis-server'] }],
  registry: [{ program: 'docker-registry', package: 'docker-registry', services: ['docker-registry'] }],
  busybox: [{ program: '/bin/busybox', package: 'busybox-static' }],
  docker: [
    { program: 'dockerd', package: 'docker.io', services: ['docker.socket', 'docker'] },
    { program: 'docker', package: 'docker.io' },
    containerd,
  ],
  kubernetes: [
    containerd,
    { program: 'runc', package: 'runc' },
    { program: 'iptables', package: 'iptables' },
    { program: 'ip', package: 'iproute2' },
    { program: 'nsenter', package: 'util-linux' },
    { program: '/usr/lib/cni/bridge', package: 'containernetworking-plugins' },
  ],
  mesh: [
    { program: 'prometheus', package: 'prometheus', services: ['prometheus', 'prometheus-node-exporter'] },
    { program: 'python3', package: 'python3-minimal' },
  ],
  browser: [{ program: 'chromium', package: 'chromium' }],
} satisfies Record<string, Tool[]>;

const searched = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin'];

const exists = (path: string) =>
  access(path).then(
    () => true,
    () => false,
  );

async function present(program: string): Promise<boolean> {
  // One that needs the machine's libraries would not run in an image of its own.
  if (program === '/bin/busybox')
    return await readFile(program).then(
      (bytes) => !bytes.includes('/ld-linux'),
      () => false,
    );
  const places = program.startsWith('/') ? [program] : searched.map((dir) => join(dir, program));
  return (await Promise.all(places.map(exists))).includes(true);
}

async function canInstall(): Promise<boolean> {
  if (process.getuid?.() !== 0) return false;
  const release = await readFile('/etc/os-release', 'utf8').catch(() => '');
  return /^ID(_LIKE)?=.*debian/m.test(release);
}

/**
 * Under systemd the packages' services are masked until the next boot before they come, and switched off for good
 * after: a crash in between leaves nothing that starts by itself. Elsewhere RUNLEVEL=1 keeps them from starting.
 */
async function withoutServices(services: string[], log: (line: string) => void, install: () => Promise<void>) {
  if (services.length === 0 || !(await exists('/run/systemd/system'))) return await install();
  const systemctl = (verb: string[]) =>
    runLong(`systemctl ${verb.join(' ')}`, 'systemctl', [...verb, ...services], log);
  await systemctl(['mask', '--runtime']);
  try {
    await install();
    await systemctl(['disable']);
  } finally {
    await systemctl(['unmask', '--runtime']);
  }
}

async function aptInstall(names: string[], log: (line: string) => void): Promise<void> {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  const patience = ['-o', 'DPkg::Lock::Timeout=300'];
  const what = `Installing ${names.join(', ')}`;
  const install = () =>
    runLong(what, 'apt-get', ['install', '-y', '-q', '--no-install-recommends', ...patience, ...names], log, { env });
  log(what);
  await install().catch(async () => {
    // The list of packages is missing or too old for what the mirror has.
    await runLong('Updating the list of packages', 'apt-get', ['update', '-q'], log, { env });
    await install();
  });
}

/**
 * Sees to it that the Debian packages of these parts are there: installs them as root on Debian, else names what is
 * missing. Their services are not left running.
 */
export async function ensurePackages(parts: (keyof typeof tools)[], log: (line: string) => void): Promise<void> {
  const wanted: Tool[] = parts.flatMap((part) => tools[part]);
  const there = await Promise.all(wanted.map(({ program }) => present(program)));
  const missing = wanted.filter((_, index) => !there[index]);
  if (missing.length === 0) return;
  if (!(await canInstall())) {
    const list = missing.map((tool) => `  ${tool.program}: apt-get install ${tool.package}`);
    throw new Error(
      `These programs are missing. Install them (on Debian or Ubuntu as shown), then call the same command again:\n${[...new Set(list)].join('\n')}`,
    );
  }
  const names = [...new Set(missing.map((tool) => tool.package))];
  const services = [...new Set(missing.flatMap((tool) => tool.services ?? []))];
  await withoutServices(services, log, () => aptInstall(names, log));
}
