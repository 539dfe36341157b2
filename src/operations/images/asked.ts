import { z } from 'zod';
import { fault } from '../../core/errors.ts';
import { imageOfApp } from '../../core/image.ts';
import { AppRef, appOf } from '../../core/place.ts';
import type { Registry } from '../../core/registry.ts';
import type { Settings } from '../../core/settings.ts';
import { type PinnedImage, pinnedImage } from '../../images/pinned.ts';
import { checkOneReading } from '../../images/readings.ts';

/** How people say which image of an app they mean. */
export const askedFields = {
  app: AppRef,
  tag: z.string().max(128).optional().describe('A tag of the app’s own repository'),
  image: z
    .string()
    .min(1)
    .max(512)
    .optional()
    .describe('An image: v2, web:v2, or host/web:v2')
    .meta({ examples: ['web:v2'] }),
};

/** The body of a REST request about an image. */
export const askedBody = z.object({ app: AppRef, image: askedFields.image.unwrap() });

/**
 * The image that was asked for, by the digest that it has now. Whoever looks into it looks into the same.
 * @throws Fault BAD_INPUT where none was named; IMAGE_AMBIGUOUS, IMAGE_NOT_FOUND, REGISTRY_UNREACHABLE, …
 */
export async function resolveAsked(
  { on, settings, signal }: { on: { registry: Registry }; settings: Settings; signal: AbortSignal },
  asked: { app: string; tag?: string | undefined; image?: string | undefined },
): Promise<PinnedImage> {
  const { app, tag, image } = asked;
  if (tag === undefined && image === undefined)
    throw fault('BAD_INPUT', { problem: `Which image of ${app}? Write ${app}:TAG.` });
  const reference = imageOfApp(app, appOf(settings, app), {
    ...(tag !== undefined && { tag }),
    ...(image !== undefined && { image }),
  });
  const pinned = pinnedImage(reference, await on.registry.resolve(reference, app, signal));
  await checkOneReading(on.registry, pinned, signal);
  return pinned;
}
