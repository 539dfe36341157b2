import { once } from 'node:events';
import type { FastifyInstance } from 'fastify';
import { Fault } from '../../src/core/errors.ts';
import { after } from '../../src/core/within.ts';
import type { Metrics } from './metrics.ts';

const checkMs = 2_000;

/** A part that this process needs: resolves when it is there. */
export type Check = (signal: AbortSignal) => Promise<void>;

type Part = { part: string; ready: boolean; problem?: string };

async function look(part: string, check: Check): Promise<Part> {
  const signal = after(checkMs);
  const late = once(signal, 'abort').then(() => Promise.reject(new Error('late')));
  try {
    await Promise.race([check(signal), late]);
    return { part, ready: true };
  } catch (thrown) {
    return { part, ready: false, problem: thrown instanceof Fault ? thrown.message : 'It does not answer.' };
  }
}

/** Whether the process lives, whether it can do its work, and how it does. */
export function probes({ checks, metrics }: { checks: Readonly<Record<string, Check>>; metrics: Metrics }) {
  return async (app: FastifyInstance): Promise<void> => {
    app.get('/healthz', async () => ({ alive: true }));
    app.get('/readyz', async (_request, reply) => {
      const parts = await Promise.all(Object.entries(checks).map(([part, check]) => look(part, check)));
      const ready = parts.every((part) => part.ready);
      return reply.code(ready ? 200 : 503).send({ ready, parts });
    });
    app.get('/metrics', async (_request, reply) => {
      const { registry } = metrics;
      return reply.header('content-type', registry.contentType).send(await registry.metrics());
    });
  };
}
