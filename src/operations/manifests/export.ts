import { stringify } from 'yaml';
import { z } from 'zod';
import { at } from '../../core/json.ts';
import { kindCalled, kinds } from '../../core/kinds.ts';
import { didYouMean } from '../../core/near.ts';
import { defineOperation, route } from '../../core/operation.ts';
import { EnvRef } from '../../core/place.ts';
import { missing } from '../kubernetes/writes.ts';
import { cleanObject } from './clean.ts';

const ObjectWord = z
  .string()
  .max(320)
  .transform((given, context) => {
    const [word = '', name, ...rest] = given.split('/');
    const kind = kindCalled(word);
    if (kind && name && rest.length === 0 && !kind.clusterWide) return `${kind.kind.toLowerCase()}/${name}`;
    const near = kind
      ? ''
      : didYouMean(
          word,
          kinds.map((each) => each.kind.toLowerCase()),
        );
    const message = kind?.clusterWide
      ? 'must be something that lives in a namespace'
      : `must be KIND/NAME, such as deployment/web or cm/app-config.${near}`;
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  })
  .describe('What to show, as KIND/NAME')
  .meta({ examples: ['deployment/web'] });

export const exportObject = defineOperation({
  name: 'export',
  summary: 'Show an object as a clean manifest, without what the cluster adds',
  effect: 'read',
  input: z.strictObject({ object: ObjectWord, env: EnvRef }),
  usage: '<object> in <env>',
  examples: ['cm/app-config in staging', 'deployment/web in production'],
  routes: [
    route({
      method: 'GET',
      path: '/manifests/:namespace/:kind/:name',
      summary: 'An object as a clean manifest',
      request: z.object({ namespace: EnvRef, kind: z.string().max(63), name: z.string().max(253) }),
      input: ({ namespace, kind, name }) => ({ object: `${kind}/${name}`, env: namespace }),
    }),
  ],
  needs: ['kube'],
  permissions: ['get,list configmaps,services,deployments.apps,statefulsets.apps,daemonsets.apps', 'get secrets'],
  steps: ['read'],
  target: ({ env }) => ({ env }),
  plan: async (_context, { object }) => ({ summary: object, changes: [], takesOver: [] }),
  run: async (run, { object }) => {
    const kube = run.on.kube(run.site.cluster);
    const [word = '', name = ''] = object.split('/');
    const { apiVersion, kind } = kindCalled(word) ?? { apiVersion: 'v1', kind: word };
    const ref = { apiVersion, kind, namespace: run.site.namespace, name };
    return await run.step('read', async ({ signal }) => {
      const live = await kube.read(ref, signal);
      if (live)
        return {
          kind: 'text' as const,
          title: `${kind}/${name}`,
          text: stringify(cleanObject(live, run.settings.secrets)).trimEnd(),
        };
      if (kind === 'Secret') throw missing(ref); // To compare names it would have to list Secrets, which it is not allowed to.
      const others = await kube.list({ apiVersion, kind, namespace: ref.namespace }, signal);
      throw missing(
        ref,
        didYouMean(
          name,
          others.map((each) => String(at(each, 'metadata', 'name') ?? '')),
        ),
      );
    });
  },
});
