import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import type { Target } from './target.ts';
import { targets } from './targets.ts';
import type { Played, Turn } from './thread.ts';

/**
 * `npm run fuzz -- MINUTES [--seed NUMBER] [--target NAME] [--path PATH]`: hostile inputs for every parser of outside bytes, a few seconds
 * for each in turn, until the time is over. What breaks a promise is made as small as it gets and printed with the command that
 * repeats it; then the other targets go on.
 */
const turnMs = 5_000;
/** Of the processor, for one input; and what a thread may hold. */
const hangMs = 30_000;
const memoryMb = 1_024;
const lookMs = 1_000;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seed: { type: 'string' }, target: { type: 'string' }, path: { type: 'string' } },
});
const minutes = Number(positionals[0] ?? 1);
const first = Number(values.seed ?? randomInt(2 ** 31));
const chosen = targets.filter(({ name }) => values.target === undefined || name === values.target);
if (!Number.isFinite(minutes) || !Number.isInteger(first) || chosen.length === 0) {
  console.error(`npm run fuzz -- MINUTES [--seed NUMBER] [--target ${targets.map(({ name }) => name).join('|')}]`);
  process.exit(2);
}

const runs = new Int32Array(new SharedArrayBuffer(4));
const startThread = () =>
  new Worker(new URL('./thread.ts', import.meta.url), {
    workerData: { runs: runs.buffer },
    resourceLimits: { maxOldGenerationSizeMb: memoryMb },
  });
let thread: Worker | undefined;

const cpuMs = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
};

/** Plays a turn in the thread. What ends the thread, or keeps it at one input for too long, is a finding too. */
async function played(turn: Turn): Promise<Played> {
  thread ??= startThread();
  const { promise, resolve } = Promise.withResolvers<Played | string>();
  let [at, since] = [-1, cpuMs()];
  const watch = setInterval(() => {
    const now = Atomics.load(runs, 0);
    if (now !== at) [at, since] = [now, cpuMs()];
    else if (cpuMs() - since > hangMs) resolve(`It did not end within ${hangMs / 1_000} s of the processor.`);
  }, lookMs);
  const broke = (problem: unknown) => resolve(problem instanceof Error ? (problem.stack ?? '') : String(problem));
  thread.once('message', resolve).once('error', broke);
  thread.postMessage(turn);
  const end = await promise;
  clearInterval(watch);
  thread.removeAllListeners('message').removeAllListeners('error');
  if (typeof end !== 'string') return end;
  await thread.terminate();
  thread = undefined;
  const path = turn.path ?? String(Math.max(0, Atomics.load(runs, 0) - 1));
  const input = chosen.find(({ name }) => name === turn.name)?.inputAt(turn.seed, path) ?? '';
  return { runs: Atomics.load(runs, 0), finding: { input, problem: end, path } };
}

function tell({ name, promise }: Target, seed: number, { input, problem, path }: NonNullable<Played['finding']>): void {
  console.log(`\n${name}: broken. ${promise}`);
  console.log(`  with ${input.slice(0, 2_000)}`);
  console.log(`  ${problem.split('\n').slice(0, 8).join('\n  ')}`);
  console.log(`  again: npm run fuzz -- 1 --target ${name} --seed ${seed} --path ${path}\n`);
}

console.log(`Seed ${first}; ${chosen.length} targets, ${minutes} minutes.`);
const until = Date.now() + minutes * 60_000;
const counts = new Map<string, number>();
const broken = new Set<string>();
for (let round = 0; Date.now() < until && broken.size < chosen.length; round++) {
  for (const each of chosen.filter(({ name }) => !broken.has(name))) {
    const ms = Math.min(turnMs, until - Date.now());
    if (ms <= 0) break;
    const { path } = values;
    const seed = (first + round) | 0;
    const { runs: had, finding } = await played({ name: each.name, seed, ms, ...(path !== undefined && { path }) });
    counts.set(each.name, (counts.get(each.name) ?? 0) + had);
    if (!finding) continue;
    broken.add(each.name);
    tell(each, seed, finding);
  }
  if (values.path !== undefined) break;
}
await thread?.terminate();
for (const [name, count] of counts)
  console.log(`${String(count).padStart(9)}  ${broken.has(name) ? 'BROKEN ' : ''}${name}`);
console.log(`${broken.size} findings in ${Math.round(cpuMs() / 60_000)} minutes of the processor; seed ${first}.`);
process.exitCode = broken.size > 0 ? 1 : 0;
