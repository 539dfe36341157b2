import { z } from 'zod';
import { fault } from '../../core/errors.ts';
import { at, isObject, text } from '../../core/json.ts';
import { defineOperation, type RunContext } from '../../core/operation.ts';
import { number } from '../docker/reading.ts';
import { Project, projectCalled } from './names.ts';
import { isCalled, RobotName as Name, robotsOf } from './robot-names.ts';

const actions = { pull: ['pull'], push: ['pull', 'push'] } as const;
const fields = {
  project: Project,
  name: Name,
  access: z.enum(['pull', 'push']).default('pull').describe('What it may; who pushes also pulls'),
  days: z.number().int().min(1).max(365).default(30).describe('How long it lives'),
};

const mark = (run: string) => `made by Shipmate, run ${run}`;

/**
 * Makes the robot, or, where this run made it and was lost before its secret was given away, has it given another secret.
 * The secret goes to the asker alone: it is no result of the step, since results are stored.
 */
async function makeAndGive(
  run: RunContext<'harbor' | 'hand', 'create'>,
  project: string,
  name: string,
): Promise<string> {
  return await run.step('create', async ({ signal, record, log }) => {
    const { path = [], body } = run.plan.harbor?.[0] ?? {};
    const known = (await robotsOf(run.on, await projectCalled(run.on, project, signal), signal)).find((robot) =>
      isCalled(robot, project, name),
    );
    if (known && known.description !== mark(run.id))
      throw fault('OBJECT_EXISTS', { kind: 'robot', name, where: `the project ${project}` });
    const wanted = isObject(body) ? { ...body, description: mark(run.id) } : {};
    const { body: made, message } = known
      ? await run.on.harbor.send(
          { method: 'PATCH', path: ['robots', String(number(known.id))], body: { secret: '' } },
          signal,
        )
      : await run.on.harbor.send({ method: 'POST', path, body: wanted }, signal);
    const secret = text(at(made, 'secret'));
    const full = text(at(made, 'name')) || text(known?.name);
    if (secret === '') throw fault('HARBOR_REFUSED', { problem: message, hint: 'Nothing was given to anybody.' });
    const words = `The robot ${full} of Harbor has this secret. It is shown this once, to you alone, and kept nowhere:\n${secret}`;
    try {
      await run.on.hand.give(run.origin, words, signal);
    } catch (thrown) {
      // A robot whose secret nobody has is of no use, and nobody would know that it is there.
      const id = number(at(made, 'id')) || number(known?.id);
      await run.on.harbor.send({ method: 'DELETE', path: ['robots', String(id)] }, signal);
      throw fault('ONLY_IN_PERSON', { operation: 'harbor robot create' }, thrown);
    }
    record(`robot ${full}: its secret was shown to its asker alone`);
    log(`robot/${full}: created; its secret was shown to its asker alone`);
    return full;
  });
}

export const harborRobotCreate = defineOperation({
  name: 'harbor-robot-create',
  summary: 'Make a robot account for a project of Harbor; its secret is shown once, to you alone',
  effect: 'change',
  input: z.strictObject(fields),
  usage: '<project> <name> [access=<access>] [days=<days>]',
  examples: ['team nightly access=push days=90'],
  needs: ['harbor', 'hand'],
  steps: ['create'],
  target: () => ({}),
  plan: async ({ on, signal, origin }, { project, name, access, days }) => {
    if (!on.hand.reaches(origin)) throw fault('ONLY_IN_PERSON', { operation: 'harbor robot create' });
    const there = (await robotsOf(on, await projectCalled(on, project, signal), signal)).some((robot) =>
      isCalled(robot, project, name),
    );
    if (there) throw fault('OBJECT_EXISTS', { kind: 'robot', name, where: `the project ${project}` });
    const rights = actions[access].map((action) => ({ resource: 'repository', action }));
    const permissions = [{ kind: 'project', namespace: project, access: rights }];
    const path = `robot/${project}+${name}`;
    return {
      summary: `robot ${name} of ${project}: ${actions[access].join(' and ')} for ${days} days`,
      changes: [
        { path: `${path} access`, to: actions[access].join(', ') },
        { path: `${path} days`, to: days },
      ],
      harbor: [
        {
          method: 'POST',
          path: ['robots'],
          body: { name, level: 'project', duration: days, disable: false, permissions },
          done: `${path}: created`,
        },
      ],
      takesOver: [],
      undo: { operation: 'harbor-robot-remove', input: { project, name } },
    };
  },
  run: async (run, { project, name }) => {
    const full = await makeAndGive(run, project, name);
    return { kind: 'changed', objects: [`robot/${full}`], note: 'Its secret was shown to its asker alone.' };
  },
});
