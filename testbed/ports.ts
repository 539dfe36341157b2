import { once } from 'node:events';
import { connect, createServer, type NetConnectOpts, type Server } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { claim, release } from './claim.ts';

function opens(to: NetConnectOpts): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ ...to, timeout: 1_000 });
    const answer = (open: boolean) => {
      socket.destroy();
      resolve(open);
    };
    socket.once('connect', () => answer(true));
    socket.once('error', () => answer(false));
    socket.once('timeout', () => answer(false));
  });
}

/** Whether something on loopback listens on the port. */
export const portOpen = (port: number): Promise<boolean> => opens({ port, host: '127.0.0.1' });

/**
 * Waits until nobody listens on the port of loopback any more: who inherited it from a program that was killed may hold it a little longer.
 * @throws Error where it is still taken after `ms`
 */
export async function untilFree(port: number, ms: number, signal?: AbortSignal): Promise<void> {
  const began = Date.now();
  while (await portOpen(port)) {
    if (Date.now() - began > ms) throw new Error(`another program listens on 127.0.0.1:${port}: end it`);
    await sleep(50, undefined, signal && { signal });
  }
}

/** Whether something listens on the Unix socket. */
export const socketOpen = (path: string): Promise<boolean> => opens({ path });

async function canListen(port: number): Promise<boolean> {
  const server = createServer();
  const free = await new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => resolve(true));
  });
  if (free) {
    server.close();
    await once(server, 'close');
  }
  return free;
}

// Below the ports that Linux hands out for outgoing connections (from 32768): there, a client that retries while its
// server is down can get connected to itself, and hold the port. Below Kubernetes' node ports (from 30000), too.
const first = 20_000;
const count = 10_000;

/** A port of loopback that nobody listens on, claimed against other beds that look for one; `wanted` if it is free. */
export async function freePort(wanted = 0): Promise<{ port: number; claimed: Server }> {
  for (let tries = 0; tries < 200; tries++) {
    const port = tries === 0 && wanted > 0 ? wanted : first + Math.floor(Math.random() * count);
    const claimed = await claim(`port-${port}`);
    if (!claimed) continue;
    if (await canListen(port)) return { port, claimed };
    await release(claimed);
  }
  throw new Error(`no free port between ${first} and ${first + count} on 127.0.0.1: end what is using them`);
}
