import { parentPort, workerData } from 'node:worker_threads';

/** A thread that may be ended at any moment: some patterns take longer than the universe, and a loop cannot stop them. */
const pattern = new RegExp(workerData.source, workerData.flags);
/** What stands further right in a line is not looked at. */
const looked = 20_000;

parentPort?.on('message', (lines: string[]) => {
  parentPort?.postMessage(lines.map((line) => pattern.test(line.slice(0, looked))));
});
