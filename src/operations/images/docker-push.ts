import { z } from 'zod';
import type { Docker, ImageCall } from '../../core/build.ts';
import { fault } from '../../core/errors.ts';
import { parseImage, repositoryOf } from '../../core/image.ts';
import { unlessAmbiguous } from '../../core/oci-document.ts';
import { defineOperation, type RunContext, route } from '../../core/operation.ts';
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

type Push = ImageCall & { kind: 'push' };

type On = Pick<RunContext<'docker' | 'registry', 'push'>, 'on'>;
type Held = NonNullable<Awaited<ReturnType<Docker['image']>>>;

/**
 * Whether what the registry has is an image of the daemon. A daemon knows one by its configuration's digest, or by that of its
 * manifest or index; of an index that it has only one platform of, it pushes that platform's manifest.
 */
async function isImage({ on }: On, image: string, digest: string, { id, parts }: Held, signal: AbortSignal) {
  if (digest === id || parts.includes(digest)) return true;
  const pinned = `${repositoryOf(parseImage(image))}@${digest}`;
  const found = await unlessAmbiguous(on.registry.manifest(pinned, signal), undefined);
  return found?.body.config?.digest === id;
}

/** @throws Fault ANOTHER_BY_NOW where the daemon or the registry has something else under the name than when it was planned */
async function checkPlanned(run: On, { image, id, replaces }: Push, signal: AbortSignal): Promise<Held> {
  const { docker, registry } = run.on;
  const [held, there] = await Promise.all([docker.image(image, signal), registry.digest(image, signal)]);
  const same = held?.id === id;
  if (same && (there === replaces || (there !== undefined && (await isImage(run, image, there, held, signal)))))
    return held;
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
    const [held, there] = await Promise.all([on.docker.image(image, signal), on.registry.digest(image, signal)]);
    if (held === undefined)
      throw fault('NO_SUCH_OBJECT', {
        kind: 'image',
        name: image,
        where: 'the Docker daemon of builds',
        near: ' Build it first: /ship docker build, or /build.',
      });
    return {
      summary: `${image} to ${parseImage(image).registry ?? 'Docker Hub'}`,
      changes: [{ path: `image/${image}`, ...(there && { from: there }), to: `image ${held.id}` }],
      images: [{ kind: 'push', image, id: held.id, ...(there && { replaces: there }) }],
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
      const held = planned && (await checkPlanned(run, planned, signal));
      const { digest } = await run.on.docker.push(image, seen, signal);
      const found = await run.on.registry.digest(image, signal);
      if (found !== digest || (held && !(await isImage(run, image, digest, held, signal))))
        throw fault('PUSH_FAILED', {
          image,
          problem: `the registry has ${found?.slice(0, 19) ?? 'nothing'} under it, and not what was to be pushed.`,
        });
      const seconds = Math.round((run.now() - startedAt) / 100) / 10;
      return { kind: 'built' as const, image, digest, tag: parseImage(image).tag ?? 'latest', seconds };
    });
  },
});
