import { z } from 'zod';
import { differences } from '../../core/diff.ts';
import { fault } from '../../core/errors.ts';
import { shortImage } from '../../core/image.ts';
import { at, isObject, type JsonObject } from '../../core/json.ts';
import { placeKey } from '../../core/lock.ts';
import { defineOperation, route } from '../../core/operation.ts';
import { overlay, ownedBy } from '../../core/ownership.ts';
import { AppRef, EnvRef } from '../../core/place.ts';
import type { Run } from '../../core/run.ts';
import { roll, rollLimits, rollPermissions, rollSteps } from './roll.ts';
import { containersOf, undoByImage, workloadRef } from './workload.ts';

/** How many runs back the health of revisions is looked up. */
const searched = 100;

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

/** The images with their digests: a tag may have been moved since. */
const pinnedOf = (deployment: JsonObject) =>
  containersOf(deployment)
    .map(({ image }) => String(image))
    .join(' ');

type Health = 'healthy' | 'failed' | 'unknown';

/** How the newest run that brought these images to the place ended. */
function healthOf(template: JsonObject, history: readonly Run[]): Health {
  const images = pinnedOf({ spec: { template } });
  const run = history.find(({ plan }) => plan?.manifest && pinnedOf(plan.manifest) === images);
  if (!run) return 'unknown';
  return run.report?.kind === 'rolled-out' ? 'healthy' : 'failed';
}

/** The newest revision known to have been healthy; where none is known, the newest that is not known to have failed. */
function lastHealthy<Revision extends { template: JsonObject }>(
  revisions: readonly Revision[],
  history: readonly Run[],
): { revision: Revision; health: Health } | undefined {
  const judged = revisions.map((revision) => ({ revision, health: healthOf(revision.template, history) }));
  return judged.find(({ health }) => health === 'healthy') ?? judged.find(({ health }) => health === 'unknown');
}

export const rollback = defineOperation({
  name: 'rollback',
  summary: 'Go back to the last revision that was healthy',
  effect: 'change',
  input: z.strictObject({ app: AppRef, env: EnvRef }),
  usage: '<app> in <env>',
  command: '/rollback',
  examples: ['web production'],
  routes: [
    route({
      method: 'POST',
      path: '/deployments/:namespace/:name/rollback',
      summary: 'Roll back to the last healthy revision',
      request: z.object({ namespace: EnvRef, name: AppRef }),
      input: ({ name, namespace }) => ({ app: name, env: namespace }),
    }),
  ],
  needs: ['kube', 'order'],
  permissions: [...rollPermissions, 'list controllerrevisions.apps'],
  steps: rollSteps,
  limits: rollLimits,
  first: true,
  target: ({ app, env }) => ({ app, env }),
  plan: async ({ on, place, signal }) => {
    const kube = on.kube(place.cluster);
    const ref = workloadRef(place);
    const [live, revisions, history] = await Promise.all([
      kube.read(ref, signal),
      kube.revisions(ref, signal),
      on.order.history(placeKey(place), searched),
    ]);
    if (!live) throw fault('NOT_DEPLOYED', place);
    if (revisions.length === 0) throw fault('NO_EARLIER_REVISION', place);
    const found = lastHealthy(revisions, history);
    if (!found) throw fault('NO_HEALTHY_REVISION', place);
    const { revision, health } = found;
    const manifest = earlier(live, revision.template);
    const dry = await kube.preview(manifest, signal);
    const image = at(containersOf(live)[0], 'image');
    return {
      summary: `back from ${imagesOf(live)} to ${imagesOf(manifest)} (revision ${revision.revision}${health === 'unknown' ? ', not known whether it was healthy' : ''})`,
      changes: differences(live, dry.after),
      manifest,
      takesOver: dry.takesOver,
      ...(typeof image === 'string' && undoByImage(place, image)),
    };
  },
  run: (run) => roll(run),
});
