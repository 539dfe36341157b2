import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { createContext, Script } from 'node:vm';
import fc from 'fast-check';
import { parseSync, Visitor } from 'vite';

const root = resolve(import.meta.dirname, '../..');

export type Found = { where: string; source: string; flags: string };

const files = (dir: string): string[] =>
  readdirSync(dir).flatMap((name) => {
    const path = join(dir, name);
    if (statSync(path).isDirectory()) return files(path);
    return path.endsWith('.ts') ? [path] : [];
  });

/** Every regular expression that stands in the product's source, once, and the places where one is made from a text. */
export function patternsOfSource(): { literals: Found[]; made: string[] } {
  const literals = new Map<string, Found>();
  const made: string[] = [];
  for (const path of ['src', 'handlers', 'jobs'].flatMap((dir) => files(join(root, dir)))) {
    const text = readFileSync(path, 'utf8');
    const where = relative(root, path);
    const lineAt = (at: number) => `${where}:${text.slice(0, at).split('\n').length}`;
    new Visitor({
      Literal: (node) => {
        if (!('regex' in node)) return;
        const { pattern: source, flags } = node.regex;
        literals.set(`/${source}/${flags}`, { where: lineAt(node.start), source, flags });
      },
      Identifier: ({ name, start }) => {
        if (name === 'RegExp' && text[start + name.length] === '(') made.push(where);
      },
    }).visit(parseSync(path, text).program);
  }
  return { literals: [...literals.values()], made };
}

/** What fits the pattern, as far as it can be made up; always the same. */
function samplesOf({ source, flags }: Found): string[] {
  try {
    const texts = fc.stringMatching(new RegExp(source, flags.replace(/[gmy]/g, '')), { size: 'small' });
    return fc.sample(texts, { numRuns: 3, seed: 7 });
  } catch {
    // It looks behind, or has another feature that texts cannot be made up for.
    return [];
  }
}

const common = ['a', '0', 'A', ' ', '\t', '\n', '/', '"', "'", '=', ':', '.', '-', '_', ',', '(', '<', '{', '[', '*'];

/** Pieces that, again and again, lead a pattern to begin a match and never to end it. */
function pumpsOf(pattern: Found): string[] {
  const words = pattern.source.match(/[A-Za-z0-9 _:/"'=<>.,{}[\]-]{2,}/g) ?? [];
  const plain = words.map((word) => word.replace(/[[\]{}]/g, ''));
  const samples = samplesOf(pattern).flatMap((text) => [
    text,
    text.slice(0, -1),
    text.slice(0, Math.ceil(text.length / 2)),
  ]);
  const begun = plain.flatMap((word) => [word, ...common.slice(0, 8).map((letter) => `${word}${letter}`)]);
  const pairs = ['a ', ' a', '0.', 'a.', '::', 'a:', '/a', '-a', '="', 'a,', 'eyJ-', '<a:', '{{'];
  return [...new Set([...samples, ...begun, ...common, ...pairs])].filter((pump) => pump !== '');
}

/** Times are of this thread's CPU: what other processes do does not count. */
const measure = new Script(`(() => {
  const began = cpu();
  if (flags.includes('g')) text.replace(new RegExp(source, flags), '');
  else new RegExp(source, flags).test(text);
  return cpu() - began;
})()`);
const cpu = () => {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
};

const place = createContext({ cpu });

/** How many ms of CPU a pattern takes for a text; at most some `limitMs`, in which no pattern may get stuck. */
export function msFor({ source, flags }: Found, text: string, limitMs = 3_000): number {
  Object.assign(place, { source, flags, text });
  try {
    return Number(measure.runInContext(place, { timeout: limitMs }));
  } catch (thrown) {
    if (/timed out/.test(String(thrown))) return limitMs;
    throw thrown;
  }
}

export const filled = (start: string, pump: string, length: number): string =>
  `${start}${pump.repeat(Math.ceil(length / pump.length))}`.slice(0, length - 1).concat('\u0000');

/** A text that a pattern is said to take long for: each pump as often as one likes. */
export type Attack = { pumps: readonly { prefix: string; pump: string }[]; suffix: string };

/** A pattern that takes longer is stuck. */
const stuckMs = 500;

/**
 * Whether the time grows faster than the text does. An attack that was guessed is timed by the clock on the wall: on a busy machine
 * one is seen where there is none, so it is measured again by the CPU, whole and half as long.
 */
export function isSlow(pattern: Found, { pumps, suffix }: Attack): boolean {
  const text = (times: number) => pumps.map(({ prefix, pump }) => prefix + pump.repeat(times)).join('') + suffix;
  const best = (times: number) => Math.min(...[1, 2, 3].map(() => msFor(pattern, text(times), stuckMs)));
  const times = [4_096, 16_384, 65_536, 262_144].find((each) => best(each) > 20);
  if (times === undefined) return false;
  return best(times) >= stuckMs || best(times) / best(times / 2) > 3;
}

/** The texts that a pattern takes longest for, found with small ones. */
export function worstFor(pattern: Found, tries: number): { start: string; pump: string }[] {
  const [first = ''] = samplesOf(pattern);
  const starts = [...new Set(['', first, first.slice(0, Math.ceil(first.length / 2))])];
  const ranked = pumpsOf(pattern).flatMap((pump) =>
    starts.map((start) => ({ start, pump, ms: msFor(pattern, filled(start, pump, 16_384), 300) })),
  );
  return ranked.sort((a, b) => b.ms - a.ms).slice(0, tries);
}
