import { z } from 'zod';
import { defineOperation } from '../../core/operation.ts';
import { Duration } from '../../core/values.ts';
import { runWrites, writeSteps } from '../kubernetes/writes.ts';
import { RetryOn } from './settings.ts';
import { planTraffic, trafficPermissions } from './traffic-plan.ts';
import { orOff, serviceFields, timeOrOff } from './words.ts';

export const timeout = defineOperation({
  name: 'timeout',
  summary: 'Set how long requests to a Service may take',
  effect: 'change',
  input: z.strictObject({
    ...serviceFields,
    timeout: timeOrOff(Duration).describe('Such as 5s; off for as long as it takes'),
  }),
  usage: '<service> <timeout> in <env> [route=<route>]',
  examples: ['web 5s in staging', 'web off in staging'],
  needs: ['kube'],
  permissions: trafficPermissions,
  steps: writeSteps,
  target: ({ env }) => ({ env }),
  plan: planTraffic,
  run: (run) => runWrites(run),
});

const Attempts = orOff(z.number('must be a number, or off').int().min(0).max(100)).describe(
  'How often it is tried again; 0 is never, off leaves it to the mesh',
);

export const retries = defineOperation({
  name: 'retries',
  summary: 'Set how often requests to a Service are tried again, and when',
  effect: 'change',
  input: z.strictObject({
    ...serviceFields,
    attempts: Attempts,
    perTry: timeOrOff(Duration).optional().describe('How long each try may take'),
    on: timeOrOff(RetryOn).optional().describe('What is tried again: 5xx, reset, connect-failure, 503, …'),
  }),
  usage: '<service> <attempts> in <env> [per-try=<perTry>] [on=<on>] [route=<route>]',
  examples: ['web attempts=3 per-try=2s in staging', 'web 3 in staging on=5xx,reset', 'web off in staging'],
  needs: ['kube'],
  permissions: trafficPermissions,
  steps: writeSteps,
  target: ({ env }) => ({ env }),
  plan: (context, { attempts, perTry, on, ...about }) =>
    planTraffic(context, {
      ...about,
      // Without retries there is nothing for the rest to be about.
      retries: attempts === null ? null : { attempts, perTryTimeout: perTry, retryOn: on },
    }),
  run: (run) => runWrites(run),
});
