import { resolve } from 'node:path';
import { z } from 'zod';
import type { ContextSource } from '../../core/build.ts';
import { fault } from '../../core/errors.ts';
import { parseImage, repositoryOf } from '../../core/image.ts';
import { defineOperation, route } from '../../core/operation.ts';
import { wholeName } from '../../core/own-images.ts';
import type { Settings } from '../../core/settings.ts';
import { Args, buildFields, Dockerfile } from './fields.ts';
import { planBuild } from './plan-build.ts';
import { buildSteps, doBuild } from './run-build.ts';
import { dropContext, keepContext } from './uploads.ts';

const Context = z
  .string()
  .min(1)
  .max(1_000)
  .regex(/^[^-\s][^\s]*$/, 'must be a folder, a Git address, or an upload')
  .describe(
    'A folder that may be built from, a Git address as https://HOST/REPOSITORY.git#REF:FOLDER, or upload:sha256:…',
  )
  .meta({ examples: ['.'] });

const fields = {
  context: Context,
  tag: z
    .string()
    .min(1)
    .max(512)
    .regex(/^[^-\s][^\s]*$/, 'must be an image with a tag')
    .describe('The image’s name and tag')
    .meta({ examples: ['myapp:v1.0.0'] }),
  dockerfile: Dockerfile.default('Dockerfile').describe('Where it is in the context'),
  args: Args,
  ...buildFields,
};

/** `https://host/team/web.git#main:services/web`, as Docker writes it. */
const git = /^(?<url>(?:https?:\/\/|ssh:\/\/|[\w.-]+@[\w.-]+:)[^#]+)(?:#(?<ref>[^:]*)(?::(?<path>.*))?)?$/;

function sourceOf({ builds }: Settings, context: string, image: string): ContextSource {
  const [, digest, path = '.'] = /^upload:(sha256:[a-f0-9]{64})(?::(.+))?$/.exec(context) ?? [];
  if (digest !== undefined) return { kind: 'upload', repository: repositoryOf(parseImage(image)), digest, path };
  const found = git.exec(context)?.groups;
  if (found) return { kind: 'git', url: found.url ?? '', ref: found.ref || 'main', path: found.path || '.' };
  if (/^[a-z][a-z0-9+.-]*:/i.test(context))
    throw fault('BAD_INPUT', {
      problem: `“${context.slice(0, 60)}” is no context: a folder, a Git address (https, ssh), or upload:sha256:….`,
    });
  const [first] = builds.folders;
  if (first === undefined)
    throw fault('CONTEXT_REFUSED', {
      context,
      problem: 'there is no folder that may be built from',
      hint: 'Name it under builds.folders in shipmate.yaml, or build from Git.',
    });
  return { kind: 'folder', folder: resolve(first, context), within: builds.folders };
}

export const dockerBuild = defineOperation({
  name: 'docker-build',
  summary: 'Build an image from a folder, a Git repository or an upload, and push it',
  effect: 'change',
  input: z.strictObject(fields),
  usage: '<context> as <tag> [dockerfile=<dockerfile>] [target=<target>] [platforms=<platforms>] [fresh=<fresh>]',
  examples: ['services/web as web:v2', 'https://github.com/team/web.git#main as web:v2 dockerfile=docker/Dockerfile'],
  routes: [
    route({
      method: 'POST',
      path: '/docker/build',
      summary: 'Build an image and push it',
      request: z.object({
        dockerfile: fields.dockerfile,
        context: fields.context,
        tag: fields.tag,
        buildArgs: Args,
        target: fields.target,
        platforms: fields.platforms,
        fresh: fields.fresh,
      }),
      input: ({ buildArgs, ...rest }) => ({ ...rest, args: buildArgs }),
      upload: {
        types: ['application/x-tar', 'application/gzip', 'application/x-gzip'],
        field: 'context',
        until: `upload:sha256:${'0'.repeat(64)}`,
        keep: (context, { tag }, content) => keepContext(context, tag, content),
      },
    }),
  ],
  needs: ['docker', 'registry'],
  steps: [...buildSteps, 'tidy'],
  limits: { steps: { build: 25 * 60 * 60_000 }, run: 26 * 60 * 60_000 },
  target: () => ({}),
  plan: async (context, { context: said, tag, dockerfile, args, target, platforms, fresh }) => {
    const image = wholeName(context.settings, tag);
    const source = sourceOf(context.settings, said, image);
    return await planBuild(context, { source, dockerfile }, () => ({
      image,
      args,
      ...(target !== undefined && { target }),
      platforms,
      secrets: [],
      cache: false,
      fresh,
    }));
  },
  run: async (run) => {
    const report = await doBuild(run);
    const source = run.plan.build?.source;
    // In a step of its own: whoever takes up a build that was cut off needs it still.
    if (source?.kind === 'upload') await run.step('tidy', ({ signal }) => dropContext(run.on.registry, source, signal));
    return report;
  },
});
