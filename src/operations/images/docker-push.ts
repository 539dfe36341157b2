import { z } from 'zod';
import { fault } from '../../core/errors.ts';
import { parseImage } from '../../core/image.ts';
import { defineOperation, route } from '../../core/operation.ts';
import { wholeName } from '../../core/own-images.ts';

const fields = {
  tag: z
    .string()
    .min(1)
    .max(512)
    .regex(/^[^-\s][^\s]*$/, 'must be an image with a tag')
    .describe('The image’s name and tag, as the Docker daemon has it')
    .meta({ examples: ['myapp:v1.0.0'] }),
};

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
      changes: [{ path: `image/${image}`, ...(there && { from: there.digest }), to: `image ${id.slice(7, 19)}` }],
      takesOver: [],
    };
  },
  run: async (run, { tag: said }) => {
    const image = wholeName(run.settings, said);
    return await run.step('push', async ({ note, log, signal, startedAt }) => {
      const seen = ({ text }: { text: string }) => {
        note(text);
        log(text);
      };
      const { digest } = await run.on.docker.push(image, seen, signal);
      const found = await run.on.registry.resolve(image, '', signal);
      if (found !== digest)
        throw fault('PUSH_FAILED', {
          image,
          problem: `the registry has ${found.slice(0, 19)} under it, and not what was pushed.`,
        });
      const seconds = Math.round((run.now() - startedAt) / 100) / 10;
      return { kind: 'built' as const, image, digest, tag: parseImage(image).tag ?? 'latest', seconds };
    });
  },
});
