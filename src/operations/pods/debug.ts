import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { environmentEntry } from '../../core/apps.ts';
import { contextFor } from '../../core/effects/restricted.ts';
import { fault } from '../../core/errors.ts';
import { at, isObject, type JsonObject, text } from '../../core/json.ts';
import { defineOperation, type PlanContext, type RunContext, route, type StepContext } from '../../core/operation.ts';
import { EnvRef, ObjectName } from '../../core/place.ts';
import type { Report } from '../../core/report.ts';
import { doWrites, planWrites } from '../kubernetes/writes.ts';
import { containersOf, exitText, troubleOf } from './facts.ts';
import { findPermissions, podRef } from './find.ts';
import { anyPod, oneContainer } from './one-pod.ts';
import { list, nameIn } from './raw.ts';
import { Container, PodPart, Subject, targetOf } from './subject.ts';

const startMs = 90_000;

/** @throws Fault NOT_ALLOW_LISTED */
function allowedImage({ settings, site }: Pick<PlanContext<'kube'>, 'settings' | 'site'>, image: string | undefined) {
  const allowed = environmentEntry(settings, site.env)?.its.debug;
  const [first] = allowed?.images ?? [];
  if (allowed && first !== undefined && (image === undefined || allowed.images.includes(image)))
    return { image: image ?? first, command: allowed.command };
  throw fault('NOT_ALLOW_LISTED', {
    what: image === undefined ? 'A debug container' : `The debug image ${image}`,
    env: site.env,
    setting: `environments.${site.env}.debug.images`,
    allowed: allowed?.images.join(', ') ?? 'no image at all',
  });
}

/** The pod's debug containers with one more: they can be added to, and never taken away. */
function oneMore(
  pod: JsonObject,
  target: string,
  { image, command, securityContext }: { image: string; command?: string[] | undefined; securityContext?: JsonObject },
) {
  const there = list(at(pod, 'spec', 'ephemeralContainers'));
  const name = `shipmate-${there.length + 1}`;
  const added: JsonObject = {
    name,
    image,
    targetContainerName: target,
    stdin: true,
    tty: true,
    ...(command && { command }),
    ...(securityContext && { securityContext }),
  };
  return { name, ephemeralContainers: [...there, added] };
}

type DebugRun = RunContext<'kube', 'write' | 'start'>;

/** Waits until the container runs, has ended, or cannot start. */
async function started(
  run: DebugRun,
  pod: string,
  name: string,
  { startedAt, signal, note }: StepContext,
): Promise<string> {
  const kube = run.on.kube(run.site.cluster);
  for (;;) {
    const live = await kube.read(podRef(run.site.namespace, pod), signal);
    const found = live && containersOf(live).find((container) => container.name === name);
    if (!found) throw fault('NO_SUCH_OBJECT', { kind: 'Pod', name: pod, where: run.site.namespace, near: '' });
    if (found.running) return 'It runs.';
    if (found.ended) return `It ${exitText(found.ended)} already.`;
    const trouble = troubleOf(found) ?? text(found.waiting?.reason);
    if (run.now() - startedAt > startMs) return `It does not run yet: ${trouble || 'no word from the node'}.`;
    note(trouble || 'waiting for the node');
    await sleep(1_000, undefined, { signal });
  }
}

export const debug = defineOperation({
  name: 'debug',
  summary: 'Put a debug container beside a pod’s own, of an image that shipmate.yaml allows',
  effect: 'change',
  input: z.strictObject({
    app: Subject,
    env: EnvRef,
    pod: PodPart.optional(),
    container: Container.optional(),
    image: z.string().max(500).optional().describe('One of the images that shipmate.yaml allows; else the first'),
  }),
  usage: '<app> in <env> [pod=<pod>] [container=<container>] [image=<image>]',
  examples: ['web in staging', 'web in staging pod=x2v8k image=busybox:1.37'],
  routes: [
    route({
      method: 'POST',
      path: '/pods/:namespace/:name/debug',
      summary: 'Put a debug container beside a pod’s own',
      request: z.object({
        namespace: EnvRef,
        name: ObjectName,
        container: Container.optional(),
        image: z.string().max(500).optional(),
      }),
      input: ({ namespace, name, ...rest }) => ({ ...rest, env: namespace, app: `pod/${name}` }),
    }),
  ],
  needs: ['kube'],
  permissions: [...findPermissions, 'patch pods/ephemeralcontainers'],
  steps: ['write', 'start'],
  target: targetOf,
  plan: async (context, { app, pod: part, container, image }) => {
    const allowed = allowedImage(context, image);
    const kube = context.on.kube(context.site.cluster);
    const pod = await anyPod(context, { app, pod: part });
    const target = oneContainer(context, pod, { app, container });
    const { name, ephemeralContainers } = oneMore(pod, target, {
      ...allowed,
      ...contextFor(context.settings, context.site),
    });
    const ref = podRef(context.site.namespace, nameIn(pod));
    const wish = {
      kind: 'merge' as const,
      ref,
      patch: { spec: { ephemeralContainers } },
      subresource: 'ephemeralcontainers' as const,
    };
    const planned = await planWrites(kube, [wish], context.signal);
    return {
      summary: `adds ${name} (${allowed.image}) to ${nameIn(pod)}, beside ${target}; it stays as long as the pod`,
      ...planned,
    };
  },
  run: async (run): Promise<Report> => {
    const [write] = run.plan.writes ?? [];
    if (write?.kind !== 'merge') throw fault('INTERNAL', { problem: 'a plan without its write', run: run.id });
    const { namespace, name: pod } = write.ref;
    const added = list(at(write.patch, 'spec', 'ephemeralContainers'))
      .filter(isObject)
      .at(-1);
    const name = text(added?.name);
    const objects = await run.step('write', (step) => doWrites(run, run.on.kube(run.site.cluster), step));
    const state = await run.step('start', (step) => started(run, pod, name, step));
    return {
      kind: 'changed',
      objects,
      note: `${state} To get in: kubectl attach -it -n ${namespace} ${pod} -c ${name}`,
    };
  },
});
