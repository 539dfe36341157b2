import { ack } from './ack.ts';
import { approve } from './approve.ts';
import { effect } from './effect.ts';
import { printFigure } from './figures.ts';
import { breakGround } from './ground.ts';
import { idle } from './idle.ts';
import { takeover, takeoverMany } from './takeover.ts';
import { throughput } from './throughput.ts';

/** `npm run bench` runs all benchmarks, `npm run bench -- NAME…` those named. One JSON line each on standard output. */
const benchmarks = { ack, effect, idle, throughput, approve, takeover, takeoverMany };

const names = process.argv.slice(2);
const unknown = names.filter((name) => !Object.hasOwn(benchmarks, name));
if (unknown.length > 0) {
  console.error(`There is no benchmark ${unknown.join(', ')}; there are ${Object.keys(benchmarks).join(', ')}.`);
  process.exit(2);
}
const chosen = Object.entries(benchmarks).filter(([name]) => names.length === 0 || names.includes(name));
const ground = await breakGround();
try {
  for (const [, measure] of chosen) {
    await ground.clear();
    printFigure(await measure(ground));
  }
} finally {
  await ground.end();
}
