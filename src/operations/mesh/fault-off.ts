import { z } from 'zod';
import { refOf } from '../../core/kube.ts';
import { Label } from '../../core/name-pattern.ts';
import { defineOperation, route } from '../../core/operation.ts';
import { EnvRef } from '../../core/place.ts';
import { planWrites, runWrites, type Wish, writeSteps } from '../kubernetes/writes.ts';
import { removalFrom } from './fault-edits.ts';
import { chosenRoutes } from './find-routes.ts';
import { meshOf, trafficPermissions } from './traffic-plan.ts';
import { serviceFields } from './words.ts';

export const faultOff = defineOperation({
  name: 'fault-off',
  summary: 'Take away what lets requests to a Service go wrong on purpose',
  effect: 'change',
  input: z.strictObject(serviceFields),
  usage: '<service> in <env> [route=<route>]',
  examples: ['web in staging'],
  routes: [
    route({
      method: 'DELETE',
      path: '/traffic/:namespace/:service/fault',
      summary: 'Take faults away',
      request: z.object({ namespace: EnvRef, service: Label }),
      input: ({ namespace, service }) => ({ service, env: namespace }),
    }),
  ],
  needs: ['kube'],
  permissions: trafficPermissions,
  steps: writeSteps,
  alongside: true,
  target: ({ env }) => ({ env }),
  plan: async (context, { service, route = 'all' }) => {
    const mesh = await meshOf(context, service);
    const routes = chosenRoutes(mesh.routes, service, route);
    const wishes = [...new Set(routes.map(({ object }) => object))].flatMap((object): Wish[] => {
      const edits = removalFrom(object, routes);
      return edits.length > 0 ? [{ kind: 'edit', ref: refOf(object), edits }] : [];
    });
    const planned = await planWrites(mesh.kube, wishes, context.signal);
    return { summary: `${service}: no faults any more`, ...planned };
  },
  run: (run) => runWrites(run),
});
