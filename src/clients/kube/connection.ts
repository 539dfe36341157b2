import { setTimeout as sleep } from 'node:timers/promises';
import type { KubeConfig } from '@kubernetes/client-node';
import type { Dispatcher } from 'undici';
import { z } from 'zod';
import { Fault, fault } from '../../core/errors.ts';
import type { Identity } from '../../core/identity.ts';
import { at, isObject, type JsonObject } from '../../core/json.ts';
import { within } from '../../core/within.ts';
import { inNameOf } from './in-name-of.ts';
import type { Call, Transport } from './transport.ts';

/** All tries of a call together. */
const callMs = 20_000;
const tries = 4;
const longestWaitMs = 10_000;

/** Answers of the API server that are not a success: its Status object, as raw JSON. */
export type Refusal = { status: number; body: JsonObject };

/** One cluster's connection: one pool, its own credentials, and raw JSON in both directions. */
export type Connection = {
  cluster: string;
  /** Whose name all calls bear, where that is not Shipmate's. */
  as?: Identity;
  /** Does a call, again and again while the fault may pass (429, 5xx, connection), and answers with its JSON. @throws Fault, RefusedCall */
  call(call: Call): Promise<JsonObject>;
  /** What is behind the API server answers, whatever its status; asked once, and only the beginning is read. @throws Fault */
  answer(call: Call): Promise<{ status: number; text: string }>;
  /** The `Date` that the API server gives its answer. @throws Fault, RefusedCall */
  date(call: Call): Promise<string | undefined>;
  /** Opens a stream of JSON lines (a watch). The caller reads it to its end. @throws Fault, RefusedCall */
  stream(call: Omit<Call, 'method' | 'body'>): Promise<AsyncIterable<Uint8Array>>;
  /** For what the client library speaks itself: commands in containers. */
  library(): Promise<KubeConfig>;
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

/** Two who write at once: the API server wants it sent again. Fields that somebody else owns are another matter, and said with causes. */
const isRace = ({ status, body }: Refusal) =>
  status === 409 && body.reason === 'Conflict' && at(body, 'details', 'causes') === undefined;

/** What doesn't fit its kind's schema is answered with 500, as if it were the server's own fault. */
const illTyped = /^failed to (create typed (patch|live) object|convert new object)/;

const passing = (refusal: Refusal) =>
  refusal.status === 429 || (refusal.status >= 500 && !illTyped.test(sentenceOf(refusal))) || isRace(refusal);

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

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const mostBytes = 65_536;

/** So much of a body as is worth reading. */
async function beginning(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    size += chunk.length;
    if (size >= mostBytes) break;
  }
  return Buffer.concat(chunks).subarray(0, mostBytes).toString();
}

/** All of a body, unless it is longer than is wanted. */
async function wholeOf(body: Dispatcher.ResponseData['body'], limitBytes = Number.POSITIVE_INFINITY): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > limitBytes) throw new Error(`an answer of more than ${limitBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

type Answer = Dispatcher.ResponseData;
type Attempt = { kind: 'answer'; answer: Answer } | { kind: 'later'; problem: string; wait: number; refusal?: Refusal };

/** Sorts an answer: a success, a refusal for good (thrown), or a fault that may pass, with how long to wait. */
async function sorted(
  answer: Answer,
  attempt: number,
  { once, body: sent }: Pick<Call, 'once' | 'body'>,
): Promise<Attempt> {
  if (answer.statusCode < 300) return { kind: 'answer', answer };
  const text = await answer.body.text();
  const body = parsed(text);
  const refusal = { status: answer.statusCode, body: isObject(body) ? body : { message: text.slice(0, 200) } };
  // Who said which version it is about wants to know that there is another one.
  const outdated = isRace(refusal) && at(sent, 'metadata', 'resourceVersion') !== undefined;
  if (once || outdated || !passing(refusal)) throw new RefusedCall(refusal);
  const wait = waitMs(attempt, answer.headers['retry-after']);
  return { kind: 'later', problem: sentenceOf(refusal), wait, ...(isRace(refusal) && { refusal }) };
}

/** Calls and streams over a transport, with patience for what may pass. */
export function createConnection(cluster: string, transport: Transport, as?: Identity): Connection {
  const unreachable = (problem: string, cause?: unknown) => fault('CLUSTER_UNREACHABLE', { cluster, problem }, cause);

  const attempt = async (call: Call, kind: 'call' | 'watch', number: number): Promise<Attempt> => {
    try {
      return await sorted(await transport.send(as ? { ...call, as } : call, kind), number, call);
    } catch (thrown) {
      if (thrown instanceof RefusedCall) throw thrown;
      if (call.signal.aborted || call.lookFirst) throw unreachable(problemOf(thrown), thrown);
      return { kind: 'later', problem: problemOf(thrown), wait: waitMs(number, undefined) };
    }
  };

  const patiently = async (call: Call, kind: 'call' | 'watch'): Promise<Answer> => {
    for (let number = 0; ; number++) {
      const outcome = await attempt(call, kind, number);
      if (outcome.kind === 'answer') return outcome.answer;
      if (number + 1 >= tries) throw outcome.refusal ? new RefusedCall(outcome.refusal) : unreachable(outcome.problem);
      await sleep(outcome.wait, undefined, { signal: call.signal }).catch((thrown: unknown) => {
        throw unreachable(outcome.problem, thrown);
      });
    }
  };

  return {
    cluster,
    ...(as && { as }),
    call: async (call) => {
      const limited = { ...call, signal: within(call.signal, callMs) };
      const { body } = await patiently(limited, 'call');
      const text = await wholeOf(body, call.limitBytes).catch((thrown: unknown) => {
        throw thrown instanceof Fault ? thrown : unreachable(problemOf(thrown), thrown);
      });
      const object = parsed(text);
      if (!isObject(object)) throw unreachable('an answer that is not an object');
      return object;
    },
    answer: async (call) => {
      const signal = within(call.signal, callMs);
      try {
        const { statusCode, body } = await transport.send({ ...call, ...(as && { as }), signal }, 'call');
        return { status: statusCode, text: await beginning(body) };
      } catch (thrown) {
        throw unreachable(problemOf(thrown), thrown);
      }
    },
    date: async (call) => {
      const { headers, body } = await patiently(call, 'call');
      await body.dump();
      return typeof headers.date === 'string' ? headers.date : undefined;
    },
    stream: async (call) => (await patiently({ method: 'GET', ...call }, 'watch')).body,
    library: async () => {
      const config = await transport.access().library();
      return as ? await inNameOf(config, as) : config;
    },
    close: transport.close,
  };
}
