import { Worker } from 'node:worker_threads';

/** Why a thread gave no answer. What it was asked was too much for it; the thread is ended, and this process is not. */
export class ThreadFailed extends Error {
  override name = 'ThreadFailed';
  readonly why: 'late' | 'died';
  constructor(why: 'late' | 'died', message: string) {
    super(message);
    this.why = why;
  }
}

export type Thread = {
  /**
   * One request, one answer: whoever asks meanwhile waits, and their time begins when their turn does.
   * @throws ThreadFailed; Error with what the thread threw, which goes on; the signal's reason
   */
  ask(request: unknown, limits: { ms: number; signal?: AbortSignal }): Promise<unknown>;
  end(): Promise<void>;
};

type Waiting = { resolve: (answer: unknown) => void; reject: (problem: unknown) => void };

/** `{ n, answer }` or `{ n, problem }`, as `answerRequests` sends it. */
type Answer = { n: number; answer?: unknown; problem?: string };

const isAnswer = (said: unknown): said is Answer =>
  typeof said === 'object' && said !== null && 'n' in said && typeof said.n === 'number';

/**
 * Starts a thread that answers requests (`answerRequests` in `file`), for what may take too long or too much memory. However it ends, that
 * is heard: an `error` that nobody hears would end the whole process, and with it every run that is under way there.
 */
export function startThread(file: URL, { data, memoryMb }: { data?: unknown; memoryMb: number }): Thread {
  const worker = new Worker(file, {
    workerData: data,
    resourceLimits: { maxOldGenerationSizeMb: memoryMb },
    execArgv: [],
  });
  worker.unref();
  const waiting = new Map<number, Waiting>();
  let asked = 0;
  let over: ThreadFailed | undefined;
  let turn: Promise<unknown> = Promise.resolve();
  const fail = (problem: ThreadFailed) => {
    over ??= problem;
    for (const { reject } of waiting.values()) reject(over);
    waiting.clear();
  };
  const died = (problem: unknown) =>
    fail(new ThreadFailed('died', problem instanceof Error ? problem.message : String(problem)));
  // What it died of may be heard before an answer that it sent first; all that it sent is heard before its exit.
  let cause: unknown = 'it ended';
  worker.on('error', (problem) => {
    cause = problem;
  });
  worker.on('messageerror', died);
  worker.on('exit', () => died(cause));
  worker.on('message', (said: unknown) => {
    if (!isAnswer(said)) return;
    const asker = waiting.get(said.n);
    waiting.delete(said.n);
    if (said.problem === undefined) asker?.resolve(said.answer);
    else asker?.reject(new Error(said.problem));
  });

  const once = async (request: unknown, { ms, signal }: { ms: number; signal?: AbortSignal }) => {
    signal?.throwIfAborted();
    if (over) throw over;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const n = asked++;
    waiting.set(n, { resolve, reject });
    const timer = setTimeout(() => {
      fail(new ThreadFailed('late', `it took more than ${ms / 1_000} s`));
      void worker.terminate();
    }, ms);
    const abort = () => reject(signal?.reason);
    signal?.addEventListener('abort', abort, { once: true });
    try {
      worker.postMessage({ n, request });
      return await promise;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
      waiting.delete(n);
    }
  };
  return {
    ask: (request, limits) => {
      const answer = turn.then(() => once(request, limits));
      turn = answer.catch(() => {});
      return answer;
    },
    end: async () => {
      await worker.terminate();
    },
  };
}
