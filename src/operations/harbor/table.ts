import { z } from 'zod';
import { defineOperation, route } from '../../core/operation.ts';
import type { Clients, Clock } from '../../core/ports.ts';
import { Project } from './names.ts';

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

/** Something of one project of Harbor, as `/ship harbor KIND PROJECT` shows it. */
type ProjectThings<Found> = {
  kind: 'repositories' | 'robots' | 'retention';
  summary: string;
  title: string;
  /** @throws Fault NO_SUCH_OBJECT where there is no such project */
  read(on: Pick<Clients, 'harbor'>, project: string, signal: AbortSignal): Promise<Found>;
  columns: string[];
  rows(found: Found, now: ReturnType<Clock>): string[][];
  note?(found: Found): string;
};

/** The operation that shows things of a kind in one project. */
export function projectTable<Found>(things: ProjectThings<Found>) {
  const { kind, summary, title, read, columns, rows, note } = things;
  return defineOperation({
    name: `harbor-${kind}`,
    summary,
    effect: 'read',
    input: z.strictObject({ project: Project }),
    usage: '<project>',
    examples: ['team'],
    routes: [
      route({
        method: 'GET',
        path: `/harbor/projects/:project/${kind}`,
        summary: `${title} of a project`,
        request: z.object({ project: Project }),
        input: (request) => request,
      }),
    ],
    needs: ['harbor'],
    steps: ['read'],
    target: () => ({}),
    plan: async (_context, { project }) => ({ summary: `${title} of ${project}`, changes: [], takesOver: [] }),
    run: async (run, { project }) => {
      const found = await run.step('read', ({ signal }) => read(run.on, project, signal));
      const said = note && { note: note(found) };
      return { kind: 'table', title: `${title} of ${project}`, columns, rows: rows(found, run.now()), ...said };
    },
  });
}
