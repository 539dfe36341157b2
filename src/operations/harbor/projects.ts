import { z } from 'zod';
import { fault } from '../../core/errors.ts';
import { at, text } from '../../core/json.ts';
import { defineOperation, route } from '../../core/operation.ts';
import { Switch } from '../../core/values.ts';
import { agoText, number } from '../docker/reading.ts';
import { callSteps, doCalls } from './calls.ts';
import { Project } from './names.ts';
import { harborTable } from './table.ts';

const mostProjects = 500;

export const harborProjects = harborTable({
  kind: 'projects',
  summary: 'Show Harbor’s projects',
  routeSummary: 'Projects of Harbor',
  title: 'Harbor’s projects',
  read: (on, signal) => on.harbor.list(['projects'], {}, mostProjects, signal),
  columns: ['Project', 'Seen by', 'Repositories', 'Scanned', 'Age'],
  rows: (projects, now) =>
    projects.map((project) => [
      text(project.name),
      at(project, 'metadata', 'public') === 'true' ? 'everyone' : 'members',
      String(number(project.repo_count)),
      at(project, 'metadata', 'auto_scan') === 'true' ? 'on push' : 'on demand',
      agoText(project.creation_time, now),
    ]),
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
