// Starts and says so as Shipmate does, and does what PLAN says: a word for its first start, for its second, and so on; then it runs.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

const { STARTS = '', PLAN = '', PORT = '' } = process.env;
const before = existsSync(STARTS) ? readFileSync(STARTS, 'utf8').trimEnd().split('\n').length : 0;
appendFileSync(STARTS, `${process.pid} ${Date.now()}\n`);
const does = PLAN.split(' ')[before] || 'runs';

/** Somebody who goes on listening on the port for a moment after we are gone. */
async function lend(server: Server): Promise<void> {
  const heir = `
    process.on('message', (_, server) => process.send('has it'));
    process.on('disconnect', () => setTimeout(() => process.exit(), 600));`;
  const child = spawn(process.execPath, ['-e', heir], { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
  child.send('take this', server);
  await once(child, 'message');
}

if (does === 'crashes') {
  console.error('looking for the mast\nthe mast is missing');
  process.exit(3);
}
if (does === 'hangs') setInterval(() => {}, 1_000);
else {
  const server = createServer((_request, response) => response.end(String(process.pid)));
  if (does === 'dawdles') await sleep(1_500);
  server.listen(Number(PORT), '127.0.0.1');
  await once(server, 'listening');
  if (does === 'lends') await lend(server);
  console.log(JSON.stringify({ address: `http://127.0.0.1:${PORT}` }));
  console.log(JSON.stringify({ msg: 'ready' }));
  if (does === 'sinks') {
    console.error('a plank is loose');
    setTimeout(() => process.exit(4), 100);
  }
}
