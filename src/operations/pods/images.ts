import { z } from 'zod';
import { type JsonObject, text } from '../../core/json.ts';
import { defineOperation, route } from '../../core/operation.ts';
import { EnvRef } from '../../core/place.ts';
import { type ContainerFacts, containersOf, nodeOf } from './facts.ts';
import { ageNote, findPermissions, findPods } from './find.ts';
import { list, nameIn } from './raw.ts';
import { Subject, targetOf } from './subject.ts';

type Use = { container: ContainerFacts; pod: JsonObject };

const portsOf = ({ spec }: ContainerFacts) =>
  list(spec.ports).map(({ containerPort, protocol, name }) => {
    const suffix = protocol === undefined || protocol === 'TCP' ? '' : `/${text(protocol)}`;
    return `${String(containerPort)}${suffix}${name === undefined ? '' : ` (${text(name)})`}`;
  });

const all = (values: string[]) => [...new Set(values.filter(Boolean))].join(', ');

/** One row for each image that runs: the same tag with two digests is two. */
function rowsOf(pods: readonly JsonObject[]): string[][] {
  const uses = pods.flatMap((pod) => containersOf(pod).map((container): Use => ({ container, pod })));
  const groups = Map.groupBy(uses, ({ container }) => `${container.name} ${container.image} ${container.digest ?? ''}`);
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (!first) return [];
    const { image, digest, name } = first.container;
    return [
      [
        image.replace(/@sha256:.*/, ''),
        digest?.slice(0, 'sha256:'.length + 12) ?? 'not pulled yet',
        name,
        `${group.length}: ${all(group.map(({ pod }) => nameIn(pod)))}`,
        all(group.map(({ pod }) => nodeOf(pod))),
        all(group.flatMap(({ container }) => portsOf(container))),
      ],
    ];
  });
}

export const images = defineOperation({
  name: 'images',
  summary: 'Show which images run where, by digest, with their ports',
  effect: 'read',
  input: z.strictObject({ app: Subject.optional(), env: EnvRef }),
  usage: '[<app>] in <env>',
  examples: ['web in staging', 'in production'],
  routes: [
    route({
      method: 'GET',
      path: '/pods/:namespace/images',
      summary: 'Images that run in a namespace, or of one app in it',
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
    const { rows, note } = await run.step('read', async () => {
      const { pods, asOf } = await findPods(run, { app });
      return { rows: rowsOf(pods), note: ageNote(asOf, run.now()) };
    });
    return {
      kind: 'table',
      title: `Images ${app === undefined ? '' : `of ${app} `}in ${env}`,
      columns: ['image', 'digest', 'container', 'pods', 'nodes', 'ports'],
      rows,
      ...(rows.length === 0 ? { note: 'There are no pods.' } : note !== undefined && { note }),
    };
  },
});
