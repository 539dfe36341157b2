import { expect, onTestFinished, test } from 'vitest';
import { startThread, type Thread } from '../../src/processes/thread.ts';

const limits = { ms: 20_000 };

function started(): Thread {
  const thread = startThread(new URL('./echo-thread.ts', import.meta.url), { memoryMb: 32 });
  onTestFinished(thread.end);
  return thread;
}

test('each request gets its own answer, however many ask at once', async () => {
  const thread = started();
  const all = Array.from({ length: 50 }, (_, n) => n);
  expect(await Promise.all(all.map((n) => thread.ask(n, limits)))).toEqual(all);
});

test('what the thread throws is its answer, and it goes on', async () => {
  const thread = started();
  const answers = await Promise.allSettled(['throw', 1, 'throw', 2].map((each) => thread.ask(each, limits)));
  expect(answers.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'rejected', 'fulfilled']);
  expect(answers[0]).toMatchObject({ reason: { message: 'too much of it' } });
});

test.each([
  ['runs out of memory', 'eat', 'died'],
  ['ends itself', 'exit', 'died'],
  ['never answers', 'hang', 'late'],
])('a thread that %s fails whoever asked and whoever waits, and nothing else', async (_how, request, why) => {
  const thread = started();
  const answers = await Promise.allSettled([
    thread.ask(request, { ms: why === 'late' ? 300 : 20_000 }),
    thread.ask('next', limits),
  ]);
  expect(answers).toMatchObject([
    { status: 'rejected', reason: { name: 'ThreadFailed', why } },
    { status: 'rejected', reason: { name: 'ThreadFailed', why } },
  ]);
});

test('a thread that dies while nobody asks is heard too', async () => {
  const thread = started();
  expect(await thread.ask('die later', limits)).toBe('so far, so good');
  await expect
    .poll(() => thread.ask('next', limits).then(String, (problem: Error) => problem.message))
    .toBe('nobody catches this');
});

test('what a thread answered before it died is heard, whichever of the two comes first', async () => {
  // Side by side, so that both are on their way at once for some of them: it was one in twenty.
  const threads = Array.from({ length: 60 }, () => started());
  const answers = await Promise.all(threads.map((thread) => thread.ask('die later', limits)));
  expect(new Set(answers)).toEqual(new Set(['so far, so good']));
});

test('whoever asks may give up, and the next one is answered', async () => {
  const thread = started();
  const gone = AbortSignal.abort(new Error('gave up'));
  await expect(thread.ask(1, { ...limits, signal: gone })).rejects.toThrow('gave up');
  expect(await thread.ask(2, limits)).toBe(2);
});
