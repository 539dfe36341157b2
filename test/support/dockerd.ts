import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

export type Authority = {
  dir: string;
  ca: string;
  cert: (name: string, of: 'server' | 'client') => Promise<{ cert: string; key: string }>;
};

/** An authority of one's own in a folder, and what it certifies. */
export async function makeAuthority(dir: string, name: string): Promise<Authority> {
  const file = (part: string) => join(dir, `${name}-${part}.pem`);
  const key = (to: string) => run('openssl', ['ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', to]);
  await key(file('ca-key'));
  await run('openssl', [
    'req',
    '-x509',
    '-new',
    '-key',
    file('ca-key'),
    '-days',
    '2',
    '-subj',
    `/CN=${name}`,
    '-out',
    file('ca'),
  ]);
  return {
    dir,
    ca: file('ca'),
    cert: async (who, of) => {
      await key(file(`${who}-key`));
      await run('openssl', [
        'req',
        '-new',
        '-key',
        file(`${who}-key`),
        '-subj',
        `/CN=${who}`,
        '-out',
        file(`${who}-csr`),
      ]);
      await writeFile(file(`${who}-ext`), `extendedKeyUsage=${of}Auth\nsubjectAltName=IP:127.0.0.1\n`);
      const ca = ['-CA', file('ca'), '-CAkey', file('ca-key'), '-CAcreateserial', '-days', '2'];
      await run('openssl', [
        'x509',
        '-req',
        '-in',
        file(`${who}-csr`),
        ...ca,
        '-extfile',
        file(`${who}-ext`),
        '-out',
        file(who),
      ]);
      return { cert: file(who), key: file(`${who}-key`) };
    },
  };
}

async function listens(socket: string | number): Promise<boolean> {
  return await new Promise((resolve) => {
    const client = typeof socket === 'number' ? connect(socket, '127.0.0.1') : connect(socket);
    client.once('connect', () => resolve(true)).once('error', () => resolve(false));
    client.once('connect', () => client.destroy());
  });
}

export type Daemon = { dir: string; socket: string; process: ChildProcess; end(): Promise<void> };

/** A dockerd of one's own, to be killed and frozen, with all it has in a folder below `home`. */
export async function startDaemon(dir: string, args: readonly string[] = [], home = tmpdir()): Promise<Daemon> {
  const own = await mkdtemp(join(home, 'shipmate-dockerd-'));
  const socket = join(own, 'docker.sock');
  const flags = [
    `--host=unix://${socket}`,
    `--data-root=${join(own, 'data')}`,
    `--exec-root=${join(own, 'exec')}`,
    `--pidfile=${join(own, 'docker.pid')}`,
    '--bridge=none',
    '--iptables=false',
    '--ip6tables=false',
    '--storage-driver=vfs',
  ];
  const child = spawn('dockerd', [...flags, ...args], { cwd: dir, stdio: 'ignore' });
  for (let tries = 0; !(await listens(socket)); tries++) {
    if (tries > 150 || child.exitCode !== null) throw new Error('dockerd did not start');
    await sleep(100);
  }
  return {
    dir: own,
    socket,
    process: child,
    end: async () => {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGCONT');
        child.kill('SIGTERM');
        const late = setTimeout(() => child.kill('SIGKILL'), 10_000);
        await once(child, 'exit');
        clearTimeout(late);
      }
      // One that was killed leaves its data root mounted on itself, and in it what was being built.
      await run('umount', ['--recursive', '--lazy', join(own, 'data')]).catch(() => {});
      await rm(own, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
    },
  };
}
