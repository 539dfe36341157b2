import { z } from 'zod';
import { fault } from '../../core/errors.ts';
import { imageOfApp, parseImage, repositoryOf, shortImage } from '../../core/image.ts';
import { defineOperation, type PlanContext, route } from '../../core/operation.ts';
import { checkPushable } from '../../core/own-images.ts';
import { AppRef, homeOf } from '../../core/place.ts';
import type { Draft } from '../../core/plan.ts';
import { Tag } from './fields.ts';
import { doImageCalls, imageSteps } from './image-calls.ts';

const fields = {
  app: AppRef,
  tag: z
    .string()
    .min(1)
    .max(200)
    .describe('Its tag, or its digest')
    .meta({ examples: ['v2'] }),
};

/** An image of an app, by tag or digest: `v2`, `v2@sha256:…`, `sha256:…`. */
export function imageCalled(app: string, home: string, said: string): string {
  return /^sha256:/.test(said) ? `${home}@${said}` : imageOfApp(app, { image: home }, { tag: said });
}

/** Plans that `to` becomes a name for what `from` is now: by digest, whatever becomes of its tag. */
async function planCopy(
  { on, signal }: PlanContext<'registry'>,
  app: string,
  from: string,
  to: string,
): Promise<Draft> {
  const source = parseImage(from);
  const digest = await on.registry.resolve(from, app, signal);
  const there = await on.registry.digest(to, signal);
  const same = there === digest;
  const home = repositoryOf(parseImage(to));
  return {
    summary: same ? `${to} is that already` : `${shortImage(from)} → ${to}`,
    changes: same ? [] : [{ path: `image/${to}`, ...(there && { from: there }), to: digest }],
    image: { reference: from, digest },
    images: same ? [] : [{ kind: 'copy', from: repositoryOf(source), to, digest, ...(there && { replaces: there }) }],
    ...(there && !same && { warnings: [`${to} is there already: it will be another image.`] }),
    takesOver: [],
    // Back to what the tag was, which is known by its digest alone.
    ...(there &&
      home === repositoryOf(source) && {
        undo: { operation: 'tag', input: { app, tag: there, as: parseImage(to).tag ?? '' } },
      }),
  };
}

const As = z
  .string()
  .min(1)
  .max(512)
  .regex(/^[^-\s][^\s]*$/, 'must be a tag, or an image')
  .describe('The new tag, or HOST/REPOSITORY:TAG')
  .meta({ examples: ['stable'] });

export const tag = defineOperation({
  name: 'tag',
  summary: 'Give an app’s image another tag, or another name in another registry',
  effect: 'change',
  input: z.strictObject({ ...fields, as: As }),
  usage: '<app>[:<tag>] as <as>',
  examples: ['web:v2 as stable', 'web:v2 as registry.example.com/archive/web:v2'],
  routes: [
    route({
      method: 'POST',
      path: '/images/:app/tags',
      summary: 'Give an image another tag',
      request: z.object({ ...fields, as: As }),
      input: (request) => request,
    }),
  ],
  needs: ['registry'],
  steps: imageSteps,
  target: ({ app }) => ({ app }),
  plan: async (context, { app, tag: said, as }) => {
    const home = homeOf(context.settings, app);
    const to = as.includes('/') ? as : `${home}:${as}`;
    const { tag: wanted, digest } = parseImage(to);
    if (wanted === undefined || digest !== undefined)
      throw fault('BAD_INPUT', { problem: `Which tag? “${as}” has none: write HOST/REPOSITORY:TAG, or a tag alone.` });
    const parsed = Tag.safeParse(wanted);
    if (!parsed.success)
      throw fault('BAD_INPUT', { problem: `“${wanted}” ${parsed.error.issues[0]?.message ?? 'is no tag'}.` });
    checkPushable(context.settings, repositoryOf(parseImage(to)));
    return await planCopy(context, app, imageCalled(app, home, said), to);
  },
  run: doImageCalls,
});

const To = z
  .string()
  .max(300)
  .regex(
    /^[a-z0-9][a-z0-9._-]*(:\d{1,5})?(\/[a-z0-9]+([._-]+[a-z0-9]+)*)*\/?$/i,
    'must be HOST/PROJECT, such as registry.example.com/live',
  )
  .describe('Another registry or project: HOST/PROJECT')
  .meta({ examples: ['registry.example.com/live'] });

export const promote = defineOperation({
  name: 'promote',
  summary: 'Copy an app’s image, by its digest, to another registry or project',
  effect: 'change',
  input: z.strictObject({ ...fields, to: To }),
  usage: '<app>[:<tag>] to <to>',
  examples: ['web:v2 to registry.example.com/live'],
  routes: [
    route({
      method: 'POST',
      path: '/images/:app/promote',
      summary: 'Copy an image to another registry or project',
      request: z.object({ ...fields, to: To }),
      input: (request) => request,
    }),
  ],
  needs: ['registry'],
  steps: imageSteps,
  target: ({ app }) => ({ app }),
  plan: async (context, { app, tag: said, to }) => {
    const home = homeOf(context.settings, app);
    const name = home.split('/').at(-1) ?? app;
    const target = `${to.replace(/(?<!\/)\/+$/, '')}/${name}`;
    checkPushable(context.settings, target);
    const from = imageCalled(app, home, said);
    const { tag: own, digest = '' } = parseImage(from);
    // One that was named by its digest alone keeps it as a name.
    return await planCopy(context, app, from, `${target}:${own ?? digest.slice(7, 19)}`);
  },
  run: doImageCalls,
});
