import { z } from 'zod';
import { appEntry } from '../../core/apps.ts';
import { fault } from '../../core/errors.ts';
import { shortImage } from '../../core/image.ts';
import { at, type JsonObject } from '../../core/json.ts';
import { placeKey } from '../../core/lock.ts';
import { defineOperation, type PlanContext, route } from '../../core/operation.ts';
import { AppRef, EnvRef, WorkloadRef } from '../../core/place.ts';
import type { Draft } from '../../core/plan.ts';
import type { Run } from '../../core/run.ts';
import { type Found, refuseKind, refusePaused, templateOf, workloadOf } from '../workloads/find.ts';
import { planRevision, RevisionNumber } from '../workloads/to-revision.ts';
import { unstick } from '../workloads/unstick.ts';
import { underWay } from './canary/steer.ts';
import { planManifest } from './change.ts';
import { earlier } from './earlier.ts';
import { roll, rollLimits, rollPermissions, rollSteps } from './roll.ts';
import { containersOf, undoOfImage } from './workload.ts';

type Context = PlanContext<'kube' | 'order' | 'runs'>;

/** How many runs back the health of revisions is looked up. */
const searched = 100;

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

/** What a run put into the place, be it by a manifest or by a patch. */
function putBy(run: Run): JsonObject | undefined {
  if (run.plan?.manifest) return run.plan.manifest;
  const put = (run.plan?.writes ?? []).map((write) =>
    write.kind === 'merge' ? write.patch : write.kind === 'apply' ? write.manifest : {},
  );
  return put.find((object) => containersOf(object).length > 0);
}

type Health = 'healthy' | 'failed' | 'unknown';

const putsImages = (run: Run) => containersOf(putBy(run) ?? {}).length > 0;

/** What became of a deploy that ended at a pause of an Argo Rollout: whoever promoted it, or aborted it, came later. */
function healthAfter(later: readonly Run[]): Health {
  const next = later.findLastIndex(putsImages);
  const driven = later.slice(next + 1);
  if (driven.some(({ report }) => report?.kind === 'rolled-out')) return 'healthy';
  return driven.some(({ operation }) => operation === 'rollout-abort') ? 'failed' : 'unknown';
}

/** How the newest run that brought these images to the place ended. */
function healthOf(template: JsonObject, history: readonly Run[]): Health {
  const images = pinnedOf({ spec: { template } });
  const index = history.findIndex((each) => {
    const put = putBy(each);
    return put !== undefined && pinnedOf(put) === images;
  });
  const kind = history[index]?.report?.kind;
  if (index < 0) return 'unknown';
  if (kind === 'changed') return healthAfter(history.slice(0, index));
  return kind === 'rolled-out' || kind === 'promoted' ? 'healthy' : 'failed';
}

/** The newest revision known to have been healthy; where none is known, the newest that is not known to have failed. */
function lastHealthy<Revision extends { template: JsonObject }>(
  revisions: readonly Revision[],
  history: readonly Run[],
): { revision: Revision; health: Health } | undefined {
  const judged = revisions.map((revision) => ({ revision, health: healthOf(revision.template, history) }));
  return judged.find(({ health }) => health === 'healthy') ?? judged.find(({ health }) => health === 'unknown');
}

/** Back to the last revision known to have been healthy: what Shipmate owns, as it was then. */
async function planBack({ on, place, settings, signal }: Context, found: Found): Promise<Draft> {
  const kube = on.kube(place.cluster);
  const [revisions, history] = await Promise.all([
    kube.revisions(found.ref, signal),
    on.order.history(placeKey(place), searched),
  ]);
  if (revisions.length === 0) throw fault('NO_EARLIER_REVISION', place);
  const best = lastHealthy(revisions, history);
  if (!best) throw fault('NO_HEALTHY_REVISION', place);
  const { revision, health } = best;
  const { live } = templateOf(found);
  const manifest = earlier(live, revision.template);
  const { planned } = await planManifest(kube, found, manifest, signal);
  const image = at(containersOf(live)[0], 'image');
  const homes = place.app.includes('/') ? undefined : appEntry(settings, place.app)?.its;
  return {
    summary: `back from ${imagesOf(live)} to ${imagesOf(manifest)} (revision ${revision.revision}${health === 'unknown' ? ', not known whether it was healthy' : ''})`,
    ...planned,
    ...(typeof image === 'string' && homes && (await undoOfImage(kube, place, { homes, found, image }, signal))),
  };
}

async function plan(context: Context, { revision }: { revision?: number | undefined }): Promise<Draft> {
  const { on, place, signal } = context;
  const shifting = await underWay(context);
  const strategy = shifting?.plan?.rollout?.strategy;
  if (shifting && strategy !== undefined)
    throw fault('CANARY_UNDER_WAY', { strategy, run: shifting.id, app: place.app, env: place.env });
  const kube = on.kube(place.cluster);
  const found = await workloadOf(kube, place, signal);
  const instead = `/ship job run ${place.workload} in ${place.env}`;
  refuseKind('rollback', found, {
    Job: { why: 'its template never changes', instead: 'Make a new Job.' },
    CronJob: { why: 'Kubernetes keeps no earlier templates of it', instead },
  });
  refusePaused(found, place);
  const draft =
    revision === undefined ? await planBack(context, found) : await planRevision(kube, place, found, revision, signal);
  const stuck = await unstick(kube, found, context.now(), signal);
  const writes = [...(draft.writes ?? []), ...(stuck.writes ?? [])];
  return { ...draft, changes: [...draft.changes, ...stuck.changes], ...(writes.length > 0 && { writes }) };
}

export const rollback = defineOperation({
  name: 'rollback',
  summary: 'Go back to the last revision that was healthy, or to a given one',
  effect: 'change',
  input: z.strictObject({ app: WorkloadRef, env: EnvRef, revision: RevisionNumber.optional() }),
  usage: '<app> in <env> [revision=<revision>]',
  command: '/rollback',
  examples: ['web production', 'web production revision=3', 'statefulset/db in staging'],
  routes: [
    route({
      method: 'POST',
      path: '/deployments/:namespace/:name/rollback',
      summary: 'Roll back to the last healthy revision, or to a given one',
      request: z.object({ namespace: EnvRef, name: AppRef, revision: RevisionNumber.optional() }),
      input: ({ name, namespace, revision }) => ({
        app: name,
        env: namespace,
        ...(revision !== undefined && { revision }),
      }),
    }),
  ],
  needs: ['kube', 'order', 'runs'],
  permissions: [...rollPermissions, 'list controllerrevisions.apps'],
  steps: rollSteps,
  limits: rollLimits,
  first: true,
  target: ({ app, env }) => ({ app, env }),
  plan,
  run: (run) => roll(run),
});
