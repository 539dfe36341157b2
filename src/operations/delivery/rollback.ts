import { z } from 'zod';
import { differences } from '../../core/diff.ts';
import { fault } from '../../core/errors.ts';
import { shortImage } from '../../core/image.ts';
import { at, isObject, type JsonObject } from '../../core/json.ts';
import { defineOperation, route } from '../../core/operation.ts';
import { overlay, ownedBy } from '../../core/ownership.ts';
import { AppRef, EnvRef } from '../../core/place.ts';
import { roll, rollSteps } from './roll.ts';
import { containersOf, workloadRef } from './workload.ts';

/** What Shipmate owns, with the values of the earlier revision; the images in any case. */
function earlier(live: JsonObject, template: JsonObject): JsonObject {
  const then: JsonObject = { ...live, spec: { ...(isObject(live.spec) ? live.spec : {}), template } };
  const images = containersOf(then).map((container) => ({ name: container.name ?? '', image: container.image ?? '' }));
  const manifest = overlay(ownedBy('shipmate', live, then), { spec: { template: { spec: { containers: images } } } });
  return isObject(manifest) ? manifest : then;
}

function imagesOf(deployment: JsonObject): string {
  return containersOf(deployment)
    .map(({ image }) => shortImage(String(image)))
    .join(', ');
}

export const rollback = defineOperation({
  name: 'rollback',
  summary: 'Go back to the revision before',
  effect: 'change',
  input: z.strictObject({ app: AppRef, env: EnvRef }),
  usage: '<app> in <env>',
  command: '/rollback',
  examples: ['web production'],
  routes: [
    route({
      method: 'POST',
      path: '/deployments/:namespace/:name/rollback',
      summary: 'Roll back to the revision before',
      request: z.object({ namespace: EnvRef, name: AppRef }),
      input: ({ name, namespace }) => ({ app: name, env: namespace }),
    }),
  ],
  needs: ['kube'],
  steps: rollSteps,
  target: ({ app, env }) => ({ app, env }),
  plan: async ({ on, place, signal }) => {
    const kube = on.kube(place.cluster);
    const ref = workloadRef(place);
    const [live, revisions] = await Promise.all([kube.read(ref, signal), kube.revisions(ref, signal)]);
    if (!live) throw fault('NOT_DEPLOYED', place);
    const [before] = revisions;
    if (!before) throw fault('NO_EARLIER_REVISION', place);
    const manifest = earlier(live, before.template);
    const dry = await kube.preview(manifest, signal);
    const image = at(containersOf(live)[0], 'image');
    return {
      summary: `back from ${imagesOf(live)} to ${imagesOf(manifest)} (revision ${before.revision})`,
      changes: differences(live, dry.after),
      manifest,
      takesOver: dry.takesOver,
      ...(typeof image === 'string' && { back: { app: place.app, env: place.env, image } }),
    };
  },
  run: (run) => roll(run),
});
