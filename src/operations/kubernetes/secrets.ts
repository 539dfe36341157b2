import { z } from 'zod';
import { defineOperation, route } from '../../core/operation.ts';
import { EnvRef, ObjectName } from '../../core/place.ts';
import { Switch } from '../../core/values.ts';
import { restartPermissions, secretConsumerPermissions } from './consumers.ts';
import {
  inputOfBody,
  Keys,
  keeperLimits,
  keeperSteps,
  planSet,
  planUnset,
  runKeeper,
  setBody,
  setFields,
} from './keeper.ts';

const Name = ObjectName.describe('The Secret');
const permissions = ['get,create,patch secrets', ...restartPermissions, ...secretConsumerPermissions] as const;

/** Its input holds the values: it is taken only where what is stored is sealed. Plan, events and audit have them masked. */
export const secretSet = defineOperation({
  name: 'secret-set',
  summary: 'Set values of a Secret; nobody is shown them',
  effect: 'change',
  secret: () => true,
  input: z.strictObject({ name: Name, ...setFields }),
  usage: '<name> <values>… in <env> [restart=yes]',
  examples: ['app-secrets DB_PASSWORD=… in staging', 'app-secrets DB_PASSWORD=… in staging restart=yes'],
  routes: [
    route({
      method: 'PUT',
      path: '/secrets/:namespace/:name',
      summary: 'Set values of a Secret',
      request: setBody,
      input: inputOfBody,
    }),
  ],
  needs: ['kube'],
  permissions,
  steps: keeperSteps,
  limits: keeperLimits,
  target: ({ env }) => ({ env }),
  plan: (context, input) => planSet(context, 'Secret', input),
  run: runKeeper,
});

export const secretUnset = defineOperation({
  name: 'secret-unset',
  summary: 'Take keys out of a Secret',
  effect: 'change',
  input: z.strictObject({ name: Name, env: EnvRef, keys: Keys, restart: Switch.optional() }),
  usage: '<name> <keys>… in <env> [restart=yes]',
  examples: ['app-secrets OLD_TOKEN in staging'],
  needs: ['kube'],
  permissions,
  steps: keeperSteps,
  limits: keeperLimits,
  target: ({ env }) => ({ env }),
  plan: (context, input) => planUnset(context, 'Secret', input),
  run: runKeeper,
});
