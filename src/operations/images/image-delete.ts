import { z } from 'zod';
import { ownTag } from '../../core/build.ts';
import { fault } from '../../core/errors.ts';
import { parseImage, shortImage } from '../../core/image.ts';
import { unlessAmbiguous } from '../../core/oci-document.ts';
import { defineOperation, type PlanContext, route } from '../../core/operation.ts';
import { AppRef, homeOf } from '../../core/place.ts';
import { doImageCalls, imageSteps } from './image-calls.ts';
import { imageCalled } from './tag.ts';
import { atOnce, tagsOn } from './tags-on.ts';
import { allUses, usesOf, usesText, wherePermissions } from './where.ts';

const fields = {
  app: AppRef,
  tag: z
    .string()
    .min(1)
    .max(200)
    .describe('Its tag, or its digest')
    .meta({ examples: ['v1'] }),
};

const odd = 'ambiguous';

/**
 * An image of several platforms whose index lists it would be broken.
 * @returns the tags of which nobody can say what they list: programs read them differently
 */
async function checkNotListed(
  { on, signal }: PlanContext<'registry'>,
  repository: string,
  digest: string,
  own: readonly string[],
): Promise<string[]> {
  const isIt = (each: { digest: string }) => each.digest === digest;
  const others = (await on.registry.tags(repository, signal)).filter((tag) => !own.includes(tag));
  const unknown: string[] = [];
  for (let n = 0; n < others.length; n += atOnce) {
    const some = others.slice(n, n + atOnce);
    const lists = await Promise.all(
      some.map((tag) => unlessAmbiguous(on.registry.manifest(`${repository}:${tag}`, signal), odd)),
    );
    unknown.push(...some.filter((_tag, index) => lists[index] === odd));
    const index = lists.findIndex((found) => found !== odd && found?.body.manifests?.some(isIt));
    if (index >= 0)
      throw fault('BAD_INPUT', {
        problem: `${digest.slice(0, 19)} is a part of ${some[index]}, which would be broken without it.`,
      });
  }
  return unknown;
}

export const imageDelete = defineOperation({
  name: 'image-delete',
  summary: 'Delete an app’s image from the registry, unless it runs anywhere',
  effect: 'change',
  input: z.strictObject(fields),
  usage: '<app>[:<tag>]',
  examples: ['web:v5'],
  routes: [
    route({
      method: 'DELETE',
      path: '/images/:app/tags/:tag',
      summary: 'Delete an image that runs nowhere',
      request: z.object(fields),
      input: (request) => request,
    }),
  ],
  needs: ['registry', 'kube'],
  permissions: wherePermissions,
  steps: imageSteps,
  target: ({ app }) => ({ app }),
  plan: async (context, { app, tag: said }) => {
    const { on, settings, signal } = context;
    const repository = homeOf(settings, app);
    const image = imageCalled(app, repository, said);
    const digest = await on.registry.resolve(image, app, signal);
    const [manifest, tags, uses] = await Promise.all([
      unlessAmbiguous(on.registry.manifest(`${repository}@${digest}`, signal), odd),
      tagsOn(on.registry, repository, digest, signal),
      allUses(context),
    ]);
    const listed = manifest === odd ? [] : (manifest?.body.manifests ?? []);
    const digests = [digest, ...listed.map((each) => each.digest)];
    const users = usesOf(uses, { digests, names: tags.map((each) => `${repository}:${each}`) });
    if (users.length > 0) throw fault('IMAGE_IN_USE', { image: shortImage(image), where: usesText(users) });
    const unknown = parseImage(image).tag === undefined ? await checkNotListed(context, repository, digest, tags) : [];
    const named = tags.filter((each) => !ownTag(each));
    const others = named.filter((each) => each !== parseImage(image).tag);
    const warnings = [
      ...(others.length > 0 ? [`The same image is also ${others.join(', ')}: they go with it.`] : []),
      ...(manifest === odd
        ? [`${shortImage(image)} can be read in two ways: whether one of its parts runs anywhere is not known.`]
        : []),
      ...unknown.map((each) => `${each} can be read in two ways, and may list it: it would be broken without it.`),
    ];
    return {
      summary: `${shortImage(image)} → deleted`,
      changes: [
        ...named.map((each) => ({ path: `image/${repository}:${each}`, from: digest, to: 'deleted' })),
        ...(named.length === 0 ? [{ path: `image/${repository}@${digest}`, from: digest, to: 'deleted' }] : []),
      ],
      images: [{ kind: 'delete', repository, digest, tags }],
      ...(warnings.length > 0 && { warnings }),
      takesOver: [],
    };
  },
  run: doImageCalls,
});
