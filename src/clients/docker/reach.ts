import { request as plain, type RequestOptions } from 'node:http';
import { request as secure } from 'node:https';
import { isIP } from 'node:net';
import { Duplex } from 'node:stream';
import type { DockerHostSettings } from '../../core/host-settings.ts';
import { readGiven } from '../../files/regular-file.ts';
import { startProgram } from '../../processes/program.ts';

/** How a host is reached: begins a request there. `said` is what the way itself had to say, such as ssh's complaint. */
export type Reach = { request: (options: RequestOptions) => ReturnType<typeof plain>; said: () => string };

const connectSeconds = 10;
/** A bundle of all the world’s authorities has a quarter of it. */
const longestPem = 1_048_576;

/** Arguments of `ssh`: it never asks, and never trusts a host that it does not know. */
export function sshArguments({ address, ssh }: Pick<DockerHostSettings, 'address' | 'ssh'>): string[] {
  const { username, hostname, port } = new URL(address);
  const option = (text: string) => ['-o', text];
  return [
    '-T',
    ...option('BatchMode=yes'),
    ...option('StrictHostKeyChecking=yes'),
    ...option(`ConnectTimeout=${connectSeconds}`),
    ...option('ForwardAgent=no'),
    ...option('ClearAllForwardings=yes'),
    ...(ssh?.key === undefined ? [] : ['-i', ssh.key, ...option('IdentitiesOnly=yes')]),
    ...(ssh?.knownHosts === undefined ? [] : option(`UserKnownHostsFile=${ssh.knownHosts}`)),
    ...(username === '' ? [] : ['-l', username]),
    ...(port === '' ? [] : ['-p', port]),
    '--',
    hostname,
    'docker system dial-stdio',
  ];
}

/** A connection to the daemon over ssh: what `docker` itself does. */
function dial(settings: DockerHostSettings): { stream: Duplex; said: () => string } {
  const child = startProgram('ssh', sshArguments(settings), { stdio: ['pipe', 'pipe', 'pipe'] });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = `${said}${text}`.slice(-2_000);
  });
  const stream = Duplex.from({ readable: child.stdout, writable: child.stdin });
  child.on('error', (problem) => stream.destroy(problem));
  // Whatever is left of it goes with the connection.
  stream.on('close', () => child.kill());
  // Its last words come after its output has ended.
  stream.on('error', () => {});
  return { stream, said: () => said };
}

function overTcp({ address, tls }: DockerHostSettings): Reach {
  const { hostname, port } = new URL(address);
  // WHATWG keeps the brackets of an IPv6 address, sockets want none.
  const host = hostname.replace(/^\[|\]$/g, '');
  // Told outright: else the certificate would be held against the Host header.
  const where = { host, port: port || (tls ? '2376' : '2375'), servername: isIP(host) ? '' : host };
  if (!tls) return { request: (options) => plain({ ...options, ...where }), said: () => '' };
  // Read at each use: certificates are renewed under a running process.
  const read = (path: string) => readGiven(path, longestPem);
  const files = () => ({ ca: read(tls.ca), cert: read(tls.cert), key: read(tls.key) });
  return { request: (options) => secure({ ...options, ...where, ...files(), agent: false }), said: () => '' };
}

/** The way to a Docker host: a socket of this machine, TLS, or ssh. */
export function reach(settings: DockerHostSettings): Reach {
  const { protocol, pathname } = new URL(settings.address);
  switch (protocol) {
    case 'unix:':
      return { request: (options) => plain({ ...options, socketPath: pathname, agent: false }), said: () => '' };
    case 'ssh:': {
      const { stream, said } = dial(settings);
      return { request: (options) => plain({ ...options, createConnection: () => stream }), said };
    }
    default:
      return overTcp(settings);
  }
}
