import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, request } from 'undici';
import { type Figure, quantile } from './figures.ts';
import type { Ground } from './ground.ts';
import { startFloor } from './process.ts';

const perSecond = 50;
const blockSeconds = 4;
const blocks = 8;
/** Until the just-in-time compiler has seen enough. */
const warmUps = 5;

/** Sends commands at a steady rate, whatever the answers take, and gives the milliseconds until each was acknowledged. */
async function steadily(ground: Ground, base: string, agent: Agent): Promise<number[]> {
  const calls: Promise<number>[] = [];
  const send = async () => {
    const { body, headers } = ground.slack.signed(
      ground.slack.commandForm('U0ANA', 'C0SHIP', '/ship scale web to 2 in staging'),
    );
    const began = performance.now();
    const answer = await request(`${base}/slack/events`, { method: 'POST', body, headers, dispatcher: agent });
    await answer.body.dump();
    if (answer.statusCode !== 200) throw new Error(`HTTP ${answer.statusCode}`);
    return performance.now() - began;
  };
  for (let i = 0; i < perSecond * blockSeconds; i++) {
    calls.push(send());
    await sleep(1_000 / perSecond);
  }
  return await Promise.all(calls);
}

/** p99 of the time to acknowledge slash commands at 50/s, stored and queued, against a Bolt app that only acknowledges. */
export async function ack(ground: Ground): Promise<Figure> {
  const floor = await startFloor(new URL('./floor-bolt.ts', import.meta.url), { SIGNING_SECRET: ground.signingSecret });
  const bot = await ground.start('bot');
  const agent = new Agent({ connections: 20 });
  const p99s = { ours: [] as number[], floor: [] as number[] };
  for (let block = 0; block < warmUps; block++) {
    await steadily(ground, bot.url, agent);
    await steadily(ground, floor.address, agent);
  }
  for (let block = 0; block < blocks; block++) {
    p99s.ours.push(quantile(await steadily(ground, bot.url, agent), 0.99));
    p99s.floor.push(quantile(await steadily(ground, floor.address, agent), 0.99));
  }
  await Promise.all([agent.close(), floor.stop(), bot.kill('SIGKILL')]);
  // The median over blocks: one hiccup of the machine decides the p99 of its own block, and no other.
  const [ours, bare] = [quantile(p99s.ours, 0.5), quantile(p99s.floor, 0.5)];
  return { name: 'ack', ours, floor: bare, unit: 'ms, p99 at 50/s, median of 8 blocks of 200', limit: 2 };
}
