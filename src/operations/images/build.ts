import { z } from 'zod';
import { fault } from '../../core/errors.ts';
import { parseImage } from '../../core/image.ts';
import { defineOperation, type StepContext } from '../../core/operation.ts';
import { AppRef, appOf } from '../../core/place.ts';
import type { BuildProgress } from '../../core/ports.ts';
import type { AppSettings, Settings } from '../../core/settings.ts';

/** How an app is built: its context folder, and its build arguments with `{tag}` filled in. */
function recipeOf(settings: Settings, app: string, tag: string) {
  const { build, image }: AppSettings = appOf(settings, app);
  if (!build) throw fault('NO_BUILD', { app });
  const args = Object.fromEntries(
    Object.entries(build.args).map(([name, value]) => [name, value.replaceAll('{tag}', tag)]),
  );
  const reference = `${image}:${tag}`;
  parseImage(reference);
  return { context: build.context, dockerfile: build.dockerfile, tag: reference, args };
}

/** Every line goes to the thread; the step shows where the build is. */
function shownAs({ note, log }: StepContext) {
  return ({ text, step, steps }: BuildProgress) => {
    if (step !== undefined) note(`${step} of ${steps ?? '?'}: ${text}`);
    log(text);
  };
}

export const build = defineOperation({
  name: 'build',
  summary: 'Build an app’s image and push it to the registry',
  effect: 'change',
  input: z.strictObject({
    app: AppRef,
    tag: z
      .string()
      .regex(/^\w[\w.-]{0,127}$/, 'must be letters, digits, “.”, “_” and “-”, at most 128')
      .describe('The tag to build')
      .meta({ examples: ['v2'] }),
  }),
  usage: '<app> <tag>',
  command: '/build',
  examples: ['web v2'],
  routes: [],
  needs: ['docker'],
  steps: ['build', 'push'],
  target: ({ app }) => ({ app }),
  plan: async ({ settings }, { app, tag }) => {
    const recipe = recipeOf(settings, app, tag);
    return { summary: `${recipe.tag} from ${recipe.context}`, changes: [], takesOver: [] };
  },
  run: async (run, { app, tag }) => {
    const recipe = recipeOf(run.settings, app, tag);
    const began = await run.step('build', async (step) => {
      await run.on.docker.build(recipe, shownAs(step), step.signal);
      return step.startedAt;
    });
    const { digest } = await run.step('push', (step) => run.on.docker.push(recipe.tag, shownAs(step), step.signal));
    return { kind: 'built', image: recipe.tag, digest, tag, seconds: Math.round((run.now() - began) / 100) / 10 };
  },
});
