import { ack } from './ack.ts';
import { approve } from './approve.ts';
import { build } from './build.ts';
import { context } from './context.ts';
import { detect } from './detect.ts';
import { effect } from './effect.ts';
import { type Figure, printFigure } from './figures.ts';
import { breakGround, type Ground } from './ground.ts';
import { idle } from './idle.ts';
import { list } from './list.ts';
import { switchShare } from './switch.ts';
import { takeover, takeoverMany } from './takeover.ts';
import { throughput } from './throughput.ts';
import { verdicts } from './verdicts.ts';
import { verify } from './verify.ts';
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
  switch: switchShare,
  detect,
  verify,
  build,
};

/** Those that need nothing but the program itself. */
const alone: Record<string, () => Promise<Figure[]>> = { verdicts, context };

const names = process.argv.slice(2);
const known = [...Object.keys(benchmarks), ...Object.keys(alone)];
const unknown = names.filter((name) => !known.includes(name));
if (unknown.length > 0) {
  console.error(`There is no benchmark ${unknown.join(', ')}; there are ${known.join(', ')}.`);
  process.exit(2);
}
const among = <Kind>(all: Record<string, Kind>): Kind[] =>
  Object.entries(all).flatMap(([name, each]) => (names.length === 0 || names.includes(name) ? [each] : []));

for (const measure of among(alone)) for (const figure of await measure()) printFigure(figure);
const chosen = among(benchmarks);
if (chosen.length > 0) {
  const ground = await breakGround();
  try {
    for (const measure of chosen) {
      await ground.clear();
      for (const figure of [await measure(ground)].flat()) printFigure(figure);
    }
  } finally {
    await ground.end();
  }
}
