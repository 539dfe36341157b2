import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import type { Mesh } from '../testbed/mesh/mesh.ts';
import type { BesideCluster, Testbed } from '../testbed/testbed.ts';

/** The channel that it all happens in. */
export const ship = 'C0SHIP';

/** The sandbox's shipmate.yaml: staging is free, production wants another engineer. */
export function settingsOf(bed: Testbed | BesideCluster, mesh: Mesh | undefined): string {
  const canary = mesh && { strategy: 'canary', weights: [20, 50], bake: '15s', drain: '3s' };
  const metrics = [{ kind: 'success-rate' }, { kind: 'latency' }];
  const context = fileURLToPath(new URL('../examples/web', import.meta.url));
  // Nobody visits what is not the sandbox's own: there would be nothing to judge a canary by.
  const rollout = { strategy: 'rolling' };
  // All of it is on one laptop.
  const newWorkloads = { requests: { cpu: '10m', memory: '16Mi' } };
  return stringify({
    apps: {
      web: {
        image: `${bed.registry.host}/web`,
        channel: ship,
        build: { context, args: { VERSION: '{tag}', BASE: bed.busybox } },
      },
      // Whatever somebody thinks of is an app: docs/apps.md.
      '*': { image: `${bed.registry.host}/{app}`, images: [`${bed.registry.host}/*`], channel: ship, rollout },
    },
    builds: { folders: [context], repositories: [bed.registry.host] },
    environments: {
      staging: { namespace: 'staging', rolloutTimeoutSeconds: 120, newWorkloads, ...(canary && { analysis: 'none' }) },
      production: {
        namespace: 'production',
        rolloutTimeoutSeconds: 120,
        newWorkloads,
        ...(canary && { rollout: canary, analysis: 'live' }),
      },
    },
    people: {
      ana: { slack: 'U0ANA', subject: 'ana@example.com' },
      ben: { slack: 'U0BEN', subject: 'ben@example.com' },
      cho: { slack: 'U0CHO' },
    },
    channel: ship,
    analyses: { live: { source: 'envoy', scrapeInterval: '1s', metrics } },
    roles: { engineers: ['ana', 'ben'] },
    breakGlass: { who: ['engineers'], reviewers: ['engineers'], spares: ['locks', 'freezes'] },
    policy: [
      { name: 'anyone may look', effects: ['read'] },
      {
        name: 'engineers may build',
        operations: ['build', 'tag', 'promote', 'docker-build', 'docker-push'],
        who: ['engineers'],
      },
      {
        name: 'engineers steer a canary at once',
        operations: ['canary-promote', 'canary-pause', 'canary-resume', 'canary-abort', 'canary-weight'],
        who: ['engineers'],
      },
      {
        name: 'engineers keep order',
        operations: ['lock', 'unlock', 'join', 'stop', 'resume', 'away', 'back'],
        who: ['engineers'],
      },
      { name: 'staging is free for engineers', environments: ['staging'], who: ['engineers'] },
      {
        name: 'production needs another engineer',
        environments: ['production'],
        who: ['engineers'],
        approvals: 1,
        approvers: ['engineers'],
      },
    ],
  });
}
