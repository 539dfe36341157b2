import { z } from 'zod';
import { defineOperation } from '../../core/operation.ts';
import { EnvRef, ObjectName } from '../../core/place.ts';
import { canRestart, consumersOf, secretConsumerPermissions } from './consumers.ts';

export const configConsumers = defineOperation({
  name: 'config-consumers',
  summary: 'Show which workloads read a ConfigMap or Secret, and how',
  effect: 'read',
  input: z.strictObject({
    name: ObjectName.describe('The ConfigMap or Secret'),
    env: EnvRef,
    kind: z.enum(['configmap', 'secret']).optional().describe('One of the two; both where it is left out'),
  }),
  usage: '<name> in <env> [kind=secret]',
  examples: ['app-config in staging', 'app-secrets in staging kind=secret'],
  needs: ['kube'],
  permissions: secretConsumerPermissions,
  steps: ['read'],
  target: ({ env }) => ({ env }),
  plan: async () => ({ summary: 'looks', changes: [], takesOver: [] }),
  run: async (run, { name, kind }) =>
    run.step('read', async ({ signal }) => {
      const { cluster, namespace, env } = run.site;
      const kinds = (['ConfigMap', 'Secret'] as const).filter((each) => !kind || each.toLowerCase() === kind);
      const found = await Promise.all(
        kinds.map(async (each) => ({
          of: each,
          consumers: await consumersOf(run.on.kube(cluster), { kind: each, namespace, name }, signal),
        })),
      );
      const rows = found.flatMap(({ of, consumers }) =>
        consumers.map((consumer) => [
          `${of}/${name}`,
          `${consumer.ref.kind}/${consumer.ref.name}`,
          consumer.uses.join(', '),
        ]),
      );
      const restarts = [
        ...new Set(found.flatMap(({ consumers }) => consumers.filter(canRestart).map(({ ref }) => ref))),
      ];
      const ready = restarts.map(({ kind: of, name: its }) => `/ship restart ${of.toLowerCase()}/${its} in ${env}`);
      const note =
        rows.length === 0 ? 'Nobody reads it.' : ready.length > 0 ? `To restart them: ${ready.join(' · ')}` : undefined;
      return { kind: 'table' as const, title: `Who reads ${name}`, columns: ['What', 'Who', 'How'], rows, note };
    }),
});
