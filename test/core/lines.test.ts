import { expect, test } from 'vitest';
import { boundedText } from '../../src/core/bounded-text.ts';
import { linesOf } from '../../src/core/lines.ts';

async function* sent(parts: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* parts;
}

test('a line without an end is told in pieces, and never held as a whole', async () => {
  const part = Buffer.alloc(4 * 1_048_576, 'x');
  const lengths: number[] = [];
  for await (const line of linesOf(sent([...Array.from({ length: 9 }, () => part), Buffer.from('\nend')]), {
    rest: true,
  }))
    lengths.push(line.length);
  expect(lengths).toEqual([20 * 1_048_576, 16 * 1_048_576, 3]);
});

test('a text is the same wherever it is cut, also before a mark of byte order', async () => {
  const whole = Buffer.from('\u202e\ufeff2026\nb');
  for (let cut = 0; cut <= whole.length; cut++) {
    const lines: string[] = [];
    const parts = [whole.subarray(0, cut), whole.subarray(cut)];
    for await (const line of linesOf(sent(parts), { rest: true })) lines.push(line);
    expect(lines).toEqual(['\u202e\ufeff2026', 'b']);
    expect(await boundedText(sent(parts), 100)).toBe('\u202e\ufeff2026\nb');
  }
  expect(await boundedText(sent([Buffer.from('\ufeff{}')]), 100)).toBe('{}');
});
