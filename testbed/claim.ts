import { once } from 'node:events';
import { createServer, type Server } from 'node:net';

/**
 * Takes a name that only one process of this machine can hold at a time, or answers undefined when another has it.
 * The kernel lets go of it when the holder ends, however it ends, so nothing stale is ever left: it is a socket in
 * Linux's abstract namespace. Elsewhere beds have no neighbours to fear, and the claim is always granted.
 */
export async function claim(name: string): Promise<Server | undefined> {
  const server = createServer((socket) => socket.destroy());
  server.unref();
  if (process.platform !== 'linux') return server;
  const held = new Promise<boolean>((resolve, reject) => {
    server.once('error', (problem: NodeJS.ErrnoException) =>
      problem.code === 'EADDRINUSE' ? resolve(false) : reject(problem),
    );
    server.listen(`\0shipmate-${name}`, () => resolve(true));
  });
  return (await held) ? server : undefined;
}

/** Lets go of a claim. */
export async function release(held: Server): Promise<void> {
  if (!held.listening) return;
  held.close();
  await once(held, 'close');
}
