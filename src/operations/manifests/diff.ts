import { z } from 'zod';
import type { Json } from '../../core/json.ts';
import { defineOperation, route } from '../../core/operation.ts';
import type { Change } from '../../core/plan.ts';
import { planManifest } from './plan.ts';
import { holdsSecret, ManifestInput, manifestFields } from './source.ts';

const said = (value: Json) => (typeof value === 'string' ? value : JSON.stringify(value));

function linesOf({ path, from, to }: Change): string[] {
  return [
    ...(from === undefined ? [] : [`- ${path}: ${said(from)}`]),
    ...(to === undefined ? [] : [`+ ${path}: ${said(to)}`]),
  ];
}

const { env: namespace, ...withoutEnv } = manifestFields;

export const diff = defineOperation({
  name: 'diff',
  summary: 'Show what applying a manifest would change',
  effect: 'read',
  input: ManifestInput,
  usage: 'in <env> [git=<git>] [ref=<ref>] [path=<path>] [prune=<prune>]',
  examples: [
    `in staging manifest='{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "greeting"}}'`,
    'in production git=https://github.com/team/web.git path=deploy',
  ],
  routes: [
    route({
      method: 'POST',
      path: '/manifests/:namespace/diff',
      summary: 'What applying a manifest would change',
      request: z.object({ namespace, ...withoutEnv }),
      input: ({ namespace: env, ...rest }) => ({ env, ...rest }),
    }),
  ],
  needs: ['kube', 'git'],
  permissions: [
    'get,list,create,patch configmaps,services,deployments.apps,statefulsets.apps,daemonsets.apps',
    'get,create,patch secrets',
  ],
  secret: holdsSecret,
  steps: ['read'],
  target: ({ env }) => ({ env }),
  plan: async ({ site }) => ({ summary: `what would change in ${site.env}`, changes: [], takesOver: [] }),
  run: async (run, input) =>
    await run.step('read', async ({ signal }) => {
      const { changes, takesOver, summary } = await planManifest(
        { on: run.on, settings: run.settings, site: run.site, signal },
        input,
      );
      const taken = takesOver.map(({ field, manager }) => `! ${field}: would be taken over from ${manager}`);
      const text = [...changes.flatMap(linesOf), ...taken].join('\n');
      return { kind: 'text' as const, title: `What would change in ${run.site.env}`, text, note: summary };
    }),
});
