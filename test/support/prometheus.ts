import { request } from 'undici';
import { z } from 'zod';

/** One series of an instant vector. */
export type Sample = { labels: Record<string, string>; value: number };

// https://prometheus.io/docs/prometheus/latest/querying/api/#instant-queries
const Answer = z.object({
  data: z.object({
    resultType: z.literal('vector'),
    result: z.array(z.object({ metric: z.record(z.string(), z.string()), value: z.tuple([z.number(), z.string()]) })),
  }),
});

/** What a query that gives a vector is answered with, now or at a time (ms). */
export async function promQuery(url: string, query: string, at = Date.now()): Promise<Sample[]> {
  const asked = new URLSearchParams({ query, time: `${at / 1_000}` });
  const { body } = await request(`${url}/api/v1/query?${asked}`, { headersTimeout: 5_000 });
  const { result } = Answer.parse(await body.json()).data;
  return result.map(({ metric, value: [, value] }) => ({ labels: metric, value: Number(value) }));
}
