import { z } from 'zod';
import { defineOperation, route } from '../../core/operation.ts';
import type { Clients, Clock } from '../../core/ports.ts';

/** Something that all of Harbor has, as `/ship harbor KIND` shows it. */
type Things<Found> = {
  kind: 'projects' | 'quotas' | 'endpoints' | 'replications';
  summary: string;
  /** What the route, the plan and the table are called. */
  routeSummary: string;
  title: string;
  read(on: Pick<Clients, 'harbor'>, signal: AbortSignal): Promise<Found>;
  columns: string[];
  rows(found: Found, now: ReturnType<Clock>): string[][];
};

/** The operation that shows all things of a kind in Harbor. */
export function harborTable<Found>({ kind, summary, routeSummary, title, read, columns, rows }: Things<Found>) {
  return defineOperation({
    name: `harbor-${kind}`,
    summary,
    effect: 'read',
    input: z.strictObject({}),
    usage: '',
    examples: [''],
    routes: [
      route({
        method: 'GET',
        path: `/harbor/${kind}`,
        summary: routeSummary,
        request: z.object({}),
        input: () => ({}),
      }),
    ],
    needs: ['harbor'],
    steps: ['read'],
    target: () => ({}),
    plan: async () => ({ summary: title, changes: [], takesOver: [] }),
    run: async (run) => {
      const found = await run.step('read', ({ signal }) => read(run.on, signal));
      return { kind: 'table', title, columns, rows: rows(found, run.now()) };
    },
  });
}
