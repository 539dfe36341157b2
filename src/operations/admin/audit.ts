import { z } from 'zod';
import { actorId, personOf } from '../../core/actor.ts';
import type { AuditRecord } from '../../core/audit.ts';
import { defineOperation } from '../../core/operation.ts';
import { AppRef, EnvRef } from '../../core/place.ts';
import { mayReadEntry } from '../../core/reading.ts';

const most = 20;
/** How far back is looked for what concerns one app or environment. */
const searched = 2_000;

type Wanted = { app?: string | undefined; env?: string | undefined; run?: string | undefined };

const fits = (record: AuditRecord, { app, env, run }: Wanted) =>
  (app === undefined || record.app === app) &&
  (env === undefined || record.env === env) &&
  (run === undefined || record.run === run);

export const audit = defineOperation({
  name: 'audit',
  summary: 'Show the newest records of the audit log',
  effect: 'read',
  input: z.strictObject({ app: AppRef.optional(), env: EnvRef.optional(), run: z.string().max(64).optional() }),
  usage: '[<app>] [in <env>] [run=<run>]',
  examples: ['', 'web in production', 'run=k7m2p9qa'],
  needs: ['audit'],
  steps: ['read'],
  target: ({ app, env }) => ({ app, env }),
  plan: async () => ({ summary: 'the audit log', changes: [], takesOver: [] }),
  run: async (run, wanted) => {
    const { rows, head } = await run.step('read', async () => {
      // What happened a moment ago is part of the answer.
      await run.on.audit.seal();
      const [records, head] = await Promise.all([
        run.on.audit.read({ newest: true, limit: searched }),
        run.on.audit.head(),
      ]);
      const fitting = records.filter((record) => fits(record, wanted) && mayReadEntry(run, record, run.actor));
      const rows = fitting
        .slice(-most)
        .reverse()
        .map(({ seq, at, actor, operation, app, env, text, run: id }) => [
          String(seq),
          new Date(at).toISOString().slice(0, 19).replace('T', ' '),
          personOf(run.settings, actor) ?? actorId(actor),
          [operation, app, env && `in ${env}`].filter(Boolean).join(' '),
          text,
          id ?? '',
        ]);
      return { rows, head };
    });
    return {
      kind: 'table',
      title: 'Audit log',
      columns: ['no.', 'when (UTC)', 'who', 'what', 'happened', 'run'],
      rows,
      note: `Record ${head.seq} is the newest; its hash is ${head.hash}.`,
    };
  },
});
