import { z } from 'zod';
import { defineOperation, route } from '../../core/operation.ts';
import { EnvRef, ObjectName } from '../../core/place.ts';
import { Switch } from '../../core/values.ts';
import { consumerPermissions, restartPermissions } from './consumers.ts';
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

/** Not for Secrets: a file that is attached to a message is there for the whole channel to read. */
const files = setFields.files
  .describe('Whole files by key, over REST or attached to a mention')
  .meta({ 'x-attached': 'by-name' });
const Name = ObjectName.describe('The ConfigMap');
const permissions = ['get,create,patch configmaps', ...restartPermissions, ...consumerPermissions] as const;

export const configSet = defineOperation({
  name: 'config-set',
  summary: 'Set values of a ConfigMap',
  effect: 'change',
  input: z.strictObject({ name: Name, ...setFields, files }),
  usage: '<name> <values>… in <env> [restart=yes]',
  examples: [
    'app-config LOG_LEVEL=debug GREETING="hello there" in staging',
    'app-config LOG_LEVEL=debug in staging restart=yes',
  ],
  routes: [
    route({
      method: 'PUT',
      path: '/configmaps/:namespace/:name',
      summary: 'Set values and files of a ConfigMap',
      request: setBody,
      input: inputOfBody,
    }),
  ],
  needs: ['kube'],
  permissions,
  steps: keeperSteps,
  limits: keeperLimits,
  target: ({ env }) => ({ env }),
  plan: (context, input) => planSet(context, 'ConfigMap', input),
  run: runKeeper,
});

export const configUnset = defineOperation({
  name: 'config-unset',
  summary: 'Take keys out of a ConfigMap',
  effect: 'change',
  input: z.strictObject({ name: Name, env: EnvRef, keys: Keys, restart: Switch.optional() }),
  usage: '<name> <keys>… in <env> [restart=yes]',
  examples: ['app-config GREETING in staging'],
  needs: ['kube'],
  permissions,
  steps: keeperSteps,
  limits: keeperLimits,
  target: ({ env }) => ({ env }),
  plan: (context, input) => planUnset(context, 'ConfigMap', input),
  run: runKeeper,
});
