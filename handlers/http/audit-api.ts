import { Readable } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { fault } from '../../src/core/errors.ts';
import { judge } from '../../src/core/policy.ts';
import type { AuditStore } from '../../src/core/ports.ts';
import { type ApiDeps, identityOf } from './api-context.ts';

const portion = 500;
const Query = z.object({ after: z.coerce.number().int().min(0).default(0) });

async function* linesAfter(
  audit: Pick<AuditStore, 'read'>,
  first: number,
  signal: AbortSignal,
): AsyncGenerator<string> {
  for (let after = first; !signal.aborted; ) {
    const records = await audit.read({ after, limit: portion });
    const last = records.at(-1);
    if (!last) return;
    yield records.map((record) => `${JSON.stringify(record)}\n`).join('');
    after = last.seq;
  }
}

/** The audit chain as JSON Lines, for whoever the policy lets ask for `audit`. */
export function auditApi({ engine, closing }: ApiDeps) {
  return async (app: FastifyInstance): Promise<void> => {
    app.get('/', async (request, reply) => {
      const { actor } = identityOf(request);
      const verdict = judge(engine.settings(), { actor, operation: 'audit', effect: 'read' });
      if (verdict.kind === 'deny')
        throw fault('POLICY_DENIED', {
          reason: 'You may not read the audit log.',
          hint: 'A rule must allow you “audit”.',
        });
      const query = Query.safeParse(request.query);
      if (!query.success) throw fault('BAD_INPUT', { problem: 'after must be the number of a record.' });
      // What happened a moment ago is part of the answer.
      await engine.clients.audit.seal();
      return reply
        .header('content-type', 'application/x-ndjson; charset=utf-8')
        .send(Readable.from(linesAfter(engine.clients.audit, query.data.after, closing)));
    });
  };
}
