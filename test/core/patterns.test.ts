import { check } from 'recheck';
import { describe, expect, test } from 'vitest';
import { createRedact, redactDeep } from '../../src/core/redact.ts';
import { type Found, filled, isSlow, msFor, patternsOfSource, worstFor } from '../support/patterns.ts';

const { literals, made } = patternsOfSource();
const large = 1_000_000;
/** Nobody may wait longer than this for one pattern. */
const mostMs = 50;

/** Where a pattern is made from a text, and why that is harmless. All others use `linearPattern`, whatever their text. */
const harmless: Record<string, string> = {
  'handlers/slack/actions.ts': 'the beginning of our own action ids',
  'handlers/slack/whole-plan.ts': 'a fixed text with a number',
  'src/operations/docker/container-fields.ts': 'fixed parts',
  'src/operations/docker/logs.ts': 'a fixed text with an escape character',
  'src/operations/pods/grep.ts': 'only compiled, to say what is wrong',
  'src/operations/pods/grep-thread.ts': 'runs in a thread that is ended when it takes long',
  'src/operations/pods/subject.ts': 'fixed parts, on names of pods',
};

test('patterns are made from texts in known places alone; elsewhere RE2 takes them', () => {
  expect([...new Set(made)].sort()).toEqual(Object.keys(harmless).sort());
});

test('no pattern of the source can be made to take more than linear time', { timeout: 600_000 }, async () => {
  const risky = literals.filter(({ source }) => /[*+]|\{\d+,/.test(source));
  expect(risky.length).toBeGreaterThan(200);
  const wrong: string[] = [];
  const queue = [...risky];
  const work = async () => {
    for (let each = queue.pop(); each; each = queue.pop()) {
      const found = await check(each.source, each.flags, { timeout: 4_000, randomSeed: 7 });
      const surely = found.status === 'vulnerable' && (found.checker === 'automaton' || isSlow(each, found.attack));
      if (surely) wrong.push(`${each.where} /${each.source}/ by ${found.attack.pattern}`);
    }
  };
  await Promise.all([work(), work()]);
  expect(wrong).toEqual([]);
});

test('an attack that was guessed counts where the CPU takes longer for it, and only there', () => {
  const attack = (prefix: string, pump: string, suffix: string) => ({ pumps: [{ prefix, pump }], suffix });
  const here = { where: 'here', flags: '' };
  expect(isSlow({ ...here, source: String.raw`\s+$` }, attack('', ' ', 'x'))).toBe(true);
  expect(isSlow({ ...here, source: '^(a+)+$' }, attack('', 'a', 'b'))).toBe(true);
  // Taken for quadratic one time in three, on a busy machine.
  const image = literals.find(({ source }) => source.includes('?<registry>')) ?? expect.unreachable();
  const guessed = {
    pumps: [
      { prefix: '6', pump: 'sh' },
      { prefix: 'a25', pump: '-h' },
    ],
    suffix: '_',
  };
  expect(isSlow(image, guessed)).toBe(false);
});

/** The growth of the time from half the text to the whole; 1 where it takes no time to speak of. */
const growthOf = (pattern: Found) =>
  worstFor(pattern, 2).map(({ start, pump }) => {
    const text = (length: number) => filled(start, pump, length);
    if (msFor(pattern, text(large)) < mostMs) return { pump, growth: 1 };
    // Where it took longer, what counts is how that grows: that says nothing of how fast this machine is.
    const best = (length: number) => Math.min(...[1, 2, 3].map(() => msFor(pattern, text(length))));
    // Long enough to tell, short enough to end.
    const length = [16_384, 65_536, 262_144].find((each) => msFor(pattern, text(each)) > 20) ?? large;
    return { pump, growth: best(length) / best(length / 2) };
  });

test.each([
  String.raw`\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*`,
  String.raw`\s+$`,
  String.raw`<([^>]+)>;\s*rel`,
])('the measure tells that /%s/ is quadratic', (source) => {
  const growths = growthOf({ where: 'here', source, flags: '' }).map(({ growth }) => growth);
  expect(Math.max(...growths)).toBeGreaterThan(3);
});

test(`a text of 1 MB keeps no pattern for ${mostMs} ms, however hostile it is`, { timeout: 600_000 }, () => {
  const slow = literals.flatMap((pattern) =>
    growthOf(pattern)
      .filter(({ growth }) => growth > 3)
      .map(
        ({ pump, growth }) => `${pattern.where} /${pattern.source}/ ×${growth.toFixed(1)} by ${JSON.stringify(pump)}`,
      ),
  );
  expect(slow).toEqual([]);
});

describe('redacting', () => {
  const redact = createRedact(Array.from({ length: 20 }, (_, n) => `planted-secret-number-${n}/${'x'.repeat(n)}`));
  const cpu = () => process.threadCpuUsage().user / 1_000;
  /** The longest pass over a text: between two others get their turn. */
  const longest = (text: string) => {
    let [clean, worst] = [text, 0];
    for (const pass of redact.passes ?? []) {
      const began = cpu();
      clean = pass(clean);
      worst = Math.max(worst, cpu() - began);
    }
    return worst;
  };

  test('a long text and many short ones let others have their turn in between, and lose nothing', async () => {
    let turns = 0;
    let over = false;
    const turn = () => {
      turns += 1;
      if (!over) setImmediate(turn);
    };
    setImmediate(turn);
    const long = filled('', 'password   ', large);
    const many = Array.from({ length: 5_000 }, (_, n) => ({ line: `token=abcdef${n} and more`, n }));
    const clean = await redactDeep(redact, { long, many, none: null, yes: true });
    over = true;
    expect(turns).toBeGreaterThan(2);
    expect(clean).toEqual({
      long: redact(long),
      many: many.map(({ n }) => ({ line: 'token=[redacted] and more', n })),
      none: null,
      yes: true,
    });
  });

  test.each([
    'eyJ-',
    'eyJaaaaaaaaaaa.',
    'eyJ.',
    'a.',
    'a://',
    '://a:',
    'password   ',
    'token="',
    '-----BEGIN ',
    '-----BEGIN PRIVATE KEY-----\n',
    'Bearer ',
    'planted-secret-number-',
    'SG.aaaaaaaaaaaaaaaa.',
  ])('1 MB of %j takes linear time', (pump) => {
    const once = filled('', pump, large / 2);
    redact(once.slice(0, 10_000));
    const whole = filled('', pump, large);
    if (longest(whole) < mostMs) return;
    const best = (text: string) => Math.min(longest(text), longest(text), longest(text));
    expect(best(whole) / best(once)).toBeLessThan(3);
  });
});
