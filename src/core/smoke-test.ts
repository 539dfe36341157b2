import { z } from 'zod';
import { CheckJob } from './check-job.ts';

/** What a new version is asked before it gets any traffic. */

/** Whether a path is sent as it stands: nothing in it leads up and out of the Service. */
function staysWithin(path: string): boolean {
  const url = URL.parse(path, 'http://service');
  return url !== null && url.host === 'service' && `${url.pathname}${url.search}` === path;
}

export const HttpCheck = z.strictObject({
  path: z.string().max(1_000).refine(staysWithin, 'must be a path such as /healthz?full=yes, with no “..” in it'),
  status: z.number().int().min(200).max(599).default(200),
  /** What must stand in the answer's first 64 KiB. */
  contains: z.string().min(1).max(1_000).optional(),
  /** Of the Service; left out, its first one. */
  port: z.number().int().min(1).max(65_535).optional(),
});
export type HttpCheck = z.output<typeof HttpCheck>;

export const SmokeTest = z
  .strictObject({ http: z.array(HttpCheck).max(20).default([]), job: CheckJob.optional() })
  .refine(({ http, job }) => http.length > 0 || job !== undefined, 'needs http or job: nothing would be tested');
export type SmokeTest = z.output<typeof SmokeTest>;

/** `GET /healthz, Job of r/check:1`. */
export const smokeText = ({ http, job }: SmokeTest): string =>
  [
    ...http.map(({ path }) => `GET ${path}`),
    ...(job ? [job.cronJob === undefined ? `Job of ${job.image}` : `Job of CronJob/${job.cronJob}`] : []),
  ].join(', ');

/** What is wrong with an answer, if anything is. */
export function wrongWith({ path, status, contains }: HttpCheck, answer: { status: number; text: string }) {
  if (answer.status !== status) return `GET ${path} answered ${answer.status} and not ${status}`;
  if (contains !== undefined && !answer.text.includes(contains)) return `GET ${path} answered without “${contains}”`;
  return undefined;
}
