import { parentPort, workerData } from 'node:worker_threads';
import { readManifest } from './read.ts';

/** The thread of `readApart`. */
parentPort?.postMessage(readManifest(String(workerData)));
