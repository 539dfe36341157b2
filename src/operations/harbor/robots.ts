import { z } from 'zod';
import { fault } from '../../core/errors.ts';
import { text } from '../../core/json.ts';
import { defineOperation, route } from '../../core/operation.ts';
import { agoText, number } from '../docker/reading.ts';
import { callSteps, doCalls } from './calls.ts';
import { Project, projectCalled } from './names.ts';
import { isCalled, RobotName as Name, rightsOf, robotsOf } from './robot-names.ts';

export const harborRobots = defineOperation({
  name: 'harbor-robots',
  summary: 'Show the robot accounts of a project of Harbor, and when they end',
  effect: 'read',
  input: z.strictObject({ project: Project }),
  usage: '<project>',
  examples: ['team'],
  routes: [
    route({
      method: 'GET',
      path: '/harbor/projects/:project/robots',
      summary: 'Robot accounts of a project',
      request: z.object({ project: Project }),
      input: (request) => request,
    }),
  ],
  needs: ['harbor'],
  steps: ['read'],
  target: () => ({}),
  plan: async (_context, { project }) => ({ summary: `robots of ${project}`, changes: [], takesOver: [] }),
  run: async (run, { project }) => {
    const found = await run.step('read', async ({ signal }) =>
      robotsOf(run.on, await projectCalled(run.on, project, signal), signal),
    );
    const end = (seconds: number) => (seconds <= 0 ? 'never' : new Date(seconds * 1_000).toISOString().slice(0, 10));
    const rows = found.map((robot) => [
      text(robot.name),
      rightsOf(robot),
      robot.disable === true ? 'switched off' : end(number(robot.expires_at)),
      agoText(robot.creation_time, run.now()),
    ]);
    const columns = ['Robot', 'May', 'Ends', 'Age'];
    return { kind: 'table', title: `Robots of ${project}`, columns, rows };
  },
});

export const harborRobotRemove = defineOperation({
  name: 'harbor-robot-remove',
  summary: 'Delete a robot account of Harbor: whatever uses it is locked out',
  effect: 'change',
  input: z.strictObject({ project: Project, name: Name }),
  usage: '<project> <name>',
  examples: ['team ci'],
  routes: [
    route({
      method: 'DELETE',
      path: '/harbor/projects/:project/robots/:name',
      summary: 'Delete a robot account',
      request: z.object({ project: Project, name: Name }),
      input: (request) => request,
    }),
  ],
  needs: ['harbor'],
  steps: callSteps,
  target: () => ({}),
  plan: async ({ on, signal }, { project, name }) => {
    const found = (await robotsOf(on, await projectCalled(on, project, signal), signal)).find((robot) =>
      isCalled(robot, project, name),
    );
    if (!found) throw fault('NO_SUCH_OBJECT', { kind: 'robot', name, where: `the project ${project}`, near: '' });
    return {
      summary: `${text(found.name)} → deleted`,
      changes: [{ path: `robot/${text(found.name)}`, from: rightsOf(found), to: 'deleted' }],
      harbor: [
        { method: 'DELETE', path: ['robots', String(number(found.id))], done: `robot/${text(found.name)}: deleted` },
      ],
      takesOver: [],
    };
  },
  run: (run) => doCalls(run),
});
