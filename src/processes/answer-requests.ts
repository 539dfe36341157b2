import { parentPort, workerData } from 'node:worker_threads';

/** In a thread that `startThread` started: answers each request, under its number. What `act` throws is an answer too. */
export function answerRequests(act: (request: unknown, data: unknown) => unknown): void {
  parentPort?.on('message', ({ n, request }: { n: number; request: unknown }) => {
    try {
      parentPort?.postMessage({ n, answer: act(request, workerData) });
    } catch (thrown) {
      parentPort?.postMessage({ n, problem: thrown instanceof Error ? thrown.message : String(thrown) });
    }
  });
}
