import { z } from 'zod';
import type { JsonObject } from '../../core/json.ts';
import { defineOperation, route } from '../../core/operation.ts';
import { EnvRef } from '../../core/place.ts';
import { ageOf, imageText, nodeOf, ownContainers, restartsOf, stateOf } from './facts.ts';
import { ageNote, findPermissions, findPods } from './find.ts';
import { nameIn } from './raw.ts';
import { Subject, targetOf } from './subject.ts';

function rowOf(pod: JsonObject, now: number): string[] {
  const own = ownContainers(pod);
  const images = [...new Set(own.map(({ image }) => imageText(image)))];
  return [
    nameIn(pod),
    stateOf(pod, now).words,
    `${own.filter(({ ready }) => ready).length} of ${own.length}`,
    restartsOf(pod, now),
    nodeOf(pod),
    ageOf(pod, now),
    images.join(', '),
  ];
}

/** Those with trouble come first: they are looked for. */
const troubledFirst = (pods: JsonObject[], now: number) => [
  ...pods.filter((pod) => !stateOf(pod, now).well),
  ...pods.filter((pod) => stateOf(pod, now).well),
];

export const pods = defineOperation({
  name: 'pods',
  summary: 'Show the pods of an app or an environment',
  effect: 'read',
  input: z.strictObject({ app: Subject.optional(), env: EnvRef }),
  usage: '[<app>] in <env>',
  examples: ['web in staging', 'statefulset/db in production', 'in staging'],
  routes: [
    route({
      method: 'GET',
      path: '/pods/:namespace',
      summary: 'Pods of a namespace, or of one app in it',
      request: z.object({ namespace: EnvRef, app: Subject.optional() }),
      input: ({ namespace, app }) => ({ env: namespace, ...(app !== undefined && { app }) }),
    }),
  ],
  needs: ['kube'],
  permissions: findPermissions,
  steps: ['read'],
  target: targetOf,
  plan: async (_context, { app = 'all pods', env }) => ({ summary: `${app} in ${env}`, changes: [], takesOver: [] }),
  run: async (run, { app, env }) => {
    const { rows, well, note } = await run.step('read', async () => {
      const found = await findPods(run, { app });
      const now = run.now();
      return {
        rows: troubledFirst(found.pods, now).map((pod) => rowOf(pod, now)),
        well: found.pods.filter((pod) => stateOf(pod, now).well).length,
        note: ageNote(found.asOf, now),
      };
    });
    const count = rows.length === 0 ? 'There are no pods.' : `${well} of ${rows.length} well.`;
    return {
      kind: 'table',
      title: `Pods ${app === undefined ? '' : `of ${app} `}in ${env}`,
      columns: ['pod', 'state', 'ready', 'restarts', 'node', 'age', 'image'],
      rows,
      note: [count, note].filter(Boolean).join(' '),
    };
  },
});
