import { Readable } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { fault } from '../../src/core/errors.ts';
import { judge } from '../../src/core/policy.ts';
import { readAudit } from '../../src/engine/reading.ts';
import { type ApiDeps, identityOf } from './api-context.ts';

const Query = z.object({ after: z.coerce.number().int().min(0).default(0) });

/** In portions, so that a long chain is not held whole. */
async function* linesOf(portions: ReturnType<typeof readAudit>): AsyncGenerator<string> {
  for await (const records of portions) yield records.map((record) => `${JSON.stringify(record)}\n`).join('');
}

/** The audit chain as JSON Lines, for whoever the policy lets ask for `audit`; of what they may not read the hashes alone. */
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
        .send(Readable.from(linesOf(readAudit(engine, actor, query.data.after, closing))));
    });
  };
}
