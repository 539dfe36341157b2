import { z } from 'zod';
import { fault } from '../../core/errors.ts';
import type { HarborCall } from '../../core/harbor.ts';
import type { JsonObject } from '../../core/json.ts';
import { defineOperation, route } from '../../core/operation.ts';
import type { Change } from '../../core/plan.ts';
import type { Settings } from '../../core/settings.ts';
import { Switch } from '../../core/values.ts';
import { number } from '../docker/reading.ts';
import { callSteps, doCalls } from './calls.ts';
import {
  Address,
  accountText,
  EndpointName,
  endpointIn,
  endpointState,
  endpointsOf,
  endpointWarnings,
  loginFor,
  loginHash,
} from './endpoint-names.ts';

const fields = {
  endpoint: EndpointName,
  url: Address.optional(),
  insecure: Switch.optional().describe('Does not check its certificate'),
  renew: Switch.default(false).describe(
    'Gives Harbor the account and password that harbor.logins has for its host now',
  ),
};
const Input = z.strictObject(fields);
type Input = z.output<typeof Input>;

/**
 * The account that goes along. Harbor drops the password of an endpoint whose address changes, and it is never sent to another
 * host than its own, so a new address needs one of its own. @throws Fault BAD_INPUT
 */
function accountFor(
  settings: Settings,
  found: JsonObject,
  { endpoint, renew }: Input,
  url: string,
): string | undefined {
  const { account, url: before } = endpointState(found);
  if (url === before && !renew) return undefined;
  const login = loginFor(settings, url);
  const { host } = new URL(url);
  if (login === undefined && renew)
    throw fault('BAD_INPUT', {
      problem: `harbor.logins of shipmate.yaml has no account for ${host} to give to Harbor.`,
    });
  if (login === undefined && account !== '')
    throw fault('BAD_INPUT', {
      problem: `Harbor drops the password of “${endpoint}” when its address changes, and harbor.logins of shipmate.yaml has none for ${host}.`,
    });
  return login;
}

/** The way back, where what was there is known: a password that was replaced is not. */
function wayBack(settings: Settings, found: JsonObject, { endpoint, insecure }: Input, url: string, login?: string) {
  const before = endpointState(found);
  const moved = url !== before.url;
  const same = moved ? (loginFor(settings, before.url) ?? '') === before.account : login === undefined;
  if (!same || (before.account === '' && login !== undefined)) return {};
  const input = {
    endpoint,
    ...(moved && { url: before.url }),
    ...(insecure !== undefined && { insecure: before.insecure }),
  };
  return { undo: { operation: 'harbor-endpoint-set', input } };
}

export const harborEndpointSet = defineOperation({
  name: 'harbor-endpoint-set',
  summary: 'Change where an endpoint of Harbor is, or renew its account and password from harbor.logins',
  effect: 'change',
  input: Input,
  usage: '<endpoint> [url=<url>] [insecure=<insecure>] [renew=<renew>]',
  examples: ['hub insecure=yes', 'dr url=https://dr2.example.com', 'dr renew=yes'],
  routes: [
    route({
      method: 'PUT',
      path: '/harbor/endpoints/:endpoint',
      summary: 'Change an endpoint of Harbor',
      request: z.object(fields),
      input: (request) => request,
    }),
  ],
  needs: ['harbor'],
  steps: callSteps,
  target: () => ({}),
  plan: async ({ on, settings, signal }, input) => {
    const { endpoint } = input;
    const found = endpointIn(await endpointsOf(on, signal), endpoint);
    const before = endpointState(found);
    const { url = before.url, insecure = before.insecure } = input;
    const login = accountFor(settings, found, input, url);
    const account = login ?? before.account;
    const path = `endpoint/${endpoint}`;
    const changes: Change[] = [
      ...(url === before.url ? [] : [{ path: `${path} url`, from: before.url, to: url }]),
      ...(insecure === before.insecure ? [] : [{ path: `${path} insecure`, from: before.insecure, to: insecure }]),
      ...(account === before.account
        ? []
        : [{ path: `${path} account`, from: accountText(before.account), to: accountText(account) }]),
      ...(login === undefined ? [] : [{ path: `${path} password`, to: 'what harbor.logins has now' }]),
    ];
    const call: HarborCall = {
      method: 'PUT',
      path: ['registries', String(number(found.id))],
      // The address goes along wherever a password does.
      body: { url, insecure, ...(login !== undefined && { credential_type: 'basic', access_key: login }) },
      ...(login !== undefined && { password: ['access_secret'], login: loginHash(settings, url) }),
      done: `${path}: changed`,
    };
    const warnings = endpointWarnings(url, insecure, account);
    return {
      summary: changes.length === 0 ? `${endpoint} is so already` : `endpoint ${endpoint} of Harbor: ${url}`,
      changes,
      ...(warnings.length > 0 && { warnings }),
      harbor: changes.length === 0 ? [] : [call],
      takesOver: [],
      ...wayBack(settings, found, input, url, login),
    };
  },
  run: (run) => doCalls(run),
});
