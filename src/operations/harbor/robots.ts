import { z } from 'zod';
import { fault } from '../../core/errors.ts';
import { text } from '../../core/json.ts';
import { defineOperation, route } from '../../core/operation.ts';
import { agoText, number } from '../docker/reading.ts';
import { callSteps, doCalls } from './calls.ts';
import { Project, projectCalled } from './names.ts';
import { isCalled, RobotName as Name, rightsOf, robotsOf } from './robot-names.ts';
import { projectTable } from './table.ts';

const endOf = (seconds: number): string =>
  seconds <= 0 ? 'never' : new Date(seconds * 1_000).toISOString().slice(0, 10);

export const harborRobots = projectTable({
  kind: 'robots',
  summary: 'Show the robot accounts of a project of Harbor, and when they end',
  title: 'Robot accounts',
  read: async (on, project, signal) => robotsOf(on, await projectCalled(on, project, signal), signal),
  columns: ['Robot', 'May', 'Ends', 'Age'],
  rows: (found, now) =>
    found.map((robot) => [
      text(robot.name),
      rightsOf(robot),
      robot.disable === true ? 'switched off' : endOf(number(robot.expires_at)),
      agoText(robot.creation_time, now),
    ]),
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
