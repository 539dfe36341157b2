import { z } from 'zod';
import type { ImageCall } from '../../core/build.ts';
import { fault } from '../../core/errors.ts';
import { parseImage } from '../../core/image.ts';
import { defineOperation, type RunContext, route } from '../../core/operation.ts';
import { wholeName } from '../../core/own-images.ts';
import type { Manifest } from '../../core/registry.ts';

const fields = {
  tag: z
    .string()
    .min(1)
    .max(512)
    .regex(/^[^-\s][^\s]*$/, 'must be an image with a tag')
    .describe('The image’s name and tag, as the Docker daemon has it')
    .meta({ examples: ['myapp:v1.0.0'] }),
};

type Push = ImageCall & { kind: 'push' };

/** A daemon knows an image by its configuration's digest, or by that of its manifest or index. */
const isImage = ({ digest, body }: Manifest, id: string): boolean => digest === id || body.config?.digest === id;

/** @throws Fault ANOTHER_BY_NOW where the daemon or the registry has something else under the name than when it was planned */
async function checkPlanned(
  { on }: Pick<RunContext<'docker' | 'registry', 'push'>, 'on'>,
  { image, id, replaces }: Push,
  signal: AbortSignal,
): Promise<void> {
  const [now, there] = await Promise.all([on.docker.imageId(image, signal), on.registry.manifest(image, signal)]);
  const pushed = there !== undefined && isImage(there, id);
  if (now !== id || (!pushed && there?.digest !== replaces))
    throw fault('ANOTHER_BY_NOW', { kind: 'image', name: image });
}

export const dockerPush = defineOperation({
  name: 'docker-push',
  summary: 'Push an image that the build’s Docker daemon has',
  effect: 'change',
  input: z.strictObject(fields),
  usage: '<tag>',
  examples: ['web:v2'],
  routes: [
    route({
      method: 'POST',
      path: '/docker/push',
      summary: 'Push an image',
      request: z.object(fields),
      input: (request) => request,
    }),
  ],
  needs: ['docker', 'registry'],
  steps: ['push'],
  target: () => ({}),
  plan: async ({ on, settings, signal }, { tag: said }) => {
    const image = wholeName(settings, said);
    const [id, there] = await Promise.all([on.docker.imageId(image, signal), on.registry.manifest(image, signal)]);
    if (id === undefined)
      throw fault('NO_SUCH_OBJECT', {
        kind: 'image',
        name: image,
        where: 'the Docker daemon of builds',
        near: ' Build it first: /ship docker build, or /build.',
      });
    return {
      summary: `${image} to ${parseImage(image).registry ?? 'Docker Hub'}`,
      changes: [{ path: `image/${image}`, ...(there && { from: there.digest }), to: `image ${id}` }],
      images: [{ kind: 'push', image, id, ...(there && { replaces: there.digest }) }],
      takesOver: [],
    };
  },
  run: async (run, { tag: said }) => {
    const [call] = run.plan.images ?? [];
    const planned = call?.kind === 'push' ? call : undefined;
    const image = planned?.image ?? wholeName(run.settings, said);
    return await run.step('push', async ({ note, log, signal, startedAt }) => {
      const seen = ({ text }: { text: string }) => {
        note(text);
        log(text);
      };
      if (planned) await checkPlanned(run, planned, signal);
      const { digest } = await run.on.docker.push(image, seen, signal);
      const found = await run.on.registry.manifest(image, signal);
      if (found?.digest !== digest || (planned && !isImage(found, planned.id)))
        throw fault('PUSH_FAILED', {
          image,
          problem: `the registry has ${found?.digest.slice(0, 19) ?? 'nothing'} under it, and not what was to be pushed.`,
        });
      const seconds = Math.round((run.now() - startedAt) / 100) / 10;
      return { kind: 'built' as const, image, digest, tag: parseImage(image).tag ?? 'latest', seconds };
    });
  },
});
