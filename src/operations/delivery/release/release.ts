import { z } from 'zod';
import { defineOperation, route } from '../../../core/operation.ts';
import { EnvRef } from '../../../core/place.ts';
import { Weight } from '../../../core/rollout.ts';
import { Duration } from '../../../core/values.ts';
import { GitRef } from '../../images/fields.ts';
import { deploy } from '../deploy.ts';
import { Strategy } from '../fields.ts';
import { askedOf, Wave } from './asked.ts';
import { planRelease } from './plan.ts';
import { releaseSteps, runRelease } from './run.ts';

const Input = z.strictObject({
  apps: z.array(Wave).min(1).max(20).describe('APP@TAG, wave by wave; with commas between, at the same time'),
  env: EnvRef,
  from: GitRef.optional().describe('What apps without a tag are built from: a branch, tag or commit'),
  strategy: Strategy.optional(),
  weights: z.array(Weight).min(1).max(20).optional().describe('Shares of the traffic, one after the other'),
  bake: Duration.optional().describe('How long each share is watched'),
});

const hourMs = 3_600_000;

export const release = defineOperation({
  name: 'release',
  summary: 'Ship several apps as one, or one app from its commit: all of it, or nothing',
  effect: 'change',
  input: Input,
  usage: '<apps>… to <env> [from <from>] [strategy=<strategy>] [weights=<weights>] [bake=<bake>]',
  examples: [
    'web@v2 to production',
    'web@v3 api@v7 worker@v7 to production',
    'web@v3,api@v7 worker@v7 to production',
    'web from main to staging',
  ],
  routes: [
    route({
      method: 'POST',
      path: '/releases',
      summary: 'Release several apps as one, wave by wave',
      request: z.object({
        namespace: EnvRef,
        waves: z.array(z.array(Wave).min(1).max(20)).min(1).max(20),
        from: Input.shape.from,
        strategy: Input.shape.strategy,
        weights: Input.shape.weights,
        bake: Input.shape.bake,
      }),
      input: ({ namespace, waves, ...rest }) => ({
        env: namespace,
        apps: waves.map((wave) => wave.join(',')),
        ...rest,
      }),
    }),
  ],
  // The clients of deploys are here too: their plans are made as a part of this one's.
  needs: ['kube', 'signing', 'scanner'],
  permissions: [...(deploy.permissions ?? []), 'list controllerrevisions.apps'],
  steps: releaseSteps,
  limits: {
    run: 20 * 24 * hourMs,
    steps: { build: 26 * hourMs, scan: 4 * hourMs, wave: 15 * 24 * hourMs, back: 4 * 24 * hourMs },
  },
  // What is under way is never left half done: to stop it is to take it back.
  steered: () => true,
  judgedAs: 'deploy',
  target: ({ apps, env }) => ({ env, apps: askedOf(apps).map(({ app }) => app) }),
  plan: async (context, { apps, env, from, strategy, weights, bake }) =>
    await planRelease(context, { asked: askedOf(apps), env, from, how: { strategy, weights, bake } }),
  run: (run, { env }) => runRelease(run, env),
});
