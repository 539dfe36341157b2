import { ack } from './ack.ts';
import { approve } from './approve.ts';
import { effect } from './effect.ts';
import { type Figure, printFigure } from './figures.ts';
import { breakGround, type Ground } from './ground.ts';
import { idle } from './idle.ts';
import { list } from './list.ts';
import { takeover, takeoverMany } from './takeover.ts';
import { throughput } from './throughput.ts';
import { watchFleet } from './watch-fleet.ts';

/** `npm run bench` runs all benchmarks, `npm run bench -- NAME…` those named. One JSON line each on standard output. */
const benchmarks: Record<string, (ground: Ground) => Promise<Figure | Figure[]>> = {
  ack,
  effect,
  idle,
  throughput,
  approve,
  takeover,
  takeoverMany,
  watchFleet,
  list,
};

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
    for (const figure of [await measure(ground)].flat()) printFigure(figure);
  }
} finally {
  await ground.end();
}
