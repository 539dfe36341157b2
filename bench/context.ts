import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, open, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Context, entriesOf } from '../src/clients/docker/context.ts';
import { packContext } from '../src/clients/docker/pack.ts';
import { type Figure, quantile } from './figures.ts';

const files = 20_000;
const rounds = 7;
const warmUps = 2;
const largeBytes = 2 * 1_024 ** 3;
const { signal } = new AbortController();

/** 20,000 files that are sent, in 200 folders, and as many that the rules leave out. */
async function makeContext(root: string): Promise<Context> {
  const text = 'export const answer = 42;\n'.repeat(100);
  const folders = Array.from({ length: 200 }, (_, n) => `src/part${n}`);
  const ignored = Array.from({ length: 100 }, (_, n) => `node_modules/package${n}/lib`);
  for (const folder of [...folders, ...ignored]) {
    await mkdir(join(root, folder), { recursive: true });
    const all = Array.from({ length: 100 }, (_, n) => n);
    await Promise.all(all.map((n) => writeFile(join(root, folder, `file${n}.ts`), text.slice(0, 500 + n * 20))));
    await Promise.all(all.map((n) => n % 2 || writeFile(join(root, folder, `file${n}.log`), 'x')));
  }
  await writeFile(join(root, 'Dockerfile'), 'FROM scratch\nCOPY . /\n');
  await writeFile(join(root, '.dockerignore'), 'node_modules\n**/*.log\n!src/part0/file0.log\n.git\ndist\n');
  return { root, dockerfile: 'Dockerfile' };
}

async function timed(act: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await act();
  return performance.now() - began;
}

/** Packs a context into a file. */
async function packInto(context: Context, path: string): Promise<void> {
  const file = await open(path, 'w');
  try {
    await packContext(context, (part) => writeFile(file, part), signal);
  } finally {
    await file.close();
  }
}

/** How much memory packing takes at most, in MB beside what there was. */
async function weigh(context: Context): Promise<number> {
  const before = process.memoryUsage().rss;
  let most = before;
  const watch = async () => {
    most = Math.max(most, process.memoryUsage.rss());
  };
  await packContext(context, watch, signal);
  return (most - before) / 1_048_576;
}

/** 20,000 files packed by the rules of .dockerignore, against GNU tar with a list of the same files; and what it takes of memory. */
export async function context(): Promise<Figure[]> {
  const folder = await mkdtemp(join(tmpdir(), 'shipmate-bench-'));
  try {
    const [root, list] = [join(folder, 'context'), join(folder, 'list')];
    const made = await makeContext(root);
    const entries = [...entriesOf(made)];
    if (entries.filter(({ kind }) => kind === 'file').length !== files + 3)
      throw new Error(`${entries.length} entries`);
    await writeFile(list, entries.map(({ path }) => `${path}\n`).join(''));
    const tar = promisify(execFile);
    const [mine, theirs] = [join(folder, 'ours.tar'), join(folder, 'theirs.tar')];
    const pack = () => packInto(made, mine);
    const gnu = () => tar('tar', ['-cf', theirs, '-C', root, '--no-recursion', '-T', list]);
    const samples = { ours: [] as number[], floor: [] as number[] };
    for (let n = 0; n < rounds + warmUps; n++) {
      const [ours, floor] = [await timed(pack), await timed(gnu)];
      if (n >= warmUps) samples.ours.push(ours) && samples.floor.push(floor);
    }
    const sizes = await Promise.all([mine, theirs].map(async (path) => (await stat(path)).size));
    if (Math.abs((sizes[0] ?? 0) - (sizes[1] ?? 0)) > 1_048_576) throw new Error(`the tars differ: ${sizes}`);
    // A file with a hole for its content is as long to read as any other.
    await writeFile(join(root, 'large'), '');
    await truncate(join(root, 'large'), largeBytes);
    const memory = await weigh(made);
    return [
      {
        name: 'context',
        ours: quantile(samples.ours, 0.5),
        floor: quantile(samples.floor, 0.5),
        unit: 'ms to pack 20,000 files, median; the floor is GNU tar with a list of them',
        limit: 1.5,
      },
      {
        name: 'context-memory',
        ours: memory,
        floor: 64,
        unit: 'MB at most to pack those and a file of 2 GiB; the floor is what is allowed',
        limit: 1,
      },
    ];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
