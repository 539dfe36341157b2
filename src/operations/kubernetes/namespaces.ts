import { z } from 'zod';
import { environmentsOf } from '../../core/effects/sites.ts';
import { Fault } from '../../core/errors.ts';
import { at, type JsonObject, text } from '../../core/json.ts';
import { defineOperation, route } from '../../core/operation.ts';
import { EnvRef } from '../../core/place.ts';
import { some } from '../../core/some.ts';
import { ageOf, byName, list, nameIn, since, words } from './reading.ts';

/** Why a namespace does not go away, in the words of its conditions and by its finalizers; empty where nothing holds it. */
export function stuckWhy(namespace: JsonObject): string {
  if (at(namespace, 'status', 'phase') !== 'Terminating') return '';
  const own = words(at(namespace, 'spec', 'finalizers')).filter((finalizer) => finalizer !== 'kubernetes');
  const ours = [...own, ...words(at(namespace, 'metadata', 'finalizers'))];
  // True says what is left; the discovery and deletion conditions are only there when something went wrong.
  const held = list(at(namespace, 'status', 'conditions')).filter(({ status }) => status === 'True');
  return [
    ...held.map(({ message }) => text(message)),
    ...(ours.length > 0 ? [`its own finalizers: ${ours.join(', ')}`] : []),
  ].join('; ');
}

function stateOf(namespace: JsonObject, now: number): string {
  const phase = text(at(namespace, 'status', 'phase')) || 'Active';
  if (phase !== 'Terminating') return phase;
  const why = stuckWhy(namespace);
  return `Terminating for ${since(at(namespace, 'metadata', 'deletionTimestamp'), now)}${why ? `: ${why}` : ''}`;
}

export const namespaces = defineOperation({
  name: 'namespaces',
  summary: 'List namespaces, with why one does not go away',
  effect: 'read',
  input: z.strictObject({ env: EnvRef.optional() }),
  usage: '[in <env>]',
  examples: ['', 'in staging'],
  routes: [
    route({
      method: 'GET',
      path: '/namespaces',
      summary: 'Namespaces of an environment’s cluster, or of all',
      request: z.object({ env: EnvRef.optional() }),
      input: (input) => input,
    }),
  ],
  needs: ['kube'],
  permissions: ['list,watch namespaces'],
  steps: ['read'],
  target: ({ env }) => (env === undefined ? {} : { env }),
  plan: async () => ({ summary: 'looks', changes: [], takesOver: [] }),
  run: async (run, { env }) =>
    run.step('read', async ({ signal }) => {
      const all = Object.values(run.settings.environments).map(({ cluster }) => cluster);
      const clusters = env === undefined ? [...new Set(all)] : [run.site.cluster];
      const away: string[] = [];
      const found = await Promise.all(
        clusters.map(async (cluster) => {
          try {
            const { objects } = await run.on.kube(cluster).look('Namespace', '', signal);
            return [...objects].sort(byName).map((object) => ({ cluster, object }));
          } catch (thrown) {
            // One cluster that is away must not hide the others.
            if (!(thrown instanceof Fault) || clusters.length === 1) throw thrown;
            away.push(thrown.message);
            return [];
          }
        }),
      );
      const standsFor = (cluster: string, name: string) => environmentsOf(run.settings, cluster, name);
      const rows = found
        .flat()
        .map(({ cluster, object }) => [
          nameIn(object),
          stateOf(object, run.now()),
          ageOf(object, run.now()),
          some(standsFor(cluster, nameIn(object))),
          ...(clusters.length > 1 ? [cluster] : []),
        ]);
      return {
        kind: 'table' as const,
        title: env === undefined ? 'Namespaces' : `Namespaces of ${run.site.env}’s cluster`,
        columns: ['Namespace', 'State', 'Age', 'Environment', ...(clusters.length > 1 ? ['Cluster'] : [])],
        rows,
        ...(away.length > 0 && { note: away.join(' ') }),
      };
    }),
});
