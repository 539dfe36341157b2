import { z } from 'zod';
import type { AuditRecord } from '../../core/audit.ts';
import { figuresOf } from '../../core/figures.ts';
import { spanText } from '../../core/moments.ts';
import { defineOperation } from '../../core/operation.ts';
import { AppRef, EnvRef } from '../../core/place.ts';

const dayMs = 86_400_000;
const searched = 50_000;

const span = (ms: number | undefined) => (ms === undefined ? 'nothing to measure yet' : spanText(ms));

export const figures = defineOperation({
  name: 'figures',
  summary: 'Show how delivery goes: frequency, lead time, failure rate, time to restore',
  effect: 'read',
  input: z.strictObject({
    app: AppRef.optional(),
    env: EnvRef.optional(),
    days: z.number().int().min(1).max(365).default(30),
  }),
  usage: '[<app>] [in <env>] [days=<days>]',
  examples: ['', 'web in production days=90'],
  needs: ['audit'],
  steps: ['read'],
  target: ({ app, env }) => ({ app, env }),
  plan: async (_context, { days }) => ({ summary: `the last ${days} days`, changes: [], takesOver: [] }),
  run: async (run, { app, env, days }) => {
    const found = await run.step('read', async () => {
      await run.on.audit.seal();
      const since = run.now() - days * dayMs;
      const records = await run.on.audit.read({ newest: true, limit: searched });
      const fits = (record: AuditRecord) =>
        record.at >= since && (app === undefined || record.app === app) && (env === undefined || record.env === env);
      return figuresOf(records.filter(fits), days);
    });
    return {
      kind: 'table',
      title: `Delivery over ${days} days`,
      columns: ['figure', 'value'],
      rows: [
        ['deployment frequency', `${found.deployments} (${found.perDay.toFixed(2)} a day)`],
        ['lead time, request to done (median)', span(found.leadMs)],
        [
          'change failure rate',
          found.failureRate === undefined ? 'nothing to measure yet' : `${Math.round(found.failureRate * 100)} %`,
        ],
        ['time to restore (median)', span(found.restoreMs)],
      ],
      note: 'Failed, timed out, or rolled back next counts as a failure. When the code was written is not known here.',
    };
  },
});
