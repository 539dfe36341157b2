import { z } from 'zod';
import { type JsonObject, text } from '../../core/json.ts';
import type { PlanContext } from '../../core/operation.ts';
import { list, number } from '../docker/reading.ts';

export const RobotName = z
  .string()
  .max(100)
  .regex(/^[a-z0-9]+([._-][a-z0-9]+)*$/, 'must be lower-case letters and digits, with “.”, “_” or “-” between')
  .describe('The robot, by the name it was given')
  .meta({ examples: ['ci'] });
type On = PlanContext<'harbor'>['on'];

/** Harbor calls a project's robot `robot$team+ci`; the beginning can be set, so only the end counts. */
export const isCalled = (robot: JsonObject, project: string, name: string) =>
  text(robot.name).endsWith(`${project}+${name}`);

export async function robotsOf({ harbor }: On, project: JsonObject, signal: AbortSignal): Promise<JsonObject[]> {
  const q = `Level=project,ProjectID=${number(project.project_id)}`;
  return await harbor.list(['robots'], { q }, 500, signal);
}

export const rightsOf = (robot: JsonObject): string =>
  list(robot.permissions)
    .flatMap(({ access }) => list(access).map(({ resource, action }) => `${text(action)} ${text(resource)}`))
    .join(', ');
