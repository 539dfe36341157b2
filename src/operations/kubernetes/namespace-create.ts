import { z } from 'zod';
import { fault } from '../../core/errors.ts';
import { at, text } from '../../core/json.ts';
import { refOf } from '../../core/kube.ts';
import { Label } from '../../core/name-pattern.ts';
import { defineOperation, route } from '../../core/operation.ts';
import { ownLabels } from '../../core/ours.ts';
import { EnvRef } from '../../core/place.ts';
import { contentsOf, markFor, namespaceManifest, newNamespacePermissions, unseen } from './new-namespace.ts';
import { planWrites, runWrites, writeSteps } from './writes.ts';

const labelForm = /^([A-Za-z0-9]([-A-Za-z0-9_./]*[A-Za-z0-9])?)=([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$/;
const Labels = z
  .array(z.string().regex(labelForm, 'must be KEY=VALUE'))
  .max(50)
  .describe('Labels: team=shop,tier=web')
  .meta({ examples: [['team=shop']] });

const labelsOf = (pairs: readonly string[]) =>
  Object.fromEntries(pairs.map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]));

/** What people add to the template's labels; what it says itself, and what pods are held to, is not theirs to change. */
function withLabels(template: Record<string, string>, given: Record<string, string>): Record<string, string> {
  const ours = Object.keys(given).find((key) => key.startsWith('shipmate.dev/'));
  if (ours !== undefined)
    throw fault('BAD_INPUT', {
      problem: `The label ${ours} is not yours to set: it is by those that Shipmate knows its own.`,
    });
  const taken = Object.keys(given).find(
    (key) => (Object.hasOwn(template, key) && template[key] !== given[key]) || /^pod-security\..*-version$/.test(key),
  );
  if (taken === undefined) return { ...given, ...template };
  const problem = `The label ${taken} is not yours to set: namespaceTemplate in shipmate.yaml says what a namespace is held to.`;
  throw fault('BAD_INPUT', { problem });
}

export const namespaceCreate = defineOperation({
  name: 'namespace-create',
  summary: 'Make a namespace in an environment’s cluster, with what the template puts into it',
  effect: 'change',
  input: z.strictObject({
    name: Label.describe('The new namespace').meta({ examples: ['shop-preview'] }),
    env: EnvRef,
    labels: Labels.optional(),
  }),
  usage: '<name> in <env> [labels=<labels>]',
  examples: ['shop-preview in staging', 'shop-preview in staging labels=team=shop,tier=web'],
  routes: [
    route({
      method: 'POST',
      path: '/namespaces',
      summary: 'Make a namespace',
      request: z.object({
        name: Label,
        env: EnvRef,
        labels: z.record(z.string(), z.string()).optional(),
      }),
      input: ({ labels, ...rest }) => ({
        ...rest,
        ...(labels && { labels: Object.entries(labels).map(([key, value]) => `${key}=${value}`) }),
      }),
    }),
  ],
  needs: ['kube'],
  permissions: newNamespacePermissions,
  steps: writeSteps,
  target: ({ env }) => ({ env }),
  plan: async ({ on, site, settings, signal }, input) => {
    const kube = on.kube(site.cluster);
    const template = settings.namespaceTemplate;
    const more = withLabels({ ...template?.labels, ...ownLabels }, labelsOf(input.labels ?? []));
    const mark = input.name === site.namespace ? markFor(settings, site.env) : {};
    const manifest = namespaceManifest(input.name, template, { ...more, ...mark });
    const live = await kube.read(refOf(manifest), signal);
    if (live) {
      const where = `the cluster “${site.cluster}” (${text(at(live, 'status', 'phase'))})`;
      throw fault('OBJECT_EXISTS', { kind: 'Namespace', name: input.name, where });
    }
    const { writes, changes, takesOver } = await planWrites(kube, [{ kind: 'apply', manifest }], signal);
    const inside = unseen(contentsOf(input.name, template));
    const with_ = inside.writes.map((write) => (write.kind === 'apply' ? text(write.manifest.kind) : ''));
    return {
      summary: `new namespace ${input.name}${with_.length > 0 ? ` with ${with_.join(', ')}` : ''}`,
      writes: [...writes, ...inside.writes],
      changes: [...changes, ...inside.changes],
      takesOver,
      undo: { operation: 'namespace-delete', input: { name: input.name, again: input.name, env: site.env } },
    };
  },
  run: (run) => runWrites(run),
});
