import { z } from 'zod';
import { fault } from '../../core/errors.ts';
import { at, text } from '../../core/json.ts';
import { defineOperation, route } from '../../core/operation.ts';
import { Switch } from '../../core/values.ts';
import { agoText, number } from '../docker/reading.ts';
import { callSteps, doCalls } from './calls.ts';
import { Project } from './names.ts';

const mostProjects = 500;

export const harborProjects = defineOperation({
  name: 'harbor-projects',
  summary: 'Show Harbor’s projects',
  effect: 'read',
  input: z.strictObject({}),
  usage: '',
  examples: [''],
  routes: [
    route({
      method: 'GET',
      path: '/harbor/projects',
      summary: 'Projects of Harbor',
      request: z.object({}),
      input: () => ({}),
    }),
  ],
  needs: ['harbor'],
  steps: ['read'],
  target: () => ({}),
  plan: async () => ({ summary: 'Harbor’s projects', changes: [], takesOver: [] }),
  run: async (run) => {
    const found = await run.step('read', ({ signal }) => run.on.harbor.list(['projects'], {}, mostProjects, signal));
    const rows = found.map((project) => [
      text(project.name),
      at(project, 'metadata', 'public') === 'true' ? 'everyone' : 'members',
      String(number(project.repo_count)),
      at(project, 'metadata', 'auto_scan') === 'true' ? 'on push' : 'on demand',
      agoText(project.creation_time, run.now()),
    ]);
    const columns = ['Project', 'Seen by', 'Repositories', 'Scanned', 'Age'];
    return { kind: 'table', title: 'Harbor’s projects', columns, rows };
  },
});

const fields = {
  project: Project,
  public: Switch.default(false).describe('Everyone may pull from it'),
  scan: Switch.default(true).describe('Scans whatever is pushed'),
};

export const harborProjectCreate = defineOperation({
  name: 'harbor-project-create',
  summary: 'Make a project in Harbor; private, and scanned on push, unless said otherwise',
  effect: 'change',
  input: z.strictObject(fields),
  usage: '<project> [public=<public>] [scan=<scan>]',
  examples: ['newteam', 'newteam public=yes'],
  routes: [
    route({
      method: 'POST',
      path: '/harbor/projects',
      summary: 'Make a project in Harbor',
      request: z.object(fields),
      input: (request) => request,
    }),
  ],
  needs: ['harbor'],
  steps: callSteps,
  target: () => ({}),
  plan: async ({ on, signal }, { project, public: open, scan }) => {
    if (await on.harbor.read(['projects', project], {}, signal))
      throw fault('OBJECT_EXISTS', { kind: 'project', name: project, where: 'Harbor' });
    const metadata = { public: String(open), auto_scan: String(scan) };
    return {
      summary: `project ${project} in Harbor`,
      changes: [
        { path: `project/${project} public`, to: open },
        { path: `project/${project} auto_scan`, to: scan },
      ],
      harbor: [
        {
          method: 'POST',
          path: ['projects'],
          body: { project_name: project, metadata },
          done: `project/${project}: created`,
        },
      ],
      takesOver: [],
    };
  },
  // It was not there when this was planned.
  run: (run, { project }) =>
    doCalls(run, async (_call, signal) => (await run.on.harbor.read(['projects', project], {}, signal)) !== undefined),
});
