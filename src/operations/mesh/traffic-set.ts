import { z } from 'zod';
import { Label } from '../../core/name-pattern.ts';
import { defineOperation, route } from '../../core/operation.ts';
import { EnvRef } from '../../core/place.ts';
import { runWrites, writeSteps } from '../kubernetes/writes.ts';
import { RouteName, Traffic, trafficFields } from './settings.ts';
import { planTraffic, trafficPermissions } from './traffic-plan.ts';

const body = z.object({ namespace: EnvRef, service: Label, route: RouteName.optional(), ...trafficFields });

export const trafficSet = defineOperation({
  name: 'traffic-set',
  summary: 'Set what the traffic to a Service goes by: timeouts, retries, circuit breaking, balancing, mirror, shares',
  effect: 'change',
  input: Traffic,
  usage: '<service> in <env> [timeout=<timeout>] [route=<route>]',
  examples: ['web in staging timeout=5s'],
  routes: [
    route({
      method: 'POST',
      path: '/traffic/:namespace/:service',
      summary: 'Set what the traffic to a Service goes by, in one plan; null takes a value away',
      request: body,
      input: ({ namespace, ...fields }) => ({ ...fields, env: namespace }),
    }),
  ],
  needs: ['kube'],
  permissions: trafficPermissions,
  steps: writeSteps,
  target: ({ env }) => ({ env }),
  plan: planTraffic,
  run: (run) => runWrites(run),
});
