import type { RequestOptions } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import type { KubeConfig } from '@kubernetes/client-node';
import { Agent, type Dispatcher, request } from 'undici';
import { z } from 'zod';
import { type Fault, fault } from '../../core/errors.ts';
import { isObject, type JsonObject } from '../../core/json.ts';

const callMs = 10_000;
const tries = 4;
const longestWaitMs = 10_000;

export type Call = {
  method: 'GET' | 'PATCH';
  path: string;
  query?: Record<string, string>;
  body?: JsonObject;
  signal: AbortSignal;
};

/** Answers of the API server that are not a success: its Status object, as raw JSON. */
export type Refusal = { status: number; body: JsonObject };

/** One cluster's connection: one pool, its own credentials, and raw JSON in both directions. */
export type Connection = {
  cluster: string;
  /** Does a call, again and again while the fault may pass (429, 5xx, connection), and answers with its JSON. @throws Fault, RefusedCall */
  call(call: Call): Promise<JsonObject>;
  /** Opens a stream of JSON lines (a watch). The caller reads it to its end. @throws Fault, RefusedCall */
  stream(call: Omit<Call, 'method' | 'body'>): Promise<AsyncIterable<Uint8Array>>;
  close(): Promise<void>;
};

/** The API server said no, for good: the caller knows what that means for what was asked. */
export class RefusedCall extends Error {
  readonly refusal: Refusal;
  constructor(refusal: Refusal) {
    super(sentenceOf(refusal));
    this.refusal = refusal;
  }
}

/** The API server's own words, without headers or tokens. */
export function sentenceOf({ status, body }: Refusal): string {
  return typeof body.message === 'string' ? body.message.slice(0, 500) : `HTTP ${status}`;
}

const passing = (status: number) => status === 429 || status >= 500;

function waitMs(attempt: number, retryAfter: string | string[] | undefined): number {
  const asked = Number(retryAfter) * 1_000;
  if (Number.isFinite(asked) && asked > 0) return Math.min(asked, longestWaitMs);
  return Math.min(200 * 2 ** attempt, longestWaitMs) * (0.5 + Math.random() / 2);
}

const CodedError = z.object({ code: z.string() });

function problemOf(thrown: unknown): string {
  const coded = CodedError.safeParse(thrown);
  if (coded.success) return coded.data.code;
  return thrown instanceof Error ? thrown.message : String(thrown);
}

type Answer = Dispatcher.ResponseData;

/** Opens the connection pool of the context that `config` stands at; the config is never switched afterwards. */
export function connect(cluster: string, config: KubeConfig): Connection {
  const server = config.getCurrentCluster()?.server ?? '';
  const agents = new Map<string, Agent>();
  const agentFor = ({ ca, cert, key, rejectUnauthorized, servername }: RequestOptions) => {
    // An exec plugin may hand out a new certificate at any time; each gets a pool of its own.
    const id = `${String(ca)}|${String(cert)}`;
    const known = agents.get(id);
    if (known) return known;
    const tls = { ca, cert, key, servername, rejectUnauthorized: rejectUnauthorized ?? true };
    const agent = new Agent({ connect: { ...tls, timeout: 5_000 }, connections: 4, allowH2: true });
    agents.set(id, agent);
    return agent;
  };
  const unreachable = (problem: string, cause?: unknown): Fault =>
    fault('CLUSTER_UNREACHABLE', { cluster, problem }, cause);

  const send = async ({ method, path, query, body }: Omit<Call, 'signal'>, signal: AbortSignal): Promise<Answer> => {
    const options: RequestOptions = {};
    await config.applyToHTTPSOptions(options);
    const authorization = new Headers(
      Object.entries(options.headers ?? {}).map(([name, value]) => [name, String(value)]),
    );
    return await request(new URL(path, server), {
      method,
      query,
      headers: {
        accept: 'application/json',
        ...Object.fromEntries(authorization),
        ...(body && { 'content-type': 'application/apply-patch+yaml' }),
      },
      body: body && JSON.stringify(body),
      dispatcher: agentFor(options),
      signal,
      headersTimeout: callMs,
      // A watch may well be silent for longer than undici's default of five minutes; its reader keeps watch itself.
      bodyTimeout: 0,
    });
  };

  /** One try. A refusal for good throws; a fault that may pass is returned, with how long to wait. */
  const attempt = async (call: Omit<Call, 'signal'>, signal: AbortSignal, number: number) => {
    const answer = await send(call, signal);
    if (answer.statusCode < 300) return { kind: 'answer' as const, answer };
    const text = await answer.body.text();
    const parsed: unknown = safeJson(text);
    const refusal = { status: answer.statusCode, body: isObject(parsed) ? parsed : { message: text.slice(0, 200) } };
    if (!passing(refusal.status)) throw new RefusedCall(refusal);
    return {
      kind: 'later' as const,
      problem: sentenceOf(refusal),
      wait: waitMs(number, answer.headers['retry-after']),
    };
  };

  const patiently = async <Result>(
    call: Omit<Call, 'signal'>,
    signal: AbortSignal,
    read: (answer: Answer) => Promise<Result>,
  ): Promise<Result> => {
    for (let number = 0; ; number++) {
      const last = number + 1 >= tries;
      try {
        const outcome = await attempt(call, signal, number);
        if (outcome.kind === 'answer') return await read(outcome.answer);
        if (last) throw unreachable(outcome.problem);
        await sleep(outcome.wait, undefined, { signal });
      } catch (thrown) {
        if (thrown instanceof RefusedCall || (thrown instanceof Error && thrown.name === 'Fault')) throw thrown;
        if (signal.aborted || last) throw unreachable(problemOf(thrown), thrown);
        await sleep(waitMs(number, undefined), undefined, { signal }).catch(() => {});
      }
    }
  };

  return {
    cluster,
    call: ({ signal, ...call }) =>
      patiently(call, AbortSignal.any([signal, AbortSignal.timeout(callMs * 2)]), async ({ body }) => {
        const parsed: unknown = await body.json();
        if (!isObject(parsed)) throw unreachable('an answer that is not an object');
        return parsed;
      }),
    stream: ({ signal, ...call }) => patiently({ method: 'GET', ...call }, signal, async ({ body }) => body),
    close: async () => void (await Promise.all([...agents.values()].map((agent) => agent.destroy()))),
  };
}

function safeJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
