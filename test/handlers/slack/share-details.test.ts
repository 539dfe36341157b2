import { expect, test } from 'vitest';
import { shareDetails } from '../../../handlers/slack/blocks/canary-blocks.ts';

const learned = 'success rate: about 690 more requests (74 s); p95 latency 11 ms against 9.7 ms after 70 requests';

test('a share under way says what is still to be learned; one that is over says what was learned, and how long it took', () => {
  const step = { state: 'started' as const, startedAt: 0, note: `20 % · 9 s left · ${learned}` };
  expect(shareDetails(step)).toBe(learned);
  expect(shareDetails({ ...step, state: 'done', endedAt: 17_000 })).toBe(
    'for 17 s · p95 latency 11 ms against 9.7 ms after 70 requests',
  );
});

test.each([
  'paused: /ship canary resume, promote or abort',
  'holds: not enough is known yet · p95 latency: no request yet',
  'waits to be promoted · success rate: no number yet',
])('nothing of “%s” is left once the share is over', (note) => {
  expect(shareDetails({ state: 'done', startedAt: 0, endedAt: 60_000, note })).toBe('for 60 s');
});
