import { z } from 'zod';
import { defineOperation, route } from '../../core/operation.ts';
import type { Clock } from '../../core/ports.ts';
import { HostRef, hostOf, type OnHost } from './host.ts';

/** One kind of thing that a Docker host has, as `/ship docker KIND on HOST` shows it. */
type Things<Found> = {
  kind: 'images' | 'networks' | 'volumes';
  summary: string;
  read(host: OnHost, signal: AbortSignal): Promise<Found>;
  columns: string[];
  rows(found: Found, now: ReturnType<Clock>): string[][];
};

/** The operation that shows all things of a kind on one host. */
export function hostTable<Found>({ kind, summary, read, columns, rows }: Things<Found>) {
  const title = `${kind.charAt(0).toUpperCase()}${kind.slice(1)}`;
  return defineOperation({
    name: `docker-${kind}`,
    summary,
    effect: 'read',
    input: z.strictObject({ host: HostRef.optional() }),
    usage: '[on <host>]',
    examples: ['on build'],
    routes: [
      route({
        method: 'GET',
        path: `/docker/hosts/:host/${kind}`,
        summary: `${title} of a Docker host`,
        request: z.object({ host: HostRef }),
        input: (request) => request,
      }),
    ],
    needs: ['dockerHost'],
    steps: ['read'],
    target: () => ({}),
    plan: async (context, { host }) => ({
      summary: `${kind} on ${hostOf(context, host).name}`,
      changes: [],
      takesOver: [],
    }),
    run: async (run, { host: asked }) => {
      const host = hostOf(run, asked);
      const found = await run.step('read', ({ signal }) => read(host, signal));
      return { kind: 'table', title: `${title} on ${host.name}`, columns, rows: rows(found, run.now()) };
    },
  });
}
