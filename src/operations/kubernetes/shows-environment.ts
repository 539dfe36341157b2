import { z } from 'zod';
import { defineOperation, type Permission, type PlanContext, route } from '../../core/operation.ts';
import { EnvRef } from '../../core/place.ts';
import type { Report } from '../../core/report.ts';

type Shows = {
  name: string;
  summary: string;
  /** A REST route of its own, by the environment's namespace. */
  rest?: { path: `/${string}/:namespace`; summary: string };
  permissions: readonly Permission[];
  look(run: PlanContext<'kube'>, signal: AbortSignal): Promise<Report>;
};

/** An operation that reads one environment of a cluster and shows what it found: `/ship NAME in ENV`. */
export function showsEnvironment({ name, summary, rest, permissions, look }: Shows) {
  return defineOperation({
    name,
    summary,
    effect: 'read',
    input: z.strictObject({ env: EnvRef }),
    usage: 'in <env>',
    examples: ['in staging'],
    routes: rest && [
      route({
        method: 'GET',
        path: rest.path,
        summary: rest.summary,
        request: z.object({ namespace: EnvRef }),
        input: ({ namespace }) => ({ env: namespace }),
      }),
    ],
    needs: ['kube'],
    permissions,
    steps: ['read'],
    target: ({ env }) => ({ env }),
    plan: async () => ({ summary: 'looks', changes: [], takesOver: [] }),
    run: async (run) => await run.step('read', ({ signal }) => look(run, signal)),
  });
}
