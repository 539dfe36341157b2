import { z } from 'zod';
import type { ContextSource } from '../../core/build.ts';
import { fault } from '../../core/errors.ts';
import { parseImage } from '../../core/image.ts';
import type { AppBuild } from '../../core/image-settings.ts';
import { digestOf } from '../../core/json.ts';
import { defineOperation } from '../../core/operation.ts';
import { AppRef, appOf, homeOf } from '../../core/place.ts';
import type { Settings } from '../../core/settings.ts';
import { Args, buildFields, GitRef, Tag } from './fields.ts';
import { planBuild } from './plan-build.ts';
import { buildSteps, doBuild } from './run-build.ts';

const Input = z.strictObject({
  app: AppRef,
  tag: Tag.optional().describe('The tag to build; left out, it is made of the commit'),
  ref: GitRef.optional().describe('A branch, tag or commit of its repository'),
  args: Args,
  ...buildFields,
});
type Input = z.output<typeof Input>;

function buildOf(settings: Settings, app: string): { build: AppBuild; image: string } {
  const { build } = appOf(settings, app);
  if (!build) throw fault('NO_BUILD', { app });
  return { build, image: homeOf(settings, app) };
}

function sourceOf({ git: url, context, ref }: AppBuild, input: Input): ContextSource {
  if (url !== undefined) return { kind: 'git', url, ref: input.ref ?? ref, path: context };
  if (input.ref === undefined) return { kind: 'folder', folder: context };
  throw fault('BAD_INPUT', {
    problem: `${input.app} is built from the folder ${context}, so there is no “${input.ref}” of it. Set apps.${input.app}.build.git.`,
  });
}

export const build = defineOperation({
  name: 'build',
  summary: 'Build an app’s image and push it to the registry',
  effect: 'change',
  input: Input,
  usage: '<app> [<tag>] [from <ref>] [target=<target>] [platforms=<platforms>] [fresh=<fresh>]',
  command: '/build',
  examples: ['web v2', 'web from main', 'web v2 from release/2 target=runtime platforms=linux/amd64,linux/arm64'],
  routes: [],
  needs: ['docker', 'registry'],
  steps: buildSteps,
  limits: { steps: { build: 25 * 60 * 60_000 }, run: 26 * 60 * 60_000 },
  target: ({ app }) => ({ app }),
  plan: async (context, input) => {
    const { build: how, image: repository } = buildOf(context.settings, input.app);
    const { dockerfile } = how;
    return await planBuild(context, { source: sourceOf(how, input), dockerfile }, ({ id }) => {
      // Where nobody named a tag: the commit, or what is in the folder.
      const tag = input.tag ?? id.replace(/^sha256:/, '').slice(0, 12);
      const filled = Object.entries(how.args).map(([name, value]) => [name, value.replaceAll('{tag}', tag)]);
      const image = `${repository}:${tag}`;
      parseImage(image);
      return {
        image,
        args: { ...Object.fromEntries(filled), ...input.args },
        ...((input.target ?? how.target) !== undefined && { target: input.target ?? how.target }),
        platforms: input.platforms.length > 0 ? input.platforms : how.platforms,
        secrets: Object.keys(how.secrets),
        ...(Object.keys(how.secrets).length > 0 && { secretRefs: digestOf(how.secrets) }),
        cache: how.cache,
        fresh: input.fresh,
      };
    });
  },
  run: (run, { app }) => {
    const { secrets } = buildOf(run.settings, app).build;
    const planned = run.plan.build?.secretRefs;
    if (planned !== undefined && planned !== digestOf(secrets))
      throw fault('ANOTHER_BY_NOW', { kind: 'set of build secrets', name: `of ${app}` });
    return doBuild(run, secrets);
  },
});
