import { z } from 'zod';
import { defineOperation, route } from '../../core/operation.ts';
import { EnvRef, ObjectName } from '../../core/place.ts';
import { Duration } from '../../core/values.ts';
import { findPermissions } from './find.ts';
import { Grep } from './grep.ts';
import { readLive, readNow } from './log-text.ts';
import { Container, PodPart, Subject, targetOf } from './subject.ts';

const longestFollowMs = 10 * 60_000;

const Tail = z
  .number()
  .int('must be a whole number')
  .min(1)
  .max(10_000)
  .describe('So many lines')
  .meta({ examples: [100] });
const Follow = Duration.refine((ms) => ms <= longestFollowMs, 'must be at most 10m').describe(
  'Shows in a thread what is written from now on, for so long',
);

const Input = z.strictObject({
  app: Subject,
  env: EnvRef,
  pod: PodPart.optional(),
  container: Container.optional(),
  tail: Tail.default(200),
  since: Duration.optional().describe('Only what was written within this time'),
  grep: Grep.optional(),
  previous: z.boolean().default(false).describe('Of the run before, where a container crashed'),
  follow: Follow.optional(),
});

const PodPath = ObjectName.transform((name) => `pod/${name}`);
const flags = z.enum(['true', 'false']).transform((word) => word === 'true');
const Query = z.object({
  container: Container.optional(),
  tail: z.coerce.number().pipe(Tail).optional(),
  since: Duration.optional(),
  grep: Grep.optional(),
  previous: flags.optional(),
});

export const logs = defineOperation({
  name: 'logs',
  summary: 'Show what an app or a pod writes; with follow=2m, live',
  effect: 'read',
  input: Input,
  usage:
    '<app> in <env> [pod=<pod>] [container=<container>] [tail=<tail>] [since=<since>] [grep=<grep>] [previous=<previous>] [follow=<follow>]',
  examples: ['web in staging', 'web in staging tail=50 since=10m grep=timeout', 'web in production follow=2m'],
  routes: [
    route({
      method: 'GET',
      path: '/pods/:namespace/:name/logs',
      summary: 'Log of a pod',
      request: Query.extend({ namespace: EnvRef, name: PodPath }),
      input: ({ namespace, name, ...query }) => ({ ...query, env: namespace, app: name }),
    }),
    route({
      method: 'GET',
      path: '/deployments/:namespace/:name/logs',
      summary: 'Logs of an app’s pods, merged in the order of time',
      request: Query.extend({ namespace: EnvRef, name: Subject }),
      input: ({ namespace, name, ...query }) => ({ ...query, env: namespace, app: name }),
    }),
  ],
  needs: ['kube'],
  permissions: [...findPermissions, 'get pods/log'],
  steps: ['read'],
  limits: { steps: { read: longestFollowMs + 60_000 } },
  openly: ({ follow: live }) => live !== undefined,
  target: targetOf,
  plan: async (_context, { app, env }) => ({ summary: `${app} in ${env}`, changes: [], takesOver: [] }),
  run: async (run, input) => {
    const live = input.follow;
    const found = await run.step('read', (step) =>
      live === undefined ? readNow(run, input, step) : readLive(run, input, live, step),
    );
    return { kind: 'text', title: `Logs of ${input.app} in ${input.env}`, ...found };
  },
});
