import { z } from 'zod';
import { fault } from '../../core/errors.ts';
import { at, type JsonObject, text } from '../../core/json.ts';
import { didYouMean } from '../../core/near.ts';
import { defineOperation, type PlanContext, route } from '../../core/operation.ts';
import { bytesOf, Memory } from '../docker/container-fields.ts';
import { bytesText, number } from '../docker/reading.ts';
import { callSteps, doCalls } from './calls.ts';
import { Project } from './names.ts';
import { harborTable } from './table.ts';

/** `20Gi`, or `none`. */
const Size = z
  .union([Memory, z.literal('none')], 'must be an amount such as 20Gi, or none')
  .describe('How much it may store; “none” is no limit')
  .meta({ examples: ['20Gi'] });

const limitText = (bytes: number): string => (bytes < 0 ? 'no limit' : bytesText(bytes));
export const quotasOf = (on: PlanContext<'harbor'>['on'], signal: AbortSignal): Promise<JsonObject[]> =>
  on.harbor.list(['quotas'], { reference: 'project' }, 500, signal);

export const quotaProject = (quota: JsonObject): string => text(at(quota, 'ref', 'name'));
const storage = (quota: JsonObject, of: 'hard' | 'used'): number => number(at(quota, of, 'storage'));

/** `1.2 GiB of 2.0 GiB (60 %)`. */
export function quotaText(quota: JsonObject): string {
  const [hard, used] = [storage(quota, 'hard'), storage(quota, 'used')];
  return hard < 0 ? `${bytesText(used)}, no limit` : `${bytesText(used)} of ${bytesText(hard)} (${share(quota)} %)`;
}

const share = (quota: JsonObject): number => {
  const hard = storage(quota, 'hard');
  return hard > 0 ? Math.round((storage(quota, 'used') / hard) * 100) : 0;
};

export const harborQuotas = harborTable({
  kind: 'quotas',
  summary: 'Show how full the projects of Harbor are, fullest first',
  routeSummary: 'Quotas of Harbor’s projects',
  title: 'Harbor’s quotas',
  read: quotasOf,
  columns: ['Project', 'Used', 'Of', 'Full'],
  rows: (quotas) =>
    quotas
      .toSorted((a, b) => share(b) - share(a) || storage(b, 'used') - storage(a, 'used'))
      .map((quota) => [
        quotaProject(quota),
        bytesText(storage(quota, 'used')),
        limitText(storage(quota, 'hard')),
        storage(quota, 'hard') < 0 ? '' : `${share(quota)} %`,
      ]),
});

export const harborQuotaSet = defineOperation({
  name: 'harbor-quota-set',
  summary: 'Say how much a project of Harbor may store',
  effect: 'change',
  input: z.strictObject({ project: Project, size: Size }),
  usage: '<project> to <size>',
  examples: ['team to 20Gi', 'team to none'],
  routes: [
    route({
      method: 'PUT',
      path: '/harbor/projects/:project/quota',
      summary: 'Set the quota of a project',
      request: z.object({ project: Project, size: Size }),
      input: (request) => request,
    }),
  ],
  needs: ['harbor'],
  steps: callSteps,
  target: () => ({}),
  plan: async ({ on, signal }, { project, size }) => {
    const all = await quotasOf(on, signal);
    const quota = all.find((each) => quotaProject(each) === project);
    const near = didYouMean(project, all.map(quotaProject));
    if (!quota) throw fault('NO_SUCH_OBJECT', { kind: 'quota', name: project, where: 'Harbor', near });
    const [before, wanted] = [storage(quota, 'hard'), size === 'none' ? -1 : bytesOf(size)];
    const used = storage(quota, 'used');
    const full =
      wanted >= 0 && used > wanted
        ? `: less than the ${bytesText(used)} that it holds, so nothing more can be pushed`
        : '';
    const [from, to] = [limitText(before), limitText(wanted)];
    const back = before < 0 ? 'none' : before % 1_048_576 === 0 ? `${before / 1_048_576}Mi` : undefined;
    return {
      summary: `${project}: ${from} → ${to}${full}`,
      changes: before === wanted ? [] : [{ path: `quota/${project} storage`, from, to: `${to}${full}` }],
      harbor:
        before === wanted
          ? []
          : [
              {
                method: 'PUT',
                path: ['quotas', String(number(quota.id))],
                body: { hard: { storage: wanted } },
                done: `quota/${project}: set`,
              },
            ],
      takesOver: [],
      ...(back !== undefined && { undo: { operation: 'harbor-quota-set', input: { project, size: back } } }),
    };
  },
  run: (run) => doCalls(run),
});
