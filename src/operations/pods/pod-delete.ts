import { z } from 'zod';
import type { JsonObject } from '../../core/json.ts';
import { defineOperation, route } from '../../core/operation.ts';
import { EnvRef, ObjectName } from '../../core/place.ts';
import { planWrites, runWrites, writeSteps } from '../kubernetes/writes.ts';
import { stateOf } from './facts.ts';
import { controllerOf, findPermissions, podRef } from './find.ts';
import { onePod } from './one-pod.ts';
import { nameIn } from './raw.ts';
import { PodPart, Subject, targetOf } from './subject.ts';

/** What comes after it: most pods are made anew at once, and some never. */
function afterwards(pod: JsonObject): string {
  const owner = controllerOf(pod);
  if (!owner) return 'Nobody makes a new one: it belongs to no controller.';
  if (owner.kind === 'Job') return `Job ${owner.name} makes a new one, if it still has tries left.`;
  const same = owner.kind === 'StatefulSet' ? 'a new one of the same name' : 'a new one';
  return `${owner.kind} ${owner.name} makes ${same}.`;
}

export const podDelete = defineOperation({
  name: 'pod-delete',
  summary: 'Delete one pod, so that its controller makes a new one',
  effect: 'change',
  input: z.strictObject({ app: Subject, env: EnvRef, pod: PodPart.optional() }),
  usage: '<app> in <env> [pod=<pod>]',
  examples: ['web in staging pod=x2v8k', 'web-6d4f9c6b7-x2v8k in staging', 'statefulset/db in staging pod=db-0'],
  routes: [
    route({
      method: 'POST',
      path: '/pods/:namespace/:name/delete',
      summary: 'Delete a pod',
      request: z.object({ namespace: EnvRef, name: ObjectName }),
      input: ({ namespace, name }) => ({ env: namespace, app: `pod/${name}` }),
    }),
  ],
  needs: ['kube'],
  permissions: [...findPermissions, 'delete pods'],
  steps: writeSteps,
  target: targetOf,
  plan: async (context, input) => {
    const kube = context.on.kube(context.site.cluster);
    const pod = await onePod(context, input);
    const ref = podRef(context.site.namespace, nameIn(pod));
    const planned = await planWrites(kube, [{ kind: 'remove', ref }], context.signal);
    return { summary: `deletes ${nameIn(pod)} (${stateOf(pod, context.now()).words}). ${afterwards(pod)}`, ...planned };
  },
  run: (run) => runWrites(run),
});
