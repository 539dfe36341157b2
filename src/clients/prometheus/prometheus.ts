import { type Dispatcher, request } from 'undici';
import { z } from 'zod';
import { boundedText } from '../../core/bounded-text.ts';
import { fault } from '../../core/errors.ts';
import type { Metrics, Sample } from '../../core/measuring.ts';
import { within } from '../../core/within.ts';

const mostBytes = 4 * 1_048_576;
const mostSeries = 20_000;

const Point = z.tuple([z.number(), z.string()]);
const Answer = z.discriminatedUnion('status', [
  z.object({
    status: z.literal('success'),
    data: z.discriminatedUnion('resultType', [
      z.object({
        resultType: z.literal('vector'),
        result: z.array(z.object({ metric: z.record(z.string(), z.string()), value: Point })).max(mostSeries),
      }),
      z.object({ resultType: z.literal('scalar'), result: Point }),
    ]),
  }),
  z.object({ status: z.literal('error'), errorType: z.string().default(''), error: z.string().default('') }),
]);

/** Prometheus writes infinities as +Inf and -Inf. */
const numberOf = (text: string): number =>
  /^[+-]?Inf$/.test(text)
    ? text.startsWith('-')
      ? -Infinity
      : Infinity
    : text.trim() === ''
      ? Number.NaN
      : Number(text);

const unreachable = (problem: string, cause?: unknown) => fault('METRICS_UNREACHABLE', { problem }, cause);

function read(text: string, status: number): Sample[] {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch (cause) {
    throw unreachable(`HTTP ${status}, and not JSON`, cause);
  }
  const parsed = Answer.safeParse(body);
  if (!parsed.success) throw unreachable(`HTTP ${status}, and not an answer of Prometheus`, parsed.error);
  const answer = parsed.data;
  if (answer.status === 'error') {
    // What is wrong with the query stays so; that it took too long, or was too much for now, may pass.
    if (answer.errorType === 'bad_data' || answer.errorType === 'execution')
      throw fault('METRICS_REFUSED', { problem: answer.error.slice(0, 300) });
    throw unreachable(`${answer.errorType}: ${answer.error}`.slice(0, 300));
  }
  const { data } = answer;
  const results = data.resultType === 'scalar' ? [{ metric: {}, value: data.result }] : data.result;
  return results.map(({ metric, value: [at, number] }) => ({
    labels: metric,
    value: numberOf(number),
    at: Math.round(at * 1_000),
  }));
}

/** Without a user's name and password: those go into a header, as RFC 7617 has it. */
function addressOf(endpoint: string): { url: string; headers: Record<string, string> } {
  const { origin, pathname, username, password } = new URL(endpoint);
  const both = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return {
    url: `${origin}${pathname.replace(/(?<!\/)\/+$/, '')}/api/v1/query`,
    headers: username === '' ? {} : { authorization: `Basic ${Buffer.from(both).toString('base64')}` },
  };
}

/** Asks Prometheus, or what speaks as it does: https://prometheus.io/docs/prometheus/latest/querying/api/ */
export function createPrometheus(endpoint: string | undefined): Metrics {
  if (endpoint === undefined)
    return {
      configured: false,
      query: async () => {
        throw fault('METRICS_OFF', {});
      },
    };
  const { url, headers } = addressOf(endpoint);
  return {
    configured: true,
    query: async (promql, { timeoutMs }, signal) => {
      const limited = within(signal, timeoutMs);
      const body = new URLSearchParams({ query: promql, timeout: `${timeoutMs}ms` }).toString();
      let answer: Dispatcher.ResponseData;
      let text: string;
      try {
        answer = await request(url, {
          method: 'POST',
          headers: { ...headers, 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
          body,
          signal: limited,
        });
        text = await boundedText(answer.body, mostBytes);
      } catch (thrown) {
        signal.throwIfAborted();
        const problem = limited.aborted
          ? `not within ${timeoutMs} ms`
          : String(thrown instanceof Error ? thrown.message : thrown);
        throw unreachable(problem.slice(0, 300), thrown);
      }
      return read(text, answer.statusCode);
    },
  };
}
