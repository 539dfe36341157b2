import { z } from 'zod';
import { fault } from '../../core/errors.ts';
import { didYouMean } from '../../core/near.ts';
import { defineOperation, type PlanContext, route } from '../../core/operation.ts';
import { Switch } from '../../core/values.ts';
import { callSteps, doCalls } from './calls.ts';
import {
  Address,
  accountText,
  EndpointName,
  endpointsOf,
  endpointWarnings,
  loginFor,
  loginHash,
} from './endpoint-names.ts';
import { holds } from './holds.ts';

const fields = {
  endpoint: EndpointName,
  url: Address,
  type: z
    .string()
    .max(64)
    .regex(/^[\w-]+$/, 'must be a type of registry, such as harbor')
    .default('harbor')
    .describe('What kind of registry it is, as Harbor calls it: harbor, docker-registry, docker-hub, aws-ecr …'),
  insecure: Switch.default(false).describe('Does not check its certificate'),
};

/** @throws Fault NO_SUCH_OBJECT with those that there are */
async function checkType({ harbor }: PlanContext<'harbor'>['on'], type: string, signal: AbortSignal): Promise<void> {
  const known = await harbor.read(['replication', 'adapters'], {}, signal);
  const types = (Array.isArray(known) ? known : []).filter((each) => typeof each === 'string');
  if (types.includes(type)) return;
  const near = didYouMean(type, types) || ` There are: ${types.join(', ')}.`;
  throw fault('NO_SUCH_OBJECT', { kind: 'type of registry', name: type, where: 'Harbor', near });
}

export const harborEndpointCreate = defineOperation({
  name: 'harbor-endpoint-create',
  summary: 'Tell Harbor of another registry to replicate with; its account is that of harbor.logins for its host',
  effect: 'change',
  input: z.strictObject(fields),
  usage: '<endpoint> at <url> [type=<type>] [insecure=<insecure>]',
  examples: ['mirror at https://mirror.example.com', 'hub at https://hub.docker.com type=docker-hub'],
  routes: [
    route({
      method: 'POST',
      path: '/harbor/endpoints',
      summary: 'Make an endpoint in Harbor',
      request: z.object(fields),
      input: (request) => request,
    }),
  ],
  needs: ['harbor'],
  steps: callSteps,
  target: () => ({}),
  plan: async ({ on, settings, signal }, { endpoint, url, type, insecure }) => {
    const [known] = await Promise.all([endpointsOf(on, signal), checkType(on, type, signal)]);
    if (known.some(({ name }) => name === endpoint))
      throw fault('OBJECT_EXISTS', { kind: 'endpoint', name: endpoint, where: 'Harbor' });
    const account = loginFor(settings, url);
    const credential = { type: 'basic', access_key: account ?? '' };
    const path = `endpoint/${endpoint}`;
    const warnings = endpointWarnings(url, insecure, account);
    return {
      summary: `endpoint ${endpoint} in Harbor: ${url}`,
      changes: [
        { path: `${path} url`, to: url },
        { path: `${path} type`, to: type },
        { path: `${path} account`, to: accountText(account) },
        { path: `${path} insecure`, to: insecure },
      ],
      ...(warnings.length > 0 && { warnings }),
      harbor: [
        {
          method: 'POST',
          path: ['registries'],
          body: { name: endpoint, url, type, insecure, ...(account !== undefined && { credential }) },
          ...(account !== undefined && {
            password: ['credential', 'access_secret'],
            login: loginHash(settings, url),
          }),
          done: `${path}: created`,
        },
      ],
      takesOver: [],
      undo: { operation: 'harbor-endpoint-remove', input: { endpoint } },
    };
  },
  // It was not there when this was planned, so one that is the very same is this run's own.
  run: (run) =>
    doCalls(run, async ({ body = {} }, signal) =>
      (await endpointsOf(run.on, signal)).some((found) => holds(found, body)),
    ),
});
