import { createHmac, randomUUID } from 'node:crypto';
import type { WebSocket } from 'ws';
import { z } from 'zod';

/** What came back for a request to the app; `late` after Slack's three seconds. */
export type Delivered = { status: number; body: unknown; ms: number; late: boolean };

/** One signed request, kept so that it can be sent again to the letter. */
export type SignedRequest = { url: string; body: string; headers: Record<string, string> };

const answerMs = 3_000;

/** Signs as Slack does: https://docs.slack.dev/authentication/verifying-requests-from-slack */
export function sign(secret: string, body: string, seconds = Math.floor(Date.now() / 1_000)): Record<string, string> {
  const signature = createHmac('sha256', secret).update(`v0:${seconds}:${body}`).digest('hex');
  return { 'x-slack-request-timestamp': String(seconds), 'x-slack-signature': `v0=${signature}` };
}

function parsed(text: string): unknown {
  try {
    return text === '' ? undefined : JSON.parse(text);
  } catch {
    return text;
  }
}

/** Sends a request as it is. */
export async function send({ url, body, headers }: SignedRequest): Promise<Delivered> {
  const began = performance.now();
  try {
    const response = await fetch(url, { method: 'POST', body, headers, signal: AbortSignal.timeout(answerMs) });
    const answer = parsed(await response.text());
    return { status: response.status, body: answer, ms: performance.now() - began, late: false };
  } catch (problem) {
    const late = problem instanceof Error && problem.name === 'TimeoutError';
    return { status: 0, body: undefined, ms: performance.now() - began, late };
  }
}

const Ack = z.looseObject({ envelope_id: z.string(), payload: z.unknown().optional() });

/** Hands an envelope over a Socket Mode connection and waits for its acknowledgement. */
export function sendEnvelope(socket: WebSocket, type: string, payload: unknown): Promise<Delivered> {
  const began = performance.now();
  const envelope_id = randomUUID();
  return new Promise((resolve) => {
    const done = (status: number, body: unknown, late: boolean) => {
      clearTimeout(timer);
      socket.off('message', hear);
      resolve({ status, body, ms: performance.now() - began, late });
    };
    const hear = (data: Buffer) => {
      const ack = Ack.safeParse(parsed(data.toString()));
      if (ack.data?.envelope_id === envelope_id) done(200, ack.data.payload, false);
    };
    const timer = setTimeout(() => done(0, undefined, true), answerMs);
    socket.on('message', hear);
    socket.send(JSON.stringify({ envelope_id, type, payload, accepts_response_payload: true }));
  });
}
