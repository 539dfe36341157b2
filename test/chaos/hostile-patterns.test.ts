import { expect, onTestFinished, test } from 'vitest';
import { createFilter, type Filter } from '../../src/operations/pods/grep.ts';

/** Patterns come from whoever may read logs. Whatever they do, the answer is lines or a sentence, and this process lives. */

function filterOf(wanted: string): Filter {
  const filter = createFilter(wanted);
  onTestFinished(filter.close);
  return filter;
}

const lines = (...texts: string[]) => texts.map((text) => ({ text }));

test.each([
  ['is too large to be compiled', '/(?:a?){9999999}/'],
  ['is too large in another way', '/(?:(?:b|c)?){8888888}d/i'],
  ['never comes to an end', '/(x+x+)+y/'],
  ['takes for ever to be compiled', '/(?:[^a]{5,9999}b?){9999}/'],
])('a pattern that %s is said to be the asker’s to mend', { timeout: 20_000 }, async (_how, pattern) => {
  const filter = filterOf(pattern);
  const asked = filter.of(lines('x'.repeat(500)));
  await expect(asked).rejects.toMatchObject({ code: 'BAD_INPUT', message: expect.stringContaining('simpler') });
  // Whoever asks the same filter again is told the same; nothing hangs.
  await expect(filter.of(lines('x'.repeat(500)))).rejects.toMatchObject({ code: 'BAD_INPUT' });
});

test('several pods’ lines that are looked through at once are never mixed up', async () => {
  const filter = filterOf('/^hit/');
  const pods = [lines('hit 1', 'miss', 'hit 2'), lines('miss', 'miss'), lines('hit 3'), lines('miss', 'hit 4')];
  const found = await Promise.all(pods.map((each) => filter.of(each)));
  expect(found.map((each) => each.map(({ text }) => text))).toEqual([['hit 1', 'hit 2'], [], ['hit 3'], ['hit 4']]);
});

test('twenty pods, each with lines of its own and a random share of hits, get exactly theirs', async () => {
  const filter = filterOf('/needle/i');
  const pods = Array.from({ length: 20 }, (_, pod) =>
    lines(...Array.from({ length: 300 }, (_, n) => `${pod}.${n} ${(pod * 7 + n * 13) % 5 === 0 ? 'Needle' : 'hay'}`)),
  );
  const found = await Promise.all(pods.map((each) => filter.of(each)));
  expect(found).toEqual(pods.map((each) => each.filter(({ text }) => text.includes('Needle'))));
});
